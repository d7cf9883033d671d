"""Credentials are given out, suspended, lost, renewed and ended; nobody is left with a face alone (L-03).

Whoever changes somebody's credentials holds that person's row until the end of the
transaction: of two who take away the last but one and the last, the second is refused.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry import lookups, plates, spelling
from registry.credentials.coverage import covered
from registry.credentials.models import Credential, CredentialKind, CredentialStatus, first_credential_row
from registry.errors import MissingError, RefusedError
from registry.faces import consents
from registry.faces.models import ConsentPurpose
from registry.faces.templates import ConsentMissingError
from registry.people.models import Person
from registry.places.models import Zone
from registry.rows import at_version, find, lock, refuse_taken, write_unique
from storage import new_id

PIN_DIGITS: Final = range(6, 13)
REF_MAX: Final = 128
_WITHOUT_NUMBER: Final = frozenset({CredentialKind.FACE, CredentialKind.GUARD_CALL})


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What is given out; `ref` is the number of a card, phone or plate, the digits of a PIN, a QR's text."""

    kind: CredentialKind
    ref: str | None = None
    # Empty: every zone that its person may enter.
    zones: tuple[str, ...] = ()
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    external_id: str | None = None


def spell_ref(kind: CredentialKind, ref: str | None) -> str | None:
    """The one spelling of a credential's number, None for a kind that has none.

    Raises `ref_missing`, `ref_unexpected`, `ref_too_long`, `pin_malformed`,
    `plate_malformed` and the codes of `spelling.PhoneError`.
    """
    if kind in _WITHOUT_NUMBER:
        if ref is not None:
            raise RefusedError("ref_unexpected")
        return None
    if ref is None or not spelling.card(ref):
        raise RefusedError("ref_missing")
    if len(ref) > REF_MAX:
        raise RefusedError("ref_too_long")
    if kind is CredentialKind.PLATE:
        plate = plates.normalise(ref)
        if plate is None or not plates.is_well_formed(plate):
            raise RefusedError("plate_malformed")
        return plate
    if kind is CredentialKind.PHONE:
        try:
            return spelling.phone(ref)
        except spelling.PhoneError as error:
            raise RefusedError(error.code) from error
    spelt = spelling.card(ref)
    if kind is CredentialKind.PIN and not (
        spelt.isascii() and spelt.isdigit() and len(spelt) in PIN_DIGITS and len(set(spelt)) > 1
    ):
        raise RefusedError("pin_malformed", shortest=PIN_DIGITS.start, longest=PIN_DIGITS.stop - 1)
    return spelt


def ref_key(compound: str, kind: CredentialKind, ref: str) -> str:
    """What a credential of a kind is found by. Raises what `spell_ref` raises."""
    return lookups.credential_key(compound, kind, spell_ref(kind, ref) or "")


def issue(session: Session, person: Person, given: NewCredential, *, at: dt.datetime) -> Credential:
    """Gives a credential out; it opens from its start on.

    Raises what `spell_ref` raises, `credential_in_use` where an active one has this number,
    `credential_ends_before_it_begins`, `credential_over`, `external_id_taken`,
    `MissingError("zone")`, and `ConsentMissingError` for a face that nobody has agreed to.
    """
    spelt = spell_ref(given.kind, given.ref)
    _refuse_period(given.starts_at, given.ends_at, at)
    _refuse_zones(session, person.compound, given.zones)
    refuse_taken(session, Credential, person.compound, given.external_id)
    _hold(session, person)
    if given.kind is CredentialKind.FACE:
        _need_consent(session, person)
    key = None if spelt is None else lookups.credential_key(person.compound, given.kind, spelt)
    _make_room(session, person, given.kind, key, at)
    credential = Credential(
        id=new_id(),
        compound=person.compound,
        person=person.id,
        kind=given.kind,
        status=CredentialStatus.ACTIVE,
        ref_key=key,
        zones=list(given.zones),
        starts_at=given.starts_at or at,
        ends_at=given.ends_at,
        external_id=given.external_id,
        version=1,
    )
    if given.kind is not CredentialKind.PIN:
        # Of a PIN only the key is kept: it can be compared, and never read.
        credential.ref = spelt
    write_unique(session, "credential_in_use", credential)
    stay_let_in(session, person, at, replace=True)
    return credential


def suspend(
    session: Session,
    credential: Credential,
    version: int,
    *,
    at: dt.datetime,
    replace_with_guard_call: bool = False,
) -> None:
    """Stops a credential for now. Raises `last_non_face_credential`, `credential_step_refused`."""
    person = _step(session, credential, version, {CredentialStatus.ACTIVE})
    credential.status = CredentialStatus.SUSPENDED
    stay_let_in(session, person, at, replace=replace_with_guard_call)


def resume(session: Session, credential: Credential, version: int, *, at: dt.datetime) -> None:
    """Lets a suspended or a found credential open again. Raises `credential_in_use`, `credential_over`."""
    person = _step(session, credential, version, {CredentialStatus.SUSPENDED, CredentialStatus.LOST})
    _activate(session, person, credential, credential.ends_at, at)


def lose(session: Session, credential: Credential, version: int, *, at: dt.datetime) -> None:
    """Notes a loss, at once and whatever else there is: the guard's call takes the place of the last one."""
    person = _step(session, credential, version, {CredentialStatus.ACTIVE, CredentialStatus.SUSPENDED})
    credential.status = CredentialStatus.LOST
    stay_let_in(session, person, at, replace=True)


