"""Legal holds (L-21): frozen from the application on, kept only with a second person's word."""

import datetime as dt

import pytest
from sqlalchemy import select

from privacy import holds
from privacy.holds import HoldState, HoldSubject
from privacy.models import LegalHold
from registry.errors import MissingError, RefusedError
from registry.models import Person
from storage import Database
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.keeping import DAY, NOW


@pytest.fixture
def settled(either_database: Database) -> Database:
    keeping.settle_in(either_database)
    keeping.add(either_database, keeping.person(), keeping.person("p2"), keeping.incident(id="i1"))
    return either_database


def applied(session, subject="p1", kind=HoldSubject.PERSON, *, at=NOW, days=30, by="applicant"):
    return holds.apply(
        session,
        COMPOUND,
        kind,
        subject,
        reason="court asks",
        document_no="2026-17",
        ends_at=at + days * DAY,
        applicant=by,
        at=at,
    )


def test_hold_freezes_from_the_application_on_and_lapses_after_72_hours_without_approval(settled):
    with settled.write() as session:
        hold = applied(session)
        last = NOW + dt.timedelta(hours=72)
        assert holds.held(session, "person", "p1", NOW) is hold
        assert holds.held(session, "person", "p1", last - dt.timedelta(seconds=1)) is hold
        assert holds.held(session, "person", "p1", last) is None
        assert holds.state(hold, last) is HoldState.LAPSED
        assert holds.held(session, "person", "p2", NOW) is None
        assert holds.held(session, "incident", "p1", NOW) is None


def test_approved_hold_lasts_until_its_end_date(settled):
    with settled.write() as session:
        hold = applied(session, "i1", HoldSubject.INCIDENT, days=90)
        holds.approve(session, COMPOUND, hold.id, approver="approver", at=NOW + DAY)
        assert holds.held(session, "incident", "i1", NOW + 89 * DAY) is hold
        assert holds.held(session, "incident", "i1", NOW + 90 * DAY) is None
        assert holds.state(hold, NOW + 90 * DAY) is HoldState.ENDED


def test_applicant_cannot_approve_their_own_hold(settled):
    with settled.write() as session:
        hold = applied(session)
        with pytest.raises(RefusedError, match="two_people"):
            holds.approve(session, COMPOUND, hold.id, approver="applicant", at=NOW)
        assert holds.state(hold, NOW) is HoldState.APPLIED


@pytest.mark.parametrize(("days", "code"), [(0, "hold_ends"), (-1, "hold_ends"), (367, "hold_too_long")])
def test_hold_has_an_end_within_a_year(settled, days, code):
    with settled.write() as session, pytest.raises(RefusedError, match=code):
        applied(session, days=days)


def test_longer_hold_is_a_new_application_that_again_two_people_decide(settled):
    with settled.write() as session:
        first = applied(session, days=366)
        holds.approve(session, COMPOUND, first.id, approver="approver", at=NOW)
        later = NOW + 360 * DAY
        second = applied(session, at=later, days=366)
        assert holds.held(session, "person", "p1", NOW + 400 * DAY) is None, "without approval it lapsed"
        holds.approve(session, COMPOUND, second.id, approver="approver", at=later)
        assert holds.held(session, "person", "p1", NOW + 400 * DAY) is second


def test_released_hold_protects_no_more_and_cannot_be_approved_again(settled):
    with settled.write() as session:
        hold = applied(session)
        holds.approve(session, COMPOUND, hold.id, approver="approver", at=NOW)
        holds.release(session, COMPOUND, hold.id, NOW + DAY)
        assert holds.held(session, "person", "p1", NOW + DAY) is None
        for again in (
            lambda: holds.approve(session, COMPOUND, hold.id, approver="approver", at=NOW + DAY),
            lambda: holds.release(session, COMPOUND, hold.id, NOW + DAY),
        ):
            with pytest.raises(RefusedError, match="hold_released"):
                again()


def test_lapsed_hold_cannot_be_approved(settled):
    with settled.write() as session:
        hold = applied(session)
        with pytest.raises(RefusedError, match="hold_lapsed"):
            holds.approve(session, COMPOUND, hold.id, approver="approver", at=NOW + 3 * DAY)


def test_only_what_the_compound_has_can_be_held_and_its_holds_are_its_own(settled):
    with settled.write() as session:
        with pytest.raises(MissingError):
            applied(session, "nobody")
        with pytest.raises(MissingError):
            applied(session, "p1", HoldSubject.INCIDENT)
        hold = applied(session)
        with pytest.raises(MissingError):
            holds.approve(session, ELSEWHERE, hold.id, approver="approver", at=NOW)


def test_held_subjects_are_those_that_held_finds(settled):
    with settled.write() as session:
        applied(session, "p1")
        released = applied(session, "p2")
        holds.release(session, COMPOUND, released.id, NOW)
        applied(session, "i1", HoldSubject.INCIDENT)
        kept = session.scalars(
            select(Person.id).where(Person.id.in_(holds.held_subjects("person", NOW)))
        ).all()
        assert kept == ["p1"]
        for moment in (NOW, NOW + 2 * DAY, NOW + 3 * DAY, NOW + 40 * DAY):
            listed = set(session.scalars(holds.held_subjects("person", moment)))
            assert listed == {p for p in ("p1", "p2") if holds.held(session, "person", p, moment)}
            by_state = {
                hold.subject
                for hold in session.scalars(select(LegalHold).where(LegalHold.subject_kind == "person"))
                if holds.state(hold, moment) in {HoldState.APPLIED, HoldState.APPROVED}
            }
            assert listed == by_state
