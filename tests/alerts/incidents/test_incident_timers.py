"""How long a state may last, and what happens when it lasts longer: once, whatever dies in between."""

import datetime as dt
from pathlib import Path

import pytest
from saying import again, at_once, moment, path_of, raise_one, said, told, write
from timeline import OPERATOR

from alerts.incidents import actions, deadlines, timers
from alerts.incidents.lifecycle import ReopenReason, State, Step
from alerts.incidents.models import Incident
from storage import Database
from tests.support.reviews import reviewed

S, MIN, H = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)
DAY = 24 * H

# The procedure's table, written down a second time on purpose: S1, S2, S3, S4.
TABLE = {
    State.RAISED: (20 * S, 60 * S, 5 * MIN, None),
    State.ACKNOWLEDGED: (40 * S, 2 * MIN, 15 * MIN, None),
    State.CONFIRMED: (20 * S, 1 * MIN, 10 * MIN, None),
    State.REOPENED: (20 * S, 1 * MIN, 10 * MIN, None),
    State.DISPATCHED: (30 * S, 60 * S, 10 * MIN, None),
    State.ACCEPTED: (3 * MIN, 5 * MIN, 30 * MIN, None),
    State.EN_ROUTE: (3 * MIN, 5 * MIN, 30 * MIN, None),
    State.ARRIVED: (30 * MIN, 1 * H, 24 * H, None),
    State.RESOLVED: (24 * H, 48 * H, 7 * DAY, None),
    State.REVIEWED: (DAY, DAY, DAY, DAY),
    State.CLOSED: (None,) * 4,
    State.FALSE_ALARM: (None,) * 4,
    State.AUTO_CLEARED: (None,) * 4,
    State.MERGED: (None,) * 4,
}
WAY = [
    State.ACKNOWLEDGED,
    State.CONFIRMED,
    State.DISPATCHED,
    State.ACCEPTED,
    State.EN_ROUTE,
    State.ARRIVED,
    State.RESOLVED,
    State.REVIEWED,
]


def step(database: Database, incident: Incident, at: float, *steps: State) -> None:
    with database.write() as session:
        for to in steps:
            if to is State.REVIEWED:
                reviewed(session, incident.id, moment(at))
            reason = ReopenReason.NOT_DONE if to is State.REOPENED else None
            actions.take_step(session, incident.id, Step(to, reason=reason), OPERATOR, moment(at))


def sweep(database: Database, at: float) -> int:
    with database.write() as session:
        return timers.sweep(session, moment(at))


def timeouts(database: Database, incident: Incident) -> list[tuple[float, str]]:
    return [
        ((one.at - moment(0)).total_seconds(), one.reason)
        for one in path_of(database, incident)
        if (one.reason or "").startswith("timeout")
    ]


@pytest.mark.parametrize("severity", [1, 2, 3, 4])
@pytest.mark.parametrize("state", list(State))
def test_states_last_as_long_as_the_procedure_says(state: State, severity: int) -> None:
    limit = TABLE[state][severity - 1]
    assert deadlines.due(state, severity, moment(0)) == (None if limit is None else moment(0) + limit)


@pytest.mark.parametrize("severity", [1, 2, 3, 4])
def test_row_says_when_each_state_is_due(database: Database, severity: int) -> None:
    incident = raise_one(database, "a", severity=severity)
    for number, state in enumerate([State.RAISED, *WAY]):
        if state is not State.RAISED:
            step(database, incident, 10 * number, state)
        limit = TABLE[state][severity - 1]
        # From the acceptance on somebody is expected, whether or not they say that they have set out.
        since = 10 * (number - 1) if state is State.EN_ROUTE else 10 * number
        assert again(database, incident).due_at == (None if limit is None else moment(since) + limit), state


def test_it_is_said_once_at_its_moment_and_not_before(database: Database) -> None:
    incident = raise_one(database, "a", severity=2)
    assert sweep(database, 59.999) == 0
    assert sweep(database, 60) == 1
    assert sweep(database, 60) == 0
    late = again(database, incident)
    assert (late.state, late.escalation, late.due_at, late.version) == (State.RAISED, 1, moment(120), 2)
    (row,) = path_of(database, incident)[1:]
    assert (row.from_state, row.to_state, row.actor, row.role, row.reason, row.at) == (
        "raised",
        State.RAISED,
        "system",
        "system",
        "timeout_acknowledge",
        moment(60),
    )
    assert [(one.version, one.state) for one in told(database)] == [(1, "raised"), (2, "raised")]


