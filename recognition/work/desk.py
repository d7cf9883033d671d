"""One picture in hand: looked at, counted, and given up where it has killed two workers.

A picture that kills is a decision too (`no_usable_picture`, `engine_crashed`): silence would
look like nobody. Its message is a dead letter, which names the picture by its id in the media
store; that keeps it as long as any other.
"""

import time
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from bus import deadletters
from bus.lanes import Delivery
from bus.messages import EventStored, Sighting
from recognition.work.finding import ENGINE_CRASHED
from recognition.work.metrics import RecognitionMetrics
from recognition.work.tries import Look, Tries
from storage import Clock, Database

log = structlog.get_logger(__name__)

KILLS: Final = "picture_kills_worker"


class Looker(Protocol):
    """What the desk needs of the worker."""

    def handle(self, message: EventStored) -> Sequence[Sighting]: ...

    def give_up(self, message: EventStored, reason: str) -> Sequence[Sighting]:
        """Decides without looking; a decision that is there stays."""


class Desk:
    """Takes one delivery after the other, in one thread at a time."""

    def __init__(self, database: Database, looker: Looker, clock: Clock, metrics: RecognitionMetrics) -> None:
        self._database = database
        self._looker = looker
        self._clock = clock
        self._metrics = metrics
        self._tries = Tries(database, clock)

    def take(self, delivery: Delivery) -> None:
        """Returns when the delivery is done with. Raises what the database raises: it comes again."""
        event = delivery.message
        if not isinstance(event, EventStored):
            return
        kind = event.type.partition(".")[0]
        look = self._tries.begin(event.id, kind, delivery.attempt)
        if look.too_many:
            self._give_up(delivery, event, look)
            return
        if look.written:
            self._metrics.again(kind)
            log.warning("recognition.looking_again", event_id=event.id, kind=kind, attempt=delivery.attempt)
        self._metrics.waited(delivery.lane, (self._clock.now() - event.received_at).total_seconds())
        started = time.perf_counter()
        try:
            sightings = self._looker.handle(event)
        except Exception:
            self._metrics.failed(kind)
            self._tries.failed(look)
            raise
        self._metrics.looked(kind, time.perf_counter() - started, sightings)
        self._tries.ended(look)

    def _give_up(self, delivery: Delivery, event: EventStored, look: Look) -> None:
        """Letter first: where this is interrupted it is done again, and the letter counts up."""
        log.error(
            "recognition.picture_kills_worker",
            event_id=event.id,
            kind=look.subject_kind,
            device=event.device_id,
            deaths=look.deaths,
        )
        letter = deadletters.letter(
            "bus",
            KILLS,
            self._clock.now(),
            detail=f"{look.deaths} workers ended while they looked at it",
            topic=delivery.subject,
            compound=event.compound,
            device_id=event.device_id,
            raw=delivery.payload,
            known_by=deadletters.fingerprint(KILLS, event.id, look.subject_kind),
            context={"event_id": event.id, "stream_seq": delivery.sequence, "consumer": delivery.lane},
        )
        with self._database.write() as session:
            deadletters.record(session, [letter])
        self._metrics.decided(self._looker.give_up(event, ENGINE_CRASHED))
        self._metrics.gave_up(look.subject_kind)
        self._tries.ended(look)
