"""Who stands first in the row, and who may not stand in it at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.dispatch.ground import Ground, Place
from alerts.dispatch.ranking import Candidate, Matter, Ranked, best, exclusion, following, rank, violent
from alerts.duty.models import Skill, TeamKind

SQUARE = Place(((0, 0), (10, 0), (10, 10), (0, 10)), frozenset({"hall"}))
HALL = Place(((100, 0), (110, 0), (110, 10), (100, 10)), frozenset({"square", "attic"}))
ATTIC = Place((), frozenset({"hall"}))
GROUND = Ground({"square": SQUARE, "hall": HALL, "attic": ATTIC})
MATTER = Matter("door.forced", 2, "hall", "watch")


def one(name: str, **facts: object) -> Candidate:
    given_ = {"team": "watch", "kind": TeamKind.VOLUNTEER_POLICE} | facts
    return Candidate(name, **given_)


def guard(name: str, **facts: object) -> Candidate:
    return one(name, **({"team": "guards", "kind": TeamKind.GUARD} | facts))


def order(*people: Candidate, matter: Matter = MATTER) -> list[str]:
    return [ranked.id for ranked in rank(matter, people, GROUND)]


@pytest.mark.parametrize("kind", ["reported.violence", "weapon.seen", "person.fight", "duress"])
def test_never_a_volunteer_to_violence(kind: str) -> None:
    matter = Matter(kind, 1, "hall", "watch")
    for team in TeamKind:
        excluded = exclusion(matter, one("a", kind=team))
        assert (excluded == "volunteer_violence") == team.volunteers, team


def test_ordinary_kinds_are_not_violent() -> None:
    assert not any(map(violent, ("door.forced", "person.loitering", "reported.noise", "object.thrown")))


def test_busy_with_something_graver_is_not_asked_and_busy_with_something_lesser_comes_last() -> None:
    graver, lesser, free = one("a", busy_with=(1,)), one("b", busy_with=(3,)), one("c")
    assert exclusion(MATTER, graver) == "busy_graver"
    assert order(graver, lesser, free) == ["c", "b", "a"]
    # Who can do two things at once is not busy with one.
    assert exclusion(MATTER, one("a", busy_with=(1,), capacity=2)) is None


def test_team_of_another_area_and_who_is_off_duty_are_not_asked() -> None:
    assert exclusion(MATTER, one("a", zones=frozenset({"square"}))) == "other_area"
    assert exclusion(MATTER, one("a", zones=frozenset({"square", "hall"}))) is None
    assert exclusion(MATTER, one("a", on_duty=False)) == "off_duty"


def test_duress_brings_nobody_who_would_come_and_look() -> None:
    matter = Matter("duress", 1, "hall", None)
    assert exclusion(matter, guard("g")) == "silent"
    assert exclusion(matter, one("p", kind=TeamKind.PROPERTY)) is None


def test_care_is_not_for_guards_and_patrols() -> None:
    matter = Matter("care.silent", 3, "hall", None, care=True)
    assert exclusion(matter, guard("g")) == "not_for_care"
    assert exclusion(matter, one("s", kind=TeamKind.STEWARD)) is None


def test_mediators_go_to_quarrels() -> None:
    mediator = one("a", team="talk", kind=TeamKind.MEDIATION)
    assert exclusion(MATTER, mediator) == "other_task"
    assert exclusion(Matter("reported.noise", 3, "hall", None), mediator) is None


def test_nearest_of_the_routed_team_comes_first_whether_by_position_or_by_post() -> None:
    far, near = one("far", post="square"), one("near", position=(95.0, 5.0))
    assert order(far, near, guard("g", post="hall")) == ["near", "far", "g"]


def test_position_goes_before_the_post() -> None:
    [ranked] = rank(MATTER, [one("a", post="square", position=(105.0, 5.0))], GROUND)
    assert (ranked.metres, ranked.reasons) == (0.0, ("on_duty", "routed_team", "is_here", "free"))


def test_who_is_at_home_on_call_comes_after_who_is_on_the_spot() -> None:
    assert order(one("home", post="hall", on_call=True), one("there", post="square")) == ["there", "home"]


def test_wanted_skill_is_fetched_from_further_away() -> None:
    fire = Matter("fire.suspected", 1, "hall", "watch")
    people = (one("a", post="hall"), one("b", post="square", skills=frozenset({Skill.FIRE})))
    assert order(*people, matter=fire) == ["b", "a"]
    assert order(*people) == ["a", "b"]


def test_where_nothing_is_drawn_the_way_is_counted_in_zones() -> None:
    assert GROUND.metres("square", "attic") == 120.0
    assert GROUND.metres("hall", "hall") == 0.0
    assert GROUND.metres("nowhere", "attic") is None
    assert GROUND.metres(None, "hall") is None


def test_at_the_place_means_inside_or_at_its_edge_within_what_the_phone_knows() -> None:
    assert HALL.holds((105.0, 5.0), 0)
    assert HALL.holds((124.0, 5.0), 0)
    assert not HALL.holds((126.0, 5.0), 0)
    assert HALL.holds((126.0, 5.0), 5)
    assert not ATTIC.holds((0.0, 0.0), 1000)


def test_one_volunteer_alone_is_nobody_to_send_at_once() -> None:
    assert best(rank(MATTER, [one("a")], GROUND), 2) == []
    assert [r.id for r in best(rank(MATTER, [guard("g")], GROUND), 2)] == ["g"]
    assert [r.id for r in best(rank(MATTER, [one("a"), guard("g")], GROUND), 2)] == ["a", "g"]
    three = rank(MATTER, [one(name) for name in "abcd"], GROUND)
    assert [r.id for r in best(three, 1)] == ["a", "b", "c"]


PEOPLE = st.lists(
    st.builds(
        Candidate,
        id=st.text("abcdef", min_size=1, max_size=3),
        team=st.sampled_from(["watch", "guards"]),
        kind=st.sampled_from(TeamKind),
        on_duty=st.booleans(),
        on_call=st.booleans(),
        zones=st.sampled_from([frozenset(), frozenset({"hall"}), frozenset({"square"})]),
        post=st.sampled_from([None, "hall", "square", "attic", "nowhere"]),
        position=st.none() | st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
        capacity=st.integers(1, 2),
        busy_with=st.lists(st.integers(1, 4), max_size=3).map(tuple),
    ),
    max_size=8,
    unique_by=lambda person: person.id,
)
KINDS = st.sampled_from(["door.forced", "reported.violence", "reported.noise", "duress"])


@given(PEOPLE, KINDS, st.integers(1, 4))
def test_everybody_is_in_the_row_once_and_nobody_excluded_is_ever_chosen(people, kind, severity) -> None:
    matter = Matter(kind, severity, "hall", "watch")
    ranked: list[Ranked] = rank(matter, people, GROUND)
    assert sorted(r.id for r in ranked) == sorted(p.id for p in people)
    # Those who may go stand before those who may not, and free hands before busy ones.
    assert [r.excluded is not None for r in ranked] == sorted(r.excluded is not None for r in ranked)
    may = [r.busy for r in ranked if r.excluded is None]
    assert may == sorted(may)
    chosen = best(ranked, severity)
    kinds = {p.id: p.kind for p in people}
    if violent(kind):
        assert not any(kinds[r.id].volunteers for r in chosen)
    assert not (len(chosen) == 1 and chosen[0].volunteer)
    asked: list[str] = []
    while (after := following(ranked, asked)) is not None:
        assert after.excluded is None
        asked.append(after.id)
    assert len(asked) == len(may)
