"""Who is told of what: the tree, the way of an incident through it, silences, and what is quiet now."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from alerts.routing.explaining import Way
from alerts.routing.silences import MATCHERS_MOST
from alerts.routing.tree import When
from console.accounts.models import User
from console.api import routes, silences
from console.api.silences import SilenceAsked, SilencedView, SilencePreviewAsked
from console.context import rooms
from console.pages.answers import Said, said
from console.pages.places import names
from console.pages.view import frame, render
from console.permissions import Action, may
from registry.places.models import Ring

router = APIRouter(prefix="/console/routes")
Reader = Annotated[User, may(Action.ROUTES_READ)]
Editor = Annotated[User, may(Action.SILENCES_EDIT)]
_LONGEST_H = 744


@router.get("")
def overview(
    request: Request,
    user: Reader,
    ring: str = "",
    kind: str = "",
    severity: int = 3,
    stage: str = "confirmed",
) -> Response:
    """The page; with a ring and a kind also the way that such an incident goes now."""
    if ring not in set(Ring) or not kind or not 1 <= severity <= 4 or stage not in set(When):
        return _page(request, user)
    way = routes.routing_decision(
        rooms(request), user, Ring(ring), kind[:64], severity, stage=When(stage), label=None
    )
    asked = {"ring": ring, "kind": kind[:64], "severity": severity, "stage": stage}
    return _page(request, user, way=way, asked=asked)


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
    status: int = 200,
) -> Response:
    here = rooms(request)
    with here.database.read() as session:
        known = names(session, here.compound)
    return render(
        frame(request),
        "routes.html",
        status=status,
        refused=refused,
        shown=routes.routing_tree(here, user),
        quiet=routes.kept_quiet(here, user),
        silences=silences.list_silences(here, user),
        typed=typed or {"matchers": "", "gravest": 3, "hours": 2, "comment": ""},
        would=would,
        way=way,
        asked=asked or {"ring": "building", "kind": "door.forced", "severity": 2, "stage": "confirmed"},
        rings=[str(ring) for ring in Ring],
        places=known,
    )
