"""Whether a visitor pass lets in here and now, and the counting of its uses.

`decide` is the decision, over values. `check` asks the database for them, `use` also
counts: two gates at once never let in more often than the pass says.
"""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry import plates
from registry.days import local_date
from registry.errors import MissingError, RefusedError
from registry.passes.hosts import buildings_of, host_of
from registry.passes.models import PassDirection, PassState, PassUse, VisitorPass
from registry.places.models import Ring, Zone
from registry.places.ways import links, way
from storage import content_id

SAME_PASSAGE: Final = dt.timedelta(minutes=2)
"""How long a report of one use may come again, and for how long a use explains a plate at the barrier."""


_CHUNK: Final = 500


class PassReason(enum.StrEnum):
    """Why a pass lets in or does not."""

    VALID = "valid"
    REPEATED = "repeated"  # this very use was reported before; it counts once
    LEAVING = "leaving"  # nobody is kept in
    REQUESTED = "requested"
    REFUSED = "refused"
    REVOKED = "revoked"
    NOT_YET = "not_yet"
    OVER = "over"
    HOST_GONE = "host_gone"
    OTHER_PLACE = "other_place"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class PassDecision:
    """The answer at a gate."""

    allowed: bool
    reason: PassReason


@dataclass(frozen=True, slots=True)
class PassFacts:
    """What the decision depends on. `zones` are those the pass opens; `uses_left` None: no limit.

    `counts` is whether this use would be taken off the uses that are left.
    """

    state: PassState
    starts_at: dt.datetime
    ends_at: dt.datetime
    host_here: bool
    zones: frozenset[str]
    uses_left: int | None
    counts: bool


_STATES: Final = {
    PassState.REQUESTED: PassReason.REQUESTED,
    PassState.REFUSED: PassReason.REFUSED,
    PassState.REVOKED: PassReason.REVOKED,
}


def decide(facts: PassFacts, zone: str, at: dt.datetime) -> PassDecision:
    """Whether a pass lets in at a zone; it holds from its first moment to its last, both included."""
    reason = PassReason.VALID
    if facts.state is not PassState.APPROVED:
        reason = _STATES[facts.state]
    elif at < facts.starts_at:
        reason = PassReason.NOT_YET
    elif at > facts.ends_at:
        reason = PassReason.OVER
    elif not facts.host_here:
        reason = PassReason.HOST_GONE
    elif zone not in facts.zones:
        reason = PassReason.OTHER_PLACE
    elif facts.counts and facts.uses_left is not None and facts.uses_left <= 0:
        reason = PassReason.USED_UP
    return PassDecision(reason is PassReason.VALID, reason)


def check(session: Session, visitor_pass: VisitorPass, zone: str, at: dt.datetime) -> PassDecision:
    """Whether the pass would let in, without using it. Raises `MissingError("zone")`."""
    return decide(_facts(session, visitor_pass, zone, at), zone, at)


def check_all(
    session: Session, compound: str, passes: Sequence[VisitorPass], zone: str, at: dt.datetime
) -> dict[str, PassDecision]:
    """The same for many passes of a compound, by id, in as many queries as for one."""
    facts = _facts_of_all(session, compound, passes, zone, at)
    return {pass_id: decide(known, zone, at) for pass_id, known in facts.items()}


