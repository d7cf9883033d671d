"""Nobody takes it, somebody takes it, it goes on all the same: who hears of it by when, and nobody else."""

from sqlalchemy import select
from timeline import OPERATOR

from alerts.dispatch.models import Dispatch
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import FalseAlarmReason, State
from alerts.notify.models import Notification
from storage import Database


def escalated(*names: str) -> list[tuple[str, str]]:
    return [(name, "escalation") for name in names]


def test_nobody_acknowledges_and_it_climbs_to_the_street(climb) -> None:
    climb.incident(2)
    climb.passes(59)
    assert climb.told() == []
    climb.passes(1)
    assert climb.told() == escalated("op-1", "op-2")
    for rung in (["op-lead"], ["manager-1"], ["community-1"], ["street-1"], []):
        climb.passes(60)
        assert climb.told() == escalated(*rung)
    climb.passes(3600, every=10)
    assert climb.told() == []


def test_critical_one_is_said_again_every_minute_also_at_the_end_of_the_ladder(climb) -> None:
    climb.incident(1)
    climb.passes(20)
    assert climb.told() == escalated("op-1", "op-2")
    climb.passes(240)
    climb.told()
    for _ in range(3):
        climb.passes(60)
        assert climb.told() == escalated("street-1")


def test_acknowledgement_stops_it_for_operators_and_expires(climb) -> None:
    """GoAlert #1919: an acknowledgement that nothing follows is none."""
    incident = climb.incident(2)
    climb.passes(60)
    assert climb.standing() == escalated("op-1", "op-2")
    climb.step(incident, State.ACKNOWLEDGED, Actor("op-1", "operator"))
    assert climb.standing() == []
    climb.told()
    climb.passes(120)
    # The second operator, not the one who has it before them.
    assert climb.told() == escalated("op-2")


def test_acknowledgement_of_one_does_not_silence_what_others_are_asked(climb) -> None:
    """GoAlert PR #4545: never "don't acknowledge, or you'll stop everyone else"."""
    incident = climb.incident(2, State.CONFIRMED, by=OPERATOR)
    climb.send(incident, "vol-1", "vol-2")
    assert climb.standing() == [("vol-1", "offer"), ("vol-2", "offer")]
    climb.passes(60)
    climb.does(incident, "vol-1", "decline")
    assert ("vol-2", "offer") in climb.standing()


def test_with_one_operator_the_first_rung_is_the_duty_manager(database: Database) -> None:
    from climbing import Climb

    climb = Climb(database, "op-1")
    climb.incident(2)
    climb.passes(60)
    assert climb.told() == escalated("op-lead")


def test_rung_where_nobody_stands_is_passed_over_at_once(database: Database) -> None:
    from climbing import Climb

    climb = Climb(database, "op-1", "op-2")
    incident = climb.incident(2)
    climb.passes(60)
    climb.step(incident, State.ACKNOWLEDGED, Actor("op-1", "operator"))
    climb.off_duty("op-2")
    climb.told()
    climb.passes(120)
    assert climb.told() == escalated("op-lead")


def test_notice_wakes_nobody(climb) -> None:
    climb.incident(4)
    climb.passes(24 * 3600, every=600)
    assert climb.told() == []


def test_what_ended_before_its_time_is_told_to_nobody(climb) -> None:
    incident = climb.incident(2)
    climb.passes(59)
    climb.step(incident, State.FALSE_ALARM, reason=FalseAlarmReason.COURIER)
    climb.passes(3600, every=10)
    assert climb.told() == []


def test_everything_was_down_and_one_rung_is_said_once(climb) -> None:
    climb.incident(2)
    climb.passes(7200, every=7200)
    assert climb.told() == escalated("op-1", "op-2")
    climb.passes(60)
    assert climb.told() == escalated("op-lead")


def test_process_that_dies_in_the_middle_of_a_ladder_loses_and_doubles_nothing(each_climb) -> None:
    """The next one opens the same database, in the middle of whatever second it was."""
    climb = each_climb
    climb.incident(2)
    heard: list[tuple[str, str]] = []
    for _ in range(30):
        climb.passes(12, every=12)
        climb.database.engine.dispose()
        heard += climb.told()
    assert heard == escalated("op-1", "op-2", "op-lead", "manager-1", "community-1", "street-1")


def test_clock_that_is_set_back_says_nothing_twice_and_nothing_too_late(climb) -> None:
    climb.incident(2)
    climb.passes(60)
    climb.told()
    climb.at -= 1800
    climb.passes(1)
    assert climb.told() == []
    climb.passes(60)
    assert climb.told() == escalated("op-lead")


def test_no_name_and_no_plate_is_in_what_is_told(climb) -> None:
    climb.incident(2, subject_kind="plate", subject="云M12345", reason_args={"plate": "云M12345"})
    climb.passes(300)
    with climb.database.read() as session:
        for row in session.scalars(select(Notification)):
            assert set(row.arguments) <= {"kind", "zone", "timer", "level"}
            assert "云M12345" not in str(row.arguments)


def test_drill_stays_one_in_everything_that_is_told(climb) -> None:
    incident = climb.incident(2, State.CONFIRMED, by=OPERATOR, drill=True)
    climb.send(incident, "vol-1", "vol-2")
    climb.passes(700)
    with climb.database.read() as session:
        rows = session.scalars(select(Notification)).all()
        assert len(rows) > 5
        assert all(row.drill for row in rows)
        assert session.scalars(select(Dispatch)).all()
