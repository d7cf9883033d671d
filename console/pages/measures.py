"""The two lists: what is needed (需求清单) and what is done about it (措施清单)."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from alerts.review.rules import MOVES, MeasureState
from console.accounts.models import User
from console.api import measures
from console.api.measures import MeasureAsked, MeasureMoved, NeedAsked
from console.context import rooms
from console.pages.answers import Said, said
from console.pages.places import names
from console.pages.staff import end_of_day, owner, staff
from console.pages.view import frame, render
from console.permissions import Action, may

router = APIRouter(prefix="/console/measures")
Reader = Annotated[User, may(Action.REVIEWS_READ)]
Editor = Annotated[User, may(Action.MEASURES_EDIT)]
Words = Annotated[str, Form(max_length=2000)]
Short = Annotated[str, Form(max_length=100)]


@router.get("")
def overview(request: Request, user: Reader) -> Response:
    return _page(request, user)


@router.post("/needs")
def add_need(request: Request, user: Editor, what: Words = "", zone: Short = "") -> Response:
    """Puts a need onto the list."""
    if not what.strip():
        return _page(request, user, refused="need_empty", status=422)
    asked = NeedAsked(what=what, zone=zone or None)
    return _back(request, user, said(lambda: measures.add_need(rooms(request), request, user, asked)))


@router.post("/needs/{need_id}/end")
def end_need(request: Request, user: Editor, need_id: str) -> Response:
    return _back(request, user, said(lambda: measures.end_need(rooms(request), user, need_id)))


@router.post("")
def add(
    request: Request,
    user: Editor,
    *,
    what: Words = "",
    need: Short = "",
    by: Short = "",
    due: Short = "",
    blocking: Short = "",
) -> Response:
    """Puts a measure onto the list; a blocking one keeps the incidents of its need from being closed."""
    responder, team = owner(by)
    due_at = end_of_day(frame(request), due)
    if not what.strip() or due_at is None or (responder is None and team is None):
        return _page(request, user, refused="measure_incomplete", status=422)
    asked = MeasureAsked(
        what=what, need=need or None, responder=responder, team=team, due_at=due_at, blocking=bool(blocking)
    )
    return _back(request, user, said(lambda: measures.add_measure(rooms(request), request, user, asked)))


@router.post("/{measure_id}")
def move(request: Request, user: Editor, measure_id: str, state: Short = "", note: Words = "") -> Response:
    if state not in list(MeasureState):
        return _page(request, user, refused="measure_not_from_here", status=422)
    asked = MeasureMoved(state=MeasureState(state), note=note.strip() or None)
    return _back(request, user, said(lambda: measures.move_measure(rooms(request), user, measure_id, asked)))


def _back(request: Request, user: User, done: Said[object]) -> Response:
    if done.refused:
        return _page(request, user, refused=done.refused, status=done.status)
    return RedirectResponse("/console/measures", 303)


def _page(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        places, people = names(session, here.compound), staff(session, here.compound)
    found = measures.list_measures(here, user)
    return render(
        view,
        "measures.html",
        status=status,
        needs=measures.needs(here, user),
        open=[one for one in found if one.state.is_open],
        ended=[one for one in reversed(found) if not one.state.is_open][:50],
        moves={state: sorted(to, key=list(MeasureState).index) for state, to in MOVES.items()},
        places=places,
        people=people,
        refused=refused,
    )
