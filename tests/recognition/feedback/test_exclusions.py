import datetime as dt

import pytest
from feedback_world import NOW
from sqlalchemy import func, select

from recognition.feedback import exclusions
from recognition.models import FaceExclusion
from registry.errors import MissingError, RefusedError
from tests.support.compound import COMPOUND, ELSEWHERE

LATER = NOW + dt.timedelta(minutes=1)


def make(gate, named="p1", was="p2", by="op", at=NOW):
    with gate.database.write() as session:
        row = exclusions.make(session, COMPOUND, named=named, was=was, sighting_id="s", by=by, at=at)
        return row.id


def lift(gate, exclusion, by="chief", at=LATER):
    with gate.database.write() as session:
        return exclusions.lift(session, COMPOUND, exclusion, by=by, at=at)


def held(gate, compound=COMPOUND):
    with gate.database.read() as session:
        return exclusions.exclusions_for(session, compound)


def test_pair_holds_until_it_is_lifted_and_stays_written_down(gate):
    pair, stranger = make(gate), make(gate, was=None)
    assert held(gate) == {("p1", "p2"), ("p1", None)}
    assert held(gate, ELSEWHERE) == frozenset()
    row = lift(gate, pair)
    assert (row.lifted_by, row.lifted_at) == ("chief", LATER)
    assert held(gate) == {("p1", None)}
    with gate.database.read() as session:
        assert [row.id for row in exclusions.of_person(session, "p2")] == [pair]
        assert {row.id for row in exclusions.of_person(session, "p1")} == {pair, stranger}


@pytest.mark.parametrize("was", ["p2", None])
def test_saying_it_twice_makes_one_and_after_lifting_a_new_one(gate, was):
    first = make(gate, was=was)
    assert make(gate, was=was, by="another", at=LATER) == first
    with gate.database.read() as session:
        assert session.get_one(FaceExclusion, first).made_by == "op"
    lift(gate, first)
    second = make(gate, was=was, at=LATER)
    assert second != first
    assert held(gate) == {("p1", was)}
    with gate.database.read() as session:
        assert session.scalar(select(func.count()).select_from(FaceExclusion)) == 2


def test_pair_has_a_side_who_was_named(gate):
    assert make(gate) != make(gate, named="p2", was="p1")
    assert held(gate) == {("p1", "p2"), ("p2", "p1")}


def test_nobody_is_excluded_from_themselves(gate):
    with pytest.raises(RefusedError, match="exclusion_self"):
        make(gate, was="p1")


@pytest.mark.parametrize(
    ("named", "was"), [("nobody", None), ("p1", "nobody"), ("gone", None), ("p1", "gone")]
)
def test_people_who_are_not_or_no_longer_there_are_missing(gate, named, was):
    with pytest.raises(MissingError, match="person"):
        make(gate, named=named, was=was)
    assert held(gate) == frozenset()


def test_it_is_lifted_once_and_in_its_own_compound(gate):
    pair = make(gate)
    with gate.database.write() as session, pytest.raises(MissingError, match="face_exclusion"):
        exclusions.lift(session, ELSEWHERE, pair, by="chief", at=LATER)
    lift(gate, pair)
    with pytest.raises(RefusedError, match="exclusion_lifted"):
        lift(gate, pair, by="late")


def test_forgetting_a_person_takes_the_pairs_on_both_sides(gate):
    make(gate)
    make(gate, named="p2", was="p1")
    make(gate, named="p2", was=None)
    with gate.database.write() as session:
        assert exclusions.forget(session, "p1") == 2
    assert held(gate) == {("p2", None)}
