"""Filing (L-15): a warning at 80,000 people with stored faces, a task with a due date at 100,000."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from privacy import filing
from privacy.filing import add_working_days
from privacy.models import FilingTask
from registry.errors import MissingError, RefusedError
from registry.models import Consent, FaceTemplate
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.keeping import NOW


def tasks(database):
    with database.read() as session:
        found = {row.level: row for row in session.scalars(select(FilingTask))}
        session.expunge_all()
        return found


@pytest.mark.parametrize(
    ("people", "levels"),
    [(79_999, set()), (80_000, {"warning"}), (99_999, {"warning"}), (100_000, {"warning", "filing"})],
)
def test_levels_are_raised_once_at_their_number(either_database, monkeypatch, people, levels):
    monkeypatch.setattr(filing, "people_with_faces", lambda _session: people)
    for _ in range(2):
        with either_database.write() as session:
            assert filing.check(session, NOW) == people
    raised = tasks(either_database)
    assert set(raised) == levels
    if "filing" in raised:
        # Tuesday 24 November and six weeks of Mondays to Fridays.
        assert raised["filing"].due_at == NOW + dt.timedelta(weeks=6)
    if "warning" in raised:
        assert raised["warning"].due_at is None


def test_people_are_counted_once_over_all_compounds(either_database):
    keeping.settle_in(either_database)
    for person, compound in (("p1", COMPOUND), ("p2", ELSEWHERE)):
        keeping.add(either_database, keeping.person(person, compound=compound))
        keeping.add(
            either_database,
            Consent(
                id=person,
                compound=compound,
                person=person,
                purpose="face_access",
                text_hash="0" * 64,
                channel="counter",
                given_by="self",
                given_at=NOW,
            ),
        )
        for n in range(2):
            template = FaceTemplate(
                id=f"{person}-{n}",
                compound=compound,
                person=person,
                consent=person,
                engine="dlib",
                engine_version="1",
                dimension=1,
                created_at=NOW,
            )
            template.embedding = b"\0\0\0\0"
            keeping.add(either_database, template)
    with either_database.read() as session:
        assert filing.people_with_faces(session) == 2


def test_filing_is_noted_once(database):
    keeping.add(database, FilingTask(id="t", people=100_000, level="filing", raised_at=NOW))
    with database.write() as session:
        assert filing.finish(session, "t", by="a", at=NOW).done_at == NOW
        with pytest.raises(RefusedError, match="filing_done"):
            filing.finish(session, "t", by="a", at=NOW)
        with pytest.raises(MissingError):
            filing.finish(session, "none", by="a", at=NOW)


@given(
    st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2035, 1, 1), timezones=st.just(dt.UTC)),
    st.integers(1, 60),
)
def test_working_days_are_mondays_to_fridays(start, days):
    end = add_working_days(start, days)
    between = [start + dt.timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(one.weekday() < 5 for one in between) == days
    assert end.weekday() < 5
    assert end.timetz() == start.timetz()
