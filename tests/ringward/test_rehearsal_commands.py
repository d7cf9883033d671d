"""`ringward replay` and `ringward why`, from a stored past to what is shown of it."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alerts.incidents import raising
from alerts.incidents.models import Incident
from alerts.knowing import site
from alerts.rules import RULES, Engine, RuleBook
from bus.messages import EventStored, PlateReading, Sighting
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry.models import Compound, Ring, Zone
from ringward import schema
from ringward.bench import madelog
from ringward.cli import app
from ringward.foundation import lay
from ringward.replay import came_in
from ringward.settings import Settings
from storage import Database, migrate

START = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
PLATE = "云M98765"
SECOND = dt.timedelta(seconds=1)
DRAFT = "version = 1\n\n[rules.R-E01]\nwindow_s = 30\n"


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """A deployment with a gate, a stranger at two moments, and a car that nobody knows."""
    assert schema.metadata.tables
    ground = lay(Settings(data_dir=tmp_path))
    migrate.upgrade(ground.database)
    found(ground.database)
    madelog.log(ground.database, [*stranger("a", 0), *stranger("b", 1800, card=20), *car(3600)])
    ground.database.close()
    return tmp_path


def found(database: Database) -> None:
    with database.write() as session:
        session.add(Compound(id="willow", name="柳荫小区", time_zone="Asia/Shanghai"))
        session.flush()
        session.add(
            Zone(id="gate", compound="willow", name="g", ring=Ring.ENTRANCE, kind="gate", outline=[[0, 0]])
        )
        session.flush()
        session.add(
            Device(
                id="cam",
                compound="willow",
                zone="gate",
                kind=DeviceKind.FACE_CAMERA,
                name="c",
                lane="walk",
                secret_hash="",
                stage=Stage.APPROVED,
            )
        )
        session.flush()
        session.add(DeviceStatus(device_id="cam", online=True, since=START - dt.timedelta(days=3)))


def event(name: str, kind: str, seconds: float, **facts) -> EventStored:
    at = START + seconds * SECOND
    return EventStored(
        id=name,
        compound="willow",
        device_id="cam",
        type=kind,
        ring="entrance",
        zone="gate",
        device_time=at,
        at=at,
        received_at=at,
        lane="walk",
        direction="in",
        **facts,
    )


def sighting(of: EventStored, kind: str, **known) -> Sighting:
    return Sighting(
        id=f"s-{of.id}",
        event_id=of.id,
        compound=of.compound,
        device_id=of.device_id,
        subject_kind=kind,
        outcome="unknown",
        ring=of.ring,
        zone=of.zone,
        at=of.at,
        received_at=of.received_at,
        lane=of.lane,
        direction=of.direction,
        **known,
    )


def stranger(name: str, seconds: float, *, card: float | None = None) -> list:
    face = event(f"{name}-face", "face.captured", seconds)
    told = [face, sighting(face, "face", score=0.7), event(f"{name}-door", "door.opened", seconds + 2)]
    return told if card is None else [*told, event(f"{name}-card", "access.granted", seconds + card)]


def car(seconds: float) -> list:
    read = event("car", "plate.recognised", seconds, plate=PlateReading(PLATE, 0.97))
    return [
        read,
        sighting(read, "plate", plate=PLATE, score=0.97),
        event("up", "barrier.opened", seconds + 2),
    ]


def call(*words: str) -> str:
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == 0, result.output
    return result.stdout


def replayed(folder: Path, *words: str) -> dict:
    day = ("--from", "2026-11-23", "--to", "2026-11-24", "--data-dir", str(folder))
    return json.loads(call("replay", *day, "--json", *words))


def test_draft_beside_what_is_in_force(past: Path) -> None:
    draft = past / "draft.toml"
    draft.write_text(DRAFT)
    shown = replayed(past, "--rules", str(draft), "--against", "current")
    assert shown["by_rule"]["R-E01"] == {
        "current": 2, "draft": 1, "new": 0, "gone": 1, "earlier": 0, "later": 1, "graver": 0, "milder": 0,
    }  # fmt: skip
    assert shown["by_rule"]["R-E04"]["draft"] == shown["by_rule"]["R-E04"]["current"] == 1
    kinds = {(change["change"], change["later_s"]) for change in shown["changes"]}
    assert kinds == {("kept", 20.0), ("gone", 0.0), ("kept", 0.0)}
    assert (shown["against"], shown["rules"], shown["faults"]) == ("default", "draft.toml", [])


def test_alone_it_says_what_would_have_been_raised(past: Path) -> None:
    shown = replayed(past)
    assert shown["against"] is None
    assert sorted(change["draft"]["rule"] for change in shown["changes"]) == ["R-E01", "R-E01", "R-E04"]
    assert shown["by_hour"].keys() == {"10", "11"}


def test_nobody_is_named_in_page_or_json(past: Path) -> None:
    page = past / "page.html"
    shown = replayed(past, "--against", "default", "--html", str(page))
    text = page.read_text(encoding="utf-8")
    assert PLATE not in text + json.dumps(shown, ensure_ascii=False)
    assert "R-E04" in text


@pytest.mark.parametrize(("lang", "word"), [("zh-CN", "规则演练"), ("en", "Rehearsal")])
def test_page_stands_by_itself(past: Path, lang: str, word: str) -> None:
    page = past / "page.html"
    replayed(past, "--against", "default", "--html", str(page), "--lang", lang)
    text = page.read_text(encoding="utf-8")
    assert word in text
    assert f"<html lang='{lang}'>" in text
    assert "<script" not in text
    assert not re.search(r"(src|href)=|url\(|@import", text)
    assert text.count("<svg") == text.count("</svg>") >= 2
    # Every word is in the catalogue.
    assert "rehearsal." not in text


def test_table_is_shown(past: Path) -> None:
    day = ("--from", "2026-11-23", "--to", "2026-11-24", "--data-dir", str(past), "--lang", "en")
    shown = call("replay", *day)
    assert "R-E01" in shown
    assert "R-E04" in shown


def test_wrong_draft_is_explained_and_nothing_is_played(past: Path) -> None:
    draft = past / "draft.toml"
    draft.write_text("version = 1\n[rules.R-E01]\nwindow = 30\n")
    words = ["replay", "--from", "2026-11-23", "--rules", str(draft), "--data-dir", str(past), "--lang", "en"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert "draft.toml:3" in result.output


@pytest.mark.parametrize("words", [["--from", "soon"], ["--from", "2026-11-24", "--to", "2026-11-23"]])
def test_impossible_time_is_refused(past: Path, words: list[str]) -> None:
    result = CliRunner().invoke(app, ["replay", *words, "--data-dir", str(past)])
    assert result.exit_code == 1


def raised(folder: Path) -> dict[str, str]:
    """Plays the past as it came in and writes its incidents; rule → the first one's id."""
    ground = lay(Settings(data_dir=folder))
    database, end = ground.database, START + dt.timedelta(hours=3)
    with database.read() as session:
        engine = Engine(RULES, RuleBook(), site(session, "willow"))

    def write(said: list, now: dt.datetime) -> None:
        with database.write() as session:
            raising.apply_all(session, "willow", said, now, book=RuleBook())

    for observation in came_in(database, "willow", START, end):
        while engine.next_due is not None and engine.next_due <= observation.received_at:
            due = engine.next_due
            write(engine.advance(due), due)
        write(engine.feed(observation), observation.received_at)
    while engine.next_due is not None and engine.next_due <= end:
        due = engine.next_due
        write(engine.advance(due), due)
    with database.read() as session:
        rows = session.query(Incident).order_by(Incident.raised_at.desc()).all()
        ids = {row.rule: row.id for row in rows}
    database.close()
    return ids


