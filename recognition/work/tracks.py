"""Which events are one passage: pictures of one device track, or of one lane within seconds.

Neighbours are found in the database, so that any worker finds them. A track's word is taken
until its faces disagree, which is a tracker that has switched to somebody else. Pictures that
only share a lane have to agree: people who follow each other closely are not one person.
"""

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from bus.messages import EventStored, Picture
from recognition.calibration import FaceThresholds
from recognition.engines import Vector
from recognition.models import DecisionRow
from recognition.work.asserted import DEVICE
from recognition.work.face_path import distance
from recognition.work.finding import ENGINE_CRASHED, UNPROCESSED
from recognition.work.frames import LIFE
from storage.amendments import standing
from storage.events import EventRow

State = tuple[tuple[str, str | None, bool, int, int | None], ...]

_KEY_BYTES: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One event of a passage with its decision, both outside of any session."""

    decision: DecisionRow
    event: EventRow

    @property
    def leader(self) -> str:
        """The sighting that the passage is told as."""
        return self.decision.leader or self.decision.sighting_id

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return msgspec.convert(self.event.body.get("pictures") or (), tuple[Picture, ...])


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """Events that share one decision, in order of time, and the face that they make; None for none."""

    members: tuple[Member, ...]
    face: Vector | None

    @property
    def first(self) -> Member | None:
        """The one that it is told as; None where it is out of reach."""
        return next((one for one in self.members if one.decision.leader is None), None)


def neighbours(session: Session, event: EventStored, gap: dt.timedelta) -> list[Member]:
    """Events beside this one, decided on before: each at most ``gap`` from the next one towards it.

    Those that a terminal decided by itself and those that nobody looked at are not among them,
    and none that took workers with it: beside another it would take more.
    """
    query = (
        select(DecisionRow, EventRow)
        .join(EventRow, EventRow.id == DecisionRow.event_id)
        .where(
            DecisionRow.compound == event.compound,
            DecisionRow.event_id != event.id,
            DecisionRow.subject_kind == "face",
            DecisionRow.outcome != UNPROCESSED,
            or_(DecisionRow.engine.is_(None), DecisionRow.engine != DEVICE),
            DecisionRow.at.between(event.at - LIFE, event.at + LIFE),
        )
        .order_by(DecisionRow.at, DecisionRow.sighting_id)
    )
    if event.track is not None or event.lane is None:
        query = query.where(DecisionRow.device == event.device_id)
    else:
        query = query.where(EventRow.lane == event.lane)
    found = [
        Member(decision, row)
        for decision, row in session.execute(query)
        if ENGINE_CRASHED not in decision.reasons
        and (event.track is None or row.body.get("track") == event.track)
    ]
    chain = _chain(found, event.at, gap)
    standing(session, [one.event for one in chain])
    for one in chain:
        for row in (one.decision, one.event):
            if row in session:
                session.expunge(row)
    return chain


def passages(members: Sequence[Member], faces: Collection[tuple[str, Vector | None]]) -> list[Passage]:
    """Neighbours by the sighting that they are told as; ``faces`` is each passage's, by that sighting."""
    by_leader: defaultdict[str, list[Member]] = defaultdict(list)
    for member in members:
        by_leader[member.leader].append(member)
    known = dict(faces)
    return [Passage(tuple(group), known.get(leader)) for leader, group in by_leader.items()]


def passage_of(
    face: Vector | None, found: Sequence[Passage], *, tracked: bool, pair: FaceThresholds
) -> Passage | None:
    """The passage that a further picture belongs to; None where it begins one.

    ``pair`` are the thresholds for a comparison with one person. Within a track everything
    belongs together that is not certainly somebody else; a picture without a face too.
    """
    reachable = [one for one in found if one.first is not None]
    measured = [
        (distance(face, one.face), number)
        for number, one in enumerate(reachable)
        if face is not None and one.face is not None
    ]
    if measured:
        nearest, number = min(measured)
        if nearest <= (pair.unknown if tracked else pair.identify):
            return reachable[number]
    if not tracked:
        return None
    faceless = [one for one in reachable if face is None or one.face is None]
    return max(faceless, key=lambda one: one.members[-1].decision.at, default=None)


def state_of(members: Sequence[Member]) -> State:
    """What must not have changed between looking and writing down."""
    return tuple(
        (d.sighting_id, d.leader, d.told_at is not None, d.amendments, d.revision)
        for d in (one.decision for one in members)
    )


def hold(session: Session, event: EventStored) -> None:
    """Of two workers that write down pictures of one place at once the second sees what the first has.

    SQLite has one writer at a time; PostgreSQL is asked for a lock until the transaction ends.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    place = f"{event.compound}\x1f{event.lane or event.device_id}"
    digest = hashlib.blake2b(place.encode(), digest_size=_KEY_BYTES).digest()
    session.execute(
        text("SELECT pg_advisory_xact_lock(:place)"), {"place": int.from_bytes(digest, signed=True)}
    )


def _chain(found: Sequence[Member], at: dt.datetime, gap: dt.timedelta) -> list[Member]:
    """Those that are tied to a moment by steps of at most ``gap``."""
    before = [one for one in found if one.decision.at <= at]
    after = [one for one in found if one.decision.at > at]
    tied: list[Member] = []
    edge = at
    for one in reversed(before):
        if edge - one.decision.at > gap:
            break
        edge = one.decision.at
        tied.append(one)
    tied.reverse()
    edge = at
    for one in after:
        if one.decision.at - edge > gap:
            break
        edge = one.decision.at
        tied.append(one)
    return tied
