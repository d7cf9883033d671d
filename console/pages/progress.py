"""How far one's own reports are: each stage with its time, as its reporter may know it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.intake.feedback import Stage, Step, ahead, course
from alerts.intake.models import IntakeReport

_OVER: Final = (Stage.DONE, Stage.NOTHING)


@dataclass(frozen=True, slots=True)
class Course:
    """The stages that were passed, the last being where it stands, and those to come."""

    steps: tuple[Step, ...]
    ahead: tuple[Stage, ...]

    @property
    def now(self) -> Step:
        return self.steps[-1]

    @property
    def over(self) -> bool:
        return self.now.stage in _OVER


def courses(session: Session, reports: Sequence[IntakeReport]) -> dict[str, Course]:
    """The course of each report, by its id; of one that was merged the course of what it is part of."""
    incidents = {
        row.id: row.merged_into or row.id
        for row in session.scalars(select(Incident).where(Incident.id.in_({one.incident for one in reports})))
    }
    passed: dict[str, list[tuple[State, dt.datetime]]] = {}
    for row in session.scalars(
        select(Transition)
        .where(Transition.incident.in_(set(incidents.values())))
        .order_by(Transition.incident, Transition.version)
    ):
        passed.setdefault(row.incident, []).append((State(row.to_state), row.at))
    found: dict[str, Course] = {}
    for one in reports:
        steps = course(one.at, passed.get(incidents[one.incident], ()))
        found[one.id] = Course(steps, ahead(steps))
    return found