def test_why_says_what_was_missing(past: Path) -> None:
    incident = raised(past)["R-E01"]
    shown = json.loads(call("why", incident, "--json", "--data-dir", str(past)))
    (because,) = shown["because"]
    assert (because["explained"], because["version"], because["reason"]) == (
        True,
        "default",
        "unknown_passed",
    )
    assert because["parameters"] == {"window_s": 10}
    assert [(one["type"], one["anchor"]) for one in because["inputs"]] == [
        ("face.unknown", True),
        ("door.opened", False),
    ]
    card = next(
        one
        for one in because["counterfactuals"]
        if one["kind"] == "excuse" and one["type"] == "access.granted"
    )
    assert (card["outcome"], card["first_s"], card["last_s"]) == ("silent", -10, 10)
    hour = next(one for one in because["counterfactuals"] if one["kind"] == "hour")
    assert (hour["night"], hour["outcome"]) == (True, 3)


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_why_is_told_in_words(past: Path, lang: str) -> None:
    ids = raised(past)
    for rule in ("R-E01", "R-E04"):
        shown = call("why", ids[rule], "--lang", lang, "--data-dir", str(past))
        assert rule in shown
        assert "why." not in shown
        assert "%(" not in shown


def test_why_of_what_is_no_longer_stored_says_so(past: Path) -> None:
    incident = raised(past)["R-E01"]
    ground = lay(Settings(data_dir=past))
    with ground.database.write() as session:
        session.connection().exec_driver_sql("DELETE FROM decisions")
    ground.database.close()
    (because,) = json.loads(call("why", incident, "--json", "--data-dir", str(past)))["because"]
    assert because["explained"] is False
    assert because["parameters"] == {"window_s": 10}
    assert "counterfactuals" not in because


def test_why_of_no_incident(past: Path) -> None:
    result = CliRunner().invoke(app, ["why", "nothing", "--data-dir", str(past)])
    assert result.exit_code == 1
