"""`ringward check-config`, `rules`, `mode` and `mute` from a shell."""

import getpass
import json
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.models import Incident
from alerts.mutes import RuleMute
from alerts.rulebook.models import RuleProposal, RulesFileState, RuleVersion
from alerts.rules import RULES
from ringward.cli import app
from storage import Database, SystemClock, migrate, new_id
from tests.support.compound import COMPOUND, settle_in

runner = CliRunner(env={"COLUMNS": "200", "LC_ALL": "C"})
NOW = SystemClock().now()
TEXT = "version = 1\n[rules.R-E01]\nwindow_s = {}\n"


@pytest.fixture
def data(tmp_path: Path, vault, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    database = Database.at(folder / "ringward.db")
    migrate.upgrade(database)
    settle_in(database)
    database.close()
    return folder


def run(*args: object, data: Path | None = None, code: int = 0) -> str:
    given = [str(arg) for arg in args] + (["--data-dir", str(data)] if data is not None else [])
    result = runner.invoke(app, given)
    assert result.exit_code == code, result.output
    return result.output


def rows(data: Path, model):
    database = Database.at(data / "ringward.db")
    with database.read() as session:
        found = list(session.scalars(select(model)))
        session.expunge_all()
    database.close()
    return found


def add(data: Path, *made: object) -> None:
    database = Database.at(data / "ringward.db")
    with database.write() as session:
        for one in made:
            session.add(one)
            session.flush()
    database.close()


def manned(data: Path) -> None:
    for kind in TeamKind:
        add(
            data,
            Team(id=kind, compound=COMPOUND, name=kind, kind=kind),
            Responder(id=f"r-{kind}", team=kind, name="x"),
        )


def file(text: str) -> Path:
    path = Path("rules.toml")
    path.write_text(text, encoding="utf-8")
    return path


def test_check_config_names_every_error_with_its_line(data):
    path = file(TEXT.format(99) + 'zones = ["gates"]\n[rules.R-E1]\n')
    told = run("check-config", path, data=data, code=1).splitlines()
    assert told[0].startswith("error rules.toml:3: “window_s” is 99 s; it may be from 2 to 60. ")
    assert "Too long" in told[0]
    assert told[1] == "error rules.toml:4: This compound has no zone “gates”. Did you mean “gate”?"
    assert told[2] == "error rules.toml:5: There is no rule “R-E1”. Did you mean “R-E01”?"
    assert told[3] == "3 errors, 0 warnings"


def test_check_config_speaks_chinese_and_json(data):
    path = file(TEXT.format(99))
    assert "允许范围是 2 到 60" in run("check-config", path, "--lang", "zh-CN", data=data, code=1)
    body = json.loads(run("check-config", path, "--json", data=data, code=1))
    (finding,) = body["findings"]
    assert (body["errors"], finding["line"], finding["code"], finding["level"]) == (
        1,
        3,
        "out_of_range",
        "error",
    )


def test_check_config_without_errors_ends_with_0(data):
    path = file("version = 1\n[rules.R-E01]\nenabled = false\n")
    told = run("check-config", path, data=data)
    assert told.splitlines()[0].startswith("warning rules.toml:3: R-E01 is switched off")
    assert rows(data, RuleVersion) == []


def test_check_config_without_a_database_says_what_it_can(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = file(TEXT.format(99) + 'zones = ["moon"]\n')
    told = run("check-config", path, data=tmp_path / "none", code=1)
    assert "1 errors" in told
    assert not (tmp_path / "none").exists()


def test_check_config_without_a_file_looks_at_settings_rules_and_routes(data, monkeypatch):
    told = run("check-config", data=data, code=1)
    assert (
        "Nobody works in any team of receiver control_room, and nobody else hears of some incidents" in told
    )
    manned(data)
    assert run("check-config", data=data).splitlines()[-1] == "0 errors, 0 warnings"
    file(TEXT.format(99))
    monkeypatch.setenv("RINGWARD_RULES_FILE", "rules.toml")
    assert "rules.toml:3" in run("check-config", data=data, code=1)
    monkeypatch.delenv("RINGWARD_RULES_FILE")
    Path("ringward.toml").write_text('data_dirs = "x"\n')
    told = run("check-config", data=data, code=1)
    assert "data_dirs" in told
    assert "Did you mean “data_dir”?" in told


def test_check_config_says_what_does_not_hold_any_more_of_the_rules_in_force(data):
    manned(data)
    text = TEXT.format(12) + "[rules.R-Z99]\n"
    add(data, RuleVersion(id="v", compound=COMPOUND, number=3, text=text, digest="d", author="a", at=NOW))
    told = run("check-config", data=data, code=1)
    assert "rules in force (version 3):4: There is no rule “R-Z99”." in told


def test_rules_are_set_shown_compared_and_counted(data):
    run("rules", "show", data=data, code=1)
    assert "version 1 is in force" in run("rules", "set", file(TEXT.format(12)), "--note", "slow", data=data)
    assert "nothing new" in run("rules", "set", file(TEXT.format(12)), "--note", "slow", data=data)
    run("rules", "set", file(TEXT.format(14)), "--note", "slower", data=data)
    assert run("rules", "show", data=data) == TEXT.format(14)
    assert run("rules", "show", 1, data=data) == TEXT.format(12)
    run("rules", "show", 9, data=data, code=1)
    assert "-window_s = 12\n+window_s = 14" in run("rules", "diff", 1, 2, data=data)
    history = json.loads(run("rules", "history", "--json", data=data))["versions"]
    assert [(one["number"], one["note"]) for one in history] == [(2, "slower"), (1, "slow")]
    assert history[0]["author"] == f"cli:{getpass.getuser()}"
    listed = json.loads(run("rules", "list", "--json", data=data))
    values = {one["id"]: one["parameters"] for one in listed["rules"]}
    assert (listed["version"], values["R-E01"][0]["value"]) == ("2", 14)
    assert len(listed["rules"]) == len(RULES)
    assert "window_s=14" in run("rules", "list", data=data)


def test_rules_with_errors_are_not_set(data):
    told = run("rules", "set", file(TEXT.format(99)), "--note", "x", data=data, code=1)
    assert "rules.toml:3" in told
    assert "the rules stay as they were" in told
    assert rows(data, RuleVersion) == []
    run("rules", "set", "nowhere.toml", "--note", "x", data=data, code=1)


def test_default_file_is_written_once_and_is_right(tmp_path, data):
    path = tmp_path / "default.toml"
    assert f"{len(RULES)} rules" in run("rules", "default", path)
    assert run("check-config", path, data=data).splitlines()[-1] == "0 errors, 0 warnings"
    run("rules", "default", path, code=1)
    assert run("rules", "default") == path.read_text()


def incident(**more: object) -> Incident:
    fields = {
        "id": new_id(), "compound": COMPOUND, "rule": "R-E01", "kind": "person.unknown_passed",
        "ring": "entrance", "zone": "gate", "device_id": "cam-1", "severity": 4, "state": "false_alarm",
        "version": 1, "happened_at": NOW, "raised_at": NOW, "last_signal_at": NOW,
        "reason": "unknown_passed", "reason_args": {}, "false_alarm_reason": "courier",
    }  # fmt: skip
    return Incident(**fields | more)


def test_health_proposes_and_a_decision_changes_the_rules(data):
    add(data, *(incident() for _ in range(25)))
    report = json.loads(run("rules", "health", "--json", data=data))
    (source,) = report["rules"]
    assert (source["rule"], source["device"], source["judged"], source["share"]) == (
        "R-E01",
        "cam-1",
        25,
        1.0,
    )
    assert rows(data, RuleProposal) == []
    assert "1 new proposals" in run("rules", "health", "--propose", data=data)
    assert "window_s 10 → 13" in run("rules", "proposals", data=data).replace(": ", " ")
    (row,) = rows(data, RuleProposal)
    assert "approved" in run("rules", "decide", row.id, "--approve", data=data)
    assert "\nwindow_s = 13\n" in run("rules", "show", data=data)
    assert "nothing is proposed" in run("rules", "proposals", data=data)
    run("rules", "decide", row.id, "--refuse", data=data, code=1)
    run("rules", "decide", "none", "--approve", data=data, code=1)


def test_held_back_is_reported(data):
    add(
        data,
        incident(state="raised", false_alarm_reason=None, held=True, held_reason="hour_full"),
        incident(),
    )
    body = json.loads(run("rules", "held", "--json", data=data))
    assert (body["raised"], body["held"], body["groups"][0]["rule"]) == (2, 1, "R-E01")
    assert "1 of 2 incidents of 24 h were held back" in run("rules", "held", data=data)


def test_mode_is_asked_for_and_approved_by_somebody_else(data, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "chen")
    told = run("mode", "ask", "heightened", "--reason", "break-ins", "--hours", 2, data=data)
    mode_id = told.split(":")[0]
    run("mode", "approve", mode_id, data=data, code=1)
    assert json.loads(run("mode", "show", "--json", data=data))["mode"] == "normal"
    monkeypatch.setattr(getpass, "getuser", lambda: "li")
    run("mode", "approve", mode_id, data=data)
    shown = json.loads(run("mode", "show", "--json", data=data))
    assert (shown["mode"], shown["asked"][0]["approved_by"]) == ("heightened", "cli:li")
    assert "in force" in run("mode", "show", data=data)
    run("mode", "end", mode_id, data=data)
    assert "Normal" in run("mode", "show", data=data)
    run("mode", "end", "none", data=data, code=1)
    run("mode", "ask", "normal", "--reason", "x", data=data, code=1)
    run("mode", "ask", "emergency", "--reason", "x", "--hours", 73, data=data, code=2)


def test_mute_is_made_and_a_safety_rule_is_not_silenced(data):
    run("mute", "R-E01", "--place", "gate", "--minutes", 90, "--reason", "works", data=data)
    (row,) = rows(data, RuleMute)
    assert (row.rule, row.place, row.reason) == ("R-E01", "gate", "works")
    told = run("mute", "R-E12", "--minutes", 90, "--reason", "works", data=data, code=1)
    assert "R-E12 is a safety rule" in told
    run("mute", "R-E01", "--place", "moon", "--minutes", 90, "--reason", "works", data=data, code=1)
    assert len(rows(data, RuleMute)) == 1


def doctor(data: Path) -> dict[str, dict]:
    result = runner.invoke(app, ["doctor", "--json", "--data-dir", str(data)])
    return {one["check"]: one for one in json.loads(result.output)["findings"]}


def test_doctor_says_what_is_in_force_and_what_was_refused(data, monkeypatch):
    run("rules", "set", file("version = 1\n[rules.R-E01]\nenabled = false\n"), "--note", "x", data=data)
    found = doctor(data)
    assert found["rules in force"]["ok"]
    assert found["rules in force"]["seen"] == f"{len(RULES)} rules, version 1, off: R-E01"
    assert "rules file" not in found
    monkeypatch.setenv("RINGWARD_RULES_FILE", "rules.toml")
    assert "was not looked at yet" in doctor(data)["rules file"]["seen"]
    finding = {
        "line": 3,
        "level": "error",
        "code": "unknown_rule",
        "where": "rules.R-E1",
        "hint": "did_you_mean",
    }
    kept = {**finding, "facts": {"name": "R-E1", "guess": "R-E01"}}
    add(
        data, RulesFileState(compound=COMPOUND, digest="d", looked_at=NOW, refused_since=NOW, findings=[kept])
    )
    refused = doctor(data)["rules file"]
    assert not refused["ok"]
    assert "line 3: There is no rule “R-E1”." in refused["seen"]
