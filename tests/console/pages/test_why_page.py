"""The page that says why: a real explanation as `ringward why` tells it, in words of both languages."""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pages_history import COMPOUND
from sqlalchemy import select

from alerts.rehearsal.why import Excused, Explanation, Hour, Missing, Moved, Target
from alerts.rules import RULES, Observation, Signal
from alerts.rules.rule import Blind
from console.context import Rooms
from console.texts import LOCALES, load
from ringward.rehearsal.because import Because, Why
from ringward.rehearsal.saying import as_json
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
RULE = next(rule for rule in RULES if rule.id == "R-E01")


def explanation(at: dt.datetime) -> Why:
    """Every kind of counterfactual, put together as `explain` does."""
    seen = Observation(
        id="e-face",
        event_id="e-face",
        type="face.captured",
        at=at,
        received_at=at,
        device="cam-east",
        zone="gate-east",
        ring="entrance",
        lane="lane-east",
    )
    later = dataclasses.replace(seen, id="x", type="access.granted", at=at + dt.timedelta(seconds=2))
    end = at + dt.timedelta(seconds=10)
    signal = Signal(
        rule="R-E01",
        kind="person.unknown_passed",
        severity=3,
        dedupe_key="R-E01:lane-east",
        dedupe_window=dt.timedelta(minutes=10),
        anchor=seen,
        evidence=(seen,),
        reason="unknown_passed",
        reason_args={},
        window=(at, end),
        blind=(Blind("turn-east", at, end, "offline"),),
    )
    parameter = RULE.parameters[0]
    target = Target("R-E01", "R-E01:lane-east", "e-face", at, "")
    excuses = [
        Excused(RULE.excuses[0], None, later, -3.0, 10.0),
        Excused(dataclasses.replace(RULE.excuses[0], type="door.opened", cause="intercom"), 3, None),
    ]
    found = Explanation(
        target=target,
        signal=signal,
        night=True,
        levels=("night",),
        parameters=((parameter.name, 10.0),),
        excuses=tuple(excuses),
        moved=(Moved(parameter, 10.0, 4.5, None), Moved(RULE.parameters[-1], 600.0, None, None)),
        missing=(Missing(seen, None),),
        hour=Hour(night=False, outcome=4),
    )
    trace = {
        "anchor": "e-face",
        "rules": "4",
        "mode": "heightened",
        "parameters": {parameter.name: 10.0},
        "window": [at.isoformat(), end.isoformat()],
        "blind": [{"device": "turn-east", "start": at.isoformat(), "end": end.isoformat(), "why": "offline"}],
    }
    lost = dataclasses.replace(target, stage="again")
    return Why(
        "i-face",
        COMPOUND,
        dt.UTC,
        3,
        (
            Because(target, 3, RULE, trace, found),
            Because(lost, 3, RULE, trace, None),
            Because(lost, 3, RULE, {}, None),
        ),
    )


@pytest.fixture
def explained(app: FastAPI, seeded: Rooms, at: dt.datetime) -> Rooms:
    def explain(compound: str, incident: str) -> dict[str, Any]:
        assert (compound, incident) == (COMPOUND, "i-face")
        return as_json(explanation(at))

    app.state.rooms = dataclasses.replace(seeded, explain=explain)
    return seeded


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_page_tells_inputs_window_parameters_and_what_would_have_changed_it(
    visit: Visit, explained: Rooms
) -> None:
    answer = visit("operator", "en").get("/console/incidents/i-face/why")
    assert answer.status_code == 200
    said = text_of(answer.text)
    name = RULE.parameters[0].name
    for words in (
        "东门 · 东门人脸机",
        "what made the rule look",
        f"With {name} at 4.5 s instead of 10 s: it would have stayed silent.",
        "anywhere from 3 s before to 10 s after what made the rule look",
        "By day: it would have been “Notice”.",
        "Without “",
        "rules version 4 · Heightened",
        "东门闸机",
        "offline",
        "What would have changed nothing · 2",
        "(intercom)",
        f"{name} 10 s",
    ):
        assert words in said, words
    # A signal that the past no longer gives, and one that is older than what explains it.
    assert load("en")("why.not_again") in said
    assert load("en")("why.old") in said


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_code_stands_where_words_should(visit: Visit, explained: Rooms, language: str) -> None:
    said = text_of(visit("operator", language).get("/console/incidents/i-face/why").text)
    for code in ("face.captured", "access.granted", "why_page.", "otherwise.", "why.", "reason.", "%("):
        assert code not in said, code


def test_link_stands_at_the_end_of_the_incident(visit: Visit, explained: Rooms) -> None:
    page = visit("operator", "en").get("/console?incident=i-face").text
    assert 'href="/console/incidents/i-face/why"' in page


def test_look_is_audited_where_somebody_is_named(app: FastAPI, visit: Visit, seeded: Rooms) -> None:
    app.state.rooms = dataclasses.replace(
        seeded, explain=lambda c, i: {"incident": i, "compound": c, "signals": 0, "because": []}
    )
    page = visit("operator", "en").get("/console/incidents/i-hit/why")
    assert load("en")("why.old") in page.text
    with seeded.database.read() as session:
        looks = session.scalars(select(AuditRow.action).where(AuditRow.subject == "i-hit")).all()
    assert "incident.viewed" in looks


def test_incident_that_is_not_there_and_a_process_without_the_past(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    client.headers["Accept"] = "text/html"
    assert client.get("/console/incidents/nothing/why").status_code == 404
    answer = client.get("/console/incidents/i-face/why")
    assert answer.status_code == 503
    assert "cannot read the past" in answer.text


def test_only_who_may_read_incidents_is_told(visit: Visit, explained: Rooms) -> None:
    for who in ("guard", "li", "manager", "auditor", "resident"):
        assert visit(who).get("/console/incidents/i-face/why").status_code == 403, who


@pytest.mark.parametrize("locale", LOCALES)
def test_every_unit_and_cause_of_a_rule_has_words(locale: str) -> None:
    keys = load(locale).keys
    bare = {"share", "0…1", "distance"}
    units = {one.unit for rule in RULES for one in rule.parameters} - bare
    causes = {str(one.cause) for rule in RULES for one in rule.excuses if one.cause is not None}
    assert {f"unit.{unit}" for unit in units} | {f"cause.{cause}" for cause in causes} <= keys
    assert {f"event.{one.type}" for rule in RULES for one in rule.excuses} <= keys
