"""May this card, this person, this car, this pass enter here now? Asked of the database."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from residents_world import COMPOUND, DAY, ELSEWHERE, TODAY, person

from registry.credentials import issuing
from registry.credentials.issuing import NewCredential
from registry.entry import belonging, gatehouse
from registry.entry.belonging import Claim
from registry.entry.decision import Entry, EntryReason
from registry.errors import MissingError, RefusedError
from registry.faces import consents
from registry.models import (
    ConsentPurpose,
    CredentialKind,
    CredentialStatus,
    GivenBy,
    LegalBasis,
    OrganisationKind,
    PassKind,
    PassState,
    ResidenceKind,
    Ring,
    VehicleKind,
    VisitorPass,
    WatchlistEntry,
    WatchlistSubject,
)
from registry.organisations import workplaces
from registry.passes.visiting import TOKEN_PREFIX, token_hash
from registry.people import households, leavers, residences
from registry.vehicles import motoring
from registry.vehicles.motoring import VehicleDetails
from tests.support.clock import NOON

CARD, PLATE = CredentialKind.CARD, CredentialKind.PLATE
SINCE = dt.date(2026, 1, 1)
ZONES = ("gate", "garden", "z1", "z2")
TOKEN = TOKEN_PREFIX + "abcdef"


def live(session, who, dwelling="b1-101", until=None, kind=ResidenceKind.TENANT, since=SINCE):
    return residences.add(session, who, dwelling, kind, since, until, today=TODAY)


def card(session, who, ref="1234AB", **more):
    return issuing.issue(session, who, NewCredential(CARD, ref, **more), at=NOON - DAY)


def show(session, zone="z1", ref="12-34 ab", kind=CARD, at=NOON) -> Entry:
    return gatehouse.by_credential(session, COMPOUND, kind, ref, zone, at)


def opened(session, ask) -> set[str]:
    return {zone for zone in ZONES if ask(zone).allowed}


def visit(session, host=None, **fields) -> VisitorPass:
    row = VisitorPass(
        **{
            "id": "pass-1",
            "compound": COMPOUND,
            "kind": PassKind.VISITOR,
            "state": PassState.APPROVED,
            "host_person": host and host.id,
            "starts_at": NOON - DAY,
            "ends_at": NOON + DAY,
            "token_hash": token_hash(TOKEN),
            "zones": [],
        }
        | fields
    )
    session.add(row)
    session.flush()
    return row


def firm(session, name="红花诊所"):
    details = workplaces.OrganisationDetails(name, OrganisationKind.COMPANY)
    return workplaces.found(session, COMPOUND, details)


# ── cards ─────────────────────────────────────────────────────────────────────


def test_card_of_a_resident_opens_gate_garden_and_own_building(either_database, world):
    with world.write() as session:
        who = person(session)
        live(session, who)
        card(session, who)
        assert opened(session, lambda zone: show(session, zone)) == {"gate", "garden", "z1"}
        assert show(session, "z2").reason == EntryReason.OTHER_BUILDING
        assert show(session).until is None


def test_card_that_nobody_has_or_could_have_is_unknown(world):
    with world.write() as session:
        for ref in ("FFFF", "", "A" * 500):
            assert show(session, ref=ref) == Entry(allowed=False, reason=EntryReason.UNKNOWN)
        assert show(session, kind=CredentialKind.FACE).reason == EntryReason.UNKNOWN
        for zone in ("nowhere", "far"):
            with pytest.raises(MissingError):
                show(session, zone)


def test_card_of_another_compound_is_unknown_here(world):
    with world.write() as session:
        stranger = person(session, compound=ELSEWHERE)
        live(session, stranger, "b9-101")
        card(session, stranger)
        assert show(session).reason == EntryReason.UNKNOWN


def test_lost_card_says_so_until_it_is_somebody_elses(world):
    with world.write() as session:
        who, other = person(session), person(session)
        for one in (who, other):
            live(session, one)
        lost = card(session, who)
        issuing.lose(session, lost, lost.version, at=NOON)
        assert show(session).reason == EntryReason.LOST
        card(session, other)
        assert show(session).allowed


def test_tenancy_ends_with_its_last_day_in_the_compounds_own_time(world):
    with world.write() as session:
        who = person(session)
        live(session, who, until=TODAY)
        card(session, who)
        midnight = dt.datetime(2026, 11, 24, tzinfo=ZoneInfo("Asia/Shanghai"))
        assert show(session).until == midnight
        before = show(session, at=midnight - dt.timedelta(seconds=1))
        assert (before.allowed, before.reason) == (True, EntryReason.RESIDENT)
        after = show(session, at=midnight)
        assert (after.allowed, after.reason) == (True, EntryReason.RESIDENCE_ENDED)


def test_household_registration_alone_opens_nothing(world):
    with world.write() as session:
        who = person(session)
        live(session, who, kind=ResidenceKind.REGISTERED_ABSENT)
        card(session, who)
        assert show(session, "gate").reason == EntryReason.NO_RIGHT


def test_member_of_a_household_without_dates_is_at_home_there(world):
    with world.write() as session:
        who, gone = person(session), person(session)
        households.create(session, COMPOUND, head=who.id, members=[gone.id], dwelling="b1-101", today=TODAY)
        live(session, gone, until=TODAY - DAY)
        card(session, who)
        card(session, gone, "77")
        assert show(session).reason == EntryReason.RESIDENT
        assert show(session, ref="77").reason == EntryReason.RESIDENCE_ENDED


def test_erased_person_enters_nowhere(world):
    with world.write() as session:
        who = person(session)
        live(session, who)
        card(session, who)
        who.erased_at = NOON
        assert show(session).reason == EntryReason.UNKNOWN
        assert gatehouse.by_person(session, COMPOUND, who.id, "z1", NOON).reason == EntryReason.UNKNOWN


def test_face_without_consent_opens_nothing_and_the_card_beside_it_does(world):
    with world.write() as session:
        who = person(session)
        live(session, who)
        given = {"wording": "I agree", "channel": "counter", "given_by": GivenBy.SELF, "at": NOON}
        consents.give(session, who, ConsentPurpose.FACE_ACCESS, **given)
        issuing.issue(session, who, NewCredential(CredentialKind.FACE), at=NOON - DAY)
        consents.withdraw(session, who, ConsentPurpose.FACE_ACCESS, NOON)
        call = next(c for c in issuing.credentials_of(session, who) if c.kind == CredentialKind.GUARD_CALL)
        call.status = CredentialStatus.SUSPENDED
        session.flush()
        ask = gatehouse.by_person(session, COMPOUND, who.id, "z1", NOON)
        assert (ask.allowed, ask.reason) == (False, EntryReason.CONSENT_MISSING)
        card(session, who)
        assert gatehouse.by_person(session, COMPOUND, who.id, "z1", NOON).allowed


def test_staff_enter_the_buildings_of_their_organisation_while_it_is_there(either_database, world):
    with world.write() as session:
        clinic, who = firm(session), person(session)
        workplaces.move_in(session, clinic, "b2-101", SINCE, TODAY, today=TODAY)
        workplaces.employ(session, clinic, who.id, TODAY - DAY, today=TODAY)
        card(session, who)
        assert opened(session, lambda zone: show(session, zone)) == {"gate", "garden", "z2"}
        later = NOON + DAY
        assert opened(session, lambda zone: show(session, zone, at=later)) == {"gate", "garden"}


def test_watch_list_neither_opens_nor_closes(world):
    with world.write() as session:
        who = person(session)
        live(session, who)
        made = card(session, who)
        before = {zone: show(session, zone) for zone in ZONES}
        for kind, subject in (
            (WatchlistSubject.PERSON, who.id),
            (WatchlistSubject.CREDENTIAL, made.id),
            (WatchlistSubject.PLATE, "云M12345"),
        ):
            session.add(
                WatchlistEntry(
                    id=f"w-{kind}",
                    compound=COMPOUND,
                    subject_kind=kind,
                    subject=subject,
                    legal_basis=LegalBasis.POLICE_ORDER,
                    document_no="1",
                    applicant="a",
                    approver="b",
                    reason="-",
                    rings=list(Ring),
                    starts_at=NOON - DAY,
                    ends_at=NOON + DAY,
                )
            )
        session.flush()
        assert {zone: show(session, zone) for zone in ZONES} == before
        assert not gatehouse.by_plate(session, COMPOUND, "云M12345", "gate", NOON).allowed


# ── cars and passes ───────────────────────────────────────────────────────────


def drive(session, plate="云M12345", zone="gate", at=NOON) -> Entry:
    return gatehouse.by_credential(session, COMPOUND, PLATE, plate, zone, at)


def test_registered_car_enters_by_its_very_plate_and_no_building(either_database, world):
    with world.write() as session:
        motoring.register(session, COMPOUND, VehicleDetails("云M12345", owner=person(session).id))
        assert drive(session, "云m·12345") == Entry(allowed=True, reason=EntryReason.VEHICLE)
        assert drive(session, zone="garden").allowed
        assert drive(session, zone="z1").reason == EntryReason.OTHER_ZONE
        for near in ("云M12346", "云MI2345Z", "川M12345", "云M1234?"):
            assert drive(session, near) == Entry(allowed=False, reason=EntryReason.UNKNOWN)
        assert drive(session, "无牌").reason == EntryReason.UNKNOWN


def test_fire_engine_enters(world):
    with world.write() as session:
        assert drive(session, "云M1234应急").reason == EntryReason.EMERGENCY_VEHICLE
        assert drive(session, "WJ12345", "z1").allowed is False


def test_temporary_car_needs_a_pass_or_its_drivers_credential(world):
    with world.write() as session:
        who = person(session)
        live(session, who)
        temporary = VehicleDetails("云M12345", kind=VehicleKind.TEMPORARY)
        motoring.register(session, COMPOUND, temporary)
        assert drive(session) == Entry(allowed=False, reason=EntryReason.NO_RIGHT)
        issuing.issue(session, who, NewCredential(PLATE, "云M12345"), at=NOON - DAY)
        assert drive(session).reason == EntryReason.RESIDENT


def test_visitor_enters_by_pass_the_way_to_the_host(either_database, world):
    with world.write() as session:
        host = person(session)
        live(session, host)
        found = visit(session, host, plate="云M99999", max_uses=1)
        ask = lambda zone: show(session, zone, TOKEN, CredentialKind.QR)  # noqa: E731
        assert opened(session, ask) == {"gate", "garden", "z1"}
        assert ask("gate") == Entry(True, EntryReason.VISITOR, NOON + DAY)
        assert ask("z2") == Entry(allowed=False, reason="pass_other_place")
        assert drive(session, "云M99999").allowed
        found.uses = 1
        session.flush()
        assert ask("gate") == Entry(allowed=False, reason="pass_used_up")
        found.state = PassState.REVOKED
        session.flush()
        assert ask("gate").reason == "pass_revoked"
        assert drive(session, "云M99999").reason == EntryReason.UNKNOWN


def test_every_reason_of_a_pass_can_be_told():
    assert {"pass_used_up", "pass_over", "pass_other_place"} <= set(gatehouse.PASS_REASONS)


# ── everybody at once ─────────────────────────────────────────────────────────


def test_who_may_enter_is_who_would_be_let_in_one_by_one(either_database, world):
    with world.write() as session:
        people = [person(session) for _ in range(9)]
        live(session, people[0])
        live(session, people[1], "b2-101")
        live(session, people[2], until=TODAY - DAY)
        live(session, people[3], until=TODAY - DAY)
        card(session, people[3])
        live(session, people[4])
        card(session, people[4], "44", zones=("gate",))
        clinic = firm(session)
        workplaces.move_in(session, clinic, "b2-101", SINCE, today=TODAY)
        workplaces.employ(session, clinic, people[5].id, SINCE, today=TODAY)
        live(session, people[6], kind=ResidenceKind.REGISTERED_ABSENT)
        live(session, people[7], since=TODAY + DAY)
        households.create(session, COMPOUND, head=people[8].id, dwelling="b2-201", today=TODAY)
        visit(session, people[0])
        visit(session, people[1], id="pass-2", token_hash=None, state=PassState.REQUESTED)
        for zone in ZONES:
            found = gatehouse.list_entitled(session, COMPOUND, zone, NOON)
            alone = {
                one.id for one in people if gatehouse.by_person(session, COMPOUND, one.id, zone, NOON).allowed
            }
            assert set(found.people) == alone
            assert found.passes == (() if zone == "z2" else ("pass-1",))
        inside = gatehouse.list_entitled(session, COMPOUND, "z1", NOON)
        assert set(inside.people) == {people[0].id, people[3].id, people[4].id}
        assert gatehouse.list_entitled(session, ELSEWHERE, "far", NOON).people == ()


# ── belongs, and whose car ────────────────────────────────────────────────────


def asked(session, dwelling="b1-101", on=TODAY, **claim) -> bool:
    return belonging.belongs(session, COMPOUND, dwelling, Claim(**claim), on)


def test_guard_hears_whether_somebody_belongs(either_database, world):
    with world.write() as session:
        who = person(session, "张三", phone="10012345678")
        live(session, who)
        other = person(session, "李四", phone="10012349999")
        live(session, other)
        card(session, who)
        for claim in (
            {"name": " 张 三"},
            {"phone_tail": "5678"},
            {"card": "12 34 ab"},
            {"name": "张三", "phone_tail": "5678", "card": "1234AB"},
        ):
            assert asked(session, **claim) is True, claim
        for claim in (
            {"name": "王五"},
            {"phone_tail": "0000"},
            {"card": "FF"},
            {"name": "李四", "phone_tail": "5678"},
        ):
            assert asked(session, **claim) is False, claim
        assert asked(session, "b2-101", name="张三") is False
        assert belonging.belongs_at(session, COMPOUND, "1幢1单元101", Claim(name="张三"), TODAY)


def test_who_has_gone_or_is_only_registered_does_not_belong(world):
    with world.write() as session:
        gone, absent, family = person(session, "张三"), person(session, "李四"), person(session, "王五")
        live(session, gone, until=TODAY - DAY)
        live(session, absent, kind=ResidenceKind.REGISTERED_ABSENT)
        households.create(
            session, COMPOUND, head=family.id, members=[gone.id], dwelling="b1-101", today=TODAY
        )
        assert [asked(session, name=name) for name in ("张三", "李四", "王五")] == [False, False, True]
        assert asked(session, name="张三", on=TODAY - DAY) is True


def test_lost_card_is_no_proof(world):
    with world.write() as session:
        who = person(session)
        live(session, who)
        made = card(session, who)
        issuing.lose(session, made, made.version, at=NOON)
        assert asked(session, card="1234AB") is False


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ({}, "nothing_to_compare"),
        ({"name": " "}, "nothing_to_compare"),
        ({"name": "张三", "card": "-"}, "nothing_to_compare"),
        ({"phone_tail": "678"}, "phone_tail_malformed"),
        ({"phone_tail": "567a"}, "phone_tail_malformed"),
    ],
)
def test_question_without_a_claim_is_none(world, claim, code):
    with world.write() as session:
        live(session, person(session))
        with pytest.raises(RefusedError) as refused:
            asked(session, **claim)
        assert refused.value.code == code


def test_dwelling_of_another_compound_is_not_asked_about(world):
    with world.write() as session, pytest.raises(MissingError):
        asked(session, "b9-101", name="张三")


def test_car_is_somebodys_or_looks_like_somebodys(either_database, world):
    with world.write() as session:
        owner = person(session)
        made = motoring.register(session, COMPOUND, VehicleDetails("云M12B45", owner=owner.id))
        visit(session, owner, plate="云M99999")
        ask = lambda plate: belonging.whose_plate(session, COMPOUND, plate, NOON)  # noqa: E731
        own = ask("云m·12b45")
        assert (own.vehicle, own.near, own.passes) == (made, (), ())
        visitor = ask("云M99999")
        assert (visitor.vehicle, visitor.passes) == (None, ("pass-1",))
        blurred = ask("云M12845")
        assert (blurred.vehicle, [(n.plate, n.vehicle) for n in blurred.near]) == (
            None, [("云M12B45", made.id)],
        )  # fmt: skip
        assert [n.vehicle for n in ask("云M9999?").near] == [None]
        assert ask("云N12B45").near == ()
        assert ask("云M1234警").always_allowed
        with pytest.raises(RefusedError):
            ask("无牌")


# ── leavers ───────────────────────────────────────────────────────────────────


def to_review(session, on=TODAY + DAY):
    return [(found.id, found.ended_on) for found in leavers.credentials_to_review(session, COMPOUND, on)]


def test_card_of_who_moved_out_is_to_be_reviewed_the_day_after_and_not_before(either_database, world):
    with world.write() as session:
        who = person(session)
        live(session, who, until=TODAY)
        made = card(session, who)
        assert to_review(session, TODAY) == []
        assert to_review(session) == [(made.id, TODAY)]


def test_who_still_has_a_right_is_left_alone(world):
    with world.write() as session:
        stays, works, comes, stranger = (person(session) for _ in range(4))
        for number, who in enumerate((stays, works, comes)):
            live(session, who, until=TODAY)
            card(session, who, f"{number}00")
        live(session, stays, "b2-101")
        live(session, comes, "b2-101", since=TODAY + 9 * DAY)
        workplaces.employ(session, firm(session), works.id, SINCE, today=TODAY)
        # Never lived here: nobody's residence has ended.
        card(session, stranger, "900")
        assert to_review(session) == []


def test_property_revokes_what_is_on_the_list_and_the_guard_remains(either_database, world):
    with world.write() as session:
        who, other = person(session), person(session)
        live(session, who, until=TODAY)
        live(session, other)
        made, kept = card(session, who), card(session, other, "77")
        call = next(c for c in issuing.credentials_of(session, who) if c.kind == CredentialKind.GUARD_CALL)
        issuing.end(session, call, call.version, at=NOON)
        done = leavers.revoke(session, COMPOUND, [made.id, kept.id, "nothing"], on=TODAY + DAY, at=NOON + DAY)
        assert done == [made.id]
        assert (made.status, kept.status) == (CredentialStatus.SUSPENDED, CredentialStatus.ACTIVE)
        active = [c.kind for c in issuing.credentials_of(session, who) if c.status == "active"]
        assert active == [CredentialKind.GUARD_CALL]
        later = NOON + DAY
        assert show(session, at=later).reason == EntryReason.SUSPENDED
        assert not gatehouse.by_person(session, COMPOUND, who.id, "gate", later).allowed
        assert leavers.revoke(session, COMPOUND, [made.id], on=TODAY + DAY, at=later) == []


def test_cars_of_who_has_gone_are_to_be_reviewed(world):
    with world.write() as session:
        gone, left, stays = (person(session) for _ in range(3))
        for who in (gone, left):
            live(session, who, until=TODAY)
        live(session, stays)
        household = households.create(session, COMPOUND, head=stays.id, members=[left.id], today=TODAY)
        empty = households.create(session, COMPOUND, head=gone.id, today=TODAY)
        own = motoring.register(session, COMPOUND, VehicleDetails("云M00001", owner=gone.id))
        families = motoring.register(session, COMPOUND, VehicleDetails("云M00002", household=household.id))
        both = VehicleDetails("云M00003", owner=gone.id, household=empty.id)
        third = motoring.register(session, COMPOUND, both)
        found = leavers.vehicles_to_review(session, COMPOUND, TODAY + DAY)
        assert {one.id for one in found} == {own.id, third.id}
        assert families.id not in {one.id for one in found}
        assert leavers.vehicles_to_review(session, COMPOUND, TODAY) == []
