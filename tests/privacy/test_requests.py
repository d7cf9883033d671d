import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from privacy import requests
from privacy.models import RequestKind, RequestState, SubjectRequest
from privacy.requests import Correctable
from registry.errors import MissingError, RefusedError
from registry.models import Person
from storage import Vault
from tests.support.compound import COMPOUND, ELSEWHERE, settle_in

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def settled(either_database):
    settle_in(either_database)
    with either_database.write() as session:
        session.add(Person(id="p1", compound=COMPOUND, name="甲"))
    return either_database


def receive(session, kind=RequestKind.ACCESS, at=NOON, **more):
    return requests.receive(session, session.get_one(Person, "p1"), kind, at=at, by="u", **more)


@given(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC)))
def test_deadline_is_the_end_of_the_fifteenth_working_day(received):
    due = requests.due_at(received, SHANGHAI)
    last = (due - dt.timedelta(microseconds=1)).astimezone(SHANGHAI).date()
    first = received.astimezone(SHANGHAI).date() + dt.timedelta(days=1)
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    assert sum(day.weekday() < 5 for day in days) == requests.WORKING_DAYS
    assert last.weekday() < 5
    assert due.astimezone(SHANGHAI).time() == dt.time()


def test_request_is_overdue_from_its_deadline_on_until_it_is_closed(settled):
    def overdue(at):
        with settled.read() as session:
            return list(session.scalars(select(SubjectRequest.id).where(requests.overdue(at))))

    with settled.write() as session:
        row = receive(session)
    assert overdue(row.due_at - dt.timedelta(seconds=1)) == []
    assert overdue(row.due_at) == [row.id]
    with settled.write() as session:
        requests.close(session, COMPOUND, row.id, RequestState.DONE, at=row.due_at)
    assert overdue(row.due_at) == []


def test_correction_can_be_read_until_its_person_is_forgotten(settled, vault: Vault):
    with settled.write() as session:
        row = receive(session, RequestKind.CORRECTION, what=Correctable.PHONE, old="1", new="10012345678")
        assert "10012345678" not in str(row.detail)
        assert requests.correction(row) == {"old": "1", "new": "10012345678"}
    vault.shred(["p1"], NOON)
    assert requests.correction(row) is None


def test_several_corrections_may_be_open_but_one_of_the_others(settled):
    with settled.write() as session:
        for number in ("10012345678", "10087654321"):
            receive(session, RequestKind.CORRECTION, what=Correctable.PHONE, new=number)
        receive(session, RequestKind.ERASURE)
        with pytest.raises(RefusedError, match="request_open"):
            receive(session, RequestKind.ERASURE)


def test_request_is_of_one_compound_and_closed_once(settled):
    with settled.write() as session:
        row = receive(session)
        with pytest.raises(MissingError):
            requests.close(session, ELSEWHERE, row.id, RequestState.DONE, at=NOON)
        with pytest.raises(RefusedError, match="reason_required"):
            requests.close(session, COMPOUND, row.id, RequestState.REFUSED, at=NOON)
        requests.close(session, COMPOUND, row.id, RequestState.REFUSED, at=NOON, reason="not_identified")
        with pytest.raises(RefusedError, match="request_closed"):
            requests.close(session, COMPOUND, row.id, RequestState.DONE, at=NOON)


def test_erased_person_asks_for_nothing(settled):
    with settled.write() as session:
        session.get_one(Person, "p1").erased_at = NOON
        session.flush()
        with pytest.raises(RefusedError, match="person_erased"):
            receive(session)
