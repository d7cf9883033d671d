"""What holds for everybody's duty, and the rosters by which duty goes by turns."""

import datetime as dt
import enum
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy import select

from alerts.duty import patterns
from alerts.duty.definition import written
from alerts.duty.models import Responder, Team
from alerts.duty.roster import Rotation, Slot
from console.accounts.models import User
from console.api import duty, rosters, shifts
from console.api.rosters import DutyRulesGiven, RosterChanged, RosterGiven
from console.context import rooms
from console.pages.answers import Answer, Said, said
from console.pages.typed import AsTyped
from console.pages.view import frame, render
from console.permissions import Action, may
from registry.models import Zone

router = APIRouter(prefix="/console/roster")
Reader = Annotated[User, may(Action.ROSTERS_READ)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]
_FORM: Final[Said[None]] = Said(None, "roster_form", 422)
TURNS: Final = tuple("ABCDEF")
"""Groups that take turns, as a form names them."""


class Pattern(enum.StrEnum):
    """What a roster is made by here; anything else goes through the API."""

    DAILY = "daily"
    THREE_SHIFTS = "three_shifts"
    FIVE_TWO = "five_two"
    EIGHT_X = "eight_x"


@router.get("/rules")
def rules(request: Request, user: Reader, team: Annotated[str, Query(max_length=64)] = "") -> Response:
    return _page(request, user, team=team)


@router.post("/rules")
def set_rules(
    request: Request,
    user: Editor,
    rest_h: Annotated[str, Form(max_length=3)] = "",
    check_in_h: Annotated[str, Form(max_length=3)] = "",
    approve_swaps: Annotated[str, Form()] = "",
    check_coverage: Annotated[str, Form()] = "",
) -> Response:
    try:
        given = DutyRulesGiven(
            rest_h=int(rest_h),
            check_in_h=int(check_in_h),
            approve_swaps=bool(approve_swaps),
            check_coverage=bool(check_coverage),
        )
    except (ValueError, ValidationError):
        return _back(request, user, _FORM)
    return _back(request, user, said(lambda: rosters.set_duty_rules(rooms(request), user, given)))


@router.post("/rosters")
def make(
    request: Request,
    user: Editor,
    *,
    team: Annotated[str, Form(max_length=64)] = "",
    name: Annotated[str, Form(max_length=64)] = "",
    pattern: Annotated[str, Form(max_length=16)] = "",
    begins: Annotated[str, Form(max_length=10)] = "",
    starts: Annotated[str, Form(max_length=8)] = "",
    ends: Annotated[str, Form(max_length=8)] = "",
    post: Annotated[str, Form(max_length=64)] = "",
    person: Annotated[list[str], Form()] = [],  # noqa: B006
    turn: Annotated[list[str], Form()] = [],  # noqa: B006
) -> Response:
    """A roster by one of the usual patterns: who is in which group, and from when on."""
    typed = {
        "name": name,
        "pattern": pattern,
        "begins": begins,
        "starts": starts,
        "ends": ends,
        "post": post,
        "turns": dict(zip(person, turn, strict=False)),
    }
    try:
        first = dt.date.fromisoformat(begins)
        slots = slots_of(Pattern(pattern), groups_of(person, turn), first, starts, ends, post or None)
        given = RosterGiven.model_validate(
            {"team": team, "name": name.strip(), "slots": written(slots), "starts_on": first}
        )
    except (ValueError, ValidationError):
        return _back(request, user, _FORM, team, typed)
    done = said(lambda: rosters.create_roster(rooms(request), request, user, given))
    return _back(request, user, done, team, typed)


@router.post("/rosters/{roster_id}/end")
def end(
    request: Request, user: Editor, roster_id: str, last: Annotated[str, Form(max_length=10)] = ""
) -> Response:
    """The roster's last day; what is planned after it goes."""
    here = rooms(request)
    known = next((one for one in rosters.list_rosters(here, user) if one.id == roster_id), None)
    if known is None:
        return _back(request, user, Said(None, "roster_not_found", 404))
    try:
        given = RosterChanged.model_validate(known.model_dump() | {"ends_on": last})
    except ValidationError:
        return _back(request, user, _FORM)
    return _back(request, user, said(lambda: rosters.change_roster(here, user, roster_id, given)))


