"""What follows from an incident's change: somebody is told, somebody is asked to go, a report is begun.

Every change leaves a row here in its own commit. Whoever takes the row does what follows in the commit
that deletes it: what one process began and did not end is done by the next, and nothing is done twice,
however many take turns. What follows may be late; it may not keep an incident from being raised.

Failure policy: *fail open*. A reaction that fails is counted and logged, and the others follow all the same.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Index, Integer, String, delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from alerts.incidents.models import Incident, Transition
from storage import Base, Database, OwnedByCompound, UtcTime, tracing

log = structlog.get_logger(__name__)

AT_ONCE: Final = 10
"""Changes in one commit: another writer waits for no longer than they take."""


class IncidentChange(OwnedByCompound, Base):
    """A change of an incident that nobody has reacted to yet."""

    __tablename__ = "incident_changes"

    incident: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # What made the change (see `storage.tracing`); of what follows from it is told there, too.
    trace: Mapped[str | None] = mapped_column(tracing.column())

    __table_args__ = (Index("ix_incident_changes_at", "at", "incident", "version"),)


@dataclass(frozen=True, slots=True)
class Changed:
    """A change and the incident as it is now, which may be further on.

    `step` is the row of the history that the change wrote; None where facts came in and nobody took a step.
    """

    incident: Incident
    version: int
    at: dt.datetime
    step: Transition | None


Reaction = Callable[[Session, Changed, dt.datetime], None]
"""(session, what changed, now): does what follows, in the session's transaction."""


def note(session: Session, incident: Incident, at: dt.datetime) -> None:
    """Leaves a change to be reacted to; once for each version."""
    session.add(
        IncidentChange(
            incident=incident.id,
            version=incident.version,
            compound=incident.compound,
            at=at,
            # A person's step, or time's, is part of what the incident began with.
            trace=tracing.current() or incident.trace,
        )
    )


def waiting(database: Database) -> bool:
    """Whether there is anything to react to; takes no turn of a writer."""
    with database.read() as session:
        return session.scalar(select(IncidentChange.version).limit(1)) is not None


def react(
    database: Database,
    reactions: Sequence[tuple[str, Reaction]],
    now: Callable[[], dt.datetime],
    failed: Callable[[str], None] = lambda _name: None,
) -> int:
    """Does what follows from the oldest changes, at most `AT_ONCE`; returns how many there were.

    `reactions` are named, in the order in which they follow; `failed` hears the name of one that could
    not. Raises what a database that is away raises: nothing is lost, the changes are there the next time.
    """
    with database.write() as session:
        rows = session.scalars(
            select(IncidentChange)
            .order_by(IncidentChange.at, IncidentChange.incident, IncidentChange.version)
            .limit(AT_ONCE)
            # Whoever comes second waits: an incident's changes are followed in their order.
            .with_for_update()
        ).all()
        for row in rows:
            incident = session.get(Incident, row.incident)
            if incident is None:
                continue
            step = session.scalars(
                select(Transition).where(
                    Transition.incident == row.incident, Transition.version == row.version
                )
            ).one_or_none()
            changed = Changed(incident, row.version, row.at, step)
            with tracing.span(
                "reactions", row.trace, compound=row.compound, incident=row.incident, version=row.version
            ):
                for name, follow in reactions:
                    _follow(session, name, follow, changed, now(), failed)
        for row in rows:
            session.execute(
                delete(IncidentChange).where(
                    IncidentChange.incident == row.incident, IncidentChange.version == row.version
                )
            )
        return len(rows)


def _follow(
    session: Session,
    name: str,
    follow: Reaction,
    changed: Changed,
    now: dt.datetime,
    failed: Callable[[str], None],
) -> None:
    try:
        with session.begin_nested():
            follow(session, changed, now)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        failed(name)
        log.exception("incident.reaction_failed", reaction=name, incident=changed.incident.id)
    except Exception:
        failed(name)
        log.exception("incident.reaction_failed", reaction=name, incident=changed.incident.id)