def test_critical_one_is_said_every_minute_until_somebody_takes_it(database: Database) -> None:
    incident = raise_one(database, "a", severity=1)
    for second in range(200):
        sweep(database, second)
    assert timeouts(database, incident) == [(at, "timeout_acknowledge") for at in (20, 80, 140)]
    assert again(database, incident).escalation == 3
    step(database, incident, 199, State.ACKNOWLEDGED)
    assert again(database, incident).escalation == 0
    sweep(database, 238)
    sweep(database, 239)
    assert timeouts(database, incident)[3:] == [(239, "timeout_confirm")]


def test_urgent_one_climbs_rung_by_rung_after_the_same_limit_and_its_ladder_has_an_end(
    database: Database,
) -> None:
    incident = raise_one(database, "a", severity=2)
    for second in range(0, 3600, 5):
        sweep(database, second)
    assert timeouts(database, incident) == [(60.0 * n, "timeout_acknowledge") for n in range(1, 6)]
    assert again(database, incident).due_at is None


def test_warning_does_not_climb_to_the_street(database: Database) -> None:
    incident = raise_one(database, "a", severity=3)
    for second in range(0, 7200, 60):
        sweep(database, second)
    assert len(timeouts(database, incident)) == 3


def test_ladder_that_was_down_goes_on_where_it_was_and_says_one_rung_not_all(database: Database) -> None:
    incident = raise_one(database, "a", severity=2)
    sweep(database, 60)
    assert sweep(database, 6000) == 1
    assert timeouts(database, incident) == [(60, "timeout_acknowledge"), (6000, "timeout_acknowledge")]
    assert again(database, incident).due_at == moment(6060)


def test_old_acknowledged_alert_is_not_escalated_months_later(database: Database) -> None:
    """Grafana OnCall #3111: "Old, acknowledge alert has been escalated after two months"."""
    taken, never = raise_one(database, "a", severity=2), raise_one(database, "b", severity=2)
    step(database, taken, 10, State.ACKNOWLEDGED)
    # Everything was off for two months; then somebody switches it on again.
    later = 60 * DAY.total_seconds()
    assert sweep(database, later) == 2
    assert timeouts(database, taken) == []
    assert path_of(database, taken)[-1].reason == "overdue_confirm"
    assert again(database, taken).due_at is None
    # What nobody ever took is said, however late.
    assert timeouts(database, never) == [(later, "timeout_acknowledge")]


def test_acknowledgement_does_not_hold_for_ever(database: Database) -> None:
    """GoAlert #1919: who acknowledges and does nothing is climbed over, too."""
    incident = raise_one(database, "a", severity=2)
    step(database, incident, 10, State.ACKNOWLEDGED)
    for second in range(10, 3600, 5):
        sweep(database, second)
    assert timeouts(database, incident) == [(10.0 + 120 * n, "timeout_confirm") for n in range(1, 6)]


def test_clock_that_was_set_back_delays_nobody_by_more_than_the_limit(database: Database) -> None:
    incident = raise_one(database, "a", at=7200, severity=2)
    assert again(database, incident).due_at == moment(7260)
    # An hour and a half back: the timer would run for all of that.
    sweep(database, 1800)
    assert again(database, incident).due_at == moment(1860)
    assert sweep(database, 1860) == 1
    assert sweep(database, 1861) == 0


def test_paperwork_that_is_late_rings_once(database: Database) -> None:
    incident = raise_one(database, "a", severity=1)
    step(database, incident, 1, State.CONFIRMED, State.RESOLVED)
    for hours in range(20, 90):
        sweep(database, hours * 3600)
    assert [reason for _, reason in timeouts(database, incident)] == ["timeout_review"]


def test_notice_is_never_late(database: Database) -> None:
    raise_one(database, "a", severity=4)
    assert sweep(database, 10**6) == 0


