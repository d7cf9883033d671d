"""Finding visitor passes: by what a visitor shows or says, and as lists for gate and office."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, case, select
from sqlalchemy.orm import Session, aliased

from registry import lookups, plates
from registry.days import local_date
from registry.errors import RefusedError
from registry.passes.admission import in_force, not_used_up
from registry.passes.hosts import buildings_of, host_of
from registry.passes.models import PassDirection, PassState, PassUse, VisitorPass
from registry.passes.visiting import TOKEN_PREFIX, token_hash

SOON: Final = dt.timedelta(hours=24)
"""How far ahead the gate's list of expected visitors looks: a day and the night after it."""

GRACE: Final = dt.timedelta(minutes=30)
"""How long after the end a visitor may still be on the way out (rule R-E02)."""

FORGOTTEN_AFTER: Final = dt.timedelta(days=1)
"""When an overstay drops off the list: who was not seen to leave in a day has left unseen."""

_TAIL_DIGITS: Final = 4
_MOST: Final = 20


class When(enum.StrEnum):
    """Which passes a list is of."""

    CURRENT = "current"  # they let in now
    EXPECTED = "expected"  # they will within a day
    WAITING = "waiting"  # somebody has to decide
    OVERSTAYED = "overstayed"  # ended, and the visitor was not seen to leave
    ALL = "all"


def by_token(session: Session, compound: str, text: str) -> VisitorPass | None:
    """The pass of a QR, in whatever state it is; None for a QR that is none of ours."""
    token = text.strip()
    if not token.startswith(TOKEN_PREFIX):
        return None
    return session.scalars(
        select(VisitorPass).where(
            VisitorPass.token_hash == token_hash(token), VisitorPass.compound == compound
        )
    ).one_or_none()


def by_plate(session: Session, compound: str, text: str, at: dt.datetime) -> Sequence[VisitorPass]:
    """Passes of a plate that hold now, those that end first in front. Raises `plate_malformed`."""
    plate = plates.normalise(text)
    if plate is None or not plates.is_well_formed(plate):
        raise RefusedError("plate_malformed")
    return _holding(session, compound, at, VisitorPass.plate == plate)


def by_tail(session: Session, compound: str, text: str, at: dt.datetime) -> Sequence[VisitorPass]:
    """Passes that hold now of phones ending in these four digits. Raises `phone_tail_malformed`."""
    tail = text.strip()
    if len(tail) != _TAIL_DIGITS or not (tail.isascii() and tail.isdigit()):
        raise RefusedError("phone_tail_malformed")
    return _holding(session, compound, at, VisitorPass.tail_key == lookups.tail_key(compound, tail))


def listed(compound: str, when: When, at: dt.datetime) -> Select[VisitorPass]:
    """The passes of a list, to be ordered and paged by the caller."""
    query = select(VisitorPass).where(VisitorPass.compound == compound)
    match when:
        case When.CURRENT:
            return query.where(*in_force(compound, at), not_used_up(at))
        case When.EXPECTED:
            soon = VisitorPass.starts_at.between(at, at + SOON)
            return query.where(VisitorPass.state == PassState.APPROVED, soon, VisitorPass.starts_at > at)
        case When.WAITING:
            return query.where(VisitorPass.state == PassState.REQUESTED, VisitorPass.ends_at > at)
        case When.OVERSTAYED:
            return query.where(_overstayed(at))
        case When.ALL:
            return query


def still_open(compound: str, at: dt.datetime) -> Select[VisitorPass]:
    """The passes that let in now or will, however far ahead, and those that wait for a decision."""
    return select(VisitorPass).where(
        VisitorPass.compound == compound,
        VisitorPass.ends_at > at,
        VisitorPass.state.in_((PassState.REQUESTED, PassState.APPROVED)),
        not_used_up(at),
    )


def destinations(
    session: Session, compound: str, passes: Iterable[VisitorPass], at: dt.datetime
) -> Mapping[str, str]:
    """Pass id → the building its visitor goes to, as people say it ("3幢"); nothing about who is there."""
    hosts = {visitor_pass.id: host_of(visitor_pass) for visitor_pass in passes}
    named = {host for host in hosts.values() if host is not None}
    where = buildings_of(session, compound, named, local_date(session, compound, at))
    return {
        pass_id: "、".join(building.name for building in where[host])
        for pass_id, host in hosts.items()
        if host in where
    }


def _holding(
    session: Session, compound: str, at: dt.datetime, *conditions: ColumnElement[bool]
) -> Sequence[VisitorPass]:
    return session.scalars(
        select(VisitorPass)
        .where(*in_force(compound, at), *conditions)
        .order_by(VisitorPass.ends_at, VisitorPass.id)
        .limit(_MOST)
    ).all()


def _overstayed(at: dt.datetime) -> ColumnElement[bool]:
    """In was the last that was seen of the visitor, and the pass has ended, also by a revocation."""
    later = aliased(PassUse)
    revoked = and_(VisitorPass.state == PassState.REVOKED, VisitorPass.decided_at < VisitorPass.ends_at)
    ended = case((revoked, VisitorPass.decided_at), else_=VisitorPass.ends_at)
    last_seen_in = (
        select(PassUse.id)
        .where(
            PassUse.visitor_pass == VisitorPass.id,
            PassUse.direction == PassDirection.IN,
            ~select(later.id)
            .where(
                later.visitor_pass == PassUse.visitor_pass,
                later.direction == PassDirection.OUT,
                later.at >= PassUse.at,
            )
            .exists(),
        )
        .exists()
    )
    return and_(ended < at - GRACE, ended >= at - FORGOTTEN_AFTER, last_seen_in)
