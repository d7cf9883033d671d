"""Every revision of a gallery says which templates came and went with it."""

import datetime as dt
import threading

import pytest
from sqlalchemy import select, update

from registry.faces import consents, revisions, templates
from registry.faces.models import GalleryChange, GalleryRevision
from registry.faces.templates import Embedding
from registry.models import ConsentPurpose, GivenBy, Person
from registry.people import households
from tests.support import resident
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, ELSEWHERE, settle_in


@pytest.fixture
def place(either_database):
    settle_in(either_database)
    with either_database.write() as session:
        for name in ("ann", "bob"):
            resident.person(session, name, "某某")
            consents.give(
                session,
                session.get_one(Person, name),
                ConsentPurpose.FACE_ACCESS,
                wording="x",
                channel="counter",
                given_by=GivenBy.SELF,
                at=NOON,
            )
    return either_database


def enrol(database, name):
    with database.write() as session:
        return templates.enrol(
            session,
            session.get_one(Person, name),
            Embedding("e", "1", 1, bytes(4), None),
            media_id=None,
            at=NOON,
        ).id


def told(database, held=0):
    with database.read() as session:
        now = revisions.current(session, COMPOUND)
        return now, revisions.since(session, COMPOUND, held, now)


def test_enrolment_and_withdrawal_say_whose_template_it_is(place):
    one, other = enrol(place, "ann"), enrol(place, "bob")
    assert told(place) == (2, revisions.Changes(frozenset({one, other}), frozenset()))
    with place.write() as session:
        consents.withdraw(session, session.get_one(Person, "ann"), ConsentPurpose.FACE_ACCESS, NOON)
    assert told(place) == (3, revisions.Changes(frozenset({other}), frozenset({one})))
    assert told(place, 2)[1] == revisions.Changes(frozenset(), frozenset({one}))
    assert told(place, 3)[1] == revisions.Changes(frozenset(), frozenset())


def test_household_change_names_the_persons_templates_and_nothing_for_whoever_has_none(place):
    one = enrol(place, "ann")
    with place.write() as session:
        households.create(session, COMPOUND, head="ann", members=["bob"], today=NOON.date())
    assert told(place, 1) == (2, revisions.Changes(frozenset({one}), frozenset()))
    with place.write() as session:
        bob = session.get_one(Person, "bob")
        households.leave(session, bob, bob.version)
    assert told(place)[0] == 2


def test_change_of_nobody_in_particular_is_read_anew(place):
    enrol(place, "ann")
    with place.write() as session:
        templates.bump_revision(session, COMPOUND)
    enrol(place, "bob")
    assert told(place)[1] is None
    assert told(place, 2)[1] is not None


def test_more_than_can_be_told_is_read_anew(place):
    with place.write() as session:
        revisions.tell(session, COMPOUND, changed=[f"t{n}" for n in range(501)])
    assert told(place) == (1, None)
    with place.read() as session:
        assert len(session.scalars(select(GalleryChange)).all()) == 1


def test_revision_that_nobody_explained_is_read_anew(place):
    enrol(place, "ann")
    with place.write() as session:
        session.execute(update(GalleryRevision).values(revision=GalleryRevision.revision + 1))
    assert told(place, 1) == (2, None)
    assert told(place, 2)[1] is not None
    # A database that was put back is behind of what somebody holds.
    assert told(place, 5)[1] is None


def test_changes_are_kept_for_a_day(place):
    enrol(place, "ann")
    with place.write() as session:
        assert revisions.clear_away(session, dt.datetime.now(dt.UTC) + dt.timedelta(hours=23)) == 0
    assert told(place)[1] is not None
    with place.write() as session:
        assert revisions.clear_away(session, dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)) == 1
    assert told(place) == (1, None)


def test_compounds_count_by_themselves(place):
    enrol(place, "ann")
    with place.write() as session:
        assert revisions.tell(session, ELSEWHERE, removed=["t"]) == 1
    assert told(place)[0] == 1


def test_rolled_back_change_is_never_told(place):
    with place.read() as session:
        assert revisions.tell(session, COMPOUND, changed=["t"]) == 1
    assert told(place) == (0, revisions.Changes(frozenset(), frozenset()))


def test_changes_at_the_same_time_are_told_one_after_the_other(place):
    start = threading.Barrier(4)

    def change(name):
        start.wait()
        for number in range(5):
            with place.write() as session:
                revisions.tell(session, COMPOUND, changed=[f"{name}{number}"])

    threads = [threading.Thread(target=change, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now, changes = told(place)
    assert now == 20
    assert len(changes.changed) == 20
