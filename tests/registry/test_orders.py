"""The watch list (L-06, L-07): two people, a basis, an end, and whose it is to ask."""

import ast
import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from visitors_world import COMPOUND, DAY, ELSEWHERE, HOUR, NOON, PLATE, TODAY, settle_in

from registry.errors import MissingError, RefusedError
from registry.models import (
    ApplicationState,
    Credential,
    CredentialStatus,
    LegalBasis,
    Person,
    Ring,
    WatchlistApplication,
    WatchlistEntry,
    WatchlistSubject,
)
from registry.watchlist.decisions import apply, approve, find_application, find_entry, lift, refuse, withdraw
from registry.watchlist.orders import AHEAD, LONGEST, Officer, Order
from storage import Database
from tests.support.threads import at_once

ROOT = Path(__file__).parents[2]
MANAGER = Officer("manager-1", "property_manager")
ADMIN = Officer("admin-1", "administrator")
POLICE = Officer("officer-1", "police")
CHIEF = Officer("officer-2", "police")
OWNERS, REPORT = LegalBasis.OWNERS_RESOLUTION, LegalBasis.OWNERS_REPORT
POLICE_ORDER, COURT_ORDER = LegalBasis.POLICE_ORDER, LegalBasis.COURT_ORDER
A_PLATE, A_PERSON, A_CARD = WatchlistSubject.PLATE, WatchlistSubject.PERSON, WatchlistSubject.CREDENTIAL


def order(
    subject: str = PLATE, kind: WatchlistSubject = A_PLATE, basis: LegalBasis = OWNERS, **more
) -> Order:
    said = {
        "document_no": "柳业决〔2026〕3号",
        "applicant_org": "柳荫物业",
        "reason": "blocks the fire lane again and again",
        "rings": (Ring.ENTRANCE, Ring.COMMON),
        "starts_at": NOON,
        "ends_at": NOON + 30 * DAY,
    }
    return Order(kind, subject, basis, **said | more)


@pytest.fixture
def world(database: Database) -> Database:
    settle_in(database)
    return database


@pytest.fixture
def either(either_database: Database) -> Database:
    settle_in(either_database)
    return either_database


def applied(
    world: Database, asked: Order | None = None, by: Officer = MANAGER, at: dt.datetime = NOON
) -> str:
    with world.write() as session:
        return apply(session, COMPOUND, asked or order(), applicant=by, at=at).id


def approved(
    world: Database, asked: Order | None = None, by: Officer = MANAGER, second: Officer = ADMIN
) -> str:
    application = applied(world, asked, by)
    with world.write() as session:
        return approve(session, find_application(session, COMPOUND, application), by=second, at=NOON).id


def refused(world: Database, asked: Order, by: Officer = MANAGER) -> str:
    with world.write() as session, pytest.raises(RefusedError) as error:
        apply(session, COMPOUND, asked, applicant=by, at=NOON)
    return error.value.code


def count(world: Database, model: type) -> int:
    with world.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


# ── L-06: what has to be said ─────────────────────────────────────────────────


@pytest.mark.parametrize("field", ["document_no", "applicant_org", "reason"])
@pytest.mark.parametrize("text", ["", "  \n", "x" * 201], ids=["empty", "blank", "too_long"])
def test_l06_what_must_be_said_is_said(world: Database, field: str, text: str):
    assert refused(world, order(**{field: text})) == "watchlist_field"
    assert count(world, WatchlistApplication) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rings": ()}, "watchlist_rings"),
        ({"priority": 0}, "watchlist_priority"),
        ({"priority": 5}, "watchlist_priority"),
        ({"recipients": ("volunteer",)}, "watchlist_recipient"),
        ({"recipients": ("user:",)}, "watchlist_recipient"),
        ({"recipients": ("everybody",)}, "watchlist_recipient"),
        ({"starts_at": NOON + DAY, "ends_at": NOON + DAY}, "watchlist_order"),
        ({"starts_at": NOON - DAY}, "watchlist_past"),
        ({"starts_at": NOON + AHEAD + HOUR, "ends_at": NOON + AHEAD + DAY}, "watchlist_early"),
        ({"ends_at": NOON + LONGEST + dt.timedelta(seconds=1)}, "watchlist_long"),
    ],
)
def test_l06_order_with_a_hole_in_it_is_refused(world: Database, change: dict, code: str):
    assert refused(world, order(**change)) == code


def test_l06_entry_lasts_90_days_at_most(world: Database):
    assert LONGEST == 90 * DAY
    approved(world, order(ends_at=NOON + LONGEST))


