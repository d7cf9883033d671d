"""Who is told of an incident, when, and that each is told once; on a real database and a virtual clock."""

import pytest
from routed import House, moment
from timeline import COMPOUND

from alerts.duty.models import TeamKind
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.notify.models import ChannelKind, Contact, NotificationState
from storage import Database

OPERATOR, GUARD, VOLUNTEER = TeamKind.OPERATOR, TeamKind.GUARD, TeamKind.VOLUNTEER_POLICE


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_grave_one_at_the_gate_tells_the_desk_and_the_guards_at_once(house: House) -> None:
    house.man(OPERATOR, GUARD, VOLUNTEER)
    incident = house.raises("a", severity=2)
    assert sorted(house.told(incident)) == ["guard", "operator"]
    assert {row.important for row in house.notices()} == {True}


def test_volunteers_hear_of_it_only_once_somebody_has_confirmed_it(house: House) -> None:
    house.man(OPERATOR, VOLUNTEER)
    incident = house.raises("a", severity=2, ring="common")
    assert house.told(incident) == ["operator"]
    house.step(incident, State.ACKNOWLEDGED, 5)
    assert house.told(incident) == ["operator"]
    house.step(incident, State.CONFIRMED, 9)
    assert house.told(incident) == ["operator", "volunteer_police"]


def test_lesser_one_waits_for_its_group_and_then_is_told_once(house: House) -> None:
    house.man(OPERATOR)
    incident = house.raises("a", severity=3)
    assert house.told() == []
    house.turn(9.5)
    assert house.told() == []
    house.turn(10)
    house.turn(10.5)
    assert house.told(incident) == ["operator"]


def test_two_of_a_group_are_told_together_under_the_graver_one(house: House) -> None:
    house.man(OPERATOR)
    house.raises("a", severity=4)
    graver = house.raises("b", 2, severity=3)
    house.turn(10)
    (notice,) = house.notices()
    assert (notice.incident, notice.severity, notice.arguments["count"]) == (graver.id, 3, 2)


def test_new_incident_in_an_old_open_group_is_told(house: House) -> None:
    """Grafana OnCall #3898: hidden inside an old open group."""
    house.man(OPERATOR)
    house.raises("a", severity=3)
    house.turn(10)
    late = house.raises("b", 20, severity=3)
    house.turn(60)
    assert house.told(late) == []
    house.turn(70)
    assert house.told(late) == ["operator"]


def test_graver_one_than_the_group_has_told_does_not_wait_for_its_interval(house: House) -> None:
    house.man(OPERATOR)
    house.raises("a", severity=4)
    house.turn(10)
    graver = house.raises("b", 12, severity=3)
    house.turn(22)
    assert house.told(graver) == ["operator"]


def test_severity_that_rises_is_told_again_as_important(house: House) -> None:
    house.man(OPERATOR)
    incident = house.raises("a", severity=3)
    house.turn(10)
    house.raises("a", 20, severity=2)
    assert [(row.severity, row.important) for row in house.notices(incident)] == [(3, False), (2, True)]
    house.raises("a", 21, severity=2)
    assert len(house.notices(incident)) == 2


def test_one_that_rises_while_its_group_waits_is_told_at_once_and_not_again(house: House) -> None:
    house.man(OPERATOR)
    incident = house.raises("a", severity=3)
    house.raises("a", 3, severity=1)
    assert [row.severity for row in house.notices(incident)] == [1]
    house.turn(10)
    house.turn(70)
    assert [row.severity for row in house.notices(incident)] == [1]


def test_acknowledging_ends_the_desks_notices_and_nobody_elses(house: House) -> None:
    """GoAlert PR 4545: "tell everyone never to acknowledge, or you stop everyone else"."""
    house.man(OPERATOR, GUARD)
    house.man(OPERATOR, name="op-2")
    incident = house.raises("a", severity=2)
    house.step(incident, State.ACKNOWLEDGED, 3)
    assert house.waiting(incident) == ["guard"]
    assert NotificationState.ANSWERED in {row.state for row in house.notices(incident)}


def test_acknowledging_ends_the_consoles_sound_and_no_other_channel(house: House) -> None:
    house.man(OPERATOR, GUARD)
    with house.database.write() as session:
        for kind in (ChannelKind.CONSOLE, ChannelKind.WEBHOOK):
            session.add(
                Contact(
                    id=str(kind), compound=COMPOUND, kind=kind, name="", address="-", created_at=moment(0)
                )
            )
    incident = house.raises("a", severity=2)
    other = house.raises("b", 1, severity=2)
    assert house.waiting(incident) == ["console", "guard", "operator", "webhook"]
    house.step(incident, State.ACKNOWLEDGED, 3)
    assert house.waiting(incident) == ["guard", "webhook"]
    assert "console" in house.waiting(other)


def test_nothing_is_told_after_it_was_resolved(house: House) -> None:
    """Alertmanager #2447 and #4008: firing again after resolved."""
    house.man(OPERATOR, GUARD)
    incident = house.raises("a", severity=3)
    house.step(incident, State.FALSE_ALARM, 5)
    for second in (10, 60, 4000):
        house.turn(second)
    assert house.told(incident) == []


def test_what_is_over_takes_back_what_was_not_sent(house: House) -> None:
    house.man(OPERATOR, GUARD)
    incident = house.raises("a", severity=2)
    house.step(incident, State.FALSE_ALARM, 5)
    assert {row.state for row in house.notices(incident)} == {NotificationState.WITHDRAWN}


def test_open_and_unacknowledged_is_said_again_until_somebody_takes_it(house: House) -> None:
    house.man(OPERATOR)
    incident = house.raises("a", severity=2)
    house.turn(1799)
    assert len(house.told(incident)) == 1
    house.turn(1800)
    house.turn(1801)
    assert len(house.told(incident)) == 2
    house.step(incident, State.ACKNOWLEDGED, 1900)
    house.turn(90_000)
    assert len(house.told(incident)) == 2


