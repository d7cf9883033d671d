"""Which entries are in force, what changes soon, and who may know."""

import datetime as dt

import pytest
from visitors_world import COMPOUND, DAY, ELSEWHERE, HOUR, NOON, PLATE, settle_in

from registry.models import LegalBasis, Ring, WatchlistEntry, WatchlistSubject
from registry.watchlist.lookout import (
    Lookout,
    changing,
    credentials_shown,
    current,
    looking_for,
    may_know,
)
from storage import Database

TICK = dt.timedelta(seconds=1)


def entry(name: str = "e-1", subject: str = PLATE, **more: object) -> WatchlistEntry:
    said = {
        "compound": COMPOUND,
        "subject_kind": WatchlistSubject.PLATE,
        "legal_basis": LegalBasis.OWNERS_RESOLUTION,
        "document_no": "3",
        "applicant": "manager-1",
        "approver": "admin-1",
        "reason": "r",
        "rings": [Ring.ENTRANCE],
        "recipients": [],
        "priority": 3,
        "starts_at": NOON,
        "ends_at": NOON + DAY,
    }
    return WatchlistEntry(id=name, subject=subject, **said | more)


@pytest.fixture
def world(database: Database) -> Database:
    settle_in(database)
    return database


def added(world: Database, *entries: WatchlistEntry) -> None:
    with world.write() as session:
        session.add_all(entries)


@pytest.mark.parametrize(
    ("more", "at", "holds"),
    [
        pytest.param({}, NOON - TICK, False, id="a_second_early"),
        pytest.param({}, NOON, True, id="first_second"),
        pytest.param({}, NOON + DAY - TICK, True, id="last_second"),
        pytest.param({}, NOON + DAY, False, id="ended_by_itself"),
        pytest.param({"lifted_at": NOON + HOUR}, NOON + HOUR - TICK, True, id="before_it_was_lifted"),
        pytest.param({"lifted_at": NOON + HOUR}, NOON + HOUR, False, id="lifted"),
        pytest.param({"compound": ELSEWHERE}, NOON, False, id="of_another_compound"),
    ],
)
def test_l06_entry_holds_from_its_beginning_to_its_end_or_its_lifting(world: Database, more, at, holds):
    added(world, entry(**more))
    with world.read() as session:
        found = looking_for(session, COMPOUND, {WatchlistSubject.PLATE: [PLATE]}, at)
        assert [one.entry_id for one in found] == (["e-1"] if holds else [])
        assert [row.id for row in session.scalars(current(COMPOUND, at))] == (["e-1"] if holds else [])


def test_each_subject_is_looked_for_by_its_own_kind(world: Database):
    person, card = WatchlistSubject.PERSON, WatchlistSubject.CREDENTIAL
    added(
        world,
        entry("a"),
        entry("b", "zhang", subject_kind=person, rings=[Ring.BUILDING, Ring.COMMON], priority=1),
        entry("c", "zhang", subject_kind=card),
    )
    with world.read() as session:
        found = looking_for(session, COMPOUND, {WatchlistSubject.PLATE: [PLATE], person: ["zhang"]}, NOON)
        assert found == (
            Lookout("a", PLATE, frozenset({"entrance"}), 3),
            Lookout("b", "zhang", frozenset({"building", "common"}), 1),
        )
        assert looking_for(session, COMPOUND, {person: [], card: ()}, NOON) == ()
        assert looking_for(session, COMPOUND, {}, NOON) == ()


@pytest.mark.parametrize(
    ("kind", "ref", "found"),
    [
        ("card", "0004711", ["card-lost"]),
        ("card", " 000-4711 ", ["card-lost"]),
        ("pin", "0004711", []),
        ("card", "0009999", []),
        ("card", None, []),
        ("no_such_kind", "0004711", []),
    ],
)
def test_credential_is_known_by_the_hash_of_its_kind_and_number(world: Database, kind, ref, found):
    with world.read() as session:
        assert list(credentials_shown(session, COMPOUND, kind, ref)) == found
        assert list(credentials_shown(session, ELSEWHERE, kind, ref)) == []


def test_hand_over_names_what_begins_and_what_expires(world: Database):
    added(
        world,
        entry("running", starts_at=NOON - DAY, ends_at=NOON + 9 * DAY),
        entry("ends-soon", starts_at=NOON - DAY, ends_at=NOON + 8 * HOUR),
        entry("ends-sooner", starts_at=NOON - DAY, ends_at=NOON + HOUR),
        entry("ended", starts_at=NOON - DAY, ends_at=NOON),
        entry("begins", starts_at=NOON + HOUR),
        entry("begins-later", starts_at=NOON + 8 * HOUR + TICK),
        entry("both", starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR),
        entry("lifted", starts_at=NOON + HOUR, lifted_at=NOON),
        entry("elsewhere", starts_at=NOON + HOUR, compound=ELSEWHERE),
    )
    with world.read() as session:
        changes = changing(session, COMPOUND, NOON, 8 * HOUR)
        assert [row.id for row in changes.beginning] == ["begins", "both"]
        assert [row.id for row in changes.ending] == ["ends-sooner", "both", "ends-soon"]


OWN = entry()
POLICES = entry("e-2", "zhang", subject_kind=WatchlistSubject.PERSON, legal_basis=LegalBasis.POLICE_ORDER)
TOLD = entry(
    "e-3",
    "zhang",
    subject_kind=WatchlistSubject.PERSON,
    legal_basis=LegalBasis.POLICE_ORDER,
    recipients=["guard", "user:u-9"],
)


@pytest.mark.parametrize(
    ("role", "own", "polices", "told"),
    [
        ("police", True, True, True),
        ("auditor", True, True, True),
        ("operator", True, True, False),
        ("administrator", True, False, False),
        ("property_manager", True, False, False),
        ("guard", False, False, True),
        ("volunteer", False, False, False),
    ],
)
def test_l07_only_those_who_need_it_know_whom_an_entry_names(role, own, polices, told):
    assert [may_know(one, "u-1", role) for one in (OWN, POLICES, TOLD)] == [own, polices, told]


def test_l07_who_asked_who_decided_and_who_is_told_by_name_may_know():
    assert may_know(TOLD, "u-9", "property_manager")
    assert may_know(POLICES, "manager-1", "property_manager")
    assert may_know(POLICES, "admin-1", "administrator")
