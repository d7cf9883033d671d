"""A patrol on the phone: begin a round, see what comes next, say that one is there.

A code on the wall opens an address; that page asks for one press, since an address that is opened by a
preview or a second time must count for nothing.
"""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from alerts.duty.models import Responder
from alerts.patrols import visiting
from alerts.patrols.models import PatrolRoute
from alerts.patrols.standing import standing
from console.accounts.models import User
from console.api import patrol_rounds
from console.api.patrol_rounds import PatrolBrokenOff, PatrolWalkAsked
from console.api.patrol_views import PatrolRoundView, PatrolVisitTold
from console.context import rooms
from console.pages.answers import said
from console.pages.places import names
from console.pages.pressing import phone_page
from console.pages.view import frame
from console.permissions import Action, may
from storage import new_id

router = APIRouter(prefix="/phone/patrol")
Walker = Annotated[User, may(Action.PATROLS_WALK)]
Text = Annotated[str, Form(max_length=64)]

_CLIENT = re.compile(r"^[A-Za-z0-9_-]{8,64}$")


@router.get("")
def patrol(request: Request, user: Walker, done: Annotated[str, Query(max_length=16)] = "") -> Response:
    return _page(request, user, done=done)


@router.post("/rounds")
def walk(request: Request, user: Walker, route: Text = "") -> Response:
    """A walk that nobody planned."""
    if not route:
        return _page(request, user, refused="patrol_incomplete", status=422)
    asked = PatrolWalkAsked(route=route)
    answer = said(lambda: patrol_rounds.walk_patrol_route(rooms(request), request, user, asked))
    return _back(request, user, answer.refused, answer.status)


@router.post("/rounds/{round_id}/start")
def start(request: Request, user: Walker, round_id: str) -> Response:
    answer = said(lambda: patrol_rounds.start_patrol_round(rooms(request), user, round_id))
    return _back(request, user, answer.refused, answer.status)


@router.post("/rounds/{round_id}/abort")
def abort(
    request: Request, user: Walker, round_id: str, reason: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    if not reason.strip():
        return _page(request, user, refused="reason_required", status=422)
    asked = PatrolBrokenOff(reason=reason.strip())
    answer = said(lambda: patrol_rounds.abort_patrol_round(rooms(request), user, round_id, asked))
    return _back(request, user, answer.refused, answer.status)


@router.post("/rounds/{round_id}/points/{point_id}")
def by_hand(
    request: Request,
    user: Walker,
    round_id: str,
    point_id: str,
    client: Text = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Where a code is torn off, or a phone has no camera: with a reason, which everybody sees."""
    if not reason.strip():
        return _page(request, user, refused="reason_required", status=422)
    if not _CLIENT.match(client):
        return _page(request, user, refused="patrol_incomplete", status=422)
    told = PatrolVisitTold(client=client, point=point_id, round=round_id, reason=reason.strip())
    answer = said(lambda: patrol_rounds.tell_patrol_visit(rooms(request), user, told))
    return _back(request, user, answer.refused, answer.status, done="here")


@router.get("/scan/{code}")
def scanned(request: Request, _: Walker, code: str) -> Response:
    """What a camera or a tag opens: which point it is, and one press. Nothing is written down yet."""
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        found = said(lambda: visiting.by_code(session, here.compound, code))
        if found.answer is None:
            point, old, zone = None, False, ""
        else:
            row, old = found.answer
            point, zone = row.name, names(session, here.compound).zone(row.zone)
    return phone_page(
        view,
        "phone_scan.html",
        status=found.status,
        point=point,
        zone=zone,
        old=old,
        code=code,
        client=new_id(),
        refused=found.refused,
    )


@router.post("/scan/{code}")
def scan(request: Request, user: Walker, code: str, client: Text = "") -> Response:
    """I am here. The same form sent twice is one visit."""
    if not _CLIENT.match(client) or len(code) > 64:
        return _page(request, user, refused="patrol_incomplete", status=422)
    told = PatrolVisitTold(client=client, code=code)
    answer = said(lambda: patrol_rounds.tell_patrol_visit(rooms(request), user, told))
    old = answer.answer is not None and b'"old_code":true' in bytes(answer.answer.body)
    return _back(request, user, answer.refused, answer.status, done="old" if old else "here")


def _back(request: Request, user: User, refused: str | None, status: int, *, done: str = "") -> Response:
    if refused is not None:
        return _page(request, user, refused=refused, status=status)
    return RedirectResponse(f"/phone/patrol?done={done}" if done else "/phone/patrol", 303)


def _page(
    request: Request, user: User, *, refused: str | None = None, status: int = 200, done: str = ""
) -> Response:
    here, view = rooms(request), frame(request)
    shown: list[PatrolRoundView] = []
    routes: list[tuple[str, str]] = []
    with here.database.read() as session:
        known = names(session, here.compound)
        if user.responder_id is not None:
            rounds = patrol_rounds.own_rounds(session, user, view.now)
            shown = [PatrolRoundView.of(one) for one in standing(session, rounds, view.now)]
            team = session.scalar(select(Responder.team).where(Responder.id == user.responder_id))
            query = select(PatrolRoute.id, PatrolRoute.name).where(
                PatrolRoute.compound == here.compound,
                PatrolRoute.team == team,
                PatrolRoute.retired_at.is_(None),
            )
            routes = [(row.id, row.name) for row in session.execute(query.order_by(PatrolRoute.name))]
    return phone_page(
        view,
        "phone_patrol.html",
        status=status,
        refused=refused or (None if user.responder_id is not None else "no_responder"),
        done=done,
        mine=user.responder_id,
        rounds=shown,
        routes=routes,
        places=known,
        new_id=new_id,
    )
