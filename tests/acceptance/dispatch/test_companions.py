"""One volunteer by themselves is nobody: whoever leads alone gets somebody to go along."""

import pytest
from night import Night
from test_life_cycle import SEVERITIES, TABLE, confirmed

from alerts.incidents.deadlines import Timer


def led_by_a_volunteer(night: Night, severity: int, *others: str) -> str:
    incident = confirmed(night, severity)
    night.sends(incident, "volunteer-1", *others)
    night.answers("volunteer-1", "accept", incident)
    night.forgets()
    return incident


@SEVERITIES
def test_next_is_asked_where_nobody_goes_along_in_the_time_for_an_answer(night: Night, severity: int) -> None:
    incident = led_by_a_volunteer(night, severity, "volunteer-2", "volunteer-lead")
    limit = TABLE[Timer.ACCEPT][severity]
    night.passes(limit - 1)
    night.silence()
    night.passes(1)
    # One, although two had been waited for.
    night.hears("guard-1", "offer", incident)
    night.silence()
    night.passes(limit)
    night.hears("grid", "offer", incident)


@SEVERITIES
def test_nobody_else_is_asked_once_somebody_goes_along(night: Night, severity: int) -> None:
    incident = led_by_a_volunteer(night, severity, "volunteer-2")
    night.answers("volunteer-2", "assist", incident)
    night.passes(TABLE[Timer.ACCEPT][severity] + 1)
    night.silence()


@pytest.mark.parametrize("says", ["decline", "assist"])
def test_next_is_asked_at_once_where_everybody_who_could_go_along_has_said_no(
    night: Night, says: str
) -> None:
    incident = led_by_a_volunteer(night, 2, "volunteer-2")
    night.answers("volunteer-2", says, incident)
    if says == "assist":
        night.answers("volunteer-2", "decline", incident)
    night.hears("volunteer-lead", "offer", incident)
    night.silence()
    night.answers("volunteer-lead", "decline", incident)
    night.hears("guard-1", "offer", incident)
    night.answers("guard-1", "accept", incident)
    assert night.dispatches(incident)["guard-1"] == "assisting"
    night.passes(TABLE[Timer.ACCEPT][2] + 1)
    night.silence()


def test_next_is_asked_at_once_where_nobody_was_asked_besides(night: Night) -> None:
    incident = confirmed(night, 2)
    night.sends(incident, "volunteer-1", "volunteer-2")
    night.answers("volunteer-2", "decline", incident)
    night.forgets()
    night.answers("volunteer-1", "accept", incident)
    night.hears("volunteer-lead", "offer", incident)
    night.silence()


def test_guard_leads_alone_and_nobody_else_is_asked(night: Night) -> None:
    incident = confirmed(night, 2)
    night.sends(incident, "guard-1", "guard-2")
    night.answers("guard-1", "accept", incident)
    night.forgets()
    night.passes(TABLE[Timer.ACCEPT][2] + 1)
    night.silence()


def test_who_is_there_is_done_with_the_leader_and_who_is_on_the_way_is_called_off(night: Night) -> None:
    incident = confirmed(night, 2)
    night.sends(incident, "guard-1", "guard-2", "volunteer-1", "volunteer-2")
    night.answers("guard-1", "accept", incident)
    for helper in ("guard-2", "volunteer-1"):
        night.answers(helper, "assist", incident)
    for there in ("guard-1", "guard-2"):
        night.answers(there, "arrive", incident)
    night.forgets()
    night.answers("guard-1", "resolve", incident)
    night.hears("volunteer-1", "called_off", incident)
    night.silence()
    assert night.dispatches(incident) == {
        "guard-1": "resolved",
        "guard-2": "resolved",
        "volunteer-1": "cancelled",
        "volunteer-2": "cancelled",
    }
