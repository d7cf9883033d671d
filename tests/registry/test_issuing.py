"""Credentials, and L-03: nobody is left with a face as the only way in."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from residents_world import COMPOUND, DAY, ELSEWHERE, code_of, person
from sqlalchemy import select, text

from registry.credentials import issuing
from registry.credentials.coverage import covered
from registry.credentials.issuing import NewCredential
from registry.errors import MissingError, RefusedError, StaleEditError
from registry.faces import consents
from registry.faces.templates import ConsentMissingError
from registry.models import ConsentPurpose, Credential, CredentialKind, CredentialStatus, GivenBy, Person
from tests.support.clock import NOON
from tests.support.threads import at_once

CARD, PIN, FACE, CALL = (
    CredentialKind.CARD,
    CredentialKind.PIN,
    CredentialKind.FACE,
    CredentialKind.GUARD_CALL,
)
ACTIVE, SUSPENDED, LOST, ENDED = (
    CredentialStatus.ACTIVE,
    CredentialStatus.SUSPENDED,
    CredentialStatus.LOST,
    CredentialStatus.ENDED,
)


def give(session, who, kind=CARD, ref="12 34-ab", **more):
    return issuing.issue(session, who, NewCredential(kind, ref, **more), at=NOON)


def consent(session, who):
    consents.give(
        session,
        who,
        ConsentPurpose.FACE_ACCESS,
        wording="I agree",
        channel="counter",
        given_by=GivenBy.SELF,
        at=NOON,
    )


def state(session, who) -> set[tuple[str, str]]:
    return {(str(c.kind), str(c.status)) for c in issuing.credentials_of(session, who)}


def call_of(session, who) -> Credential:
    return next(c for c in issuing.credentials_of(session, who) if c.kind == CALL and c.status == ACTIVE)


# ── numbers ───────────────────────────────────────────────────────────────────


def test_card_is_sealed_and_found_in_any_spelling(either_database, world):
    with world.write() as session:
        made = give(session, person(session)).id
    with world.read() as session:
        key = issuing.ref_key(COMPOUND, CARD, "1234 AB")
        found = session.scalars(select(Credential).where(Credential.ref_key == key)).one()
        assert (found.id, found.ref) == (made, "1234AB")
        raw = session.execute(text("SELECT ref FROM credentials WHERE ref IS NOT NULL")).scalar_one()
        assert b"1234AB" not in bytes(raw)
        assert issuing.ref_key(ELSEWHERE, CARD, "1234AB") != key


def test_pin_is_compared_and_never_read_again(world):
    with world.write() as session:
        made = give(session, person(session), PIN, "295817")
        assert (made.ref, made.sealed_ref) == (None, None)
        assert made.ref_key == issuing.ref_key(COMPOUND, PIN, " 295817 ")


@pytest.mark.parametrize(
    ("kind", "ref", "code"),
    [
        (CARD, None, "ref_missing"),
        (CARD, " - ", "ref_missing"),
        (CARD, "A" * 129, "ref_too_long"),
        (PIN, "12345", "pin_malformed"),
        (PIN, "111111", "pin_malformed"),
        (PIN, "12345a", "pin_malformed"),
        (CredentialKind.PHONE, "123", "phone_length"),
        (CredentialKind.PLATE, "M1234", "plate_malformed"),
        (FACE, "x", "ref_unexpected"),
        (CALL, "x", "ref_unexpected"),
    ],
)
def test_number_that_cannot_be_one_is_refused(world, kind, ref, code):
    with world.write() as session:
        who = person(session)
        assert code_of(lambda: give(session, who, kind, ref)) == code


def test_plate_and_phone_have_their_own_spelling(world):
    with world.write() as session:
        who = person(session)
        assert give(session, who, CredentialKind.PLATE, "云m·1O345").ref == "云M10345"
        assert give(session, who, CredentialKind.PHONE, "+86 100-1234-5678").ref == "10012345678"


def test_one_number_opens_for_one_person_of_a_compound(world):
    with world.write() as session:
        one, other = person(session), person(session)
        first = give(session, one)
        assert code_of(lambda: give(session, other, ref="1234AB")) == "credential_in_use"
        give(session, other, CredentialKind.QR, "1234AB", external_id="K1")
        again = lambda: give(session, other, ref="99", external_id="K1")  # noqa: E731
        assert code_of(again) == "external_id_taken"
        give(session, person(session, compound=ELSEWHERE))
        issuing.lose(session, first, first.version, at=NOON)
        give(session, other)
        assert code_of(lambda: issuing.resume(session, first, first.version, at=NOON)) == "credential_in_use"


def test_number_whose_time_is_over_can_be_given_out_again(world):
    with world.write() as session:
        one, other = person(session), person(session)
        first = give(session, one, starts_at=NOON - 9 * DAY, ends_at=NOON + DAY)
        again = issuing.issue(session, other, NewCredential(CARD, "1234AB"), at=NOON + 2 * DAY)
        assert (first.status, again.status) == (ENDED, ACTIVE)


def test_two_who_give_out_one_number_at_once_give_it_once(either_database, world):
    with world.write() as session:
        ids = [person(session).id, person(session).id]

    def work(number: int) -> None:
        with world.write() as session:
            give(session, session.get_one(Person, ids[number]))

    (error,) = at_once(2, work)
    assert isinstance(error, RefusedError)
    assert error.code == "credential_in_use"


def test_period_and_zones_are_checked(world):
    with world.write() as session:
        who = person(session)
        for more, code in (
            ({"starts_at": NOON + DAY, "ends_at": NOON + DAY}, "credential_ends_before_it_begins"),
            ({"ends_at": NOON}, "credential_over"),
        ):
            assert code_of(lambda more=more: give(session, who, **more)) == code
        for zone in ("nowhere", "far"):
            with pytest.raises(MissingError):
                give(session, who, zones=("gate", zone))
        made = give(session, who, zones=("gate",))
        issuing.limit_to(session, made, made.version, ["z1", "gate"])
        assert made.zones == ["gate", "z1"]


# ── faces ─────────────────────────────────────────────────────────────────────


def test_face_needs_consent_in_force(world):
    with world.write() as session:
        who = person(session)
        with pytest.raises(ConsentMissingError):
            give(session, who, FACE, None)
        consent(session, who)
        made = give(session, who, FACE, None)
        assert code_of(lambda: give(session, who, FACE, None)) == "credential_in_use"
        issuing.suspend(session, made, made.version, at=NOON)
        consents.withdraw(session, who, ConsentPurpose.FACE_ACCESS, NOON)
        with pytest.raises(ConsentMissingError):
            issuing.resume(session, made, made.version, at=NOON)


# ── L-03 ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", [issuing.end, issuing.suspend])
def test_last_way_in_besides_a_face_is_not_taken_away(world, step):
    with world.write() as session:
        made = person(session)
        consent(session, made)
        give(session, made, FACE, None)
        who = made.id

    def take_away() -> None:
        with world.write() as session:
            call = call_of(session, session.get_one(Person, who))
            step(session, call, call.version, at=NOON)

    assert code_of(take_away) == "last_non_face_credential"
    with world.read() as session:
        assert state(session, session.get_one(Person, who)) == {("face", "active"), ("guard_call", "active")}


@pytest.mark.parametrize(("step", "left"), [(issuing.end, ENDED), (issuing.suspend, SUSPENDED)])
def test_guards_call_takes_the_place_where_that_is_wished(world, step, left):
    with world.write() as session:
        who = person(session)
        card, call = give(session, who), call_of(session, who)
        issuing.end(session, call, call.version, at=NOON)
        step(session, card, card.version, at=NOON, replace_with_guard_call=True)
        assert card.status == left
        assert call_of(session, who).id != call.id


def test_one_of_two_can_go(world):
    with world.write() as session:
        who = person(session)
        card, call = give(session, who), call_of(session, who)
        issuing.end(session, call, call.version, at=NOON)
        assert state(session, who) == {("card", "active"), ("guard_call", "ended")}
        assert (
            code_of(lambda: issuing.end(session, card, card.version, at=NOON)) == "last_non_face_credential"
        )


def test_card_that_will_end_does_not_count_as_the_last(world):
    with world.write() as session:
        who = person(session)
        give(session, who, ends_at=NOON + 30 * DAY)
        call = call_of(session, who)
        assert (
            code_of(lambda: issuing.end(session, call, call.version, at=NOON)) == "last_non_face_credential"
        )


def test_last_one_is_not_let_lapse_without_replacement(world):
    with world.write() as session:
        who = person(session)
        card, call = give(session, who), call_of(session, who)
        issuing.end(session, call, call.version, at=NOON)
        renew = lambda **how: issuing.renew(  # noqa: E731
            session, card, card.version, NOON + DAY, at=NOON, **how
        )
        assert code_of(renew) == "last_non_face_credential"
    with world.write() as session:
        who = person(session)
        card, call = give(session, who, ref="77"), call_of(session, who)
        issuing.end(session, call, call.version, at=NOON)
        issuing.renew(session, card, card.version, NOON + DAY, at=NOON, replace_with_guard_call=True)
        assert card.ends_at == NOON + DAY
        assert call_of(session, who).ends_at is None


def test_lost_card_is_noted_at_once_and_the_guard_lets_in(world):
    with world.write() as session:
        who = person(session)
        card, call = give(session, who), call_of(session, who)
        issuing.end(session, call, call.version, at=NOON)
        issuing.lose(session, card, card.version, at=NOON)
        assert state(session, who) == {("card", "lost"), ("guard_call", "ended"), ("guard_call", "active")}


def test_ended_is_for_good_and_suspended_can_open_again(world):
    with world.write() as session:
        card = give(session, person(session))
        issuing.suspend(session, card, card.version, at=NOON)
        again = lambda: issuing.suspend(session, card, card.version, at=NOON)  # noqa: E731
        assert code_of(again) == "credential_step_refused"
        issuing.renew(session, card, card.version, NOON + DAY, at=NOON)
        assert (card.status, card.ends_at) == (ACTIVE, NOON + DAY)
        issuing.end(session, card, card.version, at=NOON + dt.timedelta(hours=1))
        assert card.ends_at == NOON + dt.timedelta(hours=1)
        for step in (issuing.resume, issuing.lose, issuing.end):
            refused = lambda step=step: step(session, card, card.version, at=NOON)  # noqa: E731
            assert code_of(refused) == "credential_step_refused"


def test_of_two_who_change_a_credential_the_second_is_told(either_database, world):
    with world.write() as session:
        card = give(session, person(session))
        card_id, version = card.id, card.version

    def work(number: int) -> None:
        with world.write() as session:
            (issuing.suspend, issuing.end)[number](
                session, session.get_one(Credential, card_id), version, at=NOON
            )

    (error,) = at_once(2, work)
    assert isinstance(error, StaleEditError)


def test_two_who_take_away_the_last_two_at_once_leave_one(either_database, world):
    with world.write() as session:
        who = person(session)
        ids = [give(session, who).id, call_of(session, who).id]
        who_id = who.id

    def work(number: int) -> None:
        with world.write() as session:
            row = session.get_one(Credential, ids[number])
            issuing.end(session, row, row.version, at=NOON)

    (error,) = at_once(2, work)
    assert isinstance(error, RefusedError)
    assert error.code == "last_non_face_credential"
    with world.read() as session:
        kept = [
            c for c in issuing.credentials_of(session, session.get_one(Person, who_id)) if c.status == ACTIVE
        ]
        assert len(kept) == 1


_moments = st.integers(-5, 20).map(lambda hours: NOON + dt.timedelta(hours=hours))
_validity = st.tuples(st.none() | _moments, st.none() | _moments).filter(
    lambda v: v[0] is None or v[1] is None or v[0] < v[1]
)


@given(st.lists(_validity, max_size=6))
def test_covered_means_at_every_moment(validities):
    half_hours = [NOON + dt.timedelta(minutes=30 * step) for step in range(60)]
    everywhere = all(
        any((start is None or start <= at) and (end is None or at < end) for start, end in validities)
        for at in half_hours
    )
    assert covered(validities, NOON) == everywhere
