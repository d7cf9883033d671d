"""Rosters are made, changed and ended; what follows from them is written at once."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import planning
from alerts.duty.definition import check, written
from alerts.duty.marks import hold, mark
from alerts.duty.models import Responder, Team
from alerts.duty.roster import Slot
from alerts.duty.rostermodels import Roster
from alerts.incidents.actor import Actor
from registry import rows
from registry.errors import MissingError, RefusedError
from registry.models import Zone
from storage import new_id

NAME_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Definition:
    """A roster as somebody writes it. `replaces`: the one that rests meanwhile, for a temporary roster."""

    team: str
    name: str
    slots: tuple[Slot, ...]
    starts_on: dt.date
    ends_on: dt.date | None = None
    replaces: str | None = None


def create(session: Session, compound: str, given: Definition, by: Actor, at: dt.datetime) -> Roster:
    """Raises `MissingError` (team, roster), and `RefusedError`: name_missing, roster_days, roster_temporary
    (one that replaces another has an end, and does not replace a temporary one), and what
    `definition.check` raises.
    """
    hold(session, compound)
    row = Roster(id=new_id(), compound=compound)
    _write(session, row, given, by, at)
    session.add(row)
    session.flush()
    mark(session, compound, by, at, "roster.created", f"roster:{row.id}")
    planning.sync(session, compound, at)
    return row


def change(
    session: Session, compound: str, roster: str, version: int, given: Definition, by: Actor, at: dt.datetime
) -> Roster:
    """Changes what has not begun and nobody has touched. Raises as `create`, and `StaleEditError`."""
    hold(session, compound)
    row = rows.find(session, Roster, compound, roster, "roster")
    rows.at_version(row, version)
    _write(session, row, given, by, at)
    session.flush()
    mark(session, compound, by, at, "roster.changed", f"roster:{row.id}")
    planning.sync(session, compound, at)
    return row


def listed(session: Session, compound: str) -> Sequence[Roster]:
    return session.scalars(
        select(Roster).where(Roster.compound == compound).order_by(Roster.team, Roster.starts_on, Roster.id)
    ).all()


def _write(session: Session, row: Roster, given: Definition, by: Actor, at: dt.datetime) -> None:
    compound = row.compound
    team = session.get(Team, given.team)
    if team is None or team.compound != compound:
        raise MissingError("team")
    if not given.name.strip():
        raise RefusedError("name_missing")
    if given.ends_on is not None and given.ends_on < given.starts_on:
        raise RefusedError("roster_days")
    if given.replaces is not None:
        other = rows.find(session, Roster, compound, given.replaces, "roster")
        if given.ends_on is None or other.replaces is not None or other.id == row.id:
            raise RefusedError("roster_temporary")
    responders = session.scalars(
        select(Responder.id)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Responder.active)
    )
    zones = session.scalars(select(Zone.id).where(Zone.compound == compound))
    check(given.slots, set(responders), set(zones))
    row.team, row.name, row.slots = team.id, given.name.strip()[:NAME_LONGEST], written(given.slots)
    row.starts_on, row.ends_on, row.replaces = given.starts_on, given.ends_on, given.replaces
    row.author, row.changed_at = by.id, at