@router.post("/feeds")
def make_feed(request: Request, user: Editor, team: Annotated[str, Form(max_length=64)] = "") -> Response:
    """A team's calendar address; it is shown on this one answer and never again."""
    made = said(lambda: duty.make_team_feed(rooms(request), user, team))
    if made.answer is None:
        return _back(request, user, made)
    return _page(request, user, feed=str(request.base_url).rstrip("/") + made.answer.path)


def groups_of(people: Sequence[str], turns: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Who takes turns with whom: group A first, an empty one only where a later one is filled."""
    chosen = {one: [who for who, turn in zip(people, turns, strict=False) if turn == one] for one in TURNS}
    last = max((at for at, one in enumerate(TURNS) if chosen[one]), default=-1)
    return tuple(tuple(chosen[one]) for one in TURNS[: last + 1])


def slots_of(
    pattern: Pattern,
    groups: tuple[tuple[str, ...], ...],
    begins: dt.date,
    starts: str,
    ends: str,
    post: str | None,
) -> tuple[Slot, ...]:
    """The slots of a pattern. Where it has a second kind of duty and nobody but group A is named, A's
    people take turns at it one by one. Raises `ValueError`: no group, no hours.
    """
    if not groups:
        raise ValueError("nobody")
    if pattern is Pattern.THREE_SHIFTS:
        return patterns.three_shifts(groups, begins)
    if pattern is Pattern.DAILY:
        hours = dt.time.fromisoformat(starts), dt.time.fromisoformat(ends)
        return (Slot("day", *hours, Rotation(groups, begins), post=post),)
    first, others = Rotation(groups[:1], begins), groups[1:] or tuple((one,) for one in groups[0])
    by_turns = Rotation(others, begins)
    if pattern is Pattern.FIVE_TWO:
        return patterns.five_two(first, by_turns)
    return patterns.eight_x(first, by_turns)


def _back(
    request: Request, user: User, done: Said[Answer], team: str = "", typed: dict[str, Any] | None = None
) -> Response:
    if done.refused:
        return _page(request, user, team=team, typed=typed, refused=done.refused, status=done.status)
    return RedirectResponse("/console/roster/rules", 303)


def _page(
    request: Request,
    user: User,
    *,
    team: str = "",
    typed: dict[str, Any] | None = None,
    refused: str | None = None,
    feed: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        teams = session.execute(
            select(Team.id, Team.name).where(Team.compound == here.compound).order_by(Team.kind, Team.id)
        ).all()
        picked = next((one for one in teams if one.id == team), None)
        people = session.execute(
            select(Responder.id, Responder.name)
            .where(Responder.team == (picked.id if picked else ""), Responder.active)
            .order_by(Responder.id)
            .limit(200)
        ).all()
        zones = session.execute(
            select(Zone.id, Zone.name).where(Zone.compound == here.compound).order_by(Zone.name)
        ).all()
        names = dict(
            session.execute(
                select(Responder.id, Responder.name)
                .join(Team, Team.id == Responder.team)
                .where(Team.compound == here.compound)
            ).all()
        )
    return render(
        view,
        "roster_rules.html",
        status=status,
        refused=refused,
        typed=AsTyped(typed or {}),
        rules=rosters.duty_rules(here, user),
        # Whoever has no desk sees the own team's duty, not how all of it is made.
        rosters=rosters.list_rosters(here, user) if user.role in shifts.SEE_ALL else [],
        teams=teams,
        picked=picked,
        people=people,
        zones=zones,
        names=names,
        turns=TURNS,
        patterns=list(Pattern),
        feed=feed,
        today=view.now.astimezone(view.zone).date(),
    )
