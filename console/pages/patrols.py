"""Patrols: today's rounds with their points, routes and when they are walked, checkpoints, the month."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.days import DayKind
from alerts.duty.models import Responder, Team
from alerts.patrols.models import PointKind
from console.accounts.models import User
from console.api import patrol_rounds, patrols
from console.api.patrol_rounds import PatrolBrokenOff
from console.api.patrol_views import PatrolCode, PatrolPointAsked, PatrolScheduleAsked
from console.context import rooms
from console.pages import patrol_forms
from console.pages.answers import Said, said
from console.pages.places import names
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from devices.models import Device

router = APIRouter(prefix="/console/patrols")
Reader = Annotated[User, may(Action.PATROLS_READ)]
Editor = Annotated[User, may(Action.PATROLS_EDIT)]
Walker = Annotated[User, may(Action.PATROLS_WALK)]
Text = Annotated[str, Form(max_length=64)]
Texts = Annotated[list[str], Form(max_length=100)]


@dataclass(frozen=True)
class _Ground:
    """What the page chooses from: names by id."""

    teams: dict[str, str]
    people: dict[str, str]
    devices: dict[str, str]


@router.get("")
def overview(request: Request, user: Reader) -> Response:
    return _page(request, user)


@router.get("/report")
def report(
    request: Request, _: Reader, month: Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] = ""
) -> Response:
    """A month by route; without one the month that it is."""
    here, view = rooms(request), frame(request)
    shown = month or view.now.astimezone(view.zone).strftime("%Y-%m")
    found = patrol_rounds.month_report(here, shown)
    return render(view, "patrol_report.html", month=shown, routes=found)


@router.post("/rounds/{round_id}/abort")
def abort(
    request: Request, user: Walker, round_id: str, reason: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    if not reason.strip():
        return _page(request, user, refused="reason_required", status=422)
    asked = PatrolBrokenOff(reason=reason.strip())
    return _back(
        request,
        user,
        said(lambda: patrol_rounds.abort_patrol_round(rooms(request), user, round_id, asked)),
    )


@router.post("/points")
def add_point(
    request: Request, user: Editor, name: Text = "", zone: Text = "", kind: Text = "", device: Text = ""
) -> Response:
    """A new checkpoint; one with a code is shown it to print, once."""
    asked = patrol_forms.asked(
        lambda: PatrolPointAsked(name=name.strip(), zone=zone, kind=PointKind(kind), device=device or None)
    )
    if asked is None:
        return _page(request, user, refused="patrol_incomplete", status=422)
    return _code_page(request, user, said(lambda: patrols.add_patrol_point(rooms(request), user, asked)))


@router.post("/points/{point_id}/code")
def renew_code(request: Request, user: Editor, point_id: str) -> Response:
    """A new code to print; the one on the wall counts for nothing from now on."""
    return _code_page(request, user, said(lambda: patrols.renew_patrol_code(rooms(request), user, point_id)))


@router.post("/points/{point_id}/retirement")
def retire_point(request: Request, user: Editor, point_id: str) -> Response:
    return _done(request, user, lambda: patrols.retire_patrol_point(rooms(request), user, point_id))


@router.post("/routes")
def add_route(
    request: Request,
    user: Editor,
    name: Text = "",
    team: Text = "",
    point: Texts = [],  # noqa: B006 - FastAPI makes a new one for every request
    number: Texts = [],  # noqa: B006
    in_order: Text = "",
    least_s: Text = "",
    most_s: Text = "",
    tolerance_min: Text = "10",
) -> Response:
    asked = patrol_forms.route_asked(name, team, point, number, in_order, least_s, most_s, tolerance_min)
    if asked is None:
        return _page(request, user, refused="patrol_incomplete", status=422)
    return _back(request, user, said(lambda: patrols.add_patrol_route(rooms(request), request, user, asked)))


@router.post("/routes/{route_id}")
def change_route(
    request: Request,
    user: Editor,
    route_id: str,
    name: Text = "",
    team: Text = "",
    point: Texts = [],  # noqa: B006
    number: Texts = [],  # noqa: B006
    in_order: Text = "",
    least_s: Text = "",
    most_s: Text = "",
    tolerance_min: Text = "10",
) -> Response:
    asked = patrol_forms.route_asked(name, team, point, number, in_order, least_s, most_s, tolerance_min)
    if asked is None:
        return _page(request, user, refused="patrol_incomplete", status=422)
    return _back(
        request, user, said(lambda: patrols.change_patrol_route(rooms(request), user, route_id, asked))
    )


@router.post("/routes/{route_id}/retirement")
def retire_route(request: Request, user: Editor, route_id: str) -> Response:
    return _done(request, user, lambda: patrols.retire_patrol_route(rooms(request), user, route_id))


@router.post("/routes/{route_id}/schedules")
def add_schedule(
    request: Request,
    user: Editor,
    route_id: str,
    weekday: Texts = [],  # noqa: B006
    day_kind: Texts = [],  # noqa: B006
    times: Annotated[str, Form(max_length=400)] = "",
    lasts_min: Text = "30",
) -> Response:
    """`times` as people write them: 22:00 23:30 25:00, the last one being one in the morning after."""
    asked = patrol_forms.asked(
        lambda: PatrolScheduleAsked(
            weekdays=[int(one) for one in weekday],
            day_kinds=day_kind,
            times=[patrol_forms.minutes(one) for one in re.split(r"[\s,，、;；]+", times.strip())],
            lasts_min=int(lasts_min),
        )
    )
    if asked is None:
        return _page(request, user, refused="patrol_incomplete", status=422)
    return _back(
        request,
        user,
        said(lambda: patrols.add_patrol_schedule(rooms(request), request, user, route_id, asked)),
    )


@router.post("/schedules/{schedule_id}/end")
def end_schedule(request: Request, user: Editor, schedule_id: str) -> Response:
    return _done(request, user, lambda: patrols.end_patrol_schedule(rooms(request), user, schedule_id))


def _page(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    since, until = _today(view)
    with here.database.read() as session:
        ground = _ground(session, here.compound)
        known = names(session, here.compound)
    return render(
        view,
        "patrols.html",
        status=status,
        refused=refused,
        rounds=patrol_rounds.patrol_rounds(here, user, since, until),
        routes=patrols.patrol_routes(here, user),
        points=patrols.patrol_points(here, user),
        ground=ground,
        places=known,
        kinds=list(PointKind),
        day_kinds=list(DayKind),
        clock_of=patrol_forms.clock_of,
    )


def _today(view: Frame) -> tuple[dt.datetime, dt.datetime]:
    """From six hours before the local midnight: the night belongs to the evening before."""
    local = view.now.astimezone(view.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - dt.timedelta(hours=6), midnight + dt.timedelta(hours=30)


def _ground(session: Session, compound: str) -> _Ground:
    teams = session.execute(select(Team.id, Team.name).where(Team.compound == compound).order_by(Team.name))
    people = session.execute(
        select(Responder.id, Responder.name)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound)
    )
    devices = session.execute(
        select(Device.id, Device.name).where(Device.compound == compound).order_by(Device.id)
    )
    return _Ground(
        {row.id: row.name for row in teams},
        {row.id: row.name for row in people},
        {row.id: row.name for row in devices},
    )


def _code_page(request: Request, user: User, done: Said[PatrolCode]) -> Response:
    if done.answer is None:
        return _page(request, user, refused=done.refused, status=done.status)
    if done.answer.path is None:
        return RedirectResponse("/console/patrols", 303)
    address = str(request.base_url).rstrip("/") + done.answer.path
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        known = names(session, here.compound)
    # Drawn by the library out of dark squares alone; nothing of the request stands in it as text.
    drawn = Markup(segno.make(address, error="q", micro=False).svg_inline(border=4, omitsize=True))  # noqa: S704
    return render(
        view, "patrol_code.html", point=done.answer.point, places=known, drawn=drawn, address=address
    )


def _back(request: Request, user: User, done: Said[Any]) -> Response:
    if done.answer is None:
        return _page(request, user, refused=done.refused, status=done.status)
    return RedirectResponse("/console/patrols", 303)


def _done(request: Request, user: User, work: Callable[[], None]) -> Response:
    """As `_back`, for what answers nothing."""

    def and_so() -> bool:
        work()
        return True

    return _back(request, user, said(and_so))
