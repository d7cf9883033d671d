"""Who is told of what: the tree, the way of an incident through it, silences, and what is quiet now."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from alerts.routing.explaining import Way
from alerts.routing.reading import KNOWN
from alerts.routing.silences import MATCHERS_MOST
from alerts.routing.tree import When
from console.accounts.models import User
from console.api import routes, silences
from console.api.silences import SilenceAsked, SilencedView, SilencePreviewAsked
from console.context import rooms
from console.pages.answers import Said, said
from console.pages.places import names
from console.pages.staffnames import of
from console.pages.view import frame, render
from console.permissions import Action, may
from registry.models import Zone
from registry.places.models import Ring

router = APIRouter(prefix="/console/routes")
Reader = Annotated[User, may(Action.ROUTES_READ)]
Editor = Annotated[User, may(Action.SILENCES_EDIT)]
_LONGEST_H = 744
_OVER_SHOWN = 10
_UNTYPED: dict[str, Any] = {"matchers": "", "gravest": 3, "hours": 2, "comment": ""}
_UNASKED: dict[str, Any] = {
    "ring": "building",
    "kind": "door.forced",
    "severity": 2,
    "stage": "confirmed",
    "zone": "",
    "at": "",
}


@router.get("")
def overview(
    request: Request,
    user: Reader,
    ring: str = "",
    kind: str = "",
    severity: int = 3,
    stage: str = "confirmed",
    zone: str = "",
    at: str = "",
    like: str = "",
) -> Response:
    """The page; with a place and a kind also the way that such an incident goes, now or at a time.

    `like` is an incident that a silence is to be begun with.
    """
    here, view = rooms(request), frame(request)
    if like and view.may(Action.SILENCES_EDIT):
        return _begun_with(request, user, like)
    with here.database.read() as session:
        rings = dict(session.execute(select(Zone.id, Zone.ring).where(Zone.compound == here.compound)).all())
    # A zone says in which ring it lies, whatever else was chosen.
    ring = str(rings.get(zone, ring))
    if ring not in set(Ring) or not kind or not 1 <= severity <= 4 or stage not in set(When):
        return _page(request, user)
    asked = {
        "ring": ring,
        "kind": kind[:64],
        "severity": severity,
        "stage": stage,
        "zone": zone,
        "at": at[:16],
    }
    try:
        moment = dt.datetime.fromisoformat(at).replace(tzinfo=view.zone) if at else None
    except ValueError:
        return _page(request, user, refused="date_unread", asked=asked, status=422)
    way = routes.routing_decision(
        here,
        user,
        Ring(ring),
        kind[:64],
        severity,
        at=moment,
        stage=When(stage),
        label=[f"zone={zone}"] if zone in rings else None,
    )
    return _page(request, user, way=way, asked=asked)


def _begun_with(request: Request, user: User, incident_id: str) -> Response:
    """The form filled with what is like an incident; or why nothing may keep it quiet."""
    found = said(lambda: silences.silence_like(rooms(request), user, incident_id))
    if found.answer is None:
        return _page(request, user, refused=found.refused, status=found.status)
    if found.answer.never:
        return _page(request, user, refused="silence_never")
    typed = _UNTYPED | {"matchers": "\n".join(found.answer.matchers), "gravest": found.answer.gravest}
    asked = SilencePreviewAsked(matchers=found.answer.matchers, gravest=found.answer.gravest)
    would = silences.preview_silence(rooms(request), user, asked)
    return _page(request, user, typed=typed, would=would, like=incident_id)


@router.post("/silences")
def silence(
    request: Request,
    user: Editor,
    matchers: Annotated[str, Form(max_length=2000)] = "",
    gravest: Annotated[int, Form()] = 3,
    hours: Annotated[float, Form()] = 0,
    comment: Annotated[str, Form(max_length=200)] = "",
    preview: Annotated[str, Form()] = "",
) -> Response:
    """Makes a silence, or shows what it would keep quiet; what was typed stays."""
    here = rooms(request)
    lines = [line.strip()[:200] for line in matchers.splitlines() if line.strip()]
    typed = {"matchers": matchers, "gravest": gravest, "hours": hours, "comment": comment}
    if not 0 < len(lines) <= MATCHERS_MOST or not 1 <= gravest <= 4:
        return _page(request, user, refused="silence_incomplete", typed=typed, status=422)
    if preview:
        shown = said(
            lambda: silences.preview_silence(here, user, SilencePreviewAsked(matchers=lines, gravest=gravest))
        )
        return _page(
            request, user, refused=shown.refused, typed=typed, would=shown.answer, status=shown.status
        )
    if not 0 < hours <= _LONGEST_H or not comment.strip():
        return _page(request, user, refused="silence_incomplete", typed=typed, status=422)
    asked = SilenceAsked(
        matchers=lines,
        gravest=gravest,
        ends_at=here.clock.now() + dt.timedelta(hours=hours),
        comment=comment.strip(),
    )
    return _back(request, user, said(lambda: silences.make_silence(here, request, user, asked)), typed)


@router.post("/silences/{silence_id}/lifting")
def lift(request: Request, user: Editor, silence_id: str) -> Response:
    return _back(request, user, said(lambda: silences.lift_silence(rooms(request), user, silence_id)))


def _back(request: Request, user: User, done: Said[Any], typed: dict[str, Any] | None = None) -> Response:
    if done.refused is not None:
        return _page(request, user, refused=done.refused, typed=typed, status=done.status)
    return RedirectResponse("/console/routes", 303)


def _page(
    request: Request,
    user: User,
    *,
    refused: str | None = None,
    typed: dict[str, Any] | None = None,
    would: list[SilencedView] | None = None,
    way: Way | None = None,
    asked: dict[str, Any] | None = None,
    like: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    shown = routes.routing_tree(here, user)
    held = silences.list_silences(here, user)
    over = silences.list_silences(here, user, ended=True)
    over = [one for one in over if one.lifted_at or one.ends_at <= view.now]
    over.sort(key=lambda one: one.lifted_at or one.ends_at, reverse=True)
    over = over[:_OVER_SHOWN]
    with here.database.read() as session:
        known = names(session, here.compound)
        people = of(session, [one for row in (*held, *over) for one in (row.author, row.lifted_by)])
        told = _told(session, way) if way is not None and view.may(Action.ROSTERS_READ) else {}
    return render(
        view,
        "routes.html",
        status=status,
        refused=refused,
        shown=shown,
        quiet=routes.kept_quiet(here, user),
        silences=held,
        over=over,
        people=people,
        typed=typed or _UNTYPED,
        like=like,
        would=would,
        way=way,
        told=told,
        matchers=_matchers(shown.route),
        asked=_UNASKED | (asked or {}),
        rings=[str(ring) for ring in Ring],
        kinds=sorted(KNOWN["kind"] - {""}, key=lambda kind: view.t.code("kind", kind)),
        places=known,
    )


def _told(session: Session, way: Way) -> dict[str, str]:
    """Names of those who are told, by id."""
    wanted = {one for receiver in way.receivers for one in receiver.on_duty or ()}
    rows = session.execute(select(Responder.id, Responder.name).where(Responder.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def _matchers(route: dict[str, Any]) -> dict[str, list[str]]:
    """What each route of the tree takes, by its name."""
    found = {route["name"]: route["matchers"]}
    for below in route["routes"]:
        found |= _matchers(below)
    return found
