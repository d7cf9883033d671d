"""How a drill went: the time of each step beside its target and beside the real week, and who answered."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.drills.models import Drill, DrillIncident
from alerts.drills.playing import REASON
from alerts.drills.timing import Measured, Moment, measure, median
from alerts.incidents.deadlines import Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.notify.models import Notification

WEEK: Final = dt.timedelta(days=7)
"""The real incidents that a drill is compared with: those raised so long before it began."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A timer in the drill, and the median of real incidents of the same severity; None where none was."""

    measured: Measured
    real: dt.timedelta | None
    # Of how many real incidents.
    of: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A responder who was asked; `after` is how long it took them, None where they never answered."""

    responder: str
    state: DispatchState
    after: dt.timedelta | None


@dataclass(frozen=True, slots=True)
class PlayedResult:
    """One incident of a drill."""

    incident: str
    kind: str
    zone: str
    severity: int
    state: State
    steps: tuple[Compared, ...]
    asked: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class DrillResult:
    """`letters`: notifications by their state; `to_come`: what was not played yet, or not any more."""

    incidents: tuple[PlayedResult, ...]
    letters: Mapping[str, int]
    to_come: int

    @property
    def missed(self) -> tuple[str, ...]:
        """Responders who were asked and never answered, each once."""
        silent = (one.responder for row in self.incidents for one in row.asked if one.after is None)
        return tuple(dict.fromkeys(silent))


def results(session: Session, drill: Drill) -> DrillResult:
    """The results as they are now; final once the drill has ended."""
    rows = session.scalars(
        select(DrillIncident).where(DrillIncident.drill == drill.id).order_by(DrillIncident.number)
    ).all()
    ids = list(dict.fromkeys(row.incident for row in rows if row.incident is not None))
    incidents = [session.get_one(Incident, one) for one in ids]
    week = _real_week(session, drill, {one.severity for one in incidents})
    steps = _steps(session, ids)
    letters = Counter(
        str(state)
        for state in session.scalars(select(Notification.state).where(Notification.incident.in_(ids)))
    )
    return DrillResult(
        tuple(
            PlayedResult(
                incident=one.id,
                kind=one.kind,
                zone=one.zone,
                severity=one.severity,
                state=State(one.state),
                steps=tuple(
                    Compared(measured, median(real), len(real))
                    for measured in measure(steps[one.id], one.severity)
                    for real in [week[one.severity, measured.timer]]
                ),
                asked=tuple(_asked(session, one.id)),
            )
            for one in incidents
        ),
        dict(sorted(letters.items())),
        sum(row.incident is None for row in rows),
    )


def _real_week(
    session: Session, drill: Drill, severities: Collection[int]
) -> Mapping[tuple[int, Timer], list[dt.timedelta]]:
    """Times of real incidents by severity and timer."""
    rows = session.execute(
        select(Incident.id, Incident.severity).where(
            Incident.compound == drill.compound,
            Incident.drill.is_(False),
            Incident.care.is_(False),
            Incident.severity.in_(severities),
            Incident.raised_at >= drill.started_at - WEEK,
            Incident.raised_at < drill.started_at,
        )
    ).all()
    steps = _steps(session, [row.id for row in rows])
    found: dict[tuple[int, Timer], list[dt.timedelta]] = defaultdict(list)
    for row in rows:
        for one in measure(steps[row.id], row.severity):
            if one.took is not None:
                found[row.severity, one.timer].append(one.took)
    return found


def _steps(session: Session, ids: Sequence[str]) -> Mapping[str, list[Moment]]:
    found: dict[str, list[Moment]] = defaultdict(list)
    for start in range(0, len(ids), 500):
        rows = session.execute(
            select(Transition.incident, Transition.to_state, Transition.at, Transition.reason)
            .where(Transition.incident.in_(ids[start : start + 500]))
            .order_by(Transition.incident, Transition.version)
        )
        for row in rows:
            found[row.incident].append(Moment(State(row.to_state), row.at, row.reason == REASON))
    return found


def _asked(session: Session, incident: str) -> list[Answered]:
    rows = session.scalars(
        select(Dispatch).where(Dispatch.incident == incident).order_by(Dispatch.offered_at, Dispatch.id)
    )
    return [
        Answered(
            row.responder,
            DispatchState(row.state),
            None if row.answered_at is None else row.answered_at - row.offered_at,
        )
        for row in rows
    ]
