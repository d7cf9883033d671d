"""Whom to send and why, who is called, what those who go may see, and where they say that they are."""

import datetime as dt

import cv2
import numpy as np
import pytest
from console_world import COMPOUND, START
from sqlalchemy import select

from alerts.dispatch.models import Dispatch, ResponderPosition
from alerts.incidents.models import Evidence, Incident
from console.accounts.models import Role
from registry.models import Compound
from storage import new_id
from storage.audit import AuditRow
from storage.events import EventRow

BASE = "/api/v1/incidents"


@pytest.fixture
def shown(world, database, media) -> str:
    """A picture that the incident of the volunteer's dispatch stands on."""
    canvas = np.full((300, 400, 3), 90, np.uint8)
    media_id = media.put(cv2.imencode(".jpg", canvas)[1].tobytes()).media_id
    with database.write() as session:
        row = session.get_one(EventRow, world.event)
        row.body = {**row.body, "pictures": [{"media_id": media_id, "role": "scene"}]}
        session.add(
            Evidence(
                signal_id=new_id(),
                incident=world.sent,
                rule="R-E04",
                severity=1,
                at=START,
                event_ids=[world.event],
                sighting_ids=[],
            )
        )
    return media_id


def placed(database) -> None:
    with database.write() as session:
        row = session.get_one(Compound, COMPOUND)
        row.longitude, row.latitude, row.bearing = 102.7, 25.0, 0.0


async def test_candidates_come_with_reasons(operator, world):
    (item,) = (await operator.get(f"{BASE}/{world.confirmed}/candidates")).json()["items"]
    assert (item["responder_id"], item["excluded"]) == ("li", None)
    assert set(item["reasons"]) >= {"on_duty", "free"}


async def test_call_is_written_down_and_in_the_history(operator, world, database):
    path = f"{BASE}/{world.confirmed}/calls"
    assert (await operator.post(path, json={"number": "110"})).status_code == 201
    assert [one["number"] for one in (await operator.get(path)).json()["items"]] == ["110"]
    refused = await operator.post(path, json={"number": "10086"})
    assert (refused.status_code, refused.json()["code"]) == (409, "number_unknown")
    with database.read() as session:
        assert "incident.called" in session.scalars(select(AuditRow.action)).all()


async def test_next_rung_is_said_with_its_moment(operator, world, database):
    due = START + dt.timedelta(minutes=1)
    with database.write() as session:
        session.get_one(Incident, world.confirmed).due_at = due
    body = (await operator.get(f"{BASE}/{world.confirmed}/escalation")).json()
    assert (body["next"]["timer"], body["next"]["level"]) == ("dispatch", 1)
    assert body["next"]["targets"] == ["second_operator"]


async def flagged(operator, world, shown, **more):
    asked = {"media_id": shown, "reason": "to know the van again"} | more
    return await operator.post(f"{BASE}/{world.sent}/picture", json=asked)


async def test_picture_is_seen_marked_by_who_goes_and_is_gone_after_its_time(
    operator, volunteer, world, shown, clock, database, media
):
    path = f"/api/v1/dispatches/{world.own}/picture"
    assert (await volunteer.get(path)).status_code == 410
    assert (await flagged(operator, world, shown)).status_code == 201
    # Who was only asked does not need it.
    assert (await volunteer.get(path)).status_code == 410
    await volunteer.post(f"/api/v1/dispatches/{world.own}/accept")
    answer = await volunteer.get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    original = cv2.imdecode(np.frombuffer(media.get(shown), np.uint8), cv2.IMREAD_COLOR)
    marked = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert marked.shape == original.shape
    # The mark is all over it: in each quarter something was written.
    changed = np.abs(marked.astype(int) - original.astype(int)).max(axis=2) > 40
    for part in (changed[:150, :200], changed[:150, 200:], changed[150:, :200], changed[150:, 200:]):
        assert part.sum() > 50
    clock.advance(minutes=30)
    gone = await volunteer.get(path)
    assert (gone.status_code, gone.json()["code"]) == (410, "picture_gone")
    with database.read() as session:
        assert "task.picture_viewed" in session.scalars(select(AuditRow.action)).all()


async def test_picture_ends_with_the_task(operator, volunteer, world, shown):
    await flagged(operator, world, shown)
    for reply in ("accept", "arrive", "resolve"):
        await volunteer.post(f"/api/v1/dispatches/{world.own}/{reply}")
    assert (await volunteer.get(f"/api/v1/dispatches/{world.own}/picture")).status_code == 410


