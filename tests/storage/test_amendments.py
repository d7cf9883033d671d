import pytest
from sqlalchemy import select

from storage import Database
from storage.amendments import later, newest, raw_bodies, standing
from storage.events import EventAmendment, EventRow
from tests.support import keeping
from tests.support.keeping import NOW

ONE, TWO, THREE = (f"{number:064x}" for number in (1, 2, 3))


@pytest.fixture
def told(either_database: Database) -> tuple[EventRow, EventRow]:
    """An event that was told three times, and one that was told once."""
    keeping.settle_in(either_database)
    passage = keeping.event(NOW, kind="plate.none", pictures=[ONE], revision=1, plate={"text": None})
    once = keeping.event(NOW, pictures=[TWO])
    keeping.add(
        either_database,
        *(passage, once),
        keeping.amendment(passage, 3, kind="plate.recognised", pictures=[THREE], plate={"text": "云A12345"}),
        keeping.amendment(passage, 2, pictures=[TWO], plate={"text": "云A1234"}),
    )
    return passage, once


def test_event_stands_as_it_was_told_last_with_the_pictures_of_all(
    either_database: Database, told: tuple[EventRow, EventRow]
) -> None:
    once = told[1]
    with either_database.read() as session:
        rows = session.scalars(select(EventRow).order_by(EventRow.id == once.id, EventRow.id)).all()
        first, second = standing(session, rows)
        session.flush()
        assert (first.type, first.revision, first.marks) == ("plate.recognised", 3, ["amended"])
        assert first.body["plate"] == {"text": "云A12345"}
        assert [one["media_id"] for one in first.body["pictures"]] == [ONE, TWO, THREE]
        assert (second.id, second.marks, second.body) == (once.id, [], once.body)


def test_row_that_is_shown_as_it_stands_is_not_changed(
    either_database: Database, told: tuple[EventRow, EventRow]
) -> None:
    with either_database.write() as session:
        standing(session, session.scalars(select(EventRow)).all())
    with either_database.read() as session:
        row = session.get_one(EventRow, told[0].id)
        assert (row.type, row.revision, row.marks, row.body) == ("plate.none", 1, [], told[0].body)


def test_what_became_known_is_found_in_the_order_in_which_it_was_known(
    either_database: Database, told: tuple[EventRow, EventRow]
) -> None:
    passage, once = told
    with either_database.read() as session:
        assert [one.revision for one in later(session, session.get_one(EventRow, passage.id))] == [2, 3]
        assert later(session, session.get_one(EventRow, once.id)) == []
        assert {key: one.revision for key, one in newest(session, [passage.id, once.id]).items()} == {
            passage.id: 3
        }


def test_raw_text_holds_everything_that_was_ever_said(
    either_database: Database, told: tuple[EventRow, EventRow]
) -> None:
    passage, once = told
    with either_database.read() as session:
        text = dict(session.execute(select(EventRow.id, raw_bodies())).all())
    assert [picture in text[passage.id] for picture in (ONE, TWO, THREE)] == [True] * 3
    assert len(text[passage.id].splitlines()) == 3
    assert [picture in text[once.id] for picture in (ONE, TWO, THREE)] == [False, True, False]


def test_amendment_goes_with_its_event(either_database: Database, told: tuple[EventRow, EventRow]) -> None:
    with either_database.write() as session:
        session.delete(session.get_one(EventRow, told[0].id))
    with either_database.read() as session:
        assert session.scalars(select(EventAmendment)).all() == []