def test_l06_nothing_is_looked_for_before_a_second_person_has_approved(world: Database):
    application = applied(world, order("云m·12345", recipients=("operator", "user:u-1"), priority=2))
    assert count(world, WatchlistEntry) == 0
    with world.write() as session:
        row = find_application(session, COMPOUND, application)
        entry = approve(session, row, by=ADMIN, at=NOON + HOUR)
        assert (row.state, row.decided_by, row.entry) == (ApplicationState.APPROVED, "admin-1", entry.id)
        said = (entry.applicant, entry.approver, entry.subject, entry.priority, entry.recipients)
        assert said == ("manager-1", "admin-1", PLATE, 2, ["operator", "user:u-1"])
        assert (entry.starts_at, entry.ends_at) == (NOON + HOUR, NOON + 30 * DAY), (
            "it never begins in the past"
        )
        assert entry.rings == ["entrance", "common"]


@pytest.mark.parametrize(("officer", "asked"), [(ADMIN, OWNERS), (POLICE, POLICE_ORDER)])
def test_l06_nobody_decides_on_their_own(world: Database, officer: Officer, asked: LegalBasis):
    application = applied(world, order(basis=asked), officer)
    with world.write() as session:
        row = find_application(session, COMPOUND, application)
        for decide in (approve, refuse):
            with pytest.raises(RefusedError, match="two_people"):
                decide(session, row, by=officer, at=NOON)


def test_l06_the_database_itself_wants_two_people(either: Database):
    entry = approved(either)
    with pytest.raises(IntegrityError), either.write() as session:
        session.get_one(WatchlistEntry, entry).approver = "manager-1"
    application = applied(either)
    with pytest.raises(IntegrityError), either.write() as session:
        session.get_one(WatchlistApplication, application).decided_by = "manager-1"


def test_l06_two_who_decide_at_once_make_one_entry(either: Database):
    application = applied(either)
    errors = at_once(
        4, lambda n: decide_on(either, application, Officer(f"admin-{n}", "administrator"), yes=n % 2 == 0)
    )
    assert [type(error) for error in errors] == [RefusedError] * 3
    assert {error.code for error in errors} == {"watchlist_decided"}
    with either.read() as session:
        state = session.get_one(WatchlistApplication, application).state
    assert count(either, WatchlistEntry) == (1 if state == ApplicationState.APPROVED else 0)


def decide_on(world: Database, application: str, by: Officer, *, yes: bool) -> None:
    with world.write() as session:
        (approve if yes else refuse)(
            session, find_application(session, COMPOUND, application), by=by, at=NOON
        )


def test_l06_entries_are_made_of_approved_applications_and_nowhere_else():
    makers = set()
    for room in ("alerts", "console", "devices", "ingest", "privacy", "recognition", "registry", "ringward"):
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text())
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            makes = any(getattr(call.func, "id", "") == "WatchlistEntry" for call in calls)
            inserts = any(
                getattr(call.func, "id", "") in {"insert", "bulk_insert", "_add"}
                and any(getattr(argument, "id", "") == "WatchlistEntry" for argument in call.args)
                for call in calls
            )
            if makes or inserts:
                makers.add(path.relative_to(ROOT).as_posix())
    # The demo's compound is invented with its history; it says every field too.
    assert {maker for maker in makers if not maker.startswith("ringward/demo/")} == {
        "registry/watchlist/decisions.py"
    }


# ── L-06: renewals, lifting ───────────────────────────────────────────────────


def test_l06_renewal_is_an_approval_of_its_own_that_names_what_it_renews(world: Database):
    first = approved(world, order(ends_at=NOON + LONGEST))
    longer = order(starts_at=NOON + 20 * DAY, ends_at=NOON + 20 * DAY + LONGEST, renews=first)
    second = approved(world, longer)
    with world.read() as session:
        assert find_entry(session, COMPOUND, second).renews == first
        assert find_entry(session, COMPOUND, first).ends_at == NOON + LONGEST, "the old one keeps its end"


def test_l06_renewal_goes_on_for_the_same_subject_alone(world: Database):
    first = approved(world)
    assert refused(world, order("云M54321", renews=first)) == "watchlist_renewal"
    with world.write() as session:
        lift(session, find_entry(session, COMPOUND, first), by=MANAGER, at=NOON)
    assert refused(world, order(renews=first)) == "watchlist_renewal"
    with world.write() as session, pytest.raises(MissingError, match="watchlist_entry"):
        apply(session, COMPOUND, order(renews="no-entry"), applicant=MANAGER, at=NOON)


