"""Watch-list entries in force: looked at for a purpose, lifted, and what they hit."""

import datetime as dt
import enum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from console.accounts.models import Role, User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.watchlist_views import EntryView, entry_view
from console.hits import entry_of
from console.permissions import Action, may
from registry.errors import MissingError
from registry.models import Ring, WatchlistEntry
from registry.watchlist import decisions as order_decisions
from registry.watchlist.lookout import changing, current, may_know
from registry.watchlist.orders import Officer

router = APIRouter(tags=["watchlist"])
Reader = Annotated[User, may(Action.WATCHLIST_READ)]
Applicant = Annotated[User, may(Action.WATCHLIST_APPLY)]

_HOURS_MAX = 24 * 14


class Which(enum.StrEnum):
    """Which entries a list is of."""

    IN_FORCE = "in_force"
    ALL = "all"


class ChangesView(BaseModel):
    """What begins and what expires by itself, soonest first."""

    beginning: list[EntryView]
    ending: list[EntryView]


class HitView(BaseModel):
    """An incident that an entry raised."""

    incident: str
    ring: Ring
    zone: str
    severity: int
    state: State
    happened_at: dt.datetime
    signal_count: int


@router.get("/watchlist")
def entries(
    here: Here, user: Reader, paging: Asked, purpose: Purpose, which: Which = Which.IN_FORCE
) -> Page[EntryView]:
    """Entries, those that begin last first; of some only that there is one."""
    at = here.clock.now()
    query = (
        current(here.compound, at)
        if which is Which.IN_FORCE
        else select(WatchlistEntry).where(WatchlistEntry.compound == here.compound)
    )
    with here.database.write() as session:
        order = (WatchlistEntry.starts_at, WatchlistEntry.id)
        items, cursor = newest_first(session, query, order, paging, lambda row: entry_view(row, user, at))
        _note(session, at, user, purpose, "watchlist.listed", items)
        return Page(items=items, next_cursor=cursor)


@router.get("/watchlist/changes")
def changes(
    here: Here, user: Reader, purpose: Purpose, hours: Annotated[int, Query(ge=1, le=_HOURS_MAX)] = 8
) -> ChangesView:
    """What the next shift has to know: entries that begin and that expire within some hours."""
    at = here.clock.now()
    with here.database.write() as session:
        found = changing(session, here.compound, at, dt.timedelta(hours=hours))
        shown = ChangesView(
            beginning=[entry_view(row, user, at) for row in found.beginning],
            ending=[entry_view(row, user, at) for row in found.ending],
        )
        _note(session, at, user, purpose, "watchlist.changes", [*shown.beginning, *shown.ending])
        return shown


@router.get("/watchlist/{entry_id}")
def entry(here: Here, user: Reader, entry_id: str, purpose: Purpose) -> EntryView:
    """One entry; the look is audited with its purpose."""
    at = here.clock.now()
    with here.database.write() as session:
        shown = entry_view(order_decisions.find_entry(session, here.compound, entry_id), user, at)
        _note(session, at, user, purpose, "watchlist.viewed", [shown])
        return shown


@router.get("/watchlist/{entry_id}/hits")
def hits(here: Here, user: Reader, entry_id: str, purpose: Purpose) -> Page[HitView]:
    """What an entry hit, newest first; the police see what a person has confirmed (L-12)."""
    at = here.clock.now()
    with here.database.write() as session:
        row = order_decisions.find_entry(session, here.compound, entry_id)
        if not may_know(row, user.id, user.role):
            # Where somebody was seen is more than that there is an entry.
            raise MissingError("watchlist_entry")
        found = _incidents(session, row, confirmed=user.role == Role.POLICE)
        look = Look("watchlist.hits_viewed", purpose, f"watchlist:{row.id}", f"hits={len(found)}")
        note_look(session, at, user, look)
        return Page(items=found, next_cursor=None)


@router.post("/watchlist/{entry_id}/lifting")
def lift(here: Here, user: Applicant, entry_id: str) -> EntryView:
    """Ends an entry before its time; a police entry only by the police."""
    at = here.clock.now()
    with here.database.write() as session:
        row = order_decisions.find_entry(session, here.compound, entry_id)
        order_decisions.lift(session, row, by=Officer(user.id, user.role), at=at)
        note_look(session, at, user, Look("watchlist.lifted", Purpose.REVIEW, f"watchlist:{row.id}"))
        return entry_view(row, user, at)


def _incidents(session: Session, row: WatchlistEntry, *, confirmed: bool) -> list[HitView]:
    query = select(Incident).where(
        Incident.compound == row.compound,
        Incident.reason == "watchlist_hit",
        Incident.happened_at.between(row.starts_at, row.ends_at),
    )
    if confirmed:
        taken = select(Transition.incident).where(Transition.to_state == State.CONFIRMED)
        query = query.where(Incident.id.in_(taken))
    ordered = query.order_by(Incident.happened_at.desc(), Incident.id.desc())
    return [
        HitView(
            incident=incident.id,
            ring=Ring(incident.ring),
            zone=incident.zone,
            severity=incident.severity,
            state=State(incident.state),
            happened_at=incident.happened_at,
            signal_count=incident.signal_count,
        )
        for incident in session.scalars(ordered)
        if entry_of(incident) == row.id
    ]


def _note(
    session: Session, at: dt.datetime, user: User, purpose: Purpose, action: str, shown: list[EntryView]
) -> None:
    """One row a look, whoever was named in it: an entry seen among others was seen."""
    if not shown:
        note_look(session, at, user, Look(action, purpose, "watchlist:*", "entries=0"))
    for view in shown:
        known = "full" if view.details else "existence"
        note_look(session, at, user, Look(action, purpose, f"watchlist:{view.id}", known))
