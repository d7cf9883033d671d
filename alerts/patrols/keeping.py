"""Rounds with time: planned ahead, told to who walks them, and closed when their time is over.

At every turn at most `AT_ONCE` rounds; what a turn leaves the next one does. A notify process that stands
still for a day loses nothing: rounds are planned `AHEAD`, and what was due meanwhile is closed afterwards.
"""

import datetime as dt
from collections import Counter
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.duty.calendars import calendar_of
from alerts.duty.models import Team, TeamKind
from alerts.duty.onduty import OnDuty, on_duty
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Purpose
from alerts.patrols.models import PatrolRound, PatrolRoute, PatrolSchedule, RoundState
from alerts.patrols.planning import DayKind, Hours, due_between, whom
from alerts.patrols.routes import points_of
from alerts.patrols.standing import standing, written
from alerts.patrols.walking import tell_control_room
from registry.models import Compound
from storage import new_id

AT_ONCE: Final = 200
AHEAD: Final = dt.timedelta(hours=36)
TOLD_BEFORE: Final = dt.timedelta(minutes=30)
"""How long before a round begins whoever walks it is told."""

_LATELY: Final = dt.timedelta(days=7)
_OPEN: Final = (RoundState.PLANNED, RoundState.UNDER_WAY)


def keep(session: Session, now: dt.datetime) -> int:
    """Plans, tells and closes; returns how many rounds it did something about."""
    return plan(session, now) + tell(session, now) + close(session, now)


def plan(session: Session, now: dt.datetime) -> int:
    """Rounds of all schedules until `AHEAD` of now, each once."""
    held = session.execute(
        select(PatrolSchedule, PatrolRoute, Compound.time_zone)
        .join(PatrolRoute, PatrolRoute.id == PatrolSchedule.route)
        .join(Compound, Compound.id == PatrolSchedule.compound)
        .where(PatrolSchedule.ended_at.is_(None), PatrolRoute.retired_at.is_(None))
        .order_by(PatrolSchedule.id)
    ).all()
    if not held:
        return 0
    known = {
        (row.route, row.due_from)
        for row in session.execute(
            select(PatrolRound.route, PatrolRound.due_from).where(
                PatrolRound.route.in_({route.id for _, route, _ in held}), PatrolRound.due_from >= now
            )
        )
    }
    kinds: dict[str, DayKind] = {}
    made = 0
    for schedule, route, zone in held:
        if route.compound not in kinds:
            kinds[route.compound] = _kinds(session, route.compound)
        hours = Hours(
            tuple(schedule.times),
            dt.timedelta(minutes=schedule.lasts_min),
            frozenset(schedule.weekdays),
            frozenset(schedule.day_kinds),
        )
        for begins, ends in due_between(hours, now, now + AHEAD, ZoneInfo(zone), kinds[route.compound]):
            if (route.id, begins) in known or made >= AT_ONCE:
                continue
            known.add((route.id, begins))
            made += _plan_one(session, schedule, route, begins, ends)
    return made


def tell(session: Session, now: dt.datetime) -> int:
    """Whoever is on duty in the team then, and has walked least, is told that a round is theirs."""
    rounds = session.execute(
        select(PatrolRound, Team.id, Team.kind)
        .join(PatrolRoute, PatrolRoute.id == PatrolRound.route)
        .join(Team, Team.id == PatrolRoute.team)
        .where(
            # One that somebody has begun is theirs.
            PatrolRound.state == RoundState.PLANNED,
            PatrolRound.told_at.is_(None),
            PatrolRound.schedule.is_not(None),
            PatrolRound.due_from <= now + TOLD_BEFORE,
            PatrolRound.counts_until > now,
        )
        .order_by(PatrolRound.due_from, PatrolRound.id)
        .limit(AT_ONCE)
    ).all()
    done = 0
    for row, team, kind in rounds:
        there = [
            one
            for one in on_duty(session, row.compound, max(now, row.due_from), teams=(team,))
            if not one.on_call
        ]
        if there:
            _tell_one(session, row, there, 2 if TeamKind(kind).volunteers else 1, now)
            done += 1
        elif row.due_from <= now:
            # Nobody came on duty meanwhile either.
            tell_control_room(session, row, "nobody", now)
    return done


def close(session: Session, now: dt.datetime) -> int:
    """Rounds whose time is over are done or missed; of what was missed the control room hears."""
    over = session.scalars(
        select(PatrolRound)
        .where(PatrolRound.state.in_(_OPEN), PatrolRound.counts_until < now)
        .order_by(PatrolRound.due_from, PatrolRound.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for stands in standing(session, over, now):
        row, missing = stands.row, stands.judged.missing
        row.ended_at = row.counts_until
        row.state = RoundState.MISSED if missing else RoundState.DONE
        if missing and row.schedule is not None:
            tell_control_room(session, row, "missed", now, count=len(missing))
    session.flush()
    return len(over)


def _kinds(session: Session, compound: str) -> DayKind:
    """By the duty calendar; of a year that nobody has entered yet by the days of the week."""
    calendar = calendar_of(session, compound)

    def kind(day: dt.date) -> str:
        if calendar.known(day):
            return str(calendar.kind(day))
        return "weekend" if day.weekday() >= 5 else "weekday"

    return kind


def _plan_one(
    session: Session, schedule: PatrolSchedule, route: PatrolRoute, begins: dt.datetime, ends: dt.datetime
) -> int:
    try:
        with session.begin_nested():
            session.add(
                PatrolRound(
                    id=new_id(),
                    compound=route.compound,
                    route=route.id,
                    schedule=schedule.id,
                    due_from=begins,
                    due_until=ends,
                    counts_until=ends + dt.timedelta(minutes=route.tolerance_min),
                    state=RoundState.PLANNED,
                    plan=written(route, points_of(session, route.id)),
                )
            )
            session.flush()
    except IntegrityError:
        return 0
    return 1


def _tell_one(
    session: Session, row: PatrolRound, there: list[OnDuty], how_many: int, now: dt.datetime
) -> None:
    """Volunteers walk in twos (never alone): two are told, and the first is who it is planned for."""
    lately = session.scalars(
        select(PatrolRound.responder).where(
            PatrolRound.responder.in_([one.id for one in there]), PatrolRound.due_from > now - _LATELY
        )
    )
    walked = Counter(one for one in lately if one is not None)
    people = [one.id for one in there]
    chosen: list[str] = []
    while len(chosen) < how_many and (one := whom(set(people) - set(chosen), walked)) is not None:
        chosen.append(one)
    row.responder, row.told_at = row.responder or chosen[0], now
    session.flush()
    points = row.plan["points"]
    ask(
        session,
        [
            Ask(
                row.compound,
                f"patrol:{row.id}:walk:{one}",
                Purpose.PATROL,
                severity=4,
                responder=one,
                arguments={
                    "why": "walk",
                    "route": row.plan["name"],
                    "path": "/phone/patrol",
                    "zone": points[0]["zone"] if points else "",
                    "due": row.due_from.isoformat(),
                    "until": row.due_until.isoformat(),
                    "count": len(points),
                },
                expires_at=row.counts_until,
            )
            for one in chosen
        ],
        now,
    )