def use(
    session: Session,
    visitor_pass: VisitorPass,
    zone: str,
    at: dt.datetime,
    *,
    use_id: str,
    direction: PassDirection = PassDirection.IN,
) -> PassDecision:
    """Lets in and counts, or says why not.

    `use_id` is the event's or the client's own id of this use: reported again within two
    minutes it is answered alike and counted once; later or at another zone it is refused
    with `pass_use_taken`, so that nobody walks in on a recorded report. A use counts unless
    the pass was used further out before: gate and stairwell door are one entry.
    """
    key = content_id(visitor_pass.id, use_id)
    known = session.get(PassUse, key)
    if known is not None:
        return _again(known, zone, at, direction)
    leaving = direction is PassDirection.OUT
    facts = _facts(session, visitor_pass, zone, at)
    decision = PassDecision(allowed=True, reason=PassReason.LEAVING) if leaving else decide(facts, zone, at)
    if not decision.allowed:
        return decision
    counted = facts.counts and not leaving
    row = PassUse(
        id=key,
        compound=visitor_pass.compound,
        visitor_pass=visitor_pass.id,
        zone=zone,
        at=at,
        direction=direction,
        counted=counted,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        # Its twin came first, by another way into the building of this program.
        return _again(session.get_one(PassUse, key), zone, at, direction)
    if counted and not _count(session, visitor_pass, at):
        session.delete(row)
        session.flush()
        # Another gate was faster, or somebody has just revoked it.
        session.refresh(visitor_pass)
        late = decide(_facts(session, visitor_pass, zone, at), zone, at)
        return PassDecision(allowed=False, reason=PassReason.USED_UP if late.allowed else late.reason)
    return decision


def in_force(compound: str, at: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    """What makes a pass hold at a moment, as conditions on `VisitorPass`; its uses aside."""
    return (
        VisitorPass.compound == compound,
        VisitorPass.state == PassState.APPROVED,
        VisitorPass.starts_at <= at,
        VisitorPass.ends_at >= at,
    )


def not_used_up(at: dt.datetime) -> ColumnElement[bool]:
    """Whether a pass had a use left at a moment.

    The use that belongs to the passage at `at`, and what came after it, are given back: a
    plate is read before and after the guard takes the pass.
    """
    of_this_passage = (
        select(func.count())
        .select_from(PassUse)
        .where(
            PassUse.visitor_pass == VisitorPass.id,
            PassUse.counted,
            PassUse.at >= at - SAME_PASSAGE,
        )
        .scalar_subquery()
    )
    return or_(VisitorPass.max_uses.is_(None), VisitorPass.uses - of_this_passage < VisitorPass.max_uses)


def plates_expected(compound: str, at: dt.datetime) -> Select[str | None, str | None]:
    """Plates of the passes that let in at a moment, with the household that each comes to."""
    return select(VisitorPass.plate, VisitorPass.host_household).where(
        *in_force(compound, at), VisitorPass.plate.is_not(None), not_used_up(at)
    )


def plate_is_welcome(session: Session, compound: str, plate: str, at: dt.datetime) -> bool:
    """Whether a plate (normalised) may come in though it is not registered.

    Police, emergency and military vehicles may, and visitors' with a pass for this moment.
    """
    if plates.always_allowed(plate):
        return True
    passes = plates_expected(compound, at).where(VisitorPass.plate == plate)
    return session.execute(passes.limit(1)).first() is not None


def _facts(session: Session, visitor_pass: VisitorPass, zone: str, at: dt.datetime) -> PassFacts:
    return _facts_of_all(session, visitor_pass.compound, [visitor_pass], zone, at)[visitor_pass.id]


def _facts_of_all(
    session: Session, compound: str, passes: Sequence[VisitorPass], zone: str, at: dt.datetime
) -> dict[str, PassFacts]:
    """What the decisions about many passes depend on, in as many queries as for one."""
    known = links(session, compound)
    if zone not in known:
        raise MissingError("zone")
    hosts = {found.id: host_of(found) for found in passes}
    day = local_date(session, compound, at)
    here = buildings_of(session, compound, {host for host in hosts.values() if host is not None}, day)
    depths = _outermost(session, compound, passes)
    ways: dict[tuple[str, ...], frozenset[str]] = {}
    facts = {}
    for found in passes:
        host, limit = hosts[found.id], found.max_uses
        buildings = tuple(building.zone for building in here.get(host, ())) if host is not None else ()
        if buildings not in ways:
            ways[buildings] = way(known, buildings)
        facts[found.id] = PassFacts(
            state=PassState(found.state),
            starts_at=found.starts_at,
            ends_at=found.ends_at,
            host_here=host is None or host in here,
            zones=frozenset(found.zones) or ways[buildings],
            uses_left=None if limit is None else limit - found.uses,
            counts=known[zone].ring.depth <= depths.get(found.id, len(Ring)),
        )
    return facts


def _outermost(session: Session, compound: str, passes: Sequence[VisitorPass]) -> dict[str, int]:
    """Pass id → the depth of the outermost ring that it has let into; nothing of an unused one."""
    query = (
        select(PassUse.visitor_pass, Zone.ring)
        .join(Zone, Zone.id == PassUse.zone)
        .where(PassUse.compound == compound, PassUse.direction == PassDirection.IN)
        .distinct()
    )
    depths: dict[str, int] = {}
    ids = [found.id for found in passes]
    for start in range(0, len(ids), _CHUNK):
        chunk = query.where(PassUse.visitor_pass.in_(ids[start : start + _CHUNK]))
        for pass_id, ring in session.execute(chunk):
            depths[pass_id] = min(Ring(ring).depth, depths.get(pass_id, len(Ring)))
    return depths


def _again(known: PassUse, zone: str, at: dt.datetime, direction: PassDirection) -> PassDecision:
    same = known.zone == zone and known.direction == direction and abs(at - known.at) <= SAME_PASSAGE
    if not same:
        raise RefusedError("pass_use_taken")
    return PassDecision(allowed=True, reason=PassReason.REPEATED)


def _count(session: Session, visitor_pass: VisitorPass, at: dt.datetime) -> bool:
    """Takes one use off, where there is one; the database decides between two who try at once."""
    counted = session.execute(
        update(VisitorPass)
        .where(
            *in_force(visitor_pass.compound, at),
            VisitorPass.id == visitor_pass.id,
            or_(VisitorPass.max_uses.is_(None), VisitorPass.uses < VisitorPass.max_uses),
        )
        .values(uses=VisitorPass.uses + 1)
        .returning(VisitorPass.id)
        .execution_options(synchronize_session=False)
    ).first()
    session.expire(visitor_pass, ["uses"])
    return counted is not None
