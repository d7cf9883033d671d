"""Patrol routes, checkpoints with their codes, and schedules, as the property office sets them up."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.patrols import checkpoints, routes
from alerts.patrols.models import Checkpoint, PatrolRoute
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.patrol_views import (
    PatrolCode,
    PatrolPointAsked,
    PatrolPointView,
    PatrolRouteAsked,
    PatrolRouteView,
    PatrolScheduleAsked,
    PatrolScheduleView,
)
from console.api.places import Here
from console.permissions import Action, may
from console.security import as_actor

router = APIRouter(prefix="/patrols", tags=["patrols"])
Reader = Annotated[User, may(Action.PATROLS_READ)]
Editor = Annotated[User, may(Action.PATROLS_EDIT)]

SCAN = "/phone/patrol/scan/"
"""What stands before the code in the address that a phone's camera opens."""


@router.get("/routes")
def patrol_routes(here: Here, _: Reader) -> list[PatrolRouteView]:
    """Routes that are walked, by name."""
    with here.database.read() as session:
        found = session.scalars(
            select(PatrolRoute)
            .where(PatrolRoute.compound == here.compound, PatrolRoute.retired_at.is_(None))
            .order_by(PatrolRoute.name)
        )
        return [_route(session, row) for row in found]


@router.post("/routes", response_model=PatrolRouteView, status_code=201)
def add_patrol_route(here: Here, request: Request, user: Editor, asked: PatrolRouteAsked) -> Response:
    """A new route of one team."""
    return once(
        here,
        request,
        user,
        asked.model_dump(mode="json"),
        lambda session, at: _answer(
            session, routes.add_route(session, here.compound, asked.given(), as_actor(user), at)
        ),
    )


@router.put("/routes/{route_id}")
def change_patrol_route(here: Here, user: Editor, route_id: str, asked: PatrolRouteAsked) -> PatrolRouteView:
    """What it is from now on; rounds that have begun, or of which somebody was told, stay as they were."""
    with here.database.write() as session:
        at = here.clock.now()
        row = routes.change_route(session, here.compound, route_id, asked.given(), as_actor(user), at)
        return _route(session, row)


@router.post("/routes/{route_id}/retirement", status_code=204)
def retire_patrol_route(here: Here, user: Editor, route_id: str) -> None:
    """It is not walked any more."""
    with here.database.write() as session:
        routes.retire_route(session, here.compound, route_id, as_actor(user), here.clock.now())


@router.post("/routes/{route_id}/schedules", response_model=PatrolScheduleView, status_code=201)
def add_patrol_schedule(
    here: Here, request: Request, user: Editor, route_id: str, asked: PatrolScheduleAsked
) -> Response:
    """When it is walked from now on."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = routes.add_schedule(session, here.compound, route_id, asked.given(), as_actor(user), at)
        return 201, PatrolScheduleView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/schedules/{schedule_id}/end", status_code=204)
def end_patrol_schedule(here: Here, user: Editor, schedule_id: str) -> None:
    """Rounds of it that have not begun are not walked."""
    with here.database.write() as session:
        routes.end_schedule(session, here.compound, schedule_id, as_actor(user), here.clock.now())


@router.get("/points")
def patrol_points(here: Here, _: Reader, *, retired: bool = False) -> list[PatrolPointView]:
    """Checkpoints by name; with `retired` also those that are no more."""
    query = select(Checkpoint).where(Checkpoint.compound == here.compound).order_by(Checkpoint.name)
    if not retired:
        query = query.where(Checkpoint.retired_at.is_(None))
    with here.database.read() as session:
        return [PatrolPointView.model_validate(row) for row in session.scalars(query)]


@router.post("/points", status_code=201)
def add_patrol_point(here: Here, user: Editor, asked: PatrolPointAsked) -> PatrolCode:
    """A new checkpoint and its code. Under no idempotency key: the code is nowhere kept."""
    with here.database.write() as session:
        at = here.clock.now()
        row, code = checkpoints.add_point(session, here.compound, asked.given(), as_actor(user), at)
        return _code(row, code)


@router.put("/points/{point_id}")
def change_patrol_point(here: Here, user: Editor, point_id: str, asked: PatrolPointAsked) -> PatrolPointView:
    """Another name, zone or reader; another kind is another checkpoint."""
    with here.database.write() as session:
        at = here.clock.now()
        row = checkpoints.change_point(session, here.compound, point_id, asked.given(), as_actor(user), at)
        return PatrolPointView.model_validate(row)


@router.post("/points/{point_id}/code")
def renew_patrol_code(here: Here, user: Editor, point_id: str) -> PatrolCode:
    """A new code; whoever shows the old one has a picture of it, and is told of."""
    with here.database.write() as session:
        row, code = checkpoints.renew_code(session, here.compound, point_id, as_actor(user), here.clock.now())
        return _code(row, code)


@router.post("/points/{point_id}/retirement", status_code=204)
def retire_patrol_point(here: Here, user: Editor, point_id: str) -> None:
    """409 `patrol_point_in_use` while a route comes by it."""
    with here.database.write() as session:
        checkpoints.retire_point(session, here.compound, point_id, as_actor(user), here.clock.now())


def _route(session: Session, row: PatrolRoute) -> PatrolRouteView:
    return PatrolRouteView.of(row, routes.points_of(session, row.id), routes.schedules(session, [row.id]))


def _answer(session: Session, row: PatrolRoute) -> Answer:
    return 201, _route(session, row).model_dump(mode="json")


def _code(row: Checkpoint, code: str | None) -> PatrolCode:
    path = None if code is None else f"{SCAN}{code}"
    return PatrolCode(point=PatrolPointView.model_validate(row), code=code, path=path)