async def test_picture_is_nobody_elses_and_may_be_taken_back(operator, volunteer, signed_in, world, shown):
    await flagged(operator, world, shown)
    await volunteer.post(f"/api/v1/dispatches/{world.own}/accept")
    other = signed_in(Role.VOLUNTEER, responder_id="wang", name="wang")
    assert (await other.get(f"/api/v1/dispatches/{world.own}/picture")).status_code == 404
    assert (await operator.get(f"/api/v1/dispatches/{world.own}/picture")).status_code == 404
    assert (await operator.delete(f"{BASE}/{world.sent}/picture")).status_code == 204
    assert (await volunteer.get(f"/api/v1/dispatches/{world.own}/picture")).status_code == 410


async def test_only_a_picture_of_the_incident_with_a_reason_is_shown(operator, world, shown):
    other = await flagged(operator, world, shown, media_id=world.picture)
    assert (other.status_code, other.json()["code"]) == (409, "picture_not_of_incident")
    assert (await flagged(operator, world, shown, reason=" ")).json()["code"] == "reason_required"
    assert (await flagged(operator, world, shown, minutes=500)).status_code == 422


async def test_volunteer_works_through_every_answer(volunteer, world, database):
    said = []
    for reply in ("accept", "depart", "help", "all_right", "arrive", "resolve"):
        answer = await volunteer.post(f"/api/v1/dispatches/{world.own}/{reply}", json={"result": "settled"})
        assert answer.status_code == 200, answer.text
        said.append(answer.json()["state"])
    assert said == ["accepted", "en_route", "en_route", "en_route", "arrived", "resolved"]
    with database.read() as session:
        row = session.get_one(Dispatch, world.own)
        assert (row.result, row.arrived_by, row.help_at) == ("settled", "said", None)


async def test_code_of_another_place_is_no_arrival(volunteer, world, database):
    await volunteer.post(f"/api/v1/dispatches/{world.own}/accept")
    answer = await volunteer.post(f"/api/v1/dispatches/{world.own}/arrive", json={"code": "no-such-code"})
    assert (answer.status_code, answer.json()["code"]) == (409, "code_not_of_place")
    with database.read() as session:
        assert session.get_one(Dispatch, world.own).state == "accepted"


async def test_who_went_off_duty_is_told_so_and_it_is_written_down(volunteer, world, database, clock):
    with database.write() as session:
        session.get_one(Dispatch, world.own).duty_until = START + dt.timedelta(hours=7)
    clock.advance(hours=7)
    answer = await volunteer.post(f"/api/v1/dispatches/{world.own}/accept")
    assert (answer.status_code, answer.json()["code"]) == (409, "off_duty")
    with database.read() as session:
        row = session.get_one(Dispatch, world.own)
        assert (row.state, row.declined_for) == ("declined", "off_duty")


# ── positions ─────────────────────────────────────────────────────────────────

AT_GATE = {"longitude": 102.7, "latitude": 25.0, "accuracy": 8}


async def test_position_is_one_row_for_who_agreed_and_goes_when_they_say_so(volunteer, world, database):
    placed(database)
    refused = await volunteer.put("/api/v1/position", json=AT_GATE)
    assert (refused.status_code, refused.json()["code"]) == (409, "position_not_agreed")
    assert (await volunteer.post("/api/v1/position/agreement")).status_code == 204
    assert (await volunteer.put("/api/v1/position", json=AT_GATE)).json() == {"kept": True}
    # North is up: a thousandth of a degree is some hundred metres, up the plan.
    await volunteer.put("/api/v1/position", json=AT_GATE | {"latitude": 24.999})
    with database.read() as session:
        row = session.scalars(select(ResponderPosition)).one()
        assert (round(row.x), round(row.y)) == (0, 111)
    assert (await volunteer.delete("/api/v1/position")).status_code == 204
    with database.read() as session:
        assert session.scalars(select(ResponderPosition)).all() == []


async def test_position_far_away_or_uncertain_is_not_kept(volunteer, world, database):
    placed(database)
    await volunteer.post("/api/v1/position/agreement")
    for far in (AT_GATE | {"latitude": 26.0}, AT_GATE | {"accuracy": 900}):
        assert (await volunteer.put("/api/v1/position", json=far)).json() == {"kept": False}
    with database.read() as session:
        assert session.scalars(select(ResponderPosition.x)).all() == [None]


async def test_position_of_who_is_off_duty_is_refused_and_what_was_known_goes(
    volunteer, world, database, clock
):
    placed(database)
    await volunteer.post("/api/v1/position/agreement")
    await volunteer.put("/api/v1/position", json=AT_GATE)
    clock.advance(hours=7)
    assert (await volunteer.put("/api/v1/position", json=AT_GATE)).json()["code"] == "off_duty"
    from alerts.dispatch import positions

    with database.write() as session:
        positions.clear(session, clock.now())
        assert session.scalars(select(ResponderPosition)).all() == []
