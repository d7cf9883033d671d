"""What the buttons of the operator and the volunteer do, with and without script."""

import re
from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import select

from alerts.dispatch.models import Dispatch
from alerts.incidents.models import Incident
from console.context import Rooms
from console.security import CSRF_HEADER

Visit = Callable[..., TestClient]


def state_of(rooms: Rooms, incident: str) -> str:
    with rooms.database.read() as session:
        return str(session.get_one(Incident, incident).state)


def test_a_form_without_script_acknowledges_and_comes_back(visit: Visit, seeded: Rooms) -> None:
    answer = visit("operator").post("/console/incidents/i-face/acknowledge", data={"version": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console?incident=i-face")
    assert state_of(seeded, "i-face") == "acknowledged"


def test_a_biometric_incident_is_not_confirmed_without_the_answer(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    for answer, text in (
        ("", "Compare the pictures first"),
        ("not_match", "does not say"),
        ("cannot_tell", "does not say"),
    ):
        reply = client.post(
            "/console/incidents/i-hit/confirm",
            data={"version": "1", "comparison": answer},
            headers={"HX-Request": "true"},
        )
        assert text in reply.text
    assert state_of(seeded, "i-hit") == "raised"
    client.post("/console/incidents/i-hit/confirm", data={"version": "1", "comparison": "match"})
    assert state_of(seeded, "i-hit") == "confirmed"


def test_another_answer_says_what_to_do_and_keeps_the_incident_open(visit: Visit, seeded: Rooms) -> None:
    page = visit("operator", "en").post(
        "/console/incidents/i-hit/confirm",
        data={"version": "1", "comparison": "cannot_tell"},
        headers={"HX-Request": "true"},
    )
    assert 'value="cannot_tell" required checked' in page.text
    assert "stays open" in page.text
    assert "赵保安" in page.text
    assert state_of(seeded, "i-hit") == "raised"


def test_a_wrong_hit_is_a_recognition_error_in_one_press(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    page = client.get("/console?incident=i-hit").text
    form = re.search(r'<form class="if-not-match".*?</form>', page, re.DOTALL)
    assert form
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
    client.post("/console/incidents/i-hit/false-alarm", data=fields)
    with seeded.database.read() as session:
        row = session.get_one(Incident, "i-hit")
        assert (row.state, row.false_alarm_reason, row.comparison) == (
            "false_alarm",
            "recognition_error",
            "not_match",
        )


def test_a_false_alarm_needs_a_reason(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    refused = client.post("/console/incidents/i-face/false-alarm", data={"version": "1"})
    assert refused.status_code == 409
    assert "Choose why" in refused.text
    client.post("/console/incidents/i-face/false-alarm", data={"version": "1", "reason": "courier"})
    assert state_of(seeded, "i-face") == "false_alarm"


def test_an_old_version_is_refused_and_the_new_state_shown(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    client.post("/console/incidents/i-face/acknowledge", data={"version": "1"})
    late = client.post(
        "/console/incidents/i-face/false-alarm",
        data={"version": "1", "reason": "animal"},
        headers={"HX-Request": "true"},
    )
    assert "was faster" in late.text
    assert 'data-version="2"' in late.text
    assert state_of(seeded, "i-face") == "acknowledged"


def test_dispatching_asks_the_chosen_and_offers_only_the_others(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    nobody = client.post(
        "/console/incidents/i-door/dispatch", data={"version": "3"}, headers={"HX-Request": "true"}
    )
    assert "Choose at least one" in nobody.text
    sent = client.post(
        "/console/incidents/i-door/dispatch",
        data={"version": "3", "responder": ["r-li", "r-zhao"]},
        headers={"HX-Request": "true"},
    )
    assert sent.headers["HX-Trigger"] == "ringward:acted"
    assert re.findall(r'name="responder"[^>]*value="([\w-]+)"', sent.text) == ["r-wang"]
    with seeded.database.read() as session:
        asked = session.scalars(select(Dispatch.responder).where(Dispatch.incident == "i-door")).all()
    assert sorted(asked) == ["r-li", "r-zhao"]


def test_a_form_without_its_token_does_nothing(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator")
    del client.headers[CSRF_HEADER]
    assert client.post("/console/incidents/i-face/acknowledge", data={"version": "1"}).status_code == 403
    assert state_of(seeded, "i-face") == "raised"


def test_a_volunteer_answers_only_their_own_dispatch(visit: Visit, seeded: Rooms) -> None:
    assert "没有找到" in visit("wang").post("/phone/dispatches/d-plate/accept").text
    assert visit("li").post("/phone/dispatches/d-plate/accept").status_code == 303
    with seeded.database.read() as session:
        row = session.get_one(Dispatch, "d-plate")
        assert (row.state, row.lead_of) == ("accepted", "i-plate")


def test_opening_the_phone_marks_the_alert_as_seen(visit: Visit, seeded: Rooms) -> None:
    visit("li").get("/phone")
    with seeded.database.read() as session:
        assert session.get_one(Dispatch, "d-plate").seen_at == seeded.clock.now()
