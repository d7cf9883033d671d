"""The wall of the control room: what is open, where, how late, who is on duty. Nothing of a person.

Whoever comes into the room sees it, so it names no one: no picture, no plate, no sentence about why an
incident was raised, of people on duty only how many of each team. Nor does it tell a kind that the one
concerned may not learn of: who is watched for, or who was asked for help in secret, may stand in the room.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Team
from alerts.duty.onduty import on_duty
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.routing.tree import SILENT_KIND
from console.accounts.models import User
from console.context import rooms
from console.pages.board import Board, RingCount, board, open_incidents
from console.pages.places import names
from console.pages.queue import items
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.texts import Texts

router = APIRouter(prefix="/console")
Reader = Annotated[User, may(Action.INCIDENTS_READ)]

_SHOWN: Final = 6
_OVER: Final = frozenset({State.RESOLVED, State.REVIEWED})
_DISCREET: Final = frozenset({SILENT_KIND, "watchlist.hit", "watchlist.progress"})


@dataclass(frozen=True, slots=True)
class Line:
    """An incident as the wall tells it; `said` is its kind, or that the desk knows."""

    severity: int
    said: str
    place: str
    state: str
    since: dt.datetime
    late: bool
    drill: bool


@dataclass(frozen=True, slots=True)
class RingWall:
    """A ring's numbers: `late` are those of which something is overdue."""

    count: RingCount
    open: int
    waiting: int
    late: int


@dataclass(frozen=True, slots=True)
class Wall:
    """`alarms` counts critical incidents that nobody has taken, exercises left out."""

    lines: tuple[Line, ...]
    more: int
    alarms: int
    rings: tuple[RingWall, ...]
    teams: tuple[tuple[str, int], ...]
    silent: int
    devices: int
    blind: tuple[str, ...]
    board: Board


@router.get("/wall")
def wall(request: Request, _: Reader) -> Response:
    """The whole screen; without a menu, since nobody presses anything on a wall."""
    position = request.app.state.feed.position
    view = frame(request)
    return render(view, "wall.html", position=position, zone=view.zone.key, **_facts(request, view))


@router.get("/fragments/wall")
def wall_part(request: Request, _: Reader) -> Response:
    """What of it changes."""
    view = frame(request)
    return render(view, "fragments/wall.html", **_facts(request, view))


def _facts(request: Request, view: Frame) -> dict[str, Any]:
    here = rooms(request)
    with here.database.read() as session:
        shown = _wall(session, here.compound, view)
    return {"wall": shown, "hears": request.app.state.feed.connected}


def _wall(session: Session, compound: str, view: Frame) -> Wall:
    incidents = open_incidents(session, compound)
    known = names(session, compound)
    drawn = board(session, compound, incidents, view.t, view.now, said=_said)
    active = {i.id: i for i in incidents if i.state not in _OVER}
    lines = [
        Line(item.severity, _said(view.t, item.kind), item.zone, item.state, item.raised_at, late, item.drill)
        for item in items(view.t, active.values(), known.zones, known.devices, view.now)
        for late in (_is_late(active[item.id], view.now),)
    ]
    return Wall(
        lines=tuple(lines[:_SHOWN]),
        more=max(0, len(lines) - _SHOWN),
        alarms=sum(i.severity == 1 and i.state == State.RAISED and not i.drill for i in active.values()),
        rings=tuple(_ring(count, list(active.values()), view.now) for count in drawn.rings),
        teams=_teams(session, compound, view.now),
        silent=sum(ring.silent for ring in drawn.rings),
        devices=sum(ring.devices for ring in drawn.rings),
        blind=tuple(zone.name for zone in drawn.plan.zones if zone.sight == "blind"),
        board=drawn,
    )


def _said(t: Texts, kind: str) -> str:
    return t("wall.discreet") if kind in _DISCREET else t.code("kind", kind)


def _ring(count: RingCount, incidents: Sequence[Incident], now: dt.datetime) -> RingWall:
    here = [i for i in incidents if i.ring == count.ring]
    return RingWall(
        count,
        len(here),
        sum(i.state == State.RAISED for i in here),
        sum(_is_late(i, now) for i in here),
    )


def _is_late(incident: Incident, now: dt.datetime) -> bool:
    """What it waits for has not come in time."""
    return incident.escalation > 0 or (incident.due_at is not None and incident.due_at < now)


def _teams(session: Session, compound: str, now: dt.datetime) -> tuple[tuple[str, int], ...]:
    there = Counter(one.team for one in on_duty(session, compound, now))
    rows = session.execute(
        select(Team.id, Team.name).where(Team.compound == compound).order_by(Team.kind, Team.name)
    )
    return tuple((row.name, there[row.id]) for row in rows)
