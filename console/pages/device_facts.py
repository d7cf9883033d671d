"""What the page of one device tells beside the register: its history, clock, counts, picture, orders."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.intake.models import WorkOrder, WorkOrderState
from alerts.mutes import RuleMute
from alerts.rules import RULES
from console.accounts.models import User
from console.permissions import Action, allowed
from devices.adapters import ADAPTERS
from devices.availability import Spell, Summary, spells, summary
from devices.commands.models import DeviceCommand
from devices.models import Device, DeviceStatus
from storage.events import EventRow, of_sight

_DAY: Final = dt.timedelta(days=1)
_WEEK: Final = dt.timedelta(days=7)
# Events that are looked through for pictures, counts and clocks: a busy gate has thousands a day.
_CLOCKS: Final = 240
_COUNTED: Final = 3000
_PICTURED: Final = 40
_WIDTH: Final = 1000
_WORDS: Final = ("device.online", "device.offline")
_BY_HAND: Final = ("open", "close", "hold", "release", "speak", "snapshot", "sync_time")


@dataclass(frozen=True, slots=True)
class Band:
    """A piece of a bar in user units of 0…1000 from the left."""

    x: float
    width: float
    presence: str
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of time: `span` is day or week."""

    span: str
    bands: Sequence[Band]
    told: Summary


@dataclass(frozen=True, slots=True)
class Clock:
    """Points (x, y) in user units of 0…1000 by 0…200; `least`, `most` are the ends in seconds."""

    points: Sequence[tuple[float, float]]
    zero_y: float
    least: float
    most: float
    first: dt.datetime
    last: dt.datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """Events of the last day by type; `cut`: there were more than were counted."""

    types: Mapping[str, int]
    cut: bool


@dataclass(frozen=True, slots=True)
class Picture:
    media_id: str
    role: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Commands:
    """What may be asked of it by hand, and what was asked last."""

    kinds: Sequence[str]
    asked: Sequence[DeviceCommand]


def tampered(session: Session, compound: str, now: dt.datetime, device: str | None = None) -> frozenset[str]:
    """Devices that said in the last day that somebody meddles with them."""
    query = select(EventRow.device_id).where(
        EventRow.compound == compound,
        of_sight(),
        EventRow.type == "device.tamper",
        EventRow.corrected_time > now - _DAY,
    )
    if device is not None:
        query = query.where(EventRow.device_id == device)
    return frozenset(session.scalars(query.distinct()))


def history(session: Session, device: Device, status: DeviceStatus | None, now: dt.datetime) -> list[Bar]:
    """The last day and the last week."""
    rows = session.execute(
        select(EventRow.corrected_time, EventRow.type)
        .where(
            EventRow.compound == device.compound,
            of_sight(),
            EventRow.device_id == device.id,
            EventRow.type.in_(_WORDS),
            EventRow.corrected_time > now - 2 * _WEEK,
        )
        .order_by(EventRow.corrected_time, EventRow.id)
    )
    words = [(row.corrected_time, row.type == "device.online") for row in rows]
    heard = status is not None and status.last_seen is not None
    state = bool(status.online) if status is not None and heard else None
    since = status.since if status is not None and heard else None
    bars = []
    for span, length in (("day", _DAY), ("week", _WEEK)):
        found = spells(words, state, since, now - length, now)
        bars.append(Bar(span, [_band(one, now - length, length) for one in found], summary(found)))
    return bars


def _band(one: Spell, start: dt.datetime, length: dt.timedelta) -> Band:
    x = round(_WIDTH * ((one.start - start) / length), 1)
    # Ten seconds away in a week are to be seen, too.
    width = max(2.0, round(_WIDTH * (one.length / length), 1))
    return Band(x, width, str(one.presence), one.start, one.end)


