"""What the database counts and reckons itself: the same on SQLite and on PostgreSQL."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.reporting import gathering
from alerts.reporting.alarms import total
from alerts.reporting.answers import Mark, Shift
from alerts.reporting.gathering import Scope
from storage import Database, new_id

COMPOUND = "honghua"
SHANGHAI = ZoneInfo("Asia/Shanghai")
# 01:40 at night in Shanghai, in the second quarter of an hour after one o'clock.
AT = dt.datetime(2026, 11, 1, 17, 40, 12, 500_000, tzinfo=dt.UTC)


def put(database: Database, state: State, steps: dict[State, float], **changes: object) -> None:
    facts: dict[str, object] = {"severity": 2, "ring": "building", "drill": False, "raised_at": AT}
    facts |= changes
    with database.write() as session:
        row = Incident(
            id=new_id(),
            compound=COMPOUND,
            rule="R-B05",
            kind="door.forced",
            zone="b1",
            device_id="door-1",
            state=state,
            version=1,
            happened_at=AT,
            last_signal_at=AT,
            reason="door_forced",
            reason_args={},
            **facts,
        )
        session.add(row)
        session.flush()
        session.add_all(
            Transition(
                id=new_id(),
                incident=row.id,
                version=version,
                to_state=to,
                actor="u",
                role="operator",
                at=row.raised_at + dt.timedelta(seconds=seconds),
            )
            for version, (to, seconds) in enumerate(steps.items(), 1)
        )


@pytest.fixture
def scope() -> Scope:
    return Scope(COMPOUND, AT - dt.timedelta(hours=1), AT + dt.timedelta(hours=1))


def test_waits_are_seconds_from_the_raising_to_the_first_of_each(
    each_database: Database, scope: Scope
) -> None:
    steps = {
        State.RAISED: 0.0,
        State.ACKNOWLEDGED: 12.25,
        State.CONFIRMED: 40.0,
        State.DISPATCHED: 60.0,
        State.EN_ROUTE: 90.0,
        State.ARRIVED: 300.0,
        State.RESOLVED: 900.0,
        # Taken up again: the first time counts.
        State.REOPENED: 2000.0,
    }
    put(each_database, State.REOPENED, steps)
    with each_database.read() as session:
        [one] = gathering.answered(session, scope, SHANGHAI)
    assert one.shift is Shift.NIGHT
    assert one.at == dt.datetime(2026, 11, 1, 17, 30, tzinfo=dt.UTC)
    assert {mark: round(seconds, 3) for mark, seconds in one.seconds.items()} == {
        Mark.ACKNOWLEDGED: 12.25,
        Mark.DECIDED: 40.0,
        Mark.DISPATCHED: 60.0,
        Mark.ACCEPTED: 90.0,
        Mark.ARRIVED: 300.0,
        Mark.RESOLVED: 900.0,
    }


def test_alarms_of_a_quarter_of_an_hour_are_counted_together(each_database: Database, scope: Scope) -> None:
    put(each_database, State.RAISED, {})
    # Rounded it would be the next quarter.
    put(each_database, State.RAISED, {}, raised_at=AT + dt.timedelta(minutes=4))
    put(each_database, State.MERGED, {})
    with each_database.read() as session:
        found = gathering.raised(session, scope)
    assert found == [(dt.datetime(2026, 11, 1, 17, 30, tzinfo=dt.UTC), 2)]


def test_a_scope_leaves_out_exercises_other_rings_and_other_times(
    each_database: Database, scope: Scope
) -> None:
    put(each_database, State.CLOSED, {})
    put(each_database, State.CLOSED, {}, drill=True)
    put(each_database, State.CLOSED, {}, ring="common")
    put(each_database, State.CLOSED, {}, raised_at=scope.end)
    put(each_database, State.CLOSED, {}, raised_at=scope.start - dt.timedelta(seconds=1))
    building = Scope(COMPOUND, scope.start, scope.end, ring="building", severity=2, kind="door.forced")
    with each_database.read() as session:
        assert total(gathering.alarms(session, scope)) == 2
        assert total(gathering.alarms(session, building)) == 1
        assert total(gathering.alarms(session, building.before())) == 1


def test_lists_that_are_empty_count_nothing(each_database: Database, scope: Scope) -> None:
    with each_database.read() as session:
        found = gathering.wanted(session, COMPOUND, scope.start, scope.end)
        letters = gathering.letters(session, scope)
    assert (found.needs, found.open, found.late, found.done) == ({}, 0, 0, 0)
    assert (letters.states, letters.attempts) == ({}, {})
