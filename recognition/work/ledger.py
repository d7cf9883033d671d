"""Decisions written down and told: one commit each, told once, amended at most once.

Uniqueness is the database's job. Whoever writes an event's decision first has decided it, and
whoever joins a passage finds there what was told of it, however many workers there are.
"""

import datetime as dt
from typing import Any, Final

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bus import subjects
from bus.messages import EventStored, Sighting, encode
from recognition.models import DecisionRow
from recognition.work import tracks
from recognition.work.face_work import Look
from recognition.work.finding import Finding
from recognition.work.policy import RecognitionPolicy
from recognition.work.strangers import Strangers
from recognition.work.telling import Happened, sighting_of, valid_until
from recognition.work.tracks import Passage
from storage import Clock, Database
from storage.events import EventRow, enqueue_of_events

log = structlog.get_logger()

_SHARED: Final = (*Finding.__dataclass_fields__, "valid_until", "decided_at")
"""What all events of a passage have in common: the decision and what it rests on."""


class PassageMovedError(Exception):
    """Somebody has written down another picture of the passage since it was looked at."""


class Ledger:
    """Writes decisions with the messages that tell of them. Safe to use from several threads."""

    def __init__(
        self, database: Database, clock: Clock, policy: RecognitionPolicy, strangers: Strangers
    ) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy
        self._strangers = strangers

    def decided(self, sighting_id: str) -> DecisionRow | None:
        """The decision of this id, outside of any session."""
        with self._database.read() as session:
            row = session.get(DecisionRow, sighting_id)
            if row is not None:
                session.expunge(row)
            return row

    def write(self, event: EventStored, sighting_id: str, look: Look, milliseconds: int) -> Sighting | None:
        """Stores a decision and queues what is to be told of it now; None where that is nothing.

        Where a decision was there first, that is what was told, and what is returned. Raises
        `PassageMovedError`: then it has to be looked at again, with what there is now.
        """
        columns = look.finding.columns() | {
            "sighting_id": sighting_id,
            "event_id": event.id,
            "compound": event.compound,
            "device": event.device_id,
            "milliseconds": milliseconds,
            "at": event.at,
            "revision": event.revision,
        }
        with self._database.write() as session:
            if look.beside is not None:
                tracks.hold(session, event)
                if tracks.state_of(tracks.neighbours(session, event, self._policy.track_gap)) != look.beside:
                    raise PassageMovedError
            columns["decided_at"] = self._clock.now()
            if look.passage is not None:
                self._remember(look, look.passage.members[0].leader, event)
                return self._join(session, event, columns, look.passage, look.deadline)
            self._remember(look, sighting_id, event)
            return self._alone(session, event, columns, look.deadline)

    def settle(self) -> list[Sighting]:
        """Tells what has waited long enough for more pictures. Any worker may; each is told once."""
        now = self._clock.now()
        due = (
            DecisionRow.settles_at.is_not(None),
            DecisionRow.told_at.is_(None),
            DecisionRow.settles_at <= now,
        )
        with self._database.read() as session:
            if session.scalar(select(DecisionRow.sighting_id).where(*due).limit(1)) is None:
                return []
        told = []
        with self._database.write() as session:
            taken = session.scalars(
                update(DecisionRow)
                .where(*due)
                .values(told_at=now)
                .execution_options(synchronize_session=False)
                .returning(DecisionRow.sighting_id)
            ).all()
            found = session.execute(
                select(DecisionRow, EventRow)
                .join(EventRow, EventRow.id == DecisionRow.event_id)
                .where(DecisionRow.sighting_id.in_(taken))
                .order_by(DecisionRow.at, DecisionRow.sighting_id)
            )
            for row, event in found:
                told.append(self._tell(session, event, row))
        log.info("recognition.settled", sightings=len(told))
        return told

    def _alone(
        self, session: Session, event: EventStored, columns: dict[str, Any], deadline: dt.timedelta
    ) -> Sighting | None:
        """A decision that begins a passage, or is by itself."""
        now: dt.datetime = columns["decided_at"]
        columns["valid_until"] = _until(event, event.at, columns, deadline, now)
        settles_at = event.received_at + self._policy.settle
        waits = event.track is not None and settles_at > now and not _is_clear(columns)
        first = {"settles_at": settles_at, "told_at": None} if waits else {"settles_at": None, "told_at": now}
        if self._insert(session, columns | first):
            return (
                None
                if waits
                else self._tell(session, event, session.get_one(DecisionRow, columns["sighting_id"]))
            )
        row = session.get_one(DecisionRow, columns["sighting_id"])
        if not (event.amends and _decide_anew(session, columns)):
            return sighting_of(event, row) if _is_told(row) else None
        session.refresh(row)
        _share(session, row, columns)
        if _is_told(row):
            return self._tell(session, event, row, told_as=f"{row.sighting_id}:{event.revision}", amends=True)
        return self._tell_now(session, event, row, now) if _is_clear(columns) else None

    def _join(
        self,
        session: Session,
        event: EventStored,
        columns: dict[str, Any],
        passage: Passage,
        deadline: dt.timedelta,
    ) -> Sighting | None:
        """A decision on a further picture: it is the passage's, told in the name of its first."""
        first = passage.first
        assert first is not None
        now: dt.datetime = columns["decided_at"]
        leader = session.get_one(DecisionRow, first.leader)
        columns["valid_until"] = _until(first.event, leader.at, columns, deadline, now)
        told = _is_told(leader)
        amends = told and self._may_amend(event, leader, columns, now)
        if told and not amends:
            # What was told holds: the picture has come too late to change it.
            columns |= {name: getattr(leader, name) for name in _SHARED}
        untold = {"leader": leader.sighting_id, "settles_at": None, "told_at": None}
        added = self._insert(session, columns | untold)
        if not added and not (event.amends and _decide_anew(session, columns)):
            return None
        if told and not amends:
            return None
        _share(session, leader, columns)
        if amends:
            leader.amendments += 1
            session.flush()
            return self._tell(session, first.event, leader, told_as=f"{leader.sighting_id}:more", amends=True)
        due = leader.settles_at is not None and leader.settles_at <= now
        return self._tell_now(session, first.event, leader, now) if due or _is_clear(columns) else None

    def _may_amend(
        self, event: EventStored, leader: DecisionRow, columns: dict[str, Any], now: dt.datetime
    ) -> bool:
        """Whether more pictures change what was told: once, soon, and only where it says something else."""
        said = (leader.outcome, leader.person_id, leader.household_id)
        says = (columns["outcome"], columns["person_id"], columns["household_id"])
        soon = leader.told_at is not None and now <= leader.told_at + self._policy.amend_within
        return soon and said != says and leader.amendments == 0 and not event.late

    def _remember(self, look: Look, told_as: str, event: EventStored) -> None:
        if look.stranger is not None:
            one = look.stranger
            self._strangers.see(told_as, event.compound, one.engine, one.face, one.near)

    def _insert(self, session: Session, columns: dict[str, Any]) -> bool:
        """Whether it was the first decision on its event; the one that was there first stays."""
        dialect = sqlite if self._database.is_sqlite else postgresql
        insert = dialect.insert(DecisionRow).values(columns | {"amendments": 0}).on_conflict_do_nothing()
        return bool(session.execute(insert.returning(DecisionRow.sighting_id)).all())

    def _tell_now(self, session: Session, event: Happened, row: DecisionRow, now: dt.datetime) -> Sighting:
        row.told_at = now
        session.flush()
        return self._tell(session, event, row)

    def _tell(
        self,
        session: Session,
        event: Happened,
        row: DecisionRow,
        *,
        told_as: str | None = None,
        amends: bool = False,
    ) -> Sighting:
        """Queues the message. The bus drops a second one of one id: a new decision has its own."""
        token = self._strangers.token(row.sighting_id) if row.outcome == "unknown" else None
        sighting = sighting_of(event, row, amends=amends, token=token)
        subject = subjects.sighting(row.compound, row.subject_kind, row.outcome)
        enqueue_of_events(
            session, [(sighting.event_id, told_as or row.sighting_id, subject, encode(sighting))]
        )
        return sighting