def end(
    session: Session,
    credential: Credential,
    version: int,
    *,
    at: dt.datetime,
    replace_with_guard_call: bool = False,
) -> None:
    """Takes a credential away for good. Raises `last_non_face_credential`, `credential_step_refused`."""
    person = _step(session, credential, version, set(CredentialStatus) - {CredentialStatus.ENDED})
    credential.status = CredentialStatus.ENDED
    if credential.ends_at is None or credential.ends_at > at:
        started = credential.starts_at is None or credential.starts_at < at
        credential.ends_at = at if started else credential.starts_at
    stay_let_in(session, person, at, replace=replace_with_guard_call)


def renew(
    session: Session,
    credential: Credential,
    version: int,
    ends_at: dt.datetime | None,
    *,
    at: dt.datetime,
    replace_with_guard_call: bool = False,
) -> None:
    """Gives a credential another end, later or earlier; a suspended one opens again.

    Raises what `resume` raises, and `last_non_face_credential` where its end would leave
    nothing but a face.
    """
    person = _step(session, credential, version, {CredentialStatus.ACTIVE, CredentialStatus.SUSPENDED})
    _activate(session, person, credential, ends_at, at)
    stay_let_in(session, person, at, replace=replace_with_guard_call)


def limit_to(session: Session, credential: Credential, version: int, zones: Collection[str]) -> None:
    """Narrows a credential to zones; none means every zone that its person may enter."""
    _step(session, credential, version, set(CredentialStatus) - {CredentialStatus.ENDED})
    _refuse_zones(session, credential.compound, zones)
    credential.zones = sorted(set(zones))
    session.flush()


def stay_let_in(session: Session, person: Person, at: dt.datetime, *, replace: bool) -> None:
    """Sees to it that somebody is let in by something besides a face, from now on and for good.

    With `replace` the guard's call takes the place of what is missing, else
    `last_non_face_credential` is raised. For whoever has just taken a credential away.
    """
    session.flush()
    validities = session.execute(
        select(Credential.starts_at, Credential.ends_at).where(
            Credential.compound == person.compound,
            Credential.person == person.id,
            Credential.status == CredentialStatus.ACTIVE,
            Credential.kind != CredentialKind.FACE,
        )
    ).all()
    if covered([(row.starts_at, row.ends_at) for row in validities], at):
        return
    if not replace:
        raise RefusedError("last_non_face_credential")
    row = first_credential_row(person.compound, person.id, at)
    session.add(Credential(**{name: value for name, value in row.items() if name != "ref"}))
    session.flush()


def credentials_of(session: Session, person: Person) -> Sequence[Credential]:
    """All credentials that a person has or had."""
    return session.scalars(
        select(Credential)
        .where(Credential.compound == person.compound, Credential.person == person.id)
        .order_by(Credential.id)
    ).all()


def _step(
    session: Session, credential: Credential, version: int, states: Collection[CredentialStatus]
) -> Person:
    person = find(session, Person, credential.compound, credential.person, "person")
    _hold(session, person)
    session.refresh(credential)
    at_version(credential, version)
    if credential.status not in states:
        raise RefusedError("credential_step_refused", status=str(credential.status))
    return person


def _activate(
    session: Session, person: Person, credential: Credential, ends_at: dt.datetime | None, at: dt.datetime
) -> None:
    _refuse_period(credential.starts_at, ends_at, at)
    if credential.kind == CredentialKind.FACE:
        _need_consent(session, person)
    if credential.status != CredentialStatus.ACTIVE:
        _make_room(session, person, credential.kind, credential.ref_key, at)
    credential.status, credential.ends_at = CredentialStatus.ACTIVE, ends_at
    write_unique(session, "credential_in_use")


def _make_room(
    session: Session, person: Person, kind: CredentialKind, key: str | None, at: dt.datetime
) -> None:
    """Ends an active credential of the same number that is over; refuses one that is not."""
    query = select(Credential).where(
        Credential.compound == person.compound,
        Credential.kind == kind,
        Credential.status == CredentialStatus.ACTIVE,
        Credential.person == person.id if key is None else Credential.ref_key == key,
    )
    for other in session.scalars(query.execution_options(populate_existing=True)):
        if other.ends_at is None or other.ends_at > at:
            raise RefusedError("credential_in_use")
        other.status = CredentialStatus.ENDED
    session.flush()


def _hold(session: Session, person: Person) -> None:
    session.flush()
    lock(session, Person, person.compound, (person.id,), "person")
    if person.erased_at is not None:
        raise MissingError("person")


def _need_consent(session: Session, person: Person) -> None:
    if consents.active(session, person.id, ConsentPurpose.FACE_ACCESS) is None:
        raise ConsentMissingError(person.id)


def _refuse_period(starts_at: dt.datetime | None, ends_at: dt.datetime | None, at: dt.datetime) -> None:
    if ends_at is None:
        return
    if starts_at is not None and ends_at <= starts_at:
        raise RefusedError("credential_ends_before_it_begins")
    if ends_at <= at:
        raise RefusedError("credential_over")


def _refuse_zones(session: Session, compound: str, zones: Collection[str]) -> None:
    wanted = set(zones)
    known = set(session.scalars(select(Zone.id).where(Zone.compound == compound, Zone.id.in_(wanted))))
    if wanted - known:
        raise MissingError("zone")
