"""From a receiver to the people on duty in it and the channels it has; never to nobody.

Where nobody of a receiver is on duty it falls on: to whoever leads its teams, to the control room, to
whoever leads the property company, to anybody of the two who works here. Each step is counted.

Failure policy: *fail open*. Better the wrong person hears of it than nobody.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.duty.onduty import OnDuty, on_duty
from alerts.notify.models import Contact
from alerts.routing.proving import Manned
from alerts.routing.tree import Decision, Facts, Receiver, channel_may, may_hear, people

FELL: Final = Counter(
    "ringward_routing_fell_through",
    "Receivers in which nobody was on duty, by who was told instead: lead, control_room, property, anybody, "
    "nobody.",
    ["to"],
    registry=None,
)
"""Of the process; whoever serves metrics registers it."""

_DESK: Final = (TeamKind.OPERATOR, TeamKind.PROPERTY)


@dataclass(frozen=True, slots=True)
class Reached:
    """Ids of responders and of channels. `fell`: who was told instead, None where nobody had to be."""

    responders: tuple[str, ...]
    channels: tuple[str, ...]
    fell: str | None = None


def reach(
    session: Session, compound: str, receiver: Receiver, given: Facts, zone: str, at: dt.datetime
) -> Reached:
    """Whom a receiver is for something in a zone at a moment."""
    channels = _channels(session, compound, receiver, given)
    found = _nearest(_on_duty(session, compound, receiver, given, at), given, zone)
    if found:
        return Reached(tuple(one.id for one in found), channels)
    for fell, responders in _instead(session, compound, receiver, given, at):
        if responders:
            return Reached(tuple(responders), channels, fell)
    return Reached((), channels, "nobody")


def _on_duty(
    session: Session, compound: str, receiver: Receiver, given: Facts, at: dt.datetime
) -> list[OnDuty]:
    kinds = people(receiver, given)
    found = {one.id: one for one in on_duty(session, compound, at, kinds=kinds)} if kinds else {}
    if receiver.teams:
        found |= {one.id: one for one in on_duty(session, compound, at, teams=receiver.teams)}
    return [
        one
        for one in found.values()
        if may_hear(one.kind, given)
        # Of duress whoever answers for the house, not whoever sweeps it.
        and (not given.silent or one.kind is not TeamKind.PROPERTY or one.leads)
    ]


def _nearest(found: Iterable[OnDuty], given: Facts, zone: str) -> list[OnDuty]:
    """Those who answer for the zone, where there are any; of what has time those on the spot."""
    found = list(found)
    area = [one for one in found if not one.zones or zone in one.zones] or found
    if given.urgent:
        return area
    return [one for one in area if not one.on_call] or area


def _instead(
    session: Session, compound: str, receiver: Receiver, given: Facts, at: dt.datetime
) -> Iterable[tuple[str, list[str]]]:
    kinds = people(receiver, given)
    of: list[ColumnElement[bool]] = []
    if kinds:
        of.append(Team.kind.in_(kinds))
    if receiver.teams:
        allowed = [kind for kind in TeamKind if may_hear(kind, given)]
        of.append(Team.id.in_(receiver.teams) & Team.kind.in_(allowed))
    if of:
        yield "lead", _working(session, compound, or_(*of), Responder.leads.is_(True))
    operators = on_duty(session, compound, at, kinds=(TeamKind.OPERATOR,))
    yield "control_room", [one.id for one in operators]
    yield "property", _working(session, compound, Team.kind == TeamKind.PROPERTY, Responder.leads.is_(True))
    yield "anybody", _working(session, compound, Team.kind.in_(_DESK))


def _working(session: Session, compound: str, *which: ColumnElement[bool]) -> list[str]:
    query = (
        select(Responder.id)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Responder.active.is_(True), *which)
    )
    return list(session.scalars(query.order_by(Responder.id)))


def _channels(session: Session, compound: str, receiver: Receiver, given: Facts) -> tuple[str, ...]:
    if not receiver.channels and not receiver.channel_kinds:
        return ()
    rows = session.execute(
        select(Contact.id, Contact.kind)
        .where(
            Contact.compound == compound,
            Contact.responder.is_(None),
            Contact.enabled.is_(True),
            or_(Contact.id.in_(receiver.channels), Contact.kind.in_(receiver.channel_kinds)),
        )
        .order_by(Contact.id)
    )
    return tuple(row.id for row in rows if channel_may(row.kind, given))


def manned(session: Session, compound: str) -> Manned:
    """Who works in a compound, on duty or not, and which channels it has."""
    rows = session.execute(
        select(Team.kind, Team.id)
        .join(Responder, Responder.team == Team.id)
        .where(Team.compound == compound, Responder.active.is_(True))
        .distinct()
    ).all()
    channels = select(Contact.id, Contact.kind).where(
        Contact.compound == compound, Contact.responder.is_(None), Contact.enabled.is_(True)
    )
    teams = session.execute(select(Team.id, Team.kind).where(Team.compound == compound))
    return Manned(
        frozenset(TeamKind(row.kind) for row in rows),
        frozenset(row.id for row in rows),
        {row.id: str(row.kind) for row in session.execute(channels)},
        {row.id: TeamKind(row.kind) for row in teams},
    )


def first_team(session: Session, compound: str, decision: Decision, given: Facts, zone: str) -> str | None:
    """The team of the first receiver whose people can be sent; of the control room's where there is no other.

    Of several of a kind one that answers for the zone.
    """
    rows = session.execute(
        select(Team.id, Team.kind, Team.zones).where(Team.compound == compound).order_by(Team.id)
    ).all()
    desk: str | None = None
    for told in decision.told:
        receiver = told.receiver
        wanted = [*(row for kind in people(receiver, given) for row in rows if row.kind == kind)]
        wanted += [row for row in rows if row.id in receiver.teams and may_hear(TeamKind(row.kind), given)]
        wanted.sort(key=lambda row: bool(row.zones) and zone not in row.zones)
        sent = [row.id for row in wanted if row.kind != TeamKind.OPERATOR]
        if sent:
            return str(sent[0])
        desk = desk or next((row.id for row in wanted), None)
    return desk
