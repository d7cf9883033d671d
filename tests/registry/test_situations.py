"""Situation notes: on places, for a time, about nobody."""

import datetime as dt
from dataclasses import replace

import pytest

from registry.errors import MissingError, RefusedError, StaleEditError
from registry.models import NoteKind, PlaceKind
from registry.places import situations
from registry.places.situations import NoteFacts, notes_at
from storage import Database
from tests.support import houses
from tests.support.clock import NOON
from tests.support.houses import HERE, THERE

HOUR = dt.timedelta(hours=1)
LIFT = NoteFacts(NoteKind.OUT_OF_ORDER, "2单元电梯停用", NOON, NOON + 4 * HOUR)


@pytest.fixture
def session(either_database: Database):
    with either_database.write() as session:
        yield session


@pytest.fixture
def place(session):
    return houses.found(session)


def test_a_note_holds_from_its_beginning_to_its_end(session, place):
    note = situations.add_note(session, HERE, PlaceKind.UNIT, place.u32, LIFT, author="u1")
    for at, holds in ((NOON - HOUR, False), (NOON, True), (NOON + 3 * HOUR, True), (NOON + 4 * HOUR, False)):
        assert [n.id for n in notes_at(session, HERE, at)] == [note.id] * holds
    assert len(notes_at(session, HERE, NOON - HOUR, coming=HOUR)) == 1
    assert notes_at(session, HERE, NOON, place=place.b3) == []
    assert notes_at(session, THERE, NOON) == []


def test_a_note_without_end_holds_until_it_gets_one(session, place):
    note = situations.add_note(
        session, HERE, PlaceKind.COMPOUND, HERE, replace(LIFT, ends_at=None), author="u1"
    )
    assert notes_at(session, HERE, NOON + 1000 * HOUR) == [note]
    situations.edit_note(session, note, 1, replace(situations.facts_of(note), ends_at=NOON + HOUR))
    assert notes_at(session, HERE, NOON + HOUR) == []
    with pytest.raises(StaleEditError):
        situations.edit_note(session, note, 1, LIFT)


@pytest.mark.parametrize("kind", list(PlaceKind))
def test_a_note_is_about_a_place_that_is_there(session, place, kind):
    places = dict(zip(PlaceKind, (HERE, place.yard, place.b3, place.u31, place.d6_701), strict=True))
    situations.add_note(session, HERE, kind, places[kind], LIFT, author="u1")
    with pytest.raises(MissingError) as missing:
        situations.add_note(session, HERE, kind, "none", LIFT, author="u1")
    assert missing.value.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "联系10012345678",
        "身份证 11010519491231002x",
        "１００１２３４５６７８",
        "云M·12345 占道",
        "云md12345挡路",
    ],
)
def test_what_is_about_somebody_is_no_note_on_a_place(session, place, text):
    with pytest.raises(RefusedError, match="note_about_person"):
        situations.add_note(
            session, HERE, PlaceKind.BUILDING, place.b3, replace(LIFT, text=text), author="u1"
        )


@pytest.mark.parametrize(
    "text", ["3幢2单元18层1801室漏水", "电话亭移位 2026-11-23 至 2026-12-01", "云南路施工"]
)
def test_numbers_of_houses_and_dates_are_nobody(session, place, text):
    situations.add_note(session, HERE, PlaceKind.BUILDING, place.b3, replace(LIFT, text=text), author="u1")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": "  "}, "note_empty"),
        ({"text": "x" * 501}, "note_long"),
        ({"ends_at": NOON}, "ends_before_it_begins"),
    ],
)
def test_an_impossible_note_is_refused(session, place, change, code):
    with pytest.raises(RefusedError, match=code):
        situations.add_note(session, HERE, PlaceKind.BUILDING, place.b3, replace(LIFT, **change), author="u1")
