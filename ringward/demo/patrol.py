"""One patrol route of the demo, with its checkpoints and hours; and the control room's own sound."""

import datetime as dt
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.notify import contacts
from alerts.notify.models import ChannelKind
from alerts.patrols import checkpoints, routes
from alerts.patrols.checkpoints import PointGiven
from alerts.patrols.models import Checkpoint, PatrolRound, PatrolRoute, PointKind, RoundState
from alerts.patrols.routes import RouteGiven, ScheduleGiven
from ringward.demo import handoff, plan
from ringward.demo.plan import COMPOUND, PREFIX
from ringward.demo.rosters import MANAGER

ROUTE: Final = "园区巡逻"
POINTS: Final = (
    ("中心广场岗亭", plan.SQUARE),
    ("儿童乐园入口", plan.PLAYGROUND),
    ("车库入口", plan.GARAGE),
    ("车棚东侧", plan.BIKE_SHED),
    ("花园凉亭", plan.GARDEN),
)
LASTS_MIN: Final = 60
CALM: Final = dt.timedelta(minutes=30)
"""For so long after a start no round is missed."""

_BEGINS: Final = dt.timedelta(minutes=10)
_EVERY_MIN: Final = 6 * 60
_DAY_MIN: Final = 24 * 60


def add(session: Session, now: dt.datetime) -> None:
    """The route where there is none. Its first round begins a quarter of an hour or so after the start."""
    if session.scalar(select(PatrolRoute.id).where(PatrolRoute.compound == COMPOUND).limit(1)) is None:
        _add_route(session, now)
    if not any(one.kind == ChannelKind.CONSOLE for one in contacts.of_compound(session, COMPOUND)):
        contacts.add(session, COMPOUND, None, ChannelKind.CONSOLE, "监控室铃声", "room", now)


def renew(session: Session, now: dt.datetime) -> None:
    """Nobody misses a round that went by, or nearly did, while the demo was not running."""
    session.execute(
        update(PatrolRound)
        .where(
            PatrolRound.compound == COMPOUND,
            PatrolRound.state == RoundState.PLANNED,
            PatrolRound.due_until <= now + CALM,
        )
        .values(state=RoundState.ABORTED, ended_at=PatrolRound.due_from)
    )
    add(session, now)


def _add_route(session: Session, now: dt.datetime) -> None:
    known = {
        row.name: row.id for row in session.scalars(select(Checkpoint).where(Checkpoint.compound == COMPOUND))
    }
    for name, zone in POINTS:
        if name not in known:
            point, _ = checkpoints.add_point(
                session, COMPOUND, PointGiven(name, zone, PointKind.QR), MANAGER, now
            )
            known[name] = point.id
    given = RouteGiven(ROUTE, f"{PREFIX}-team-guard", tuple(known[name] for name, _ in POINTS))
    route = routes.add_route(session, COMPOUND, given, MANAGER, now)
    local = (now + _BEGINS).astimezone(handoff.ZONE)
    # At the next quarter of an hour.
    first = (local.hour * 60 + local.minute + 15) // 15 * 15
    times = tuple(sorted((first + later) % _DAY_MIN for later in range(0, _DAY_MIN, _EVERY_MIN)))
    hours = ScheduleGiven(times, LASTS_MIN, weekdays=tuple(range(7)))
    routes.add_schedule(session, COMPOUND, route.id, hours, MANAGER, now)
