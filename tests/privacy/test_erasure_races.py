"""Erasure beside others who are at the same person: whoever comes second finds them gone."""

import datetime as dt
import threading

import pytest
from sqlalchemy import func, select

from privacy import erasures
from privacy.models import Erasure, ErasureKind, StepState
from registry.errors import RefusedError
from registry.faces import consents
from registry.faces.templates import ConsentMissingError
from registry.models import Consent, FaceTemplate, Person
from storage.vault import ShreddedError
from tests.support import resident as world
from tests.support.resident import NOON
from tests.support.threads import at_once

LATER = NOON + dt.timedelta(seconds=5)


@pytest.fixture
def ids(either_database, media):
    return world.build(either_database, media)


def order(database, kind=ErasureKind.PERSON):
    with database.write() as session:
        return erasures.order(session, session.get_one(Person, "p1"), kind, at=NOON, by="u").id


def test_two_orders_at_once_are_one_erasure(either_database, ids):
    assert at_once(4, lambda _: order(either_database)) == []
    with either_database.read() as session:
        assert session.scalar(select(func.count()).select_from(Erasure)) == 1


def test_several_follow_ups_at_once_finish_it_once(either_database, media, vault, ids):
    erasure_id = order(either_database)
    assert at_once(4, lambda _: erasures.follow_up(either_database, media, vault, LATER)) == []
    with either_database.read() as session:
        steps = erasures.receipt(session, erasure_id, LATER).steps
    assert {s.place for s in steps if s.state is StepState.PENDING} == {"terminal"}
    (passages,) = (s for s in steps if s.place == "passages")
    assert passages.counts == {"events": 3}


def test_enrolment_and_erasure_at_once_leave_no_template(either_database, media, vault, ids):
    """Whichever commits first: a template without its person must not come of it."""

    def either(number):
        if number == 0:
            order(either_database)
            return
        try:
            with either_database.write() as session:
                world.agree(session, "p1", bytes(16))
        except (RefusedError, ConsentMissingError, ShreddedError):
            pass

    assert at_once(4, either) == []
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.read() as session:
        assert session.scalars(select(FaceTemplate).where(FaceTemplate.person == "p1")).all() == []
        open_ones = select(Consent).where(Consent.person == "p1", Consent.withdrawn_at.is_(None))
        assert session.scalars(open_ones).all() == []


def test_edit_that_was_begun_before_the_erasure_does_not_bring_the_name_back(either_database, ids):
    begun, erased = threading.Event(), threading.Event()
    refused = []

    def edit():
        with either_database.read() as session:
            person = session.get_one(Person, "p1")
            session.expunge(person)
        begun.set()
        erased.wait(20)
        try:
            with either_database.write() as session:
                # As a handler does that read the person a moment ago.
                session.add(person)
                person.name = world.NAME
        except Exception as error:  # noqa: BLE001 - any refusal will do
            refused.append(type(error).__name__)

    thread = threading.Thread(target=edit)
    thread.start()
    begun.wait(20)
    order(either_database)
    erased.set()
    thread.join(20)
    assert refused == ["StaleDataError"]
    with either_database.read() as session:
        assert session.get_one(Person, "p1").name == ""
        assert consents.active(session, "p1", world.FACE) is None
