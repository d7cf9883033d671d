"""One face against one gallery: identified, household, unknown or uncertain, and nothing between."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.calibration.thresholds import FaceThresholds
from recognition.decisions import Candidate, FaceOutcome, decide_face

T = FaceThresholds(identify=0.42, unknown=0.547, margin=0.05)

candidates = st.lists(
    st.builds(
        Candidate,
        person_id=st.sampled_from(["p1", "p2", "p3", "p4"]),
        household_id=st.sampled_from([None, "h1", "h2"]),
        distance=st.floats(0, 1.2),
        under_14=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda c: c.person_id,
)
qualities = st.sampled_from([(), (), ("blurred",)])


def face(*found, quality=(), size=1000, liveness=None):
    return decide_face(found, size, quality, T, liveness=liveness)


def test_a_near_person_with_nobody_beside_is_identified():
    decision = face(Candidate("a", "h1", 0.30), Candidate("b", "h2", 0.50))
    assert decision.outcome is FaceOutcome.IDENTIFIED
    assert (decision.person_id, decision.household_id) == ("a", "h1")
    assert decision.score == 0.30
    assert decision.margin == pytest.approx(0.20)
    assert decision.threshold == 0.42


def test_two_of_one_household_are_a_member_of_it():
    decision = face(Candidate("a", "h1", 0.30), Candidate("b", "h1", 0.33), Candidate("c", "h2", 0.45))
    assert decision.outcome is FaceOutcome.HOUSEHOLD
    assert (decision.person_id, decision.household_id) == (None, "h1")


@pytest.mark.parametrize("households", [("h1", "h2"), (None, None), ("h1", None)])
def test_two_who_share_no_household_are_ambiguous(households):
    first, second = households
    decision = face(Candidate("a", first, 0.30), Candidate("b", second, 0.33))
    assert decision.outcome is FaceOutcome.UNCERTAIN
    assert decision.reasons == ("ambiguous",)


def test_two_templates_of_one_person_are_one_person():
    decision = face(Candidate("a", None, 0.30), Candidate("a", None, 0.31))
    assert decision.outcome is FaceOutcome.IDENTIFIED


def test_between_the_thresholds_is_uncertain_and_beyond_is_unknown():
    assert face(Candidate("a", "h", 0.42)).outcome is FaceOutcome.IDENTIFIED
    assert face(Candidate("a", "h", 0.4201)).outcome is FaceOutcome.UNCERTAIN
    assert face(Candidate("a", "h", 0.547)).outcome is FaceOutcome.UNCERTAIN
    assert face(Candidate("a", "h", 0.5471)).outcome is FaceOutcome.UNKNOWN


def test_an_empty_gallery_says_so():
    decision = face(size=0)
    assert (decision.outcome, decision.reasons, decision.score) == (
        FaceOutcome.UNKNOWN,
        ("empty_gallery",),
        None,
    )


def test_a_child_is_never_named():
    decision = face(Candidate("child", "h1", 0.2, under_14=True))
    assert (decision.outcome, decision.reasons) == (FaceOutcome.UNCERTAIN, ("under_14",))


def test_a_picture_of_a_picture_names_nobody():
    decision = face(Candidate("a", "h1", 0.2), liveness=False)
    assert (decision.outcome, decision.reasons) == (FaceOutcome.UNCERTAIN, ("not_live",))


@given(candidates, qualities, st.sampled_from([None, True, False]))
def test_every_face_gets_exactly_one_consistent_answer(found, quality, liveness):
    decision = decide_face(found, len(found), quality, T, liveness=liveness)
    assert (decision.person_id is not None) is (decision.outcome is FaceOutcome.IDENTIFIED)
    if decision.outcome is FaceOutcome.HOUSEHOLD:
        assert decision.household_id is not None
    if decision.outcome in (FaceOutcome.UNKNOWN, FaceOutcome.UNCERTAIN):
        assert decision.household_id is None
    if quality or liveness is False:
        assert decision.outcome is FaceOutcome.UNCERTAIN
    if decision.outcome is FaceOutcome.UNKNOWN:
        assert all(c.distance > T.unknown for c in found)
    if decision.outcome in (FaceOutcome.IDENTIFIED, FaceOutcome.HOUSEHOLD):
        assert decision.score <= T.identify
    assert decision.reasons


@given(candidates, st.randoms())
def test_the_order_of_candidates_does_not_matter(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    assert decide_face(found, 9, (), T) == decide_face(shuffled, 9, (), T)


@given(candidates.filter(bool), st.floats(0, 0.5))
def test_moving_everybody_away_never_names_somebody(found, shift):
    moved = [dataclasses.replace(c, distance=c.distance + shift) for c in found]
    named = {FaceOutcome.IDENTIFIED, FaceOutcome.HOUSEHOLD}
    before, after = decide_face(found, 9, (), T), decide_face(moved, 9, (), T)
    if before.outcome is FaceOutcome.UNKNOWN:
        assert after.outcome is FaceOutcome.UNKNOWN
    if before.reasons == ("between_thresholds",):
        assert after.outcome not in named