def test_l06_renewal_of_what_was_lifted_meanwhile_is_not_approved(world: Database):
    first = approved(world)
    application = applied(world, order(renews=first))
    with world.write() as session:
        lift(session, find_entry(session, COMPOUND, first), by=MANAGER, at=NOON)
        row = find_application(session, COMPOUND, application)
        with pytest.raises(RefusedError, match="watchlist_renewal"):
            approve(session, row, by=ADMIN, at=NOON)


def test_l06_application_whose_time_is_over_is_not_approved(world: Database):
    application = applied(world, order(ends_at=NOON + DAY))
    with world.write() as session:
        row = find_application(session, COMPOUND, application)
        with pytest.raises(RefusedError, match="watchlist_past"):
            approve(session, row, by=ADMIN, at=NOON + DAY)


def test_only_the_applicant_takes_an_application_back(world: Database):
    application = applied(world)
    with world.write() as session:
        row = find_application(session, COMPOUND, application)
        with pytest.raises(RefusedError, match="watchlist_not_yours"):
            withdraw(session, row, by=ADMIN, at=NOON)
        withdraw(session, row, by=MANAGER, at=NOON)
        assert (row.state, row.decided_by) == (ApplicationState.WITHDRAWN, None)
        with pytest.raises(RefusedError, match="watchlist_decided"):
            approve(session, row, by=ADMIN, at=NOON)


def test_entry_is_lifted_once_and_before_it_ends(world: Database):
    first, second = approved(world), approved(world, order(ends_at=NOON + DAY))
    with world.write() as session:
        entry = find_entry(session, COMPOUND, first)
        lift(session, entry, by=MANAGER, at=NOON + HOUR)
        assert (entry.lifted_at, entry.lifted_by) == (NOON + HOUR, "manager-1")
        with pytest.raises(RefusedError, match="watchlist_ended"):
            lift(session, entry, by=ADMIN, at=NOON + 2 * HOUR)
        assert entry.lifted_by == "manager-1"
        over = find_entry(session, COMPOUND, second)
        with pytest.raises(RefusedError, match="watchlist_ended"):
            lift(session, over, by=ADMIN, at=NOON + DAY)


# ── L-07: whose it is to ask ──────────────────────────────────────────────────


@pytest.mark.parametrize("officer", [MANAGER, ADMIN], ids=lambda officer: officer.role)
@pytest.mark.parametrize(
    ("subject", "kind", "basis"),
    [
        (PLATE, A_PLATE, POLICE_ORDER),
        (PLATE, A_PLATE, COURT_ORDER),
        ("card-lost", A_CARD, POLICE_ORDER),
        ("zhang", A_PERSON, POLICE_ORDER),
        ("zhang", A_PERSON, OWNERS),
        ("zhang", A_PERSON, REPORT),
    ],
)
def test_l07_property_staff_cannot_ask_for_what_is_the_polices(
    world: Database, officer: Officer, subject: str, kind: WatchlistSubject, basis: LegalBasis
):
    assert refused(world, order(subject, kind, basis), officer) == "watchlist_police_only"


@pytest.mark.parametrize(
    ("subject", "kind", "basis"),
    [(PLATE, A_PLATE, OWNERS), (PLATE, A_PLATE, REPORT), ("card-lost", A_CARD, REPORT)],
)
def test_l07_property_staff_may_ask_for_plates_and_lost_credentials(
    world: Database, subject: str, kind: WatchlistSubject, basis: LegalBasis
):
    approved(world, order(subject, kind, basis), MANAGER, ADMIN)


@pytest.mark.parametrize("basis", [POLICE_ORDER, COURT_ORDER])
def test_l07_police_ask_for_people_with_a_document_and_police_decide(world: Database, basis: LegalBasis):
    asked = order("zhang", A_PERSON, basis, document_no="公缉〔2026〕17号")
    approved(world, asked, POLICE, CHIEF)
    assert refused(world, order("zhang", A_PERSON, basis, document_no=" "), POLICE) == "watchlist_field"


@pytest.mark.parametrize("basis", [OWNERS, REPORT])
def test_l07_no_resolution_of_owners_puts_a_person_on_the_list(world: Database, basis: LegalBasis):
    assert refused(world, order("zhang", A_PERSON, basis), POLICE) == "watchlist_basis"


