"""Rows for the figures: the database counts, and only what has to be sorted comes out one by one."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Float, Integer, case, cast, func, select, type_coerce
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.notify.models import Notification, NotificationAttempt
from alerts.reporting.alarms import Tallied
from alerts.reporting.answers import REACHED, Answered, Mark, Shift, shift_of
from alerts.review.models import Measure, Need
from alerts.review.rules import MeasureState

# Zones of the world differ by quarters of an hour: a count of one belongs to one local hour.
_QUARTER_S: Final = 900


Quarters = list[tuple[dt.datetime, int]]
"""Begins of quarters of an hour, and how many were in them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which incidents: raised from `start` to before `end`, of one ring, severity or kind where it is named.

    Exercises are looked at by themselves, never among the others; what is for people's care is no alarm.
    """

    compound: str
    start: dt.datetime
    end: dt.datetime
    ring: str | None = None
    severity: int | None = None
    kind: str | None = None
    drill: bool = False

    def before(self) -> "Scope":
        """The span of the same length that ended when this one began."""
        return replace(self, start=self.start - (self.end - self.start), end=self.start)

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def conditions(self) -> list[ColumnElement[bool]]:
        """As conditions of a query on incidents."""
        found = [
            Incident.compound == self.compound,
            Incident.raised_at >= self.start,
            Incident.raised_at < self.end,
            Incident.drill.is_(self.drill),
            Incident.care.is_(False),
        ]
        if self.ring is not None:
            found.append(Incident.ring == self.ring)
        if self.severity is not None:
            found.append(Incident.severity == self.severity)
        if self.kind is not None:
            found.append(Incident.kind == self.kind)
        return found


def alarms(session: Session, scope: Scope) -> list[Tallied]:
    """Incidents counted by everything that figures are split by."""
    columns = (
        *(Incident.kind, Incident.ring, Incident.severity, Incident.state),
        *(Incident.false_alarm_reason, Incident.rule, Incident.device_id, Incident.held),
    )
    query = select(func.count(), *columns).where(*scope.conditions()).group_by(*columns)
    return [
        Tallied(number, kind, ring, severity, State(state), reason, rule, device, bool(held))
        for number, kind, ring, severity, state, reason, rule, device, held in session.execute(query)
    ]


def raised(session: Session, scope: Scope) -> Quarters:
    """How many incidents were raised in each quarter of an hour, by its begin; empty ones are absent."""
    quarter = cast(_whole(session, _seconds(session, Incident.raised_at) / _QUARTER_S), Integer)
    query = (
        select(quarter, func.count())
        .where(*scope.conditions(), Incident.state != State.MERGED)
        .group_by(quarter)
        .order_by(quarter)
    )
    return [(_moment(number), count) for number, count in session.execute(query)]


def answered(session: Session, scope: Scope, zone: dt.tzinfo) -> list[Answered]:
    """How long each incident waited for each mark; shifts go by the clock of `zone`."""
    began = _seconds(session, Incident.raised_at)
    marks = [
        (_seconds(session, func.min(case((Transition.to_state.in_(REACHED[mark]), Transition.at)))) - began)
        for mark in Mark
    ]
    query = (
        select(Incident.severity, Incident.kind, began, *marks)
        .join(Transition, Transition.incident == Incident.id)
        .where(*scope.conditions(), Incident.state.not_in([State.MERGED, State.AUTO_CLEARED]))
        .group_by(Incident.id, Incident.severity, Incident.kind, Incident.raised_at)
        .order_by(Incident.severity, Incident.kind)
    )
    # Few quarters have all incidents: each is put on the compound's clock once.
    shifts: dict[int, tuple[dt.datetime, Shift]] = {}
    found = []
    for severity, kind, at, *waits in session.execute(query):
        quarter = int(at // _QUARTER_S)
        if quarter not in shifts:
            moment = _moment(quarter)
            shifts[quarter] = (moment, shift_of(moment.astimezone(zone).hour))
        seconds = {
            mark: max(0.0, float(wait)) for mark, wait in zip(Mark, waits, strict=True) if wait is not None
        }
        begin, shift = shifts[quarter]
        found.append(Answered(begin, severity, kind, shift, seconds))
    return found


def kinds(session: Session, compound: str) -> list[str]:
    """The kinds of incident that the compound has had."""
    query = select(Incident.kind).where(Incident.compound == compound, Incident.care.is_(False)).distinct()
    return sorted(session.scalars(query))


@dataclass(frozen=True, slots=True)
class Letters:
    """Notifications of a span by what became of them, and tries by channel and what came of each."""

    states: dict[str, int]
    attempts: dict[str, dict[str, int]]


def letters(session: Session, scope: Scope) -> Letters:
    """What people were told in a span; exercises apart like everywhere."""
    mine = (Notification.compound == scope.compound, Notification.drill.is_(scope.drill))
    states = session.execute(
        select(Notification.state, func.count())
        .where(*mine, Notification.asked_at >= scope.start, Notification.asked_at < scope.end)
        .group_by(Notification.state)
        .order_by(Notification.state)
    )
    tries = session.execute(
        select(NotificationAttempt.kind, NotificationAttempt.state, func.count())
        .join(Notification, Notification.id == NotificationAttempt.notification)
        .where(*mine, NotificationAttempt.at >= scope.start, NotificationAttempt.at < scope.end)
        .group_by(NotificationAttempt.kind, NotificationAttempt.state)
        .order_by(NotificationAttempt.kind, NotificationAttempt.state)
    )
    attempts: dict[str, dict[str, int]] = {}
    for kind, state, count in tries:
        attempts.setdefault(str(kind), {})[str(state)] = count
    return Letters({str(state): count for state, count in states}, attempts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is needed: by zone ("" where none is named), and what is done about it."""

    needs: dict[str, int]
    open: int
    late: int
    done: int


def wanted(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> Wanted:
    """Needs open at `end`, and measures that were done from `start` to `end`, open or late at its end.

    Counts only: what people wrote on the lists may name somebody.
    """
    needs = session.execute(
        select(Need.zone, func.count())
        .where(Need.compound == compound, Need.at < end)
        .where(Need.ended_at.is_(None) | (Need.ended_at >= end))
        .group_by(Need.zone)
        .order_by(func.count().desc(), Need.zone)
    )
    waiting = [state for state in MeasureState if state.is_open]
    still = (Measure.at < end) & (Measure.state.in_(waiting) | (Measure.ended_at >= end))
    counts = session.execute(
        select(
            _how_many(still),
            _how_many(still & (Measure.due_at < end)),
            _how_many(
                (Measure.state == MeasureState.DONE) & (Measure.ended_at >= start) & (Measure.ended_at < end)
            ),
        ).where(Measure.compound == compound)
    ).one()
    return Wanted({zone or "": count for zone, count in needs}, *(int(one or 0) for one in counts))


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _seconds(session: Session, moment: Any) -> ColumnElement[float]:
    """Seconds since 1970 of a column of time, reckoned by the database."""
    if session.get_bind().dialect.name == "postgresql":
        return cast(func.extract("epoch", moment), Float)
    return type_coerce(type_coerce(moment, BigInteger) / 1_000_000.0, Float)


def _whole(session: Session, number: ColumnElement[Any]) -> ColumnElement[Any]:
    """What lies behind the point cut off: a cast does so on SQLite, and rounds on PostgreSQL."""
    return func.floor(number) if session.get_bind().dialect.name == "postgresql" else number


def _moment(quarter: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(quarter * _QUARTER_S, dt.UTC)
