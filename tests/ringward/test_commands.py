"""The commands as they are typed: what they print, and with which code they end."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import select, text
from typer.testing import CliRunner

import storage.keys
import storage.vault
from console.accounts.models import Role, User
from console.accounts.tokens import find_api_token
from ingest.push.spool import Spool, SpoolLimits
from registry.models import Person
from ringward.cli import app
from ringward.foundation import Foundation
from ringward.manifest import KEYS_FILE
from storage import archive, audit
from storage.audit import AuditEntry, AuditRow
from tests.ringward.deployments import PHRASE, Deployments, deployments
from tests.support import resident
from tests.support.compound import COMPOUND, ELSEWHERE, settle_in
from tests.support.tampering import unguard

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(archive, "SCRYPT_N", 2)
    monkeypatch.setattr(storage.keys, "STALE_S", 0.0)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RINGWARD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RINGWARD_BACKUP_PASSPHRASE", PHRASE)
    monkeypatch.setenv("RINGWARD_LOG_LEVEL", "error")


@pytest.fixture
def several(tmp_path: Path, clock) -> Iterator[Deployments]:
    with deployments(tmp_path, clock) as made:
        yield made


@pytest.fixture
def ground(several: Deployments) -> Foundation:
    ground = several.new("old")
    settle_in(ground.database)
    return ground


@pytest.fixture
def run(ground: Foundation) -> Run:
    """Runs a command on the deployment; `code` is what it must end with."""

    def run(*words: str, code: int = 0, elsewhere: bool = False) -> Result:
        more = [] if elsewhere else ["--data-dir", str(ground.settings.data_dir)]
        result = CliRunner().invoke(app, [*words, *more])
        assert result.exit_code == code, result.output
        # A command installs keys of its own; the test goes on with the deployment's.
        Deployments.enter(ground)
        return result

    return run


def log_of(ground: Foundation, count: int = 3) -> None:
    with ground.database.write() as session:
        for number in range(count):
            audit.append(
                session,
                ground.clock.now(),
                AuditEntry("u-1", "operator", "person.read", "review", f"person:p{number}", "2 fields"),
            )


def actions(ground: Foundation) -> list[str]:
    with ground.database.read() as session:
        return list(session.scalars(select(AuditRow.action).order_by(AuditRow.seq)))


# ringward audit


def test_whole_log_verifies_and_is_anchored(ground: Foundation, run: Run) -> None:
    log_of(ground)
    first = json.loads(run("audit", "verify", "--json").stdout)
    assert (first["holds"], first["rows"], first["broken_at"], first["anchor"]) == (True, 3, None, "missing")
    assert json.loads(run("audit", "verify", "--json").stdout)["anchor"] == "holds"
    assert "3 rows hold" in run("audit", "verify").output


def test_broken_row_is_named(ground: Foundation, run: Run) -> None:
    log_of(ground)
    unguard(ground.database)
    with ground.database.write() as session:
        session.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 2"))
    found = json.loads(run("audit", "verify", "--json", code=1).stdout)
    assert (found["holds"], found["broken_at"], found["row"]["actor"]) == (False, 2, "nobody")
    assert len(found["unguarded"]) == 3
    assert "broken at row 2" in run("audit", "verify", code=1).output
    assert not ground.settings.anchor_file.exists()


def test_log_whose_end_was_cut_off_does_not_verify(ground: Foundation, run: Run) -> None:
    log_of(ground)
    run("audit", "verify")
    unguard(ground.database)
    with ground.database.write() as session:
        session.execute(text("DELETE FROM audit WHERE seq = 3"))
    found = json.loads(run("audit", "verify", "--json", code=1).stdout)
    assert (found["broken_at"], found["anchor"]) == (None, "cut")


def test_tail_shows_the_newest_last(ground: Foundation, run: Run) -> None:
    log_of(ground, 5)
    lines = run("audit", "tail", "-n", "2").output.splitlines()
    assert [line.split()[0] for line in lines] == ["4", "5"]
    assert "person.read" in lines[0]
    (line,) = run("audit", "tail", "--subject", "person:p1", "--json").stdout.splitlines()
    assert json.loads(line)["seq"] == 2


def test_export_can_be_checked_by_somebody_else(ground: Foundation, run: Run, tmp_path: Path) -> None:
    log_of(ground)
    out = tmp_path / "log.jsonl"
    assert "3 rows" in run("audit", "export", str(out)).output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["previous_hash"] for row in rows[1:]] == [row["row_hash"] for row in rows[:-1]]
    assert out.stat().st_mode & 0o777 == 0o600
    assert actions(ground)[-1] == "audit.exported"
    # It does not write over what somebody else has written.
    assert "exists" in run("audit", "export", str(out), code=1).output
    assert len(run("audit", "export", "-", "--until", "2000-01-01").stdout.splitlines()) == 0


# ringward keys


def test_rotation_leaves_the_old_key_nothing_but_look_ups(ground: Foundation, run: Run) -> None:
    with ground.database.write() as session:
        for number in range(3):
            person = Person(id=f"p-{number}", compound=COMPOUND)
            person.name = f"住户{number}"
            session.add(person)
    ground.media.put(b"at the gate")
    old, new = json.loads(run("keys", "rotate", "--json").stdout)["keys"]
    assert (old["number"], old["places"], old["finds"], old["seals"]) == (1, {}, True, False)
    assert (new["number"], new["places"], new["seals"]) == (2, {"vault": 3, "media": 1}, True)
    assert actions(ground) == ["keys.rotated", "keys.resealed"]
    assert "seals" in run("keys", "status").output
    with ground.database.read() as session:
        assert session.get_one(Person, "p-1").name == "住户1"


def test_key_is_retired_only_where_nothing_needs_it(ground: Foundation, run: Run) -> None:
    run("keys", "rotate")
    ground.vault.create(["p-9"])
    ground.ring.rotate()
    assert "archives" in run("keys", "retire", "2", code=1).output
    assert "still seals 1 vault" in run("keys", "retire", "2", "--archives-go-with-it", code=1).output
    run("keys", "reseal")
    for number in ("1", "8"):
        assert "newest or the oldest" in run("keys", "retire", number, "--archives-go-with-it", code=1).output
    run("keys", "retire", "2", "--archives-go-with-it")
    assert [use["number"] for use in json.loads(run("keys", "status", "--json").stdout)["keys"]] == [1, 3]


def test_key_that_a_pushed_message_waits_under_is_not_retired(ground: Foundation, run: Run) -> None:
    ground.ring.rotate()
    spool = Spool(ground.settings.spool_dir, ground.ring, ground.clock, SpoolLimits(2**30, 0))
    spool.open()
    spool.put("cam-1", "/event", b"{}", None)
    ground.ring.rotate()
    told = run("keys", "retire", "2", "--archives-go-with-it", code=1).output
    assert "still seals 1 pushed messages" in told
    spool.done(spool.waiting(1)[0])
    spool.close()
    run("keys", "retire", "2", "--archives-go-with-it")


# ringward backup, ringward restore


@pytest.fixture
def lived_in(several: Deployments) -> Foundation:
    ground = several.new("lived")
    resident.build(ground.database, ground.media)
    return ground


def invoke(*words: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result


def test_backup_is_made_listed_verified_and_restored(lived_in: Foundation, tmp_path: Path) -> None:
    place, home = tmp_path / "nas", lived_in.settings.data_dir
    made = json.loads(invoke("backup", place, "--data-dir", home, "--json").stdout)
    assert (made["tables"]["people"], made["pictures"]) == (4, 3)
    (listed,) = json.loads(invoke("backup", "list", place, "--data-dir", home, "--json").stdout)["archives"]
    assert listed["sha256"] == made["sha256"]
    assert listed["verified_at"] is not None
    assert Path(made["archive"]).name in invoke("backup", "list", place, "--data-dir", home).output
    checked = json.loads(invoke("backup", "verify", made["archive"], "--json").stdout)
    assert checked["rows"] == made["rows"]
    restored = json.loads(invoke("restore", made["archive"], "--data-dir", tmp_path / "new", "--json").stdout)
    assert restored["tables"] == made["tables"]
    assert restored["forgotten_again"] == 0
    assert "people" in invoke("backup", "verify", made["archive"]).output
    verified = json.loads(invoke("audit", "verify", "--data-dir", tmp_path / "new", "--json").stdout)
    assert (verified["holds"], verified["anchor"]) == (True, "holds")


def test_keys_alone_are_replaced(lived_in: Foundation, tmp_path: Path) -> None:
    place, home = tmp_path / "nas", lived_in.settings.data_dir
    invoke("backup", place, "--data-dir", home, "--keys-only")
    assert [path.name for path in place.iterdir()] == [KEYS_FILE]


def test_passphrase_comes_from_a_file_or_the_environment_and_is_long_enough(
    lived_in: Foundation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, home = tmp_path / "nas", lived_in.settings.data_dir
    monkeypatch.delenv("RINGWARD_BACKUP_PASSPHRASE")
    assert "RINGWARD_BACKUP_PASSPHRASE" in invoke("backup", place, "--data-dir", home, code=1).output
    short = tmp_path / "short"
    short.write_text("secret\n")
    refused = invoke("backup", place, "--data-dir", home, "--passphrase-file", short, code=1)
    assert "12 characters" in refused.output
    long = tmp_path / "long"
    long.write_text(f"{PHRASE}\nand a note\n")
    made = json.loads(invoke("backup", place, "--data-dir", home, "--passphrase-file", long, "--json").stdout)
    monkeypatch.setenv("RINGWARD_BACKUP_PASSPHRASE", PHRASE)
    invoke("backup", "verify", made["archive"])
    assert PHRASE not in invoke("backup", "verify", made["archive"]).output


def test_errors_are_said_in_words(lived_in: Foundation, tmp_path: Path, monkeypatch) -> None:
    place, home = tmp_path / "nas", lived_in.settings.data_dir
    made = json.loads(invoke("backup", place, "--data-dir", home, "--json").stdout)
    new = tmp_path / "new"
    assert "not empty" in invoke("restore", made["archive"], "--data-dir", home, code=1).output
    monkeypatch.setenv("RINGWARD_BACKUP_PASSPHRASE", "another long phrase")
    assert "wrong passphrase" in invoke("restore", made["archive"], "--data-dir", new, code=1).output
    assert "another passphrase" in invoke("backup", place, "--data-dir", home, code=1).output
    monkeypatch.setenv("RINGWARD_BACKUP_PASSPHRASE", PHRASE)
    cut = Path(made["archive"])
    cut.write_bytes(cut.read_bytes()[:-1])
    assert "cut or altered" in invoke("restore", cut, "--data-dir", new, code=1).output
    assert "cut or altered" in invoke("backup", "verify", cut, code=1).output
    assert "No such file" in invoke("backup", "verify", tmp_path / "none.rwb", code=1).output
    assert not new.exists()


# ringward user, ringward token


@pytest.mark.parametrize("role", list(Role))
def test_every_role_can_be_given(ground: Foundation, run: Run, role: Role) -> None:
    with ground.database.write() as session:
        session.add(Person(id="p-1", compound=COMPOUND))
    more = {Role.RESIDENT: ["--person", "p-1"], Role.DEVICE: ["--device", "cam-1"]}.get(
        role, ["--compound", COMPOUND, "--compound", ELSEWHERE]
    )
    said = run("user", "add", "Somebody", "--role", role.value, *more).output
    with ground.database.read() as session:
        user = session.scalars(select(User)).one()
        bound = [COMPOUND] if role in {Role.RESIDENT, Role.DEVICE} else [COMPOUND, ELSEWHERE]
        assert (user.name, user.role, user.compounds) == ("somebody", role, bound)
        assert user.person_id == ("p-1" if role is Role.RESIDENT else None)
        assert user.device_id == ("cam-1" if role is Role.DEVICE else None)
    assert ("/setup/" in said) == (role is not Role.DEVICE)
    assert actions(ground) == ["account.created"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--role", "operator", "--compound", "nowhere"], "no compound nowhere"),
        (["--role", "operator", "--person", "p-1"], "--person does not go with"),
        (["--role", "guard", "--device", "cam-1"], "--device does not go with"),
        (["--role", "auditor", "--responder", "r-1"], "--responder does not go with"),
        (["--role", "volunteer", "--responder", "r-1"], "no responder r-1"),
        (["--role", "resident"], "needs --person"),
        (["--role", "resident", "--person", "p-9"], "no person p-9"),
        (["--role", "resident", "--person", "gone"], "no person gone"),
        (["--role", "resident", "--person", "p-1", "--compound", ELSEWHERE], "no other compound"),
        (["--role", "device"], "needs --device"),
        (["--role", "device", "--device", "none"], "no device none"),
    ],
)
def test_user_who_would_see_too_much_or_nothing_is_refused(ground, run, words: list[str], said: str) -> None:
    with ground.database.write() as session:
        session.add_all(
            [
                Person(id="p-1", compound=COMPOUND),
                Person(id="gone", compound=COMPOUND, erased_at=ground.clock.now()),
            ]
        )
    assert said in run("user", "add", "somebody", *words, code=1).output
    with ground.database.read() as session:
        assert session.scalars(select(User)).all() == []


def test_disabled_user_is_out(ground: Foundation, run: Run) -> None:
    run("user", "add", "li", "--role", "operator")
    token = run("token", "add", "li", "--name", "tool", "--scope", "read").output.strip()
    with ground.database.read() as session:
        assert find_api_token(session, token, ground.clock.now()) is not None
    run("user", "disable", "Li")
    with ground.database.read() as session:
        assert find_api_token(session, token, ground.clock.now()) is None
        assert session.scalars(select(User.active)).one() is False
    assert "inactive" in run("user", "list").output
    assert "no user" in run("user", "disable", "wang", code=1).output
    assert "no active user" in run("token", "add", "li", "--name", "x", "--scope", "read", code=1).output


def test_roles_are_listed_with_what_they_may_do(run: Run) -> None:
    said = run("user", "roles", elsewhere=True).output
    lines = {line.split(":")[0]: line for line in said.splitlines() if ":" in line}
    assert set(lines) == {role.value for role in Role}
    assert "audit_read" in lines["auditor"]
    assert "people_find" not in lines["volunteer"]


def test_token_is_shown_once_and_can_be_revoked(ground: Foundation, run: Run) -> None:
    run("user", "add", "li", "--role", "operator")
    token = run(
        "token", "add", "li", "--name", "wall display", "--scope", "read", "--days", "30"
    ).output.strip()
    with ground.database.read() as session:
        found = find_api_token(session, token, ground.clock.now())
        user, scopes = found.user, found.scopes
        assert (user.name, scopes) == ("li", {"read"})
    listed = run("token", "list").output
    assert token not in listed
    assert "wall display" in listed
    run("token", "revoke", listed.split()[0])
    with ground.database.read() as session:
        assert find_api_token(session, token, ground.clock.now()) is None
    assert run("token", "list").output == ""
    assert "no token" in run("token", "revoke", "0" * 32, code=1).output
    assert actions(ground) == ["account.created", "token.issued", "token.revoked"]