@pytest.mark.parametrize("second", [MANAGER, ADMIN, Officer("o", "operator"), Officer("a", "auditor")])
def test_l07_police_matter_is_decided_by_police_alone(world: Database, second: Officer):
    application = applied(world, order("zhang", A_PERSON, POLICE_ORDER), POLICE)
    with world.write() as session:
        row = find_application(session, COMPOUND, application)
        for decide in (approve, refuse):
            with pytest.raises(RefusedError, match="watchlist_right"):
                decide(session, row, by=second, at=NOON)


@pytest.mark.parametrize(
    "role", ["operator", "guard", "grid_worker", "volunteer", "auditor", "resident", "device", ""]
)
def test_l07_other_roles_neither_ask_nor_decide_nor_lift(world: Database, role: str):
    somebody = Officer("x", role)
    assert refused(world, order(), somebody) == "watchlist_role"
    entry, application = approved(world), applied(world)
    with world.write() as session:
        with pytest.raises(RefusedError, match="watchlist_right"):
            approve(session, find_application(session, COMPOUND, application), by=somebody, at=NOON)
        with pytest.raises(RefusedError, match="watchlist_right"):
            lift(session, find_entry(session, COMPOUND, entry), by=somebody, at=NOON)


def test_l07_property_staff_do_not_lift_a_police_entry(world: Database):
    entry = approved(world, order("zhang", A_PERSON, POLICE_ORDER), POLICE, CHIEF)
    with world.write() as session:
        row = find_entry(session, COMPOUND, entry)
        for officer in (MANAGER, ADMIN):
            with pytest.raises(RefusedError, match="watchlist_right"):
                lift(session, row, by=officer, at=NOON)
        lift(session, row, by=CHIEF, at=NOON)


def test_l07_card_that_somebody_carries_is_no_tracker_for_the_property(world: Database):
    assert refused(world, order("card-used", A_CARD, REPORT)) == "watchlist_in_use"
    approved(world, order("card-used", A_CARD, POLICE_ORDER), POLICE, CHIEF)


def test_l07_card_that_was_found_while_the_application_waited_is_not_watched(world: Database):
    application = applied(world, order("card-lost", A_CARD, REPORT))
    with world.write() as session:
        session.get_one(Credential, "card-lost").status = CredentialStatus.ACTIVE
    with world.write() as session:
        row = find_application(session, COMPOUND, application)
        with pytest.raises(RefusedError, match="watchlist_in_use"):
            approve(session, row, by=ADMIN, at=NOON)


# ── subjects ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("plate", ["", "_无_", "云M1234", "YB888H9"])
def test_ill_formed_plate_is_no_subject(world: Database, plate: str):
    assert refused(world, order(plate)) == "plate_malformed"


@pytest.mark.parametrize(
    ("subject", "kind", "noun"),
    [
        ("nobody", A_PERSON, "person"),
        ("stranger", A_PERSON, "person"),
        ("no-card", A_CARD, "credential"),
    ],
)
def test_subject_exists_in_this_compound(world: Database, subject: str, kind: WatchlistSubject, noun: str):
    with world.write() as session, pytest.raises(MissingError) as error:
        apply(session, COMPOUND, order(subject, kind, POLICE_ORDER), applicant=POLICE, at=NOON)
    assert error.value.kind == noun


def test_child_is_never_a_subject(world: Database):
    assert refused(world, order("child", A_PERSON, POLICE_ORDER), POLICE) == "watchlist_child"
    with world.write() as session:
        session.get_one(Person, "child").turns_14_on = TODAY
    applied(world, order("child", A_PERSON, POLICE_ORDER), POLICE)


def test_erased_person_is_never_a_subject(world: Database):
    assert refused(world, order("erased", A_PERSON, POLICE_ORDER), POLICE) == "watchlist_erased"


def test_person_who_was_erased_while_the_application_waited_is_not_watched(world: Database):
    application = applied(world, order("zhang", A_PERSON, POLICE_ORDER), POLICE)
    with world.write() as session:
        session.get_one(Person, "zhang").erased_at = NOON
    with world.write() as session:
        row = find_application(session, COMPOUND, application)
        with pytest.raises(RefusedError, match="watchlist_erased"):
            approve(session, row, by=CHIEF, at=NOON)


def test_guards_call_is_no_credential_that_could_be_seen(world: Database):
    assert refused(world, order("call", A_CARD, REPORT)) == "watchlist_credential"


def test_rows_of_another_compound_are_not_found(world: Database):
    entry, application = approved(world), applied(world)
    with world.read() as session:
        with pytest.raises(MissingError, match="watchlist_entry"):
            find_entry(session, ELSEWHERE, entry)
        with pytest.raises(MissingError, match="watchlist_application"):
            find_application(session, ELSEWHERE, application)
