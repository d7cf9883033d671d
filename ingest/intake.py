"""The intake: a batch of arrivals becomes one commit. Acknowledging comes after, elsewhere."""

import datetime as dt
from collections import Counter as Counted
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bus import deadletters, subjects
from bus.embedded import device_of
from bus.messages import Picture, encode
from devices import presence
from devices.directory import DeviceDirectory, DeviceFacts
from ingest.native import RefusedError, decode_event, decode_state, record_id_of
from ingest.rows import Prepared, event_row, prepare
from ingest.timing import settle
from storage import Database, MediaStore
from storage.events import EventRow, enqueue, store

log = structlog.get_logger(__name__)


_events = cast("Table", EventRow.__table__)
# Built once: an IN of a thousand ids costs more to put together than to run.
_KNOWN = select(_events.c.id, _events.c.content_hash).where(
    _events.c.id.in_(bindparam("ids", expanding=True))
)
_COUNT_AGAIN = (
    update(_events)
    .where(_events.c.id.in_(bindparam("ids", expanding=True)))
    .values(resent=_events.c.resent + bindparam("times"))
)


class Arrival(msgspec.Struct, frozen=True):
    """A message as it came in. `retained` ones are the broker's memory, not news."""

    topic: str
    payload: bytes
    received_at: dt.datetime
    retained: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What a device is told once its message is safe (or refused for good)."""

    topic: str
    payload: bytes


class _Reply(msgspec.Struct, omit_defaults=True):
    # The device's record id; None where the message was too broken to hold one.
    id: str | None
    ok: bool
    reason: str | None = None


class IntakeMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.stored = Counter("ringward_ingest_events", "Events committed.", ["live"], registry=registry)
        self.resent = Counter("ringward_ingest_resent", "Events that were there already.", registry=registry)
        self.refused = Counter("ringward_ingest_refused", "Dead letters.", ["reason"], registry=registry)
        self.batch = Histogram(
            "ringward_ingest_batch_messages",
            "Messages a commit.",
            registry=registry,
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
        )


@dataclass(slots=True)
class _Batch:
    """What one commit will hold, gathered before the database is touched."""

    events: dict[str, tuple[Arrival, Prepared]]
    conflicts: list[tuple[Arrival, Prepared]]
    repeats: list[tuple[Arrival, Prepared]]
    states: list[tuple[DeviceFacts, bool, dt.timedelta | None, dt.datetime]]
    letters: list[dict[str, Any]]
    last_seen: dict[str, dt.datetime]


class Intake:
    """Turns arrivals into committed events, dead letters and answers."""

    def __init__(
        self, database: Database, media: MediaStore, directory: DeviceDirectory, metrics: IntakeMetrics
    ) -> None:
        self._database = database
        self._media = media
        self._directory = directory
        self._metrics = metrics
        # Device clock minus ours, as heartbeats showed it.
        self._offsets: dict[str, dt.timedelta] = {}

    def process(self, arrivals: Sequence[Arrival]) -> list[Answer | None]:
        """Commits a batch; when it returns, every arrival is safe and may be acknowledged.

        Raises whatever the database or the disk raises; then nothing may be acknowledged.
        """
        batch = _Batch({}, [], [], [], [], {})
        answers = [self._take(arrival, batch) for arrival in arrivals]
        with self._database.write() as session:
            fresh = self._store(session, batch)
        self._count(batch, fresh)
        self._metrics.batch.observe(len(arrivals))
        if batch.conflicts:
            refused = {id(arrival): prepared for arrival, prepared in batch.conflicts}
            for position, arrival in enumerate(arrivals):
                prepared = refused.get(id(arrival))
                if prepared is not None:
                    answers[position] = _answer(
                        prepared.message.compound,
                        prepared.message.device_id,
                        _Reply(prepared.record_id, ok=False, reason="duplicate_id_conflict"),
                    )
        return answers

    def _take(self, arrival: Arrival, batch: _Batch) -> Answer | None:
        compound, device_id = device_of(arrival.topic)
        try:
            device, leaf = self._sender(arrival.topic, compound, device_id)
            if leaf == "state":
                self._take_state(arrival, device, batch)
                return None
            prepared = self._read_event(arrival, device, batch)
        except RefusedError as refused:
            return self._refuse(batch, arrival, refused)
        except (OSError, SQLAlchemyError):
            # The disk or the database, not the message: nothing of this batch may be acknowledged.
            raise
        except Exception as error:
            # A message that we trip over must not be delivered for ever, nor disappear.
            log.exception("ingest.not_understood", device=device_id)
            return self._refuse(batch, arrival, RefusedError("not_understood", type(error).__name__))
        if not prepared.message.late:
            batch.last_seen[device.device_id] = arrival.received_at
        first = batch.events.setdefault(prepared.message.id, (arrival, prepared))[1]
        if first is not prepared:
            same = first.content_hash == prepared.content_hash
            (batch.repeats if same else batch.conflicts).append((arrival, prepared))
        return _answer(device.compound, device.device_id, _Reply(prepared.record_id, ok=True))

    def _sender(self, topic: str, compound: str | None, device_id: str | None) -> tuple[DeviceFacts, str]:
        parts = topic.split("/")
        if compound is None or device_id is None or len(parts) != 6 or parts[5] not in {"event", "state"}:
            raise RefusedError("wrong_topic", "expected rw/v1/{compound}/{device}/up/event or …/state")
        device = self._directory.get(device_id)
        if device is None:
            raise RefusedError("unknown_device", device_id[:64])
        if device.compound != compound:
            raise RefusedError("wrong_compound", f"{device_id[:64]} is registered elsewhere")
        if not device.enabled:
            raise RefusedError("disabled_device", device_id[:64])
        return device, parts[5]

    def _read_event(self, arrival: Arrival, device: DeviceFacts, batch: _Batch) -> Prepared:
        decoded = decode_event(arrival.payload, device.time_zone)
        if "bad_base64" in decoded.marks:
            # The event counts without its picture; the bytes stay for whoever mends the device.
            self._refuse(batch, arrival, RefusedError("bad_base64", "the event was kept without the picture"))
        timing = settle(
            decoded.device_time,
            arrival.received_at,
            flagged_late=decoded.late,
            known_offset=self._offsets.get(device.device_id),
        )
        pictures = []
        for role, content in decoded.pictures:
            stored = self._media.put(content)
            pictures.append(Picture(role, stored.media_id, stored.size))
        return prepare(device, decoded, timing, arrival.received_at, pictures)

    def _take_state(self, arrival: Arrival, device: DeviceFacts, batch: _Batch) -> None:
        # A device that clears its retained state sends an empty payload; it says nothing.
        if not arrival.payload:
            return
        online, device_time = decode_state(arrival.payload, device.time_zone)
        offset = None
        if online and device_time is not None and not arrival.retained:
            offset = device_time - arrival.received_at
            self._offsets[device.device_id] = offset
        if arrival.retained and online:
            # What the broker remembers of a device is no sign of life.
            return
        batch.states.append((device, online, offset, arrival.received_at))

    def _refuse(self, batch: _Batch, arrival: Arrival, refused: RefusedError) -> Answer | None:
        """Makes a dead letter; the answer tells a device that it need not send this again."""
        compound, device_id = device_of(arrival.topic)
        log.warning("ingest.refused", reason=refused.reason, size=len(arrival.payload))
        batch.letters.append(
            deadletters.letter(
                "mqtt",
                refused.reason,
                arrival.received_at,
                detail=refused.detail,
                topic=arrival.topic,
                compound=compound,
                device_id=device_id,
                raw=arrival.payload,
            )
        )
        if compound is None or device_id is None or not arrival.topic.endswith("/event"):
            return None
        known = self._directory.get(device_id)
        if known is None or known.compound != compound:
            return None
        reply = _Reply(record_id_of(arrival.payload), ok=False, reason=refused.reason)
        return _answer(compound, device_id, reply)

    def _store(self, session: Session, batch: _Batch) -> list[Prepared]:
        """Writes everything; returns the events that were new."""
        fresh = self._sort_out_known(session, batch)
        if fresh:
            store(session, [event_row(prepared) for prepared in fresh])
            enqueue(
                session,
                [
                    (
                        prepared.message.id,
                        subjects.event(prepared.message.compound, prepared.message.type),
                        encode(prepared.message),
                    )
                    for prepared in fresh
                ],
            )
        if batch.repeats:
            counts = Counted(prepared.message.id for _, prepared in batch.repeats)
            for times in set(counts.values()):
                again = [event_id for event_id, seen in counts.items() if seen == times]
                session.execute(_COUNT_AGAIN, {"ids": again, "times": times})
        for arrival, prepared in batch.conflicts:
            detail = f"record {prepared.record_id[:100]} was stored before with other content"
            self._refuse(batch, arrival, RefusedError("duplicate_id_conflict", detail))
        self._note_presence(session, batch)
        deadletters.record(session, batch.letters)
        return fresh

    def _count(self, batch: _Batch, fresh: list[Prepared]) -> None:
        """After the commit: a batch that failed comes again and would be counted twice."""
        late = sum(1 for prepared in fresh if prepared.message.late)
        self._metrics.stored.labels("true").inc(len(fresh) - late)
        self._metrics.stored.labels("false").inc(late)
        self._metrics.resent.inc(len(batch.repeats))
        for letter in batch.letters:
            self._metrics.refused.labels(letter["reason"]).inc()

    def _sort_out_known(self, session: Session, batch: _Batch) -> list[Prepared]:
        """The events that are new; the others go to repeats or conflicts.

        Only one ingest writes a device's events, so looking first is safe here; the primary
        key stands behind it, and a lost race fails the batch, which then comes again.
        """
        if not batch.events:
            return []
        rows = session.execute(_KNOWN, {"ids": list(batch.events)})
        known = {row.id: row.content_hash for row in rows}
        if not known:
            return [prepared for _, prepared in batch.events.values()]
        fresh = []
        for event_id, (arrival, prepared) in batch.events.items():
            if event_id not in known:
                fresh.append(prepared)
            elif known[event_id] == prepared.content_hash:
                batch.repeats.append((arrival, prepared))
            else:
                batch.conflicts.append((arrival, prepared))
        return fresh

    def _note_presence(self, session: Session, batch: _Batch) -> None:
        for device, online, offset, at in batch.states:
            if online:
                batch.last_seen[device.device_id] = at
            if offset is not None:
                presence.note_clock(session, device.device_id, offset)
            presence.change(session, device, at, online=online, cause="heartbeat" if online else "last_will")
        presence.seen(session, batch.last_seen)
        told = {device.device_id for device, *_ in batch.states}
        for device_id, at in batch.last_seen.items():
            known = self._directory.get(device_id)
            if known is not None and device_id not in told:
                presence.change(session, known, at, online=True, cause="event")


def _answer(compound: str, device_id: str, reply: _Reply) -> Answer:
    return Answer(subjects.downlink(compound, device_id, "ack"), msgspec.json.encode(reply))
