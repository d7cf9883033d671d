"""Patrol rounds: to look at, to walk, to break off; visits as phones tell of them; the month's report."""

import csv
import datetime as dt
import enum
import io
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from alerts.patrols import checkpoints, facts, visiting, walking
from alerts.patrols.models import How, PatrolRound, PatrolRoute, PatrolVisit, RoundState
from alerts.patrols.standing import standing
from alerts.patrols.visiting import Told
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.patrol_views import (
    PatrolRoundView,
    PatrolRouteReport,
    PatrolVisitTold,
    PatrolVisitView,
)
from console.api.places import Here
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from console.security import as_actor
from registry import rows
from registry.days import time_zone
from registry.errors import RefusedError

router = APIRouter(prefix="/patrols", tags=["patrols"])
Reader = Annotated[User, may(Action.PATROLS_READ)]
Walker = Annotated[User, may(Action.PATROLS_WALK)]

_LONGEST: Final = dt.timedelta(days=31)
_SOON: Final = dt.timedelta(hours=12)


class Format(enum.StrEnum):
    """What a report is given as."""

    JSON = "json"
    CSV = "csv"


class PatrolWalkAsked(BaseModel):
    """A route to walk without being asked."""

    route: Annotated[str, Field(min_length=1, max_length=64)]


class PatrolBrokenOff(BaseModel):
    """Why a round ends here."""

    reason: Annotated[str, Field(min_length=1, max_length=200)]


@router.get("/rounds")
def patrol_rounds(
    here: Here, _: Reader, since: AwareDatetime | None = None, until: AwareDatetime | None = None
) -> list[PatrolRoundView]:
    """Rounds due in at most 31 days; where none are said, in the last twelve hours and the next."""
    now = here.clock.now()
    since, until = since or now - _SOON, until or now + _SOON
    if until - since > _LONGEST:
        raise ProblemError(422, "too_long", "At most 31 days at once")
    with here.database.read() as session:
        found = facts.rounds_between(session, here.compound, since, until)
        return [PatrolRoundView.of(one) for one in standing(session, found, now)]


@router.get("/rounds/mine")
def own_patrol_rounds(here: Here, user: Walker) -> list[PatrolRoundView]:
    """Rounds of my team that are due or under way, and mine that ended lately."""
    now = here.clock.now()
    with here.database.read() as session:
        return [PatrolRoundView.of(one) for one in standing(session, own_rounds(session, user, now), now)]


@router.get("/rounds/{round_id}")
def patrol_round(here: Here, _: Reader, round_id: str) -> PatrolRoundView:
    with here.database.read() as session:
        row = rows.find(session, PatrolRound, here.compound, round_id, "patrol_round")
        return _view(session, row, here.clock.now())


