"""Galleries in order, exclusions and the watch-list: who may be named, and by which of them."""

import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recognition.calibration.thresholds import FaceThresholds
from recognition.decisions import Candidate, Exclusion, FaceOutcome, Scope, decide_face, decide_in, seen_from

WIDE = FaceThresholds(identify=0.42, unknown=0.547, margin=0.05)
NARROW = FaceThresholds(identify=0.45, unknown=0.547, margin=0.05)
STRICT = FaceThresholds(identify=0.36, unknown=0.547, margin=0.05)
NAMED = {FaceOutcome.IDENTIFIED, FaceOutcome.HOUSEHOLD}
CERTAINTY = {
    FaceOutcome.IDENTIFIED: 2,
    FaceOutcome.HOUSEHOLD: 1,
    FaceOutcome.UNCERTAIN: 0,
    FaceOutcome.UNKNOWN: 0,
}

people = st.sampled_from(["p1", "p2", "p3", "p4"])
candidates = st.lists(
    st.builds(
        Candidate,
        person_id=people,
        household_id=st.sampled_from([None, "h1", "h2"]),
        # Around the thresholds, where things happen.
        distance=st.one_of(st.floats(0.3, 0.6), st.floats(0, 1.2)),
        under_14=st.sampled_from([False, False, False, True]),
    ),
    max_size=5,
    unique_by=lambda c: c.person_id,
)
exclusions = st.frozensets(st.builds(Exclusion, people, st.none() | people), max_size=3)


def a(distance, household="h1", **more):
    return Candidate("a", household, distance, **more)


def b(distance, household="h2", **more):
    return Candidate("b", household, distance, **more)


def face(*found, excluded=(), quality=()):
    pairs = frozenset(Exclusion(*pair) for pair in excluded)
    return decide_face(found, 1000, quality, WIDE, exclusions=pairs, stricter=STRICT)


def building(*found, **more):
    return Scope("building:7", len(found), found, NARROW, STRICT, **more)


def compound(*found, people=1000, **more):
    return Scope("compound:c", people, found, WIDE, STRICT, **more)


def watchlist(*found, **more):
    return Scope("watchlist:c", len(found), found, NARROW, STRICT, watchlist=True, **more)


def test_neighbour_is_found_in_their_building_and_not_looked_for_in_the_compound():
    decision = decide_in([building(a(0.44)), compound(a(0.44), b(0.47))], ())
    assert (decision.outcome, decision.person_id) == (FaceOutcome.IDENTIFIED, "a")
    assert (decision.gallery, decision.people, decision.threshold) == ("building:7", 1, 0.45)


def test_resident_of_another_building_is_found_in_the_compound():
    decision = decide_in([building(a(0.6)), compound(b(0.3), a(0.6))], ())
    assert (decision.outcome, decision.person_id, decision.gallery) == (
        FaceOutcome.IDENTIFIED,
        "b",
        "compound:c",
    )


def test_nobody_is_unknown_only_where_every_gallery_says_so():
    stranger = decide_in([building(a(0.7)), compound(a(0.7), b(0.6))], ())
    assert (stranger.outcome, stranger.gallery) == (FaceOutcome.UNKNOWN, "compound:c")
    between = decide_in([building(a(0.7)), compound(a(0.7), b(0.5))], ())
    assert (between.outcome, between.reasons) == (FaceOutcome.UNCERTAIN, ("between_thresholds",))
    # A building in which nobody is enrolled says nothing of the compound.
    assert decide_in([building(), compound(b(0.3))], ()).person_id == "b"
    assert decide_in([building(), compound(people=0)], ()).reasons == ("empty_gallery",)


def test_two_people_at_the_same_distance_are_a_tie_and_name_nobody():
    decision = face(a(0.3), b(0.3))
    assert (decision.outcome, decision.reasons, decision.margin) == (
        FaceOutcome.UNCERTAIN,
        ("ambiguous",),
        0.0,
    )


