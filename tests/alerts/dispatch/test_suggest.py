"""Whom to send: only people on duty, free before busy, the routed team first, the near before the far."""

import datetime as dt

import pytest
from timeline import OPERATOR, START

from alerts.dispatch import actions
from alerts.dispatch.suggest import Suggestion, suggest
from alerts.duty.models import Team, TeamKind
from registry.models import Compound

HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)


def suggested(post, incident: str, moment: dt.datetime = START) -> list[Suggestion]:
    with post.database.read() as session:
        return suggest(session, post.of(incident), moment)


def names(post, incident: str, moment: dt.datetime = START) -> list[str]:
    return [suggestion.responder_id for suggestion in suggested(post, incident, moment)]


def make_busy(post, name: str) -> None:
    with post.database.write() as session:
        (dispatch,) = actions.send(session, post.incident(), [name], OPERATOR, START)
        actions.accept(session, dispatch.id, name, START)


def test_nobody_on_duty_is_nobody_to_send(post) -> None:
    assert names(post, post.incident()) == []


def test_only_people_on_duty_at_the_moment_are_suggested(post) -> None:
    post.on_duty("lin", start=-HOUR, end=dt.timedelta(0))
    post.on_duty("zhou", start=dt.timedelta(0), end=HOUR)
    post.on_duty("he", start=SECOND, end=HOUR)
    incident = post.incident()
    assert names(post, incident, START - SECOND) == ["lin"]
    assert names(post, incident, START) == ["zhou"]
    assert names(post, incident, START + SECOND) == ["he", "zhou"]
    assert names(post, incident, START + HOUR) == []


def test_who_left_the_team_is_not_suggested(post) -> None:
    post.responder("gone", active=False)
    post.on_duty("gone", "lin")
    assert names(post, post.incident()) == ["lin"]


def test_people_of_another_compound_are_not_suggested(post) -> None:
    post.add(
        Compound(id="poplar", name="白杨小区", time_zone="Asia/Shanghai"),
        Team(id="far", compound="poplar", name="义警队", kind=TeamKind.VOLUNTEER_POLICE),
    )
    post.responder("tang", team="far")
    post.on_duty("tang", "lin")
    assert names(post, post.incident()) == ["lin"]


def test_two_overlapping_shifts_are_one_person(each_post) -> None:
    each_post.on_duty("lin")
    each_post.on_duty("lin", end=2 * HOUR)
    assert names(each_post, each_post.incident()) == ["lin"]


def test_routed_team_comes_first_and_the_nearest_of_it_before_the_rest(post) -> None:
    post.responder("wu", post="hall")
    post.on_duty("qian", "lin", "zhou", "wu")
    assert names(post, post.incident(team="watch", zone="hall")) == ["wu", "lin", "zhou", "qian"]
    assert names(post, post.incident(team="guards", zone="gate")) == ["qian", "lin", "wu", "zhou"]


def test_free_hands_of_another_team_come_before_busy_ones_of_the_routed(post) -> None:
    post.on_duty("qian", "lin", "zhou")
    make_busy(post, "lin")
    found = suggested(post, post.incident())
    assert [(one.responder_id, one.busy) for one in found] == [
        ("zhou", False),
        ("qian", False),
        ("lin", True),
    ]


def test_asked_only_is_not_busy_and_neither_is_who_goes_to_this_very_incident(post) -> None:
    post.on_duty("lin", "zhou")
    incident, elsewhere = post.incident(), post.incident()
    with post.database.write() as session:
        sent = actions.send(session, incident, ["lin"], OPERATOR, START)
        actions.accept(session, sent[0].id, "lin", START)
        actions.send(session, elsewhere, ["zhou"], OPERATOR, START)
    assert [one.busy for one in suggested(post, incident)] == [False, False]


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("qian", ("on_duty", "posted_here", "free")),
        ("lin", ("on_duty", "routed_team", "free")),
        ("zhou", ("on_duty", "routed_team", "busy")),
    ],
)
def test_suggestion_says_why(post, name: str, reasons: tuple[str, ...]) -> None:
    post.on_duty("qian", "lin", "zhou")
    make_busy(post, "zhou")
    found = {one.responder_id: one for one in suggested(post, post.incident(zone="gate"))}
    assert found[name].reasons == reasons
    assert found["qian"].name == "qian of guards"
    assert (found["qian"].team_name, found["qian"].team_kind) == ("保安队", "guard")
