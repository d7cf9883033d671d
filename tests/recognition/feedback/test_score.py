import datetime as dt

import pytest
from feedback_world import NOW

from recognition.feedback.score import Looked, Said, judged, scores, tallies, tally
from recognition.models import Verdict
from tests.support.compound import COMPOUND, ELSEWHERE

YES, NO, CANNOT = Verdict.MATCH, Verdict.NO_MATCH, Verdict.CANNOT_TELL
CAMERA = Looked("cam-1", "dlib", "19.24")


@pytest.mark.parametrize(
    ("verdicts", "same"),
    [
        ([], None),
        ([CANNOT], None),
        ([YES], True),
        ([NO], False),
        ([YES, CANNOT], True),
        ([YES, NO], False),
        ([YES, YES, NO], True),
        ([NO, NO, YES], False),
    ],
)
def test_of_several_operators_most_are_right_and_of_two_the_one_who_doubts(verdicts, same):
    assert judged(verdicts) is same


def test_tally_tells_names_from_passages_without_one():
    counts = tally(
        10,
        20,
        [
            Said(named=True, verdicts=(YES,), inside=0.1),
            Said(named=True, verdicts=(NO,), inside=0.02),
            Said(named=True, verdicts=(NO,), inside=0.01),
            Said(named=True, verdicts=(CANNOT,), inside=0.1),
            Said(named=False, verdicts=(YES,), inside=-0.03),
            Said(named=False, verdicts=(NO,), inside=-0.3),
            Said(named=False, verdicts=(YES,)),
        ],
    )
    assert (counts.named, counts.unnamed) == (10, 20)
    assert (counts.right, counts.false, counts.missed, counts.strangers) == (1, 2, 2, 1)
    assert (counts.undecided, counts.judged) == (1, 6)
    assert (counts.false_inside, counts.missed_outside) == ((0.01, 0.02), (0.03,))


def test_what_was_answered_did_pass_even_if_it_was_amended_since():
    counts = tally(0, 0, [Said(named=True, verdicts=(NO,)), Said(named=False, verdicts=(YES,))])
    assert (counts.named, counts.unnamed) == (1, 1)


def only(gate, at=NOW, **more):
    with gate.database.read() as session:
        found = scores(session, COMPOUND, at, **more)
    return {one.looked: one for one in found}


def test_score_of_a_camera_has_both_shares_with_their_intervals(gate):
    gate.passed(times=16)
    gate.passed("unknown", times=8)
    gate.answered("match", times=3)
    gate.answered("no_match", score=0.48)
    gate.answered("match", "uncertain", score=0.53)
    gate.answered("no_match", "unknown", times=3)
    found = only(gate)[CAMERA]
    assert (found.tally.named, found.tally.unnamed) == (20, 12)
    assert (found.false_of_judged.count, found.false_of_judged.of) == (1, 4)
    assert (found.false_of_named.count, found.false_of_named.of) == (1, 20)
    assert (found.missed_of_judged.count, found.missed_of_judged.of) == (1, 4)
    assert found.tally.false_inside == (pytest.approx(0.02),)
    assert found.tally.missed_outside == (pytest.approx(0.03),)
    assert found.false_of_named.high < found.false_of_judged.high


def test_cameras_engines_and_a_devices_own_match_are_apart(gate):
    gate.passed()
    gate.passed(engine_version="20")
    gate.passed(device="cam-2")
    gate.passed(engine=None, engine_version=None, threshold=None, score=None)
    gate.passed(device=None)
    assert list(only(gate)) == [
        Looked("cam-1", "", ""),
        CAMERA,
        Looked("cam-1", "dlib", "20"),
        Looked("cam-2", "dlib", "19.24"),
    ]


def test_track_counts_once_and_plates_and_useless_pictures_not_at_all(gate):
    leader = gate.passed()
    gate.passed(leader=leader, times=4)
    gate.passed(leader="gone-before", times=1)
    gate.passed(subject_kind="plate")
    gate.passed("no_usable_face")
    gate.passed(compound=ELSEWHERE)
    assert only(gate)[CAMERA].tally.named == 1


def test_window_is_of_passages_its_start_included(gate):
    window = dt.timedelta(days=90)
    for ago in (dt.timedelta(0), window, window + dt.timedelta(seconds=1)):
        gate.answer(gate.passed(at=NOW - ago), "no_match")
    # The present moment belongs to the next window.
    assert only(gate, window=window)[CAMERA].tally.false == 1


def test_one_camera_may_be_asked_for_alone(gate):
    gate.passed()
    gate.passed(device="cam-2")
    with gate.database.read() as session:
        found = tallies(session, COMPOUND, NOW - dt.timedelta(days=1), NOW, device="cam-2")
    assert [looked.device for looked in found] == ["cam-2"]
