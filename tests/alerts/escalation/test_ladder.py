"""Who stands on which rung, written down a second time."""

import pytest

from alerts.escalation.ladder import LADDERS, Target, rungs, targets
from alerts.escalation.services import NUMBERS, numbers
from alerts.incidents.deadlines import Timer

ABOVE = [{Target.OPERATOR_LEAD}, {Target.PROPERTY_MANAGER}, {Target.COMMUNITY}, {Target.STREET}]


@pytest.mark.parametrize("timer", [Timer.ACKNOWLEDGE, Timer.CONFIRM, Timer.DISPATCH])
def test_desk_climbs_from_the_second_operator_to_the_duty_manager_and_on(timer: Timer) -> None:
    assert [targets(timer, level, 1) for level in range(1, 6)] == [{Target.SECOND_OPERATOR}, *ABOVE]


def test_nobody_who_accepts_climbs_over_stewards_and_the_teams_lead() -> None:
    told = [targets(Timer.ACCEPT, level, 2) for level in range(1, 8)]
    assert Target.STEWARD in told[1]
    assert Target.TEAM_LEAD in told[2]
    assert told[3:] == ABOVE


def test_who_does_not_arrive_is_asked_and_called() -> None:
    assert targets(Timer.ARRIVE, 1, 1) == {Target.RESPONDER, Target.OPERATORS}


def test_what_is_not_resolved_or_reviewed_is_the_supervisors() -> None:
    assert targets(Timer.RESOLVE, 1, 3) == targets(Timer.REVIEW, 1, 3) == {Target.OPERATOR_LEAD}


def test_beyond_the_end_the_last_rung_hears_it_again() -> None:
    assert targets(Timer.ACKNOWLEDGE, 50, 1) == {Target.STREET}


@pytest.mark.parametrize("timer", list(Timer))
def test_notice_wakes_nobody(timer: Timer) -> None:
    assert rungs(timer, 4) == 0
    assert all(targets(timer, level, 4) == frozenset() for level in range(6))


@pytest.mark.parametrize("timer", list(LADDERS))
def test_warning_stays_in_the_house(timer: Timer) -> None:
    told = set().union(*(targets(timer, level, 3) for level in range(1, 9)))
    assert not told & {Target.COMMUNITY, Target.STREET}


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("fire.suspected", "119"),
        ("reported.violence", "110"),
        ("duress", "110"),
        ("reported.medical", "120"),
        ("person.needs_help", "120"),
        ("device.offline", None),
    ],
)
def test_card_shows_whom_to_call(kind: str, first: str | None) -> None:
    assert next(iter(numbers(kind)), None) == first
    assert set(numbers(kind)) <= set(NUMBERS)
