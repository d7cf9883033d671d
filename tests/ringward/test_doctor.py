import asyncio
import datetime as dt
import json
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from console.accounts import service
from console.accounts.models import Role
from ingest.push.spool import Spool, SpoolLimits
from privacy.models import Erasure, ErasureStep
from recognition.engines import Given, Shelf
from ringward import following, process
from ringward.cli import app, doctor
from ringward.cli.doctor import examine
from ringward.foundation import Foundation, anchor_audit, lay
from ringward.settings import Settings
from ringward.supervisor import Running
from storage import KeyRing, SystemClock, ringmark
from storage.audit import AuditEntry, append
from storage.backups import BackupRun
from storage.columns import to_microseconds
from storage.ringmark import ForeignRingError
from tests.support.compound import COMPOUND
from tests.support.face_models import embedder_model, quarters, yunet_model
from tests.support.tampering import unguard

OF_THE_MACHINE = {"clock", "disk, time to sync"}
"""What this machine's own state decides."""


def findings(settings: Settings) -> dict[str, bool]:
    return {finding.check: finding.ok for finding in examine(settings) if finding.check not in OF_THE_MACHINE}


def test_empty_place_is_said_to_be_empty_and_stays_so(settings: Settings) -> None:
    found = list(examine(settings))
    assert {finding.check: finding.ok for finding in found if finding.check not in OF_THE_MACHINE} == {
        "broker": True,
        "models": True,
        "thresholds": True,
        "data directory": False,
        "keys": False,
        "vault": False,
        "database": False,
        "running": False,
    }
    assert all(finding.advice for finding in found if not finding.ok)
    assert not settings.data_dir.exists()