def test_pair_that_was_confused_is_not_named_while_both_are_near():
    """The first stands far enough out for anybody else: 0.05 is the margin, twice that is asked."""
    found = a(0.30), b(0.38)
    assert face(*found).person_id == "a"
    decision = face(*found, excluded=[("b", "a")])
    assert (decision.outcome, decision.reasons) == (FaceOutcome.UNCERTAIN, ("excluded_pair",))
    apart = face(a(0.30), b(0.40), excluded=[("b", "a")])
    assert (apart.outcome, apart.person_id) == (FaceOutcome.IDENTIFIED, "a")


def test_confused_pair_of_one_household_is_its_member():
    decision = face(a(0.30), b(0.38, "h1"), excluded=[("a", "b")])
    assert (decision.outcome, decision.person_id, decision.household_id) == (
        FaceOutcome.HOUSEHOLD,
        None,
        "h1",
    )
    assert decision.reasons == ("same_household", "excluded_pair")


def test_confused_pair_does_not_stand_in_the_way_of_a_third():
    third = Candidate("c", "h3", 0.30)
    assert face(third, a(0.36), b(0.37), excluded=[("a", "b")]).person_id == "c"


def test_child_of_a_confused_pair_makes_it_uncertain():
    decision = face(a(0.30), b(0.38, "h1", under_14=True), excluded=[("a", "b")])
    assert (decision.outcome, decision.reasons) == (FaceOutcome.UNCERTAIN, ("under_14",))


def test_whoever_was_taken_for_a_stranger_is_named_under_the_stricter_threshold_only():
    excluded = [("a", None)]
    assert face(a(0.36), excluded=excluded).person_id == "a"
    decision = face(a(0.37), excluded=excluded)
    assert (decision.outcome, decision.reasons) == (FaceOutcome.UNCERTAIN, ("excluded_stranger",))
    assert face(b(0.37), excluded=excluded).person_id == "b"
    # Without a stricter threshold there is none under which they may be named.
    alone = decide_face([a(0.1)], 10, (), WIDE, exclusions=[Exclusion("a", None)])
    assert alone.reasons == ("excluded_stranger",)


def test_exclusion_that_bites_ends_the_search():
    """The compound would name a neighbour of the face that the building could not tell."""
    excluded = seen_from([Exclusion("a", "x")], {"a", "b"})
    decision = decide_in([building(a(0.40), exclusions=excluded), compound(b(0.30), a(0.40))], ())
    assert (decision.outcome, decision.reasons, decision.gallery) == (
        FaceOutcome.UNCERTAIN,
        ("excluded_stranger",),
        "building:7",
    )


def test_pair_is_seen_from_either_side_and_a_stranger_is_whoever_is_not_there():
    pair = [Exclusion("a", "b")]
    assert seen_from(pair, {"a", "b"}) == {Exclusion("a", "b"), Exclusion("b", "a")}
    assert seen_from(pair, {"b"}) == {Exclusion("b", None)}
    assert seen_from(pair, {"c"}) == frozenset()
    assert seen_from([Exclusion("a", None)], {"a"}) == {Exclusion("a", None)}


def test_watch_list_adds_a_name_that_no_gallery_gave():
    seen = a(0.44)
    without = decide_in([compound(seen)], ())
    assert without.reasons == ("between_thresholds",)
    decision = decide_in([compound(seen), watchlist(seen)], ())
    assert (decision.outcome, decision.person_id) == (FaceOutcome.IDENTIFIED, "a")
    assert decision.reasons == ("within_threshold", "watchlist_gallery")
    assert (decision.gallery, decision.threshold) == ("watchlist:c", 0.45)


def test_watch_list_does_not_rename_whom_a_gallery_has_named():
    decision = decide_in([compound(b(0.30), a(0.41)), watchlist(a(0.41))], ())
    assert (decision.person_id, decision.gallery) == ("b", "compound:c")