def test_old_acknowledged_one_is_never_told_again(house: House) -> None:
    """Grafana OnCall #3111: "Old, acknowledge alert has been escalated after two months"."""
    house.man(OPERATOR)
    incident = house.raises("a", severity=2)
    house.step(incident, State.ACKNOWLEDGED, 3)
    for days in range(1, 61):
        house.turn(days * 86_400)
    assert len(house.told(incident)) == 1


def test_reopened_is_told_as_if_it_were_new(house: House) -> None:
    from alerts.incidents.lifecycle import ReopenReason

    house.man(OPERATOR, GUARD)
    incident = house.raises("a", severity=2)
    for at, state in ((3, State.ACKNOWLEDGED), (4, State.CONFIRMED), (9, State.RESOLVED)):
        house.step(incident, state, at)
    before = house.told(incident)
    house.step(incident, State.REOPENED, 20, reason=ReopenReason.NOT_DONE)
    assert sorted(house.told(incident)[len(before) :]) == ["guard", "operator"]


def test_held_back_tells_nobody_until_it_comes_out(house: House) -> None:
    house.man(OPERATOR)
    incident = house.raises("a", severity=3, hold="too_many")
    house.turn(60)
    assert house.told() == []
    house.raises("a", 61, severity=2)
    assert house.told(incident) == ["operator"]


def test_nobody_on_duty_falls_on_to_the_lead_then_the_desk_then_the_property_lead(house: House) -> None:
    house.man(GUARD, leads=True, on_duty=False)
    house.man(OPERATOR)
    house.man(TeamKind.PROPERTY, leads=True, on_duty=False)
    first = house.raises("a", severity=2)
    assert sorted(house.told(first)) == ["guard", "operator"]
    house.off("operator", 100)
    second = house.raises("b", 200, severity=2, ring="common")
    assert house.told(second) == ["property"]


def test_somebody_is_told_even_where_nobody_leads_anything(house: House) -> None:
    house.man(OPERATOR, on_duty=False)
    assert house.told(house.raises("a", severity=1)) == ["operator"]


def test_duress_is_told_to_the_desk_and_to_whoever_leads_the_property_team_alone(house: House) -> None:
    house.man(OPERATOR, GUARD, VOLUNTEER, TeamKind.PROPERTY, TeamKind.EMERGENCY)
    house.man(TeamKind.PROPERTY, leads=True, name="manager", team="team-property")
    incident = house.raises("a", severity=1, rule="R-E12", kind="duress")
    assert sorted(house.told(incident)) == ["manager", "operator"]
    house.step(incident, State.CONFIRMED, 3)
    assert sorted(house.told(incident)) == ["manager", "operator"]


def test_care_is_told_to_grid_and_steward_and_never_to_guards_or_volunteer_police(house: House) -> None:
    house.man(OPERATOR, GUARD, VOLUNTEER, TeamKind.GRID, TeamKind.STEWARD, TeamKind.PATROL)
    incident = house.raises("a", severity=2, rule="R-B09", kind="care.silent", ring="building")
    house.step(incident, State.CONFIRMED, 3)
    assert sorted(house.told(incident)) == ["grid", "operator", "steward"]


CARE = {"rule": "R-B09", "kind": "care.silent", "ring": "building"}


@pytest.mark.parametrize("taken", [False, True])
def test_who_looks_after_them_hears_a_minute_before_the_desk(house: House, taken: bool) -> None:
    house.man(OPERATOR, TeamKind.GRID, TeamKind.STEWARD)
    incident = house.raises("a", severity=3, **CARE)
    house.turn(15)
    assert sorted(house.told(incident)) == ["grid", "steward"]
    if taken:
        house.step(incident, State.ACKNOWLEDGED, 40, Actor("user-grid", "grid"))
    for second in (59, 60, 61, 90):
        house.turn(second)
        desk = [] if taken or second < 60 else ["operator"]
        assert sorted(house.told(incident)) == ["grid", *desk, "steward"]


def test_graver_care_does_not_wait_for_anybody(house: House) -> None:
    house.man(OPERATOR, TeamKind.GRID)
    assert sorted(house.told(house.raises("a", severity=2, **CARE))) == ["grid", "operator"]


def test_machines_word_on_a_person_is_the_desks_to_compare_first(house: House) -> None:
    house.man(OPERATOR, GUARD)
    incident = house.raises("a", severity=2, rule="R-E09", needs_comparison=True)
    assert house.told(incident) == ["operator"]


def test_those_who_answer_for_the_zone_are_told_before_the_others(house: House) -> None:
    house.man(OPERATOR)
    house.man(GUARD, name="east", zones=["entrance"])
    house.man(GUARD, name="west", zones=["elsewhere"])
    assert sorted(house.told(house.raises("a", severity=2))) == ["east", "operator"]


def test_drill_is_told_like_the_real_thing_and_says_that_it_is_one(house: House) -> None:
    house.man(OPERATOR)
    house.raises("drill:d:a", severity=2, drill=True)
    assert [row.drill for row in house.notices()] == [True]


def test_following_a_change_twice_tells_nobody_twice(house: House) -> None:
    from alerts.incidents.models import Incident
    from alerts.reactions import Changed
    from alerts.routing import reaction

    house.man(OPERATOR, GUARD)
    incident = house.raises("a", severity=2)
    before = house.told()
    with house.database.write() as session:
        row = session.get_one(Incident, incident.id)
        for _ in range(3):
            reaction.follow(session, Changed(row, row.version, row.raised_at, None), row.raised_at)
    assert house.told() == before
    assert incident.compound == COMPOUND