def test_laid_ground_is_well_but_not_running(ground: Foundation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOW_DISK_BYTES", 1)
    assert findings(ground.settings) == {
        "broker": True,
        "models": True,
        "thresholds": True,
        "data directory": True,
        "data directory, rights": True,
        "keys": True,
        "vault": True,
        "schema": True,
        "database": True,
        "keys and database": True,
        "backup": True,
        "erasures in backups": True,
        "rules in force": True,
        "audit anchor": True,
        "outbox": True,
        "reactions": True,
        "notifications": True,
        "devices of honghua": True,
        "clock of the database": True,
        "audit chain": True,
        "running": False,
    }


def test_a_face_engine_that_is_not_on_the_shelf_or_damaged_is_found(
    ground: Foundation, tmp_path: Path
) -> None:
    chosen = ground.settings.model_copy(update={"face_engine": "quarters"})
    assert not findings(chosen)["models"]
    model, detector = tmp_path / "quarters.onnx", tmp_path / "squares.onnx"
    model.write_bytes(embedder_model())
    detector.write_bytes(yunet_model())
    Shelf(chosen.data_dir / "models").add(
        quarters(), Given(model, trusted=True), Given(detector, trusted=True)
    )
    assert findings(chosen)["models"]
    (chosen.data_dir / "models" / "quarters" / "model.onnx").write_bytes(b"")
    assert not findings(chosen)["models"]


def test_promise_that_does_not_hold_for_a_group_is_told(ground: Foundation) -> None:
    def told(population: str) -> str:
        chosen = ground.settings.model_copy(update={"face_population": population})
        return next(finding.seen for finding in examine(chosen) if finding.check == "thresholds")

    assert "strangers of east_asian are named about" in told("")
    assert "strangers" not in told("east_asian")


def test_an_engine_that_nobody_measured_is_found(ground: Foundation, tmp_path: Path) -> None:
    chosen = ground.settings.model_copy(update={"face_engine": "quarters"})
    model, detector = tmp_path / "quarters.onnx", tmp_path / "squares.onnx"
    model.write_bytes(embedder_model())
    detector.write_bytes(yunet_model())
    shelf = Shelf(chosen.data_dir / "models")
    shelf.add(quarters(), Given(model, trusted=True), Given(detector, trusted=True))
    assert not findings(chosen)["thresholds"]


def test_key_that_others_may_read_is_found(ground: Foundation) -> None:
    ground.settings.key_file.chmod(0o644)
    assert findings(ground.settings)["keys"] is False


@pytest.mark.parametrize("name", ["vault.db", "bus.secret"])
def test_other_secrets_that_others_may_read_are_found(ground: Foundation, name: str) -> None:
    path = ground.settings.key_file.with_name(name)
    path.touch(mode=0o600)
    assert findings(ground.settings)["keys"] is True
    path.chmod(0o640)
    assert findings(ground.settings)["keys"] is False


def test_vault_of_another_ring_is_found(ground: Foundation) -> None:
    ground.vault.create(["p-1"])
    assert findings(ground.settings)["vault"] is True
    ground.settings.key_file.write_text(f"7 {'ab' * 32}\n")
    assert findings(ground.settings)["vault"] is False


def test_vault_that_does_not_answer_is_found(ground: Foundation) -> None:
    elsewhere = "postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2"
    assert findings(ground.settings.model_copy(update={"vault_url": elsewhere}))["vault"] is False


def test_backup_that_is_missing_or_old_is_found(ground: Foundation) -> None:
    now = dt.datetime.now(dt.UTC)
    with ground.database.write() as session:
        service.create_user(session, "admin", Role.ADMINISTRATOR, now - dt.timedelta(days=8))
    assert findings(ground.settings)["backup"] is False
    run = BackupRun(id="1", destination="d", label="nas", started_at=now, verified_at=now)
    with ground.database.write() as session:
        session.add(run)
    assert findings(ground.settings)["backup"] is True
    with ground.database.write() as session:
        session.get_one(BackupRun, "1").verified_at = now - dt.timedelta(days=8)
    assert findings(ground.settings)["backup"] is False


def test_erasure_that_backups_have_not_heard_of_is_found(ground: Foundation) -> None:
    at = ground.clock.now()
    with ground.database.write() as session:
        session.add(
            Erasure(
                id="e",
                compound=COMPOUND,
                person="p",
                kind="person",
                ordered_at=at,
                ordered_by="u",
                due_at=at,
            )
        )
        session.flush()
        session.add(
            ErasureStep(id="s", compound=COMPOUND, erasure="e", place="backup:nas", state="pending", at=at)
        )
    assert findings(ground.settings)["erasures in backups"] is False


def test_audit_log_without_its_anchor_or_its_end_is_found(ground: Foundation) -> None:
    with ground.database.write() as session:
        append(session, ground.clock.now(), AuditEntry("u", "operator", "a", "p", "s"))
    assert findings(ground.settings)["audit anchor"] is False
    anchor_audit(ground)
    assert findings(ground.settings)["audit anchor"] is True
    unguard(ground.database)
    with ground.database.write() as session:
        session.execute(text("DELETE FROM audit"))
        append(session, ground.clock.now(), AuditEntry("u", "operator", "b", "p", "s"))
    assert findings(ground.settings)["audit anchor"] is False


def test_spool_that_is_not_emptied_and_what_was_set_aside_are_found(ground: Foundation) -> None:
    assert not {"spool", "spool, set aside"} & set(findings(ground.settings))
    spool = Spool(ground.settings.spool_dir, ground.ring, SystemClock(), SpoolLimits(2**30, 0))
    spool.open()
    assert findings(ground.settings)["spool"] is True
    spool.put("cam-1", "/event", b"{}", None)
    assert findings(ground.settings)["spool"] is True
    spool.set_aside(spool.waiting(1)[0])
    assert findings(ground.settings)["spool, set aside"] is False
    old = f"{to_microseconds(SystemClock().now()) - 301_000_000:020d}.msg"
    (ground.settings.spool_dir / old).write_bytes(b"")
    assert findings(ground.settings)["spool"] is False
    spool.close()


def test_full_disk_is_found(ground: Foundation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOW_DISK_BYTES", 2**63)
    assert findings(ground.settings)["data directory"] is False


def test_schema_that_is_not_ours_is_found(ground: Foundation) -> None:
    with ground.database.write() as session:
        session.execute(text("DROP TABLE outbox"))
    assert findings(ground.settings)["database"] is False


def test_database_that_does_not_answer_is_found(ground: Foundation) -> None:
    elsewhere = "postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=2"
    assert findings(ground.settings.model_copy(update={"database_url": elsewhere}))["database"] is False


def test_missing_server_is_found(settings: Settings) -> None:
    assert findings(settings.model_copy(update={"nats_server": Path("nowhere")}))["broker"] is False
    external = settings.model_copy(update={"nats_server": Path("nowhere"), "nats_url": "nats://bus.example"})
    assert findings(external)["broker"] is True


def test_what_should_run_and_does_not_is_found(ground: Foundation) -> None:
    settings = ground.settings
    children = {"core": 4711, "broker": None}
    note = Running(1, settings.base_url, settings.mqtt_port, settings.nats_port, children, settings.push_port)
    (settings.data_dir / "running.json").write_bytes(msgspec.json.encode(note))
    found = findings(settings)
    assert (found["process core"], found["process broker"]) == (True, False)
    assert (found["MQTT"], found["pushes"], found["ready"]) == (False, False, False)


def test_command_says_it_for_people_and_for_scripts(settings: Settings) -> None:
    plain = CliRunner().invoke(app, ["doctor", "--data-dir", str(settings.data_dir)])
    assert plain.exit_code == 2
    assert "BAD" in plain.output
    assert "does not exist" in plain.output
    scripted = CliRunner().invoke(app, ["doctor", "--data-dir", str(settings.data_dir), "--json"])
    assert scripted.exit_code == 2
    told = json.loads(scripted.stdout)
    assert told["level"] == "fail"
    assert {finding["level"] for finding in told["findings"]} <= {"ok", "warn", "fail"}
    checks = [finding["check"] for finding in told["findings"] if finding["check"] not in OF_THE_MACHINE]
    assert checks == [
        "broker",
        "models",
        "thresholds",
        "data directory",
        "keys",
        "vault",
        "database",
        "running",
    ]


def test_database_with_the_keys_of_another_is_found_and_starts_nowhere(ground: Foundation) -> None:
    ringmark.ensure(ground.database, ground.ring, ground.clock.now())
    ground.settings.key_file.unlink()
    KeyRing.load(ground.settings.key_file)
    assert findings(ground.settings)["keys and database"] is False
    with pytest.raises(ForeignRingError):
        asyncio.run(process.run(["keeper"], lay(ground.settings)))
    refused = CliRunner().invoke(app, ["keep", "--dry-run", "--data-dir", str(ground.settings.data_dir)])
    assert refused.exit_code == 1
    assert "the keys do not belong to this database" in refused.output


def test_copy_that_no_longer_follows_is_found(ground: Foundation) -> None:
    assert "copy that follows" not in findings(ground.settings)
    note = following.note_file(ground.settings.data_dir)
    for minutes, well in ((1, True), (60, False)):
        reached = SystemClock().now() - dt.timedelta(minutes=minutes)
        note.write_bytes(msgspec.json.encode(following.Standing("nas", 60, reached)))
        assert findings(ground.settings)["copy that follows"] is well