@pytest.mark.parametrize("other", [b(0.43), b(0.44), b(0.46)])
def test_watch_list_names_nobody_while_somebody_else_is_as_near(other):
    decision = decide_in([compound(a(0.44), other), watchlist(a(0.44))], ())
    assert (decision.outcome, decision.person_id) == (FaceOutcome.UNCERTAIN, None)


def test_watch_list_names_no_child_and_no_poor_picture():
    child = a(0.3, under_14=True)
    assert decide_in([compound(child), watchlist(child)], ()).reasons == ("under_14",)
    seen = a(0.44)
    assert decide_in([compound(seen), watchlist(seen)], ("blurred",)).reasons == ("poor_quality", "blurred")
    assert decide_in([compound(seen), watchlist(seen)], (), liveness=False).reasons == ("not_live",)


def scopes_of(found, excluded, in_building, wanted):
    """The galleries of one face: the compound's, a part of it, and those who are looked for."""
    ids = {c.person_id for c in found}

    def scope(name, members, thresholds, **more):
        inside = tuple(c for c in found if c.person_id in members)
        here = seen_from(excluded, members & ids)
        return Scope(name, len(inside), inside, thresholds, STRICT, here, **more)

    return [
        scope("building:7", in_building, NARROW),
        scope("compound:c", ids, WIDE),
        scope("watchlist:c", wanted, NARROW, watchlist=True),
    ]


members = st.frozensets(people)


@given(candidates, exclusions, members, members, st.sampled_from([(), (), ("blurred",)]))
def test_every_face_gets_exactly_one_answer(found, excluded, inside, wanted, quality):
    decision = decide_in(scopes_of(found, excluded, inside, wanted), quality)
    assert (decision.person_id is not None) is (decision.outcome is FaceOutcome.IDENTIFIED)
    assert (decision.household_id is None) or decision.outcome in NAMED
    assert decision.reasons
    if decision.outcome is FaceOutcome.UNKNOWN:
        assert not quality
        assert all(c.distance > WIDE.unknown for c in found)
    if decision.outcome in NAMED:
        assert decision.score <= decision.threshold
        named = [c for c in found if c.person_id == decision.person_id]
        assert not any(c.under_14 for c in named)
    else:
        assert decision.outcome in {FaceOutcome.UNKNOWN, FaceOutcome.UNCERTAIN}


@given(candidates, exclusions, members, members, st.randoms())
def test_order_of_candidates_does_not_matter(found, excluded, inside, wanted, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    before = decide_in(scopes_of(found, excluded, inside, wanted), ())
    assert decide_in(scopes_of(shuffled, excluded, inside, wanted), ()) == before


@given(candidates.filter(bool), exclusions, members, members, st.floats(0, 0.6))
def test_nearer_is_never_less_known(found, excluded, inside, wanted, nearer):
    """The one who was identified comes nearer: they stay identified."""
    before = decide_in(scopes_of(found, excluded, inside, wanted), ())
    assume(before.outcome is FaceOutcome.IDENTIFIED)
    moved = [
        dataclasses.replace(c, distance=max(0.0, c.distance - nearer))
        if c.person_id == before.person_id
        else c
        for c in found
    ]
    after = decide_in(scopes_of(moved, excluded, inside, wanted), ())
    assert (after.outcome, after.person_id) == (before.outcome, before.person_id)


@given(candidates, exclusions, exclusions, members, members)
def test_exclusion_never_makes_anything_more_certain(found, excluded, more, inside, wanted):
    before = decide_in(scopes_of(found, excluded, inside, wanted), ())
    after = decide_in(scopes_of(found, excluded | more, inside, wanted), ())
    assert CERTAINTY[after.outcome] <= CERTAINTY[before.outcome]


@given(candidates, members, members, people)
def test_whoever_is_excluded_with_everybody_is_named_by_nothing_above_the_stricter_threshold(
    found, inside, wanted, person
):
    decision = decide_in(scopes_of(found, {Exclusion(person, None)}, inside, wanted), ())
    if decision.person_id == person:
        assert decision.score <= STRICT.identify
