"""The test bench: a message goes the whole way through ingest and rules, and all of it is taken back.

Ingest's own code reads it, in a transaction that ends in nothing; the rules that are in force
see it after the last hour, twice: with it and without. What the first has and the second has
not is what it would have raised.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final, cast

from prometheus_client import CollectorRegistry
from sqlalchemy.orm import Session

from alerts import knowing, mutes
from alerts.knowing import observe
from alerts.rehearsal import Trial, rehearse
from alerts.rehearsal.running import Outcome, Told
from alerts.rulebook.current import current
from alerts.rules import RULES, Observation
from bus.messages import EventStored
from console.tryout import Tried, TriedEvent, TriedIncident, TriedMessage
from devices.directory import DeviceDirectory
from ingest import matches
from ingest.arrival import Arrival
from ingest.batch import Batch
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.rows import Prepared
from ringward.replay import came_in
from storage import Database, MediaStore, StoredPicture

BEFORE: Final = dt.timedelta(hours=1)
"""What rules look back upon, for a trial: all of a day would take minutes on a busy gate."""
AFTER: Final = dt.timedelta(minutes=15)
"""How long a rule may wait for what does not come (a door that is not closed)."""


class _NoStore:
    """Says what pictures would be called, and keeps none."""

    def __init__(self, media: MediaStore) -> None:
        self._media = media

    def id_of(self, content: bytes) -> str:
        return self._media.id_of(content)

    def put(self, content: bytes) -> StoredPicture:
        return StoredPicture(self._media.id_of(content), len(content))


def try_out(
    database: Database, media: MediaStore, compound: str, message: TriedMessage, now: dt.datetime
) -> Tried:
    """What would become of a message of this compound now. Events of another compound are not told of."""
    seen: list[tuple[Tried, list[Observation]]] = []

    def look(session: Session, batch: Batch, fresh: Sequence[Prepared]) -> None:
        told = matches.resolved(session, [one.message for one in (*fresh, *batch.amendments)])
        mine = [one for one in told if one.compound == compound]
        seen.append((_read(compound, batch, fresh), observe(session, compound, mine)))

    nowhere = cast("MediaStore", _NoStore(media))
    intake = Intake(database, nowhere, DeviceDirectory(database), IntakeMetrics(CollectorRegistry()))
    arrival = Arrival(
        message.topic, message.body, now, signed_in=message.signed_in, content_type=message.content_type
    )
    intake.rehearse(arrival, look)
    tried, heard = seen[0]
    if not heard or all(one.late for one in tried.events):
        return tried
    with_it, without = _raised(database, compound, heard, now)
    before = {told.key for told in without.incidents}
    return Tried(
        refused=tried.refused,
        strangers=tried.strangers,
        events=tried.events,
        signs=tried.signs,
        results=tried.results,
        heard=len(heard),
        incidents=tuple(_incident(told) for told in with_it.incidents if told.key not in before),
        muted=max(0, with_it.muted - without.muted),
        answers=tried.answers,
    )


def _read(compound: str, batch: Batch, fresh: Sequence[Prepared]) -> Tried:
    new = {one.message.id for one in fresh}
    every = [*(prepared for _, prepared in batch.events.values()), *batch.amendments]
    letter = next((one for one in batch.letters if one["compound"] in {compound, None}), None)
    if letter is None and batch.letters:
        # Whoever tries a message learns nothing of another compound's devices.
        letter = batch.letters[0] | {"reason": "unknown_device", "detail": ""}
    return Tried(
        refused=None if letter is None else (str(letter["reason"]), str(letter["detail"])),
        strangers=tuple(name for (_, _, name) in batch.candidates),
        events=tuple(
            _event(one.message, known=one.message.id not in new)
            for one in every
            if one.message.compound == compound
        ),
        signs=tuple(
            (device.device_id, online) for device, online, _, _ in batch.states if device.compound == compound
        ),
        results=len(batch.results),
        answers=tuple(answer.topic for settled in batch.settled for answer in settled.answers),
    )


def _event(message: EventStored, *, known: bool) -> TriedEvent:
    return TriedEvent(
        type=message.type,
        device=message.device_id,
        zone=message.zone,
        ring=message.ring,
        lane=message.lane,
        direction=message.direction,
        at=message.at,
        late=message.late,
        marks=tuple(message.marks),
        pictures=tuple(picture.role for picture in message.pictures),
        known=known,
    )


def _raised(
    database: Database, compound: str, heard: Sequence[Observation], now: dt.datetime
) -> tuple[Outcome, Outcome]:
    with database.read() as session:
        site = knowing.site(session, compound, now - BEFORE)
        book = current(session, compound, now).book
        trial = Trial(book, mutes.in_force(session, compound, now - BEFORE))
    past = list(came_in(database, compound, now - BEFORE, now))
    until = now + AFTER
    (with_it,) = rehearse([*past, *heard], RULES, [trial], site, now - BEFORE, until)
    (without,) = rehearse(past, RULES, [trial], site, now - BEFORE, until)
    return with_it, without


def _incident(told: Told) -> TriedIncident:
    return TriedIncident(told.rule, told.kind, told.severity, told.zone)