def _share(session: Session, leader: DecisionRow, columns: dict[str, Any]) -> None:
    """Gives all events of a passage the decision."""
    passage = or_(DecisionRow.sighting_id == leader.sighting_id, DecisionRow.leader == leader.sighting_id)
    session.execute(
        update(DecisionRow)
        .where(DecisionRow.compound == leader.compound, passage)
        .values({name: columns[name] for name in _SHARED})
        .execution_options(synchronize_session=False)
    )
    session.refresh(leader)


def _decide_anew(session: Session, columns: dict[str, Any]) -> bool:
    """Puts a decision in the place of one on less; False where somebody knew as much already."""
    known = func.coalesce(DecisionRow.revision, -1)
    changed = session.execute(
        update(DecisionRow)
        .where(DecisionRow.sighting_id == columns["sighting_id"], known < columns["revision"])
        .values(columns)
        .execution_options(synchronize_session=False)
        .returning(DecisionRow.sighting_id)
    )
    return bool(changed.all())


def _until(
    event: Happened, at: dt.datetime, columns: dict[str, Any], deadline: dt.timedelta, now: dt.datetime
) -> dt.datetime | None:
    return valid_until(
        columns["outcome"],
        tuple(columns["reasons"]),
        at=at,
        received_at=event.received_at,
        late=bool(event.late),
        deadline=deadline,
        now=now,
    )


def _is_told(row: DecisionRow) -> bool:
    """Whether the bus has heard of it; what was decided before anything waited has been told at once."""
    return row.told_at is not None or row.settles_at is None


def _is_clear(columns: dict[str, Any]) -> bool:
    return columns["outcome"] in {"identified", "household"}
