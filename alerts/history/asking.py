"""The question that a look back puts to the database: one index is read, newest first."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session

from alerts.handover.models import Handover
from alerts.history.facets import FACETS, Group, Outcome, states_of
from alerts.incidents.deadlines import Timer
from alerts.incidents.models import Incident, Transition
from alerts.review.models import IncidentReview

_LATE: Final = f"timeout_{Timer.ACKNOWLEDGE}"


@dataclass(frozen=True, slots=True)
class Sift:
    """What is looked for: an empty collection wants all, None does not ask.

    `start` is included, `end` is not; both of the time at which it was raised.
    """

    start: dt.datetime
    end: dt.datetime
    severity: Collection[int] = ()
    ring: Collection[str] = ()
    zone: Collection[str] = ()
    kind: Collection[str] = ()
    rule: Collection[str] = ()
    state: Collection[str] = ()
    outcome: Collection[str] = ()
    reason: Collection[str] = ()
    device: Collection[str] = ()
    drill: Collection[bool] = ()
    reviewed: bool | None = None
    late: bool | None = None

    @property
    def chosen(self) -> dict[str, Collection[object]]:
        """Facet → what is wanted of it, for `facets.tally`."""
        return {name: getattr(self, name) for name in FACETS}


_COLUMNS = {
    "severity": Incident.severity,
    "ring": Incident.ring,
    "zone": Incident.zone,
    "kind": Incident.kind,
    "rule": Incident.rule,
    "state": Incident.state,
    "reason": Incident.false_alarm_reason,
    "device": Incident.device_id,
    "drill": Incident.drill,
}


def incidents_of(compound: str, sift: Sift) -> Select[Incident]:
    """The incidents that are looked for, in no order yet."""
    query = select(Incident).where(*_within(compound, sift))
    for name, column in _COLUMNS.items():
        values = getattr(sift, name)
        if values:
            query = query.where(column.in_(list(values)))
    if sift.outcome:
        states = {state for one in sift.outcome for state in states_of(Outcome(one))}
        query = query.where(Incident.state.in_(sorted(states)))
    return query


def counted(session: Session, compound: str, sift: Sift) -> list[Group]:
    """All of the span by what can be counted by; `facets.tally` applies what is chosen."""
    columns = list(_COLUMNS.values())
    grouped = select(*columns, func.count()).where(*_within(compound, sift)).group_by(*columns)
    rows: Sequence[Any] = session.execute(grouped).all()
    return [
        Group(
            severity=severity,
            ring=str(ring),
            zone=zone,
            kind=kind,
            rule=rule,
            state=str(state),
            device=device,
            reason=reason or "",
            drill=bool(drill),
            count=count,
        )
        for severity, ring, zone, kind, rule, state, reason, device, drill, count in rows
    ]


def last_shift(session: Session, compound: str, now: dt.datetime) -> tuple[dt.datetime, dt.datetime] | None:
    """The last shift that was handed over, None where none was."""
    row = session.execute(
        select(Handover.since, Handover.until)
        .where(Handover.compound == compound, Handover.until <= now)
        .order_by(Handover.until.desc())
        .limit(1)
    ).first()
    return (row.since, row.until) if row else None


def _within(compound: str, sift: Sift) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = [
        Incident.compound == compound,
        Incident.raised_at >= sift.start,
        Incident.raised_at < sift.end,
        # That somebody is looked after is their own affair: their list is another one.
        Incident.care.is_(False),
    ]
    if sift.reviewed is not None:
        review = exists().where(IncidentReview.incident == Incident.id)
        asked.append(review if sift.reviewed else ~review)
    if sift.late is not None:
        # The limit's running out is a step of its own, which nobody took.
        late = exists().where(Transition.incident == Incident.id, Transition.reason == _LATE)
        asked.append(late if sift.late else ~late)
    return asked
