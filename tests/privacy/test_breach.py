"""Breach run-book (L-24): everybody whose data lies in the scope, with what was lost, and nobody else."""

import datetime as dt

import pytest

from privacy.breach import BreachClass, BreachScope, affected
from registry.models import Consent, Credential, FaceTemplate, VisitorPass
from storage.vault import seal_for
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.keeping import DAY, NOW


@pytest.fixture
def settled(either_database):
    keeping.settle_in(either_database)
    child = keeping.person("child")
    child.under_14, child.guardian = True, "p1"
    gone = keeping.person("gone")
    gone.erased_at = NOW
    people = (keeping.person("p1"), keeping.person("p2"), child, gone)
    keeping.add(either_database, *people, keeping.person("far", compound=ELSEWHERE))
    return either_database


def found(database, *classes, **limits):
    with database.read() as session:
        scope = BreachScope(COMPOUND, frozenset(classes), **limits)
        return {one.id: one for one in affected(session, scope)}


def test_lost_register_concerns_everybody_who_is_not_erased_and_guardians_are_told_for_children(settled):
    told = found(settled, BreachClass.REGISTER)
    assert set(told) == {"p1", "p2", "child"}
    assert told["p1"].phone == "10012345678"
    assert told["p1"].guardian is None
    assert told["child"].guardian == "p1"


def test_lost_passages_concern_whom_recognition_found_in_the_window_on_that_device(settled):
    inside, before, other = (
        keeping.event(NOW - DAY, device="cam-1"),
        keeping.event(NOW - 9 * DAY, device="cam-1"),
        keeping.event(NOW - DAY, device="door-1"),
    )
    far = keeping.event(NOW - DAY, compound=ELSEWHERE)
    keeping.add(settled, inside, before, other, far)
    keeping.add(
        settled,
        keeping.decision(inside, person_id="p1"),
        keeping.decision(before, person_id="p2"),
        keeping.decision(other, person_id="child"),
        keeping.decision(inside),
        keeping.decision(far, person_id="far"),
    )
    window = {"from_at": NOW - 2 * DAY, "to_at": NOW}
    assert set(found(settled, BreachClass.PASSAGES)) == {"p1", "p2", "child"}
    assert set(found(settled, BreachClass.PASSAGES, **window)) == {"p1", "child"}
    assert set(found(settled, BreachClass.PASSAGES, **window, device="cam-1")) == {"p1"}


def test_each_person_is_named_once_with_all_that_was_lost(settled):
    consent = Consent(
        id="c",
        compound=COMPOUND,
        person="p1",
        purpose="face_access",
        text_hash="0" * 64,
        channel="counter",
        given_by="self",
        given_at=NOW,
    )
    template = FaceTemplate(
        id="t",
        compound=COMPOUND,
        person="p1",
        consent="c",
        engine="dlib",
        engine_version="1",
        dimension=1,
        created_at=NOW,
    )
    template.embedding = b"\0\0\0\0"
    card = Credential(id="k", compound=COMPOUND, person="p2", kind="card", status="active")
    about = keeping.incident(NOW - DAY, subject_kind="person", subject="p1")
    keeping.add(settled, consent, template, card, about)
    wanted = (BreachClass.FACES, BreachClass.CONSENTS, BreachClass.CREDENTIALS, BreachClass.INCIDENTS)
    told = found(settled, *wanted)
    assert {who: one.classes for who, one in told.items()} == {
        "p1": (BreachClass.CONSENTS, BreachClass.FACES, BreachClass.INCIDENTS),
        "p2": (BreachClass.CREDENTIALS,),
    }
    before = {"to_at": NOW - dt.timedelta(seconds=1)}
    assert "p1" not in found(settled, BreachClass.FACES, **before), "it was not there yet"


def test_visitors_are_told_by_the_phone_on_their_pass(settled):
    visitor = VisitorPass(
        id="v",
        compound=COMPOUND,
        kind="visitor",
        host_person="p1",
        sealed_phone=seal_for("v", "phone", "10087654321"),
        starts_at=NOW - DAY,
        ends_at=NOW,
    )
    keeping.add(settled, visitor)
    told = found(settled, BreachClass.VISITORS)
    assert {(one.kind, one.id, one.phone) for one in told.values()} == {("visitor_pass", "v", "10087654321")}
