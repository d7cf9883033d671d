import pytest
from console_world import PLATE, START, dispatch, incident
from sqlalchemy import select

from alerts.dispatch.models import Dispatch, DispatchState, Result
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from console.accounts.models import Role
from storage.audit import AuditRow


async def test_volunteer_gets_own_dispatches_with_the_task_and_no_data(volunteer, world):
    answer = await volunteer.get("/api/v1/dispatches")
    (item,) = answer.json()["items"]
    assert (item["id"], item["task"]["id"], item["task"]["zone"]) == (world.own, world.sent, "gate")
    assert PLATE not in answer.text


@pytest.mark.parametrize("over", [State.RESOLVED, State.REVIEWED, State.CLOSED, State.FALSE_ALARM])
async def test_volunteer_learns_of_what_is_over_that_it_is_and_no_place(volunteer, world, database, over):
    with database.write() as session:
        session.get_one(Incident, world.sent).state = over
        row = session.get_one(Dispatch, world.own)
        row.state, row.resolved_at, row.result = DispatchState.RESOLVED, START, Result.SETTLED
        row.note = "by the gate"
    ended = {"id": world.sent, "state": "ended", "ended_at": "2026-11-23T07:00:00Z", "result": "settled"}
    answer = await volunteer.get("/api/v1/dispatches")
    (item,) = answer.json()["items"]
    assert (item["state"], item["task"]) == ("resolved", ended)
    alone = await volunteer.get(f"/api/v1/incidents/{world.sent}")
    assert alone.json() == ended
    for told in ("gate", "vehicle", "lane-1"):
        assert told not in answer.text + alone.text


@pytest.mark.parametrize("mine", [DispatchState.DECLINED, DispatchState.CANCELLED])
async def test_volunteer_who_does_not_go_needs_to_know_no_more(volunteer, world, database, mine):
    with database.write() as session:
        session.get_one(Dispatch, world.own).state = mine
    (item,) = (await volunteer.get("/api/v1/dispatches")).json()["items"]
    assert item["task"]["state"] == (await volunteer.get(f"/api/v1/incidents/{world.sent}")).json()["state"]
    assert item["task"]["state"] == "ended"


async def test_staff_still_see_the_place_of_what_is_over(operator, world, database):
    with database.write() as session:
        session.get_one(Incident, world.sent).state = State.CLOSED
    items = (await operator.get("/api/v1/dispatches")).json()["items"]
    assert {item["task"]["zone"] for item in items} == {"gate"}


async def test_volunteer_without_responder_has_none(signed_in, world):
    browser = signed_in(Role.VOLUNTEER)
    assert (await browser.get("/api/v1/dispatches")).json()["items"] == []
    assert (await browser.post(f"/api/v1/dispatches/{world.own}/accept")).status_code == 404


async def test_staff_see_all_and_filter(operator, world, database):
    with database.write() as session:
        another = incident(State.DISPATCHED)
        session.add(another)
        session.flush()
        session.add(dispatch(another.id, "wang"))
    assert len((await operator.get("/api/v1/dispatches")).json()["items"]) == 3
    only = await operator.get(f"/api/v1/dispatches?incident={world.sent}&state=offered")
    assert {item["id"] for item in only.json()["items"]} == {world.own, world.other}


async def test_volunteer_works_a_dispatch_off(volunteer, world, database):
    states = []
    for reply, body in (("accept", None), ("arrive", None), ("resolve", {"note": "gate shut"})):
        answer = await volunteer.post(f"/api/v1/dispatches/{world.own}/{reply}", json=body)
        assert answer.status_code == 200
        states.append((answer.json()["state"], answer.json()["task"]["state"]))
    assert states == [("accepted", "accepted"), ("arrived", "arrived"), ("resolved", "ended")]
    with database.read() as session:
        assert session.get_one(Incident, world.sent).resolution == "gate shut"
        rows = session.execute(
            select(AuditRow.actor, AuditRow.action, AuditRow.subject).order_by(AuditRow.seq)
        )
        assert [tuple(row) for row in rows] == [
            (volunteer.user.id, f"dispatch.{reply}", world.sent) for reply in ("accept", "arrive", "resolve")
        ]


@pytest.mark.parametrize("reply", ["accept", "decline", "arrive", "resolve"])
async def test_volunteer_cannot_answer_for_another(volunteer, world, database, reply):
    answer = await volunteer.post(f"/api/v1/dispatches/{world.other}/{reply}")
    assert (answer.status_code, answer.json()["code"]) == (404, "dispatch_not_found")
    with database.read() as session:
        assert session.get_one(Dispatch, world.other).state == "offered"


async def test_second_who_accepts_is_told_that_it_is_taken(signed_in, volunteer, world):
    second = signed_in(Role.VOLUNTEER, responder_id="wang", name="wang")
    assert (await volunteer.post(f"/api/v1/dispatches/{world.own}/accept")).json()["state"] == "accepted"
    assert (await second.post(f"/api/v1/dispatches/{world.other}/accept")).json()["state"] == "taken"
    refused = await second.post(f"/api/v1/dispatches/{world.other}/arrive")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_leading")


async def test_operator_answers_for_a_responder_on_the_radio(operator, world, database):
    answer = await operator.post(f"/api/v1/dispatches/{world.other}/decline")
    assert answer.json()["state"] == "declined"
    with database.read() as session:
        assert session.scalars(select(AuditRow.actor)).one() == operator.user.id


async def test_unknown_reply_is_refused(volunteer, world):
    answer = await volunteer.post(f"/api/v1/dispatches/{world.own}/steal")
    assert answer.json()["code"] == "invalid_request"


async def test_responders_on_duty(operator, world, clock):
    (item,) = (await operator.get("/api/v1/responders")).json()["items"]
    assert (item["id"], item["team_kind"], item["post"]) == ("li", "guard", "gate")
    clock.advance(hours=7)
    assert (await operator.get("/api/v1/responders")).json()["items"] == []