def test_what_gets_graver_is_due_from_then_and_not_later_than_before(database: Database) -> None:
    incident = raise_one(database, "a", severity=4)
    write(database, said("a", 30, severity=3), at=30)
    assert again(database, incident).due_at == moment(30 + 300)
    write(database, said("a", 50, severity=2), at=50)
    assert again(database, incident).due_at == moment(50 + 60)
    write(database, said("a", 100, severity=1), at=100)
    assert again(database, incident).due_at == moment(110)
    # Milder ones and more of the same change nothing.
    write(database, said("a", 105, severity=1), said("a", 105, severity=4), at=105)
    assert again(database, incident).due_at == moment(110)


def test_what_got_graver_after_it_was_late_is_due_again(database: Database) -> None:
    incident = raise_one(database, "a", severity=2)
    sweep(database, 60)
    write(database, said("a", 61, severity=1, window=90), at=61)
    assert again(database, incident).due_at == moment(81)


def test_reviewed_one_is_closed_by_the_system_after_a_day_in_which_it_can_be_reopened(
    database: Database,
) -> None:
    incident = raise_one(database, "a", severity=4)
    step(database, incident, 0, State.CONFIRMED, State.RESOLVED, State.REVIEWED)
    assert sweep(database, 24 * 3600 - 1) == 0
    step(database, incident, 24 * 3600 - 1, State.REOPENED, State.RESOLVED, State.REVIEWED)
    assert sweep(database, 24 * 3600) == 0
    assert sweep(database, 48 * 3600) == 1
    last = path_of(database, incident)[-1]
    assert (last.to_state, last.actor, last.reason) == (State.CLOSED, "system", "reviewed")


@pytest.mark.parametrize("killed_at", [5, 19, 20, 25])
def test_timer_survives_a_restart_and_says_nothing_twice(
    database: Database, tmp_path: Path, killed_at: int
) -> None:
    """Whoever sweeps dies without a word; another process opens the same file."""
    incident = raise_one(database, "a", severity=1)
    for second in range(killed_at):
        sweep(database, second)
    database.close()
    after = Database.at(tmp_path / "ringward.db")
    try:
        for second in range(killed_at, 60):
            sweep(after, second)
        assert timeouts(after, incident) == [(20, "timeout_acknowledge")]
        assert again(after, incident).due_at == moment(80)
    finally:
        after.close()


def test_sweep_that_was_killed_before_its_commit_is_made_good(database: Database) -> None:
    incident = raise_one(database, "a", severity=1)

    class KilledError(Exception):
        pass

    def killed() -> None:
        with database.write() as session:
            assert timers.sweep(session, moment(20)) == 1
            raise KilledError

    with pytest.raises(KilledError):
        killed()
    assert timeouts(database, incident) == []
    assert sweep(database, 21) == 1
    assert timeouts(database, incident) == [(21, "timeout_acknowledge")]


def test_what_ran_out_while_nobody_was_there_is_said_once(database: Database) -> None:
    incident = raise_one(database, "a", severity=1)
    assert sweep(database, 3600) == 1
    assert timeouts(database, incident) == [(3600, "timeout_acknowledge")]
    assert again(database, incident).due_at == moment(3660)


def test_two_that_sweep_at_once_say_it_once(each_database: Database) -> None:
    made = [raise_one(each_database, f"k-{number}", severity=1) for number in range(5)]
    at_once([lambda: sweep(each_database, 30) and None] * 4)
    for incident in made:
        assert timeouts(each_database, incident) == [(30, "timeout_acknowledge")]
        assert again(each_database, incident).escalation == 1


def test_step_that_is_taken_as_the_timer_runs_out_leaves_one_of_both_first(each_database: Database) -> None:
    made = [raise_one(each_database, f"k-{number}", severity=1) for number in range(6)]
    for incident in made:
        at_once(
            [
                lambda: sweep(each_database, 30) and None,
                lambda incident=incident: step(each_database, incident, 30, State.ACKNOWLEDGED),
            ]
        )
    for incident in made:
        rows = path_of(each_database, incident)
        assert [row.version for row in rows] == list(range(1, len(rows) + 1))
        assert [row.to_state for row in rows].count(State.ACKNOWLEDGED) == 1
        assert again(each_database, incident).state == State.ACKNOWLEDGED