@router.post("/rounds", response_model=PatrolRoundView, status_code=201)
def walk_patrol_route(here: Here, request: Request, user: Walker, asked: PatrolWalkAsked) -> Response:
    """Begins a round that nobody planned; what it does not come by nobody misses."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = walking.walk(session, here.compound, asked.route, responder_of(user), at)
        return 201, _view(session, row, at).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/rounds/{round_id}/start")
def start_patrol_round(here: Here, user: Walker, round_id: str) -> PatrolRoundView:
    """Begins a planned round of my team."""
    at = here.clock.now()
    with here.database.write() as session:
        row = walking.start(session, here.compound, round_id, responder_of(user), at)
        return _view(session, row, at)


@router.post("/rounds/{round_id}/abort")
def abort_patrol_round(here: Here, user: Walker, round_id: str, asked: PatrolBrokenOff) -> PatrolRoundView:
    """Breaks a round off: my own, or for the control room any. The control room hears of it."""
    at = here.clock.now()
    own = None if allowed(user, Action.PATROLS_READ) else responder_of(user)
    with here.database.write() as session:
        row = walking.break_off(
            session, here.compound, round_id, asked.reason, as_actor(user), at, responder=own
        )
        return _view(session, row, at)


@router.post("/visits", response_model=PatrolVisitView, status_code=201)
def tell_patrol_visit(here: Here, user: Walker, told: PatrolVisitTold) -> Response:
    """That I came by a checkpoint: 201, or 200 where it was known. One that waited for a network is
    taken with its own time and marked; after a day it is not (409 `patrol_too_old`).
    """
    received_at = here.clock.now()
    at = visiting.corrected(told.at, told.sent_at, received_at)
    with here.database.write() as session:
        if told.code is not None:
            point, old = visiting.by_code(session, here.compound, told.code)
            how = visiting.how_of(point)
        elif told.point is not None:
            point, old = checkpoints.point(session, here.compound, told.point), False
            how = How.HAND
        else:
            raise RefusedError("patrol_what_point")
        visit, is_new = visiting.visit(
            session,
            here.compound,
            point,
            Told(
                client=f"phone:{user.id}:{told.client}"[:80],
                at=at,
                received_at=received_at,
                how=how,
                by=responder_of(user),
                device_time=told.at,
                reason=told.reason if how is How.HAND else None,
                old_code=old,
            ),
            told.round,
        )
        view = PatrolVisitView.model_validate(visit)
    return Response(view.model_dump_json(), 201 if is_new else 200, media_type="application/json")


@router.get("/visits")
def patrol_visits(
    here: Here, _: Reader, paging: Asked, point: Annotated[str | None, Query(max_length=64)] = None
) -> Page[PatrolVisitView]:
    """Visits, the newest first; of one checkpoint where it is named."""
    query = select(PatrolVisit).where(PatrolVisit.compound == here.compound)
    if point is not None:
        query = query.where(PatrolVisit.checkpoint == point)
    with here.database.read() as session:
        items, cursor = newest_first(
            session, query, (PatrolVisit.at, PatrolVisit.id), paging, PatrolVisitView.model_validate
        )
    return Page(items=items, next_cursor=cursor)


@router.get("/report", response_model=list[PatrolRouteReport])
def patrol_report(
    here: Here,
    _: Reader,
    month: Annotated[str, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")],
    form: Annotated[Format, Query(alias="format")] = Format.JSON,
) -> Response:
    """What a month's rounds came to, by route, by the compound's calendar; as JSON or CSV."""
    found = month_report(here, month)
    if form is Format.CSV:
        headers = {"Content-Disposition": f'attachment; filename="patrols-{month}.csv"'}
        return Response(_csv(found), media_type="text/csv; charset=utf-8", headers=headers)
    body = "[" + ",".join(one.model_dump_json() for one in found) + "]"
    return Response(body, media_type="application/json")


def month_report(here: Here, month: str) -> list[PatrolRouteReport]:
    """The report of a month (`2026-11`)."""
    year, number = int(month[:4]), int(month[5:])
    with here.database.read() as session:
        zone = time_zone(session, here.compound)
        since = dt.datetime(year, number, 1, tzinfo=zone)
        until = dt.datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
        found = facts.report(session, here.compound, since, until, here.clock.now())
        return [PatrolRouteReport.of(one) for one in found]


def responder_of(user: User) -> str:
    """Raises `RefusedError("no_responder")` for a user who is nobody that walks."""
    if user.responder_id is None:
        raise RefusedError("no_responder")
    return user.responder_id


def own_rounds(session: Session, user: User, now: dt.datetime) -> list[PatrolRound]:
    """Open rounds of the user's team that are due within twelve hours, and theirs of the last ones."""
    me = responder_of(user)
    team = session.scalar(select(Responder.team).where(Responder.id == me))
    return list(
        session.scalars(
            select(PatrolRound)
            .join(PatrolRoute, PatrolRoute.id == PatrolRound.route)
            .where(
                PatrolRoute.team == team,
                PatrolRound.due_from < now + _SOON,
                PatrolRound.counts_until > now - _SOON,
                or_(
                    PatrolRound.state.in_([RoundState.PLANNED, RoundState.UNDER_WAY]),
                    PatrolRound.responder == me,
                ),
            )
            .order_by(PatrolRound.due_from, PatrolRound.id)
            .limit(20)
        )
    )


def _view(session: Session, row: PatrolRound, now: dt.datetime) -> PatrolRoundView:
    (stands,) = standing(session, [row], now)
    return PatrolRoundView.of(stands)


def _csv(found: list[PatrolRouteReport]) -> str:
    """With a byte order mark, so that a sheet program reads Chinese names; a name never begins a formula."""
    findings = sorted({what for one in found for what in one.findings})
    out = io.StringIO()
    writer = csv.writer(out)
    plain = [name for name in PatrolRouteReport.model_fields if name != "findings"]
    writer.writerow([*plain, *findings])
    for one in found:
        values = [getattr(one, name) for name in plain]
        cells = [f"'{value}" if str(value)[:1] in "=+-@\t" else value for value in values]
        writer.writerow([*cells, *(one.findings.get(what, 0) for what in findings)])
    return "\ufeff" + out.getvalue()
