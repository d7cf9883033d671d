"""What a shift leaves behind besides incidents: what is silent, broken, held open, missed or missing."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from alerts import mutes as rule_mutes
from alerts.duty.rostermodels import RosterGap
from alerts.notify.models import Contact
from alerts.patrols.facts import missed_points
from alerts.routing import silences as routing_silences
from alerts.routing.models import Silence
from alerts.rulebook.current import current
from bus.deadletters import DeadLetter
from devices.commands.models import CommandState, DeviceCommand
from devices.models import Device, DeviceStatus, Stage
from devices.points import DevicePoint
from registry.models import WatchlistEntry

_SHOWN: Final = 100
# What changes whether a way stands open by somebody's word.
_WORDS: Final = ("hold", "release", "close")


def mutes(session: Session, compound: str, at: dt.datetime) -> list[dict[str, Any]]:
    """Silenced rules, whose end is the next first; those of the rules file have their author there."""
    kept = [
        {
            "rule": row.rule,
            "place": row.place,
            "until": row.ends_at.isoformat(),
            "author": row.author,
            "starts": row.starts_at.isoformat(),
        }
        for row in rule_mutes.listed(session, compound, at)
    ]
    written = [
        {
            "rule": one.mute.rule,
            "place": one.mute.place,
            "until": one.mute.ends_at.isoformat(),
            "author": "file",
            "starts": one.mute.starts_at.isoformat(),
        }
        for one in current(session, compound, at).mutes
        if one.mute.ends_at > at
    ]
    return sorted([*kept, *written], key=lambda one: (str(one["until"]), one["rule"]))


def silences(session: Session, compound: str, at: dt.datetime) -> list[dict[str, Any]]:
    """What is told to nobody, now or later, by its matchers. Why is sealed: `reasons`."""
    return [
        {
            "id": row.id,
            "matchers": row.matchers,
            "gravest": row.gravest,
            "starts": row.starts_at.isoformat(),
            "until": row.ends_at.isoformat(),
            "author": row.author,
        }
        for row in routing_silences.listed(session, compound, at)[:_SHOWN]
    ]


def reasons(session: Session, compound: str, frozen: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Why those who made the silences of a hand-over did so, by id, where it is still kept."""
    ids = [one["id"] for one in frozen]
    rows = session.scalars(select(Silence).where(Silence.compound == compound, Silence.id.in_(ids)))
    return {row.id: row.comment for row in rows}


def devices(session: Session, compound: str) -> list[dict[str, Any]]:
    """Approved devices that are away, tampered with, or whose clock is wrong."""
    query = (
        select(Device.id, DeviceStatus.online, DeviceStatus.since, DeviceStatus.clock_off, DevicePoint.value)
        .join(DeviceStatus, DeviceStatus.device_id == Device.id, isouter=True)
        .join(
            DevicePoint,
            and_(
                DevicePoint.device_id == Device.id,
                DevicePoint.point.like("tamper%"),
                DevicePoint.value == "on",
            ),
            isouter=True,
        )
        .where(
            Device.compound == compound,
            Device.enabled,
            Device.stage == Stage.APPROVED,
            Device.retired_at.is_(None),
            or_(
                DeviceStatus.device_id.is_(None),
                DeviceStatus.online.is_(False),
                DeviceStatus.clock_off,
                DevicePoint.value.is_not(None),
            ),
        )
        .order_by(Device.id)
    )
    found: dict[str, dict[str, Any]] = {}
    for row in session.execute(query):
        states = {
            "never_seen": row.since is None,
            "offline": row.online is False,
            "time_skew": bool(row.clock_off),
            "tampered": row.value is not None,
        }
        what = [name for name, holds in states.items() if holds]
        found[row.id] = {"id": row.id, "what": what, "since": row.since.isoformat() if row.since else None}
    return list(found.values())


def doors(session: Session, compound: str) -> list[dict[str, Any]]:
    """Ways that somebody holds open by a command, and since when."""
    last = (
        select(DeviceCommand.device, func.max(DeviceCommand.asked_at).label("at"))
        .where(
            DeviceCommand.compound == compound,
            DeviceCommand.kind.in_(_WORDS),
            DeviceCommand.state.in_([CommandState.ACKED, CommandState.UNCERTAIN]),
        )
        .group_by(DeviceCommand.device)
        .subquery()
    )
    rows = session.scalars(
        select(DeviceCommand)
        .join(last, and_(last.c.device == DeviceCommand.device, last.c.at == DeviceCommand.asked_at))
        .where(DeviceCommand.compound == compound, DeviceCommand.kind == "hold")
        .order_by(DeviceCommand.device)
    )
    return [
        {
            "device": row.device,
            "since": row.asked_at.isoformat(),
            "author": row.asked_by,
            "certain": row.state == CommandState.ACKED,
        }
        for row in rows
    ]


def watchlist(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> dict[str, list[str]]:
    """Orders that begin or end in the next shift, by id: whoever may not read them sees how many."""
    lawful = (WatchlistEntry.compound == compound, WatchlistEntry.lifted_at.is_(None))

    def ids(column: Any) -> list[str]:
        query = select(WatchlistEntry.id).where(*lawful, column >= start, column < end)
        return list(session.scalars(query.order_by(column, WatchlistEntry.id)))

    return {"begin": ids(WatchlistEntry.starts_at), "end": ids(WatchlistEntry.ends_at)}


def patrols(session: Session, compound: str, since: dt.datetime, until: dt.datetime) -> list[dict[str, Any]]:
    """Points that nobody came by in time: places, and not whose round it was."""
    return [
        {
            "route": one.route_name,
            "point": one.point_name,
            "zone": one.zone,
            "due": one.due_until.isoformat(),
            "why": one.why,
        }
        for one in missed_points(session, compound, since, until)
    ]


def dead_letters(
    session: Session, compound: str, since: dt.datetime, until: dt.datetime
) -> list[dict[str, Any]]:
    """Messages that were refused in the shift, by reason."""
    last = func.coalesce(DeadLetter.last_seen, DeadLetter.received_at)
    rows = session.execute(
        select(DeadLetter.reason, func.count())
        .where(DeadLetter.compound == compound, last >= since, last < until)
        .group_by(DeadLetter.reason)
        .order_by(func.count().desc(), DeadLetter.reason)
    )
    return [{"reason": reason, "number": number} for reason, number in rows]


def roster_gaps(
    session: Session, compound: str, start: dt.datetime, end: dt.datetime
) -> list[dict[str, Any]]:
    """When too few will be on duty in the next shift."""
    rows = session.scalars(
        select(RosterGap)
        .where(
            RosterGap.compound == compound,
            RosterGap.closed_at.is_(None),
            RosterGap.starts_at < end,
            RosterGap.ends_at > start,
        )
        .order_by(RosterGap.starts_at, RosterGap.id)
        .limit(_SHOWN)
    )
    return [
        {
            "need": str(row.need),
            "zone": row.zone,
            "starts": row.starts_at.isoformat(),
            "ends": row.ends_at.isoformat(),
            "have": row.have,
            "want": row.want,
        }
        for row in rows
    ]


def dead_channels(session: Session, compound: str) -> list[dict[str, Any]]:
    """Ways to reach people or things that do not work: of which kind, not whose."""
    rows = session.execute(
        select(Contact.kind, Contact.dead_since)
        .where(Contact.compound == compound, Contact.enabled, Contact.dead_since.is_not(None))
        .order_by(Contact.dead_since, Contact.id)
        .limit(_SHOWN)
    )
    return [{"kind": str(kind), "since": since.isoformat()} for kind, since in rows if since is not None]
