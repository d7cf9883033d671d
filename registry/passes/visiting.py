"""Asking for visitor passes and giving them.

A pass begins as a host's request or is given at once by the property's people. Its QR holds
a random token that leaves here once; of it only a hash stays.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from registry import lookups, plates, rows, spelling
from registry.errors import MissingError, RefusedError
from registry.organisations.models import Organisation
from registry.passes.hosts import Host, HostKind, require_here
from registry.passes.models import PassKind, PassState, VisitorPass
from registry.passes.terms import TERMS, period
from registry.people.models import Household, Person
from registry.places.models import Zone
from storage import new_id
from storage.vault import current_vault, seal_for

TOKEN_PREFIX: Final = "RW1:"  # noqa: S105 - says how to read what follows
_TOKEN_BYTES: Final = 24
"""192 random bits: nobody finds a pass by trying."""

BULK_MAX: Final = 500
"""Passes of one order of an organisation; it has to fit in one answer with all its tokens."""

USES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class PassWanted:
    """What somebody asks for. None: what is usual for the kind; no zones: the way to the host."""

    kind: PassKind
    host: Host | None
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    plate: str | None = None
    phone: str | None = None
    zones: tuple[str, ...] = ()
    max_uses: int | None = None


@dataclass(frozen=True, slots=True)
class NewPass:
    """A pass with the token of its QR, which cannot be had again."""

    visitor_pass: VisitorPass
    token: str


def new_token() -> str:
    """What a QR holds: `RW1:` and 192 random bits in URL-safe Base64."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> str:
    """SHA-256 in hex. The token is random enough that a plain hash of it tells nothing."""
    return hashlib.sha256(token.strip().encode()).hexdigest()


def request(
    session: Session,
    compound: str,
    wanted: PassWanted,
    *,
    by: str,
    at: dt.datetime,
    mint: Callable[[], str] = new_token,
) -> NewPass:
    """Asks for a pass; it lets nobody in until it is approved.

    Raises `RefusedError` (see `registry.passes.terms.period`; also `host_needed`,
    `host_not_here`, `plate_malformed`, `phone_malformed`, `pass_uses_range`) and
    `MissingError` for a host or zone that is not in the compound.
    """
    if wanted.host is None:
        raise RefusedError("host_needed")
    [made] = _add(session, compound, [wanted], PassState.REQUESTED, by=by, at=at, mint=mint)
    return made


def issue(
    session: Session,
    compound: str,
    wanted: PassWanted,
    *,
    by: str,
    at: dt.datetime,
    mint: Callable[[], str] = new_token,
) -> NewPass:
    """Gives a pass at once. Raises what `request` raises, but a pass of the property needs no host."""
    [made] = _add(session, compound, [wanted], PassState.APPROVED, by=by, at=at, mint=mint)
    return made


def issue_many(
    session: Session,
    compound: str,
    organisation: str,
    wanted: Sequence[PassWanted],
    *,
    by: str,
    at: dt.datetime,
    mint: Callable[[], str] = new_token,
) -> list[NewPass]:
    """Passes for the visitors or workers of an organisation, all or none of them.

    Raises what `issue` raises, `pass_bulk_range`, and `pass_of_order` with the number of the
    order (from 1) and its code in `index` and `cause`.
    """
    if not 1 <= len(wanted) <= BULK_MAX:
        raise RefusedError("pass_bulk_range", maximum=BULK_MAX)
    host = Host(HostKind.ORGANISATION, organisation)
    orders = [replace(one, host=host) for one in wanted]
    return _add(session, compound, orders, PassState.APPROVED, by=by, at=at, mint=mint)


def needs_decision(kind: PassKind) -> bool:
    """Whether the word of a host, or of a guard for one, is not enough for a pass of this kind."""
    return not TERMS[kind].host_decides


def _add(
    session: Session,
    compound: str,
    wanted: Sequence[PassWanted],
    state: PassState,
    *,
    by: str,
    at: dt.datetime,
    mint: Callable[[], str],
) -> list[NewPass]:
    _hosts_exist(session, compound, {one.host for one in wanted if one.host is not None})
    require_here(session, compound, [one.host for one in wanted], at)
    _zones_exist(session, compound, {zone for one in wanted for zone in one.zones})
    made: list[dict[str, Any]] = []
    tokens: list[str] = []
    for index, one in enumerate(wanted, start=1):
        token = mint()
        try:
            row = _row(compound, one, state, by=by, at=at)
        except RefusedError as error:
            if len(wanted) == 1:
                raise
            raise RefusedError("pass_of_order", index=index, cause=error.code, **error.facts) from error
        made.append(row | {"token_hash": token_hash(token)})
        tokens.append(token)
    # All keys in one transaction of the vault, before the first of them is asked for.
    current_vault().create(row["id"] for row in made if row["phone"] is not None)
    for row in made:
        row["phone"] = seal_for(row["id"], "phone", row["phone"])
    session.execute(insert(VisitorPass.__table__), made)  # type: ignore[arg-type]
    ids = [row["id"] for row in made]
    passes = session.scalars(
        select(VisitorPass).where(VisitorPass.compound == compound, VisitorPass.id.in_(ids))
    )
    by_id = {visitor_pass.id: visitor_pass for visitor_pass in passes}
    return [NewPass(by_id[row["id"]], token) for row, token in zip(made, tokens, strict=True)]


def _row(compound: str, one: PassWanted, state: PassState, *, by: str, at: dt.datetime) -> dict[str, Any]:
    starts_at, ends_at = period(one.kind, one.starts_at, one.ends_at, at)
    uses = TERMS[one.kind].uses if one.max_uses is None else one.max_uses
    if uses is not None and not 1 <= uses <= USES_MAX:
        raise RefusedError("pass_uses_range", maximum=USES_MAX)
    phone = None if one.phone is None else _phone(one.phone)
    host = one.host
    decided = state is PassState.APPROVED
    return {
        "id": new_id(),
        "compound": compound,
        "kind": one.kind,
        "state": state,
        "host_household": host.id if host and host.kind is HostKind.HOUSEHOLD else None,
        "host_person": host.id if host and host.kind is HostKind.PERSON else None,
        "host_organisation": host.id if host and host.kind is HostKind.ORGANISATION else None,
        "phone": phone,
        "tail_key": None if phone is None else lookups.tail_key(compound, phone[-4:]),
        "plate": None if one.plate is None else _plate(one.plate),
        "zones": sorted(set(one.zones)),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "max_uses": uses,
        "uses": 0,
        "version": 1,
        "requested_by": by,
        "decided_by": by if decided else None,
        "decided_at": at if decided else None,
    }


def _phone(text: str) -> str:
    try:
        return spelling.phone(text)
    except spelling.PhoneError as error:
        raise RefusedError("phone_malformed") from error


def _plate(text: str) -> str:
    plate = plates.normalise(text)
    if plate is None or not plates.is_well_formed(plate):
        raise RefusedError("plate_malformed")
    return plate


def _hosts_exist(session: Session, compound: str, hosts: set[Host]) -> None:
    for kind, model in (
        (HostKind.HOUSEHOLD, Household),
        (HostKind.PERSON, Person),
        (HostKind.ORGANISATION, Organisation),
    ):
        for host in hosts:
            if host.kind is kind:
                rows.find(session, model, compound, host.id, str(kind))


def _zones_exist(session: Session, compound: str, zones: set[str]) -> None:
    if not zones:
        return
    known = session.scalar(
        select(func.count()).select_from(Zone).where(Zone.compound == compound, Zone.id.in_(zones))
    )
    if known != len(zones):
        raise MissingError("zone")
