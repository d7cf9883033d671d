"""Filing with the provincial authority once the faces of 100,000 people are stored (L-15).

Counted over all compounds of a deployment: the duty is the operator's (人脸识别技术应用安全管理办法
art. 15).
"""

import datetime as dt
import enum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from privacy.models import FilingTask
from registry.errors import MissingError, RefusedError
from registry.models import FaceTemplate
from storage import new_id


class FilingLevel(enum.StrEnum):
    """What the number of people asks for."""

    WARNING = "warning"
    FILING = "filing"


PEOPLE: Final = {FilingLevel.WARNING: 80_000, FilingLevel.FILING: 100_000}
WORKING_DAYS: Final = 30


def people_with_faces(session: Session) -> int:
    """Distinct people with a stored template, in all compounds. For an unbound session."""
    return session.scalar(select(func.count(FaceTemplate.person.distinct()))) or 0


def check(session: Session, at: dt.datetime) -> int:
    """Raises what the number of people asks for, each level once; returns the number."""
    people = people_with_faces(session)
    for level, least in PEOPLE.items():
        if people >= least:
            dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
            due_at = add_working_days(at, WORKING_DAYS) if level is FilingLevel.FILING else None
            session.execute(
                dialect.insert(FilingTask).on_conflict_do_nothing(index_elements=["level"]),
                [{"id": new_id(), "people": people, "level": level, "raised_at": at, "due_at": due_at}],
            )
    return people


def finish(session: Session, task_id: str, *, by: str, at: dt.datetime) -> FilingTask:
    """Notes that a task was done. Raises `MissingError` and `RefusedError` (`filing_done`)."""
    task = session.scalars(select(FilingTask).where(FilingTask.id == task_id).with_for_update()).one_or_none()
    if task is None:
        raise MissingError("filing_task")
    if task.done_at is not None:
        raise RefusedError("filing_done")
    task.done_at, task.done_by = at, by
    session.flush()
    return task


def add_working_days(moment: dt.datetime, days: int) -> dt.datetime:
    """The same time `days` Mondays to Fridays later. Holidays count too: rather early than late."""
    while days:
        moment += dt.timedelta(days=1)
        if moment.weekday() < 5:
            days -= 1
    return moment
