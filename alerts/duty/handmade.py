"""Shifts that no roster makes: entered by hand, moved, and taken away again before they begin."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from alerts.duty import changing
from alerts.duty.changing import Change
from alerts.duty.limits import Stretch
from alerts.duty.marks import hold, mark
from alerts.duty.models import Shift
from alerts.duty.people import responder_of
from alerts.duty.told import News, tell
from alerts.incidents.actor import Actor
from registry.errors import MissingError, RefusedError
from registry.models import Zone
from storage import new_id

LONGEST: Final = dt.timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Given:
    """A shift as somebody writes it."""

    responder: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool = False
    post: str | None = None


def create(session: Session, compound: str, given: Given, by: Actor, at: dt.datetime) -> Shift:
    """Raises `MissingError`; `RefusedError`: change_empty, change_over, shift_too_long, roster_zone_unknown,
    and what the responder's limits say.
    """
    hold(session, compound)
    if given.ends_at <= given.starts_at:
        raise RefusedError("change_empty")
    if given.ends_at <= at:
        raise RefusedError("change_over")
    if given.ends_at - given.starts_at > LONGEST:
        raise RefusedError("shift_too_long", hours=48)
    if given.post is not None:
        zone = session.get(Zone, given.post)
        if zone is None or zone.compound != compound:
            raise RefusedError("roster_zone_unknown", slot="")
    changing.check(
        session, compound, given.responder, [Stretch(given.starts_at, given.ends_at, given.on_call)]
    )
    row = Shift(
        id=new_id(),
        responder=given.responder,
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        on_call=given.on_call,
        post=given.post,
        touched=True,
    )
    session.add(row)
    session.flush()
    mark(session, compound, by, at, "shift.created", f"shift:{row.id}")
    tell(session, compound, [News.of("added", row)], at)
    return row


def remove(session: Session, compound: str, shift: str, by: Actor, at: dt.datetime) -> None:
    """Raises `MissingError`; `RefusedError`: shift_begun, shift_of_roster."""
    hold(session, compound)
    row = session.get(Shift, shift)
    if row is None:
        raise MissingError("shift")
    responder_of(session, compound, row.responder)
    if row.roster is not None:
        raise RefusedError("shift_of_roster")
    if row.starts_at <= at:
        raise RefusedError("shift_begun")
    tell(session, compound, [News.of("removed", row)], at)
    session.delete(row)
    session.flush()
    mark(session, compound, by, at, "shift.removed", f"shift:{shift}")


def move(
    session: Session,
    compound: str,
    shift: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    by: Actor,
    at: dt.datetime,
) -> Shift:
    """Gives a future shift other times. Of a roster's the person is absent in the old ones, and comes by
    hand in the new ones: the roster itself stays as it is.

    Raises what `create` raises, and `RefusedError("shift_begun")`.
    """
    hold(session, compound)
    row = session.get(Shift, shift)
    if row is None:
        raise MissingError("shift")
    responder_of(session, compound, row.responder)
    if row.starts_at <= at:
        raise RefusedError("shift_begun")
    given = Given(row.responder, starts_at, ends_at, row.on_call, row.post)
    if row.roster is None:
        remove(session, compound, shift, by, at)
    else:
        changing.make(session, compound, Change(row.responder, None, row.starts_at, row.ends_at), by, at)
    return create(session, compound, given, by, at)