def clock(session: Session, device_id: str, now: dt.datetime) -> Clock | None:
    """How far its clock was off with its last live events; None where there are too few to draw."""
    rows = session.execute(
        select(EventRow.device_time, EventRow.received_at)
        .where(EventRow.device_id == device_id, EventRow.corrected_time > now - _WEEK, EventRow.late == 0)
        .order_by(EventRow.corrected_time.desc())
        .limit(_CLOCKS)
    ).all()
    if len(rows) < 3:
        return None
    found = sorted((row.received_at, (row.device_time - row.received_at).total_seconds()) for row in rows)
    first, last = found[0][0], found[-1][0]
    least, most = min(0.0, *(off for _, off in found)), max(0.0, *(off for _, off in found))
    # A clock that is right is a line in the middle, not noise blown up to the edges.
    least, most = min(least, -1.0), max(most, 1.0)
    span = max((last - first).total_seconds(), 1.0)

    def height(off: float) -> float:
        return float(round(190 - 180 * (off - least) / (most - least), 1))

    points = [(round(_WIDTH * (at - first).total_seconds() / span, 1), height(off)) for at, off in found]
    return Clock(points, height(0), least, most, first, last)


def counts(session: Session, device_id: str, now: dt.datetime) -> Counted:
    """What it sent in the last day, most first."""
    types = session.scalars(
        select(EventRow.type)
        .where(EventRow.device_id == device_id, EventRow.corrected_time > now - _DAY)
        .order_by(EventRow.corrected_time.desc())
        .limit(_COUNTED)
    ).all()
    return Counted(dict(Counter(types).most_common()), len(types) == _COUNTED)


def last_picture(session: Session, device_id: str, now: dt.datetime) -> Picture | None:
    """The newest picture among its last events."""
    rows = session.execute(
        select(EventRow.body, EventRow.corrected_time)
        .where(EventRow.device_id == device_id, EventRow.corrected_time > now - _WEEK)
        .order_by(EventRow.corrected_time.desc())
        .limit(_PICTURED)
    )
    for body, at in rows:
        for one in body.get("pictures") or ():
            if isinstance(one, dict) and one.get("media_id"):
                return Picture(str(one["media_id"]), str(one.get("role", "")), at)
    return None


def commands(session: Session, compound: str, device_id: str, user: User) -> Commands | None:
    """None for whoever may command nothing, and for what takes no commands."""
    if not allowed(user, Action.GATES_COMMAND):
        return None
    device = session.get_one(Device, device_id)
    adapter = ADAPTERS.get(device.adapter)
    kinds = [kind for kind in _BY_HAND if adapter is not None and kind in adapter.commands]
    # Nobody may lock a way out (L-23): what does not lead in alone is never closed by command.
    kinds = [kind for kind in kinds if kind != "close" or device.direction == "in"]
    asked = session.scalars(
        select(DeviceCommand)
        .where(DeviceCommand.compound == compound, DeviceCommand.device == device_id)
        .order_by(DeviceCommand.asked_at.desc())
        .limit(5)
    ).all()
    return Commands(kinds, asked) if kinds or asked else None


def work_orders(session: Session, compound: str, device_id: str, user: User) -> Sequence[WorkOrder] | None:
    """What is to be repaired of it; None for whoever may not see work orders."""
    if not allowed(user, Action.WORK_ORDERS_READ):
        return None
    still = [state for state in WorkOrderState if state.is_open]
    return session.scalars(
        select(WorkOrder)
        .where(WorkOrder.compound == compound, WorkOrder.device == device_id, WorkOrder.state.in_(still))
        .order_by(WorkOrder.opened_at.desc())
        .limit(10)
    ).all()


def may_be_quiet() -> list[str]:
    """Rules that somebody may silence, those about devices first."""
    rules = sorted(rule.id for rule in RULES if not rule.safety)
    return sorted(rules, key=lambda rule: not rule.startswith("R-D"))


def quiet(
    session: Session, compound: str, device: Device, now: dt.datetime, user: User
) -> Sequence[RuleMute] | None:
    """Rules that are silenced for it, its lane or its zone, now or soon."""
    if not allowed(user, Action.RULES_READ):
        return None
    places = [one for one in (device.id, device.lane, device.zone) if one]
    return session.scalars(
        select(RuleMute)
        .where(
            RuleMute.compound == compound,
            RuleMute.place.in_(places),
            RuleMute.ends_at > now,
            RuleMute.lifted_at.is_(None),
        )
        .order_by(RuleMute.ends_at)
        .limit(10)
    ).all()
