"""Answers that waited on a phone without a network: once, in order, with the times of the presses."""

import datetime as dt

import pytest
from sqlalchemy import select

from alerts.dispatch.models import Arrival, Dispatch, DispatchState
from alerts.incidents.models import Incident, Transition
from storage.audit import AuditRow


def path(world, reply: str) -> str:
    return f"/api/v1/dispatches/{world.own}/{reply}"


def row_of(database, key: str) -> Dispatch:
    with database.read() as session:
        row = session.get_one(Dispatch, key)
        session.expunge(row)
    return row


def waited(now: dt.datetime, **ago: float) -> dict[str, str]:
    """A press so long ago, by a phone whose clock is four minutes fast."""
    fast = now + dt.timedelta(minutes=4)
    return {"pressed_at": (fast - dt.timedelta(**ago)).isoformat(), "sent_at": fast.isoformat()}


async def test_chain_of_late_answers_has_the_times_of_its_presses(volunteer, world, database, rooms):
    start = rooms.clock.now()
    with database.write() as session:
        session.get_one(Dispatch, world.own).offered_at = start - dt.timedelta(minutes=20)
    for reply, ago in (("accept", 15), ("depart", 14), ("arrive", 9), ("resolve", 2)):
        answer = await volunteer.post(path(world, reply), json=waited(start, minutes=ago))
        assert answer.status_code == 200, answer.text
    row = row_of(database, world.own)
    times = [row.answered_at, row.set_out_at, row.arrived_at, row.resolved_at]
    assert times == [start - dt.timedelta(minutes=ago) for ago in (15, 14, 9, 2)]
    assert row.arrived_by == Arrival.SAID
    with database.read() as session:
        # The incident's own history says when we heard of it: nobody could have acted on it before.
        steps = session.scalars(select(Transition.at).where(Transition.incident == world.sent)).all()
        assert max(steps) >= start
        details = session.scalars(select(AuditRow.detail).where(AuditRow.action == "dispatch.arrive")).all()
    assert "pressed=" in (details[0] or "")


async def test_press_is_never_dated_before_what_came_before_it(volunteer, world, database, rooms):
    now = rooms.clock.now()
    offered = row_of(database, world.own).offered_at
    await volunteer.post(path(world, "accept"), json=waited(now, hours=3))
    assert row_of(database, world.own).answered_at == offered


async def test_press_of_yesterday_is_refused_in_words_of_its_own(volunteer, world, database, rooms):
    answer = await volunteer.post(path(world, "accept"), json=waited(rooms.clock.now(), hours=13))
    assert (answer.status_code, answer.json()["code"]) == (409, "press_too_old")
    assert row_of(database, world.own).state == DispatchState.OFFERED


@pytest.mark.parametrize("later", [0, 7])
async def test_same_key_is_one_answer_however_often_it_is_sent(volunteer, world, database, rooms, later):
    now = rooms.clock.now()
    key = {"Idempotency-Key": "k-1"}
    body = waited(now, minutes=5)
    first = await volunteer.post(path(world, "accept"), json=body, headers=key)
    # Sent again later, its own time of sending is another one.
    again = body | {"sent_at": (now + dt.timedelta(minutes=later)).isoformat()}
    second = await volunteer.post(path(world, "accept"), json=again, headers=key)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    with database.read() as session:
        accepted = select(AuditRow.seq).where(AuditRow.action == "dispatch.accept")
        assert len(session.scalars(accepted).all()) == 1
        assert session.get_one(Incident, world.sent).state == "accepted"


async def test_two_presses_under_one_key_are_refused(volunteer, world):
    key = {"Idempotency-Key": "k-2"}
    await volunteer.post(path(world, "accept"), json={}, headers=key)
    answer = await volunteer.post(path(world, "arrive"), json={}, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
