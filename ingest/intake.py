"""The intake: a batch of arrivals becomes one commit. Acknowledging comes after, elsewhere."""

import datetime as dt
from collections import Counter as Counted
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bus import deadletters, subjects
from bus.embedded import device_of
from bus.messages import Picture, encode
from devices import candidates, points, presence
from devices.adapters.canonical import CRITICAL
from devices.adapters.contract import (
    Adapter,
    Decoded,
    HttpReply,
    Incoming,
    Outgoing,
    Reading,
    RefusedError,
    SignOfLife,
)
from devices.directory import DeviceDirectory, DeviceFacts
from devices.roots import rooted
from ingest import identity, routes
from ingest.arrival import Arrival, Settled
from ingest.routes import Route
from ingest.rows import Prepared, amendment_row, event_row, message_id, prepare
from ingest.timing import settle
from storage import Database, MediaStore
from storage.events import EventAmendment, EventRow, enqueue, store

log = structlog.get_logger(__name__)


_events = cast("Table", EventRow.__table__)
# Built once: an IN of a thousand ids costs more to put together than to run.
_KNOWN = select(_events.c.id, _events.c.content_hash, _events.c.revision).where(
    _events.c.id.in_(bindparam("ids", expanding=True))
)
_amendments = cast("Table", EventAmendment.__table__)
# In rising order, so that the newest is what is left when all are read.
_AMENDED = (
    select(_amendments.c.event_id, _amendments.c.content_hash, _amendments.c.revision)
    .where(_amendments.c.event_id.in_(bindparam("ids", expanding=True)))
    .order_by(_amendments.c.revision)
)
_COUNT_AGAIN = (
    update(_events)
    .where(_events.c.id.in_(bindparam("ids", expanding=True)))
    .values(resent=_events.c.resent + bindparam("times"))
)


class IntakeMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.stored = Counter("ringward_ingest_events", "Events committed.", ["live"], registry=registry)
        self.resent = Counter("ringward_ingest_resent", "Events that were there already.", registry=registry)
        self.amended = Counter(
            "ringward_ingest_amended", "Events of which more became known.", registry=registry
        )
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

    events: dict[str, tuple[int, Prepared]] = field(default_factory=dict)
    # Told more than once within the batch under one id: sorted out with what is stored.
    further: list[tuple[int, Prepared]] = field(default_factory=list)
    unnamed: list[tuple[int, Reading, DeviceFacts]] = field(default_factory=list)
    repeats: Counted[str] = field(default_factory=Counted)
    amendments: list[Prepared] = field(default_factory=list)
    states: list[tuple[DeviceFacts, bool, dt.timedelta | None, dt.datetime]] = field(default_factory=list)
    candidates: list[tuple[str, str | None, str, dt.datetime, dict[str, Any]]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    last_seen: dict[str, dt.datetime] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)


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

    def process(self, arrivals: Sequence[Arrival]) -> list[Settled]:
        """Commits a batch; when it returns, every arrival is safe and may be acknowledged.

        Raises whatever the database or the disk raises; then nothing may be acknowledged.
        """
        batch = _Batch()
        for position, arrival in enumerate(arrivals):
            batch.settled.append(self._take(position, arrival, batch))
        with self._database.write() as session:
            fresh = self._store(session, arrivals, batch)
        self._count(batch, fresh)
        self._metrics.batch.observe(len(arrivals))
        return batch.settled

    def _take(self, position: int, arrival: Arrival, batch: _Batch) -> Settled:
        route: Route | None = None
        try:
            route = routes.find(self._directory, arrival.topic, arrival.signed_in)
            adapter, decoded = _read(route, arrival)
            return self._understand(position, arrival, route, adapter, decoded, batch)
        except RefusedError as refused:
            return self._refuse(batch, arrival, route, refused)
        except (OSError, SQLAlchemyError):
            # The disk or the database, not the message: nothing of this batch may be acknowledged.
            raise
        except Exception as error:
            # A message that we trip over must not be delivered for ever, nor disappear.
            log.exception("ingest.not_understood")
            return self._refuse(batch, arrival, route, RefusedError("not_understood", type(error).__name__))

    def _understand(
        self,
        position: int,
        arrival: Arrival,
        route: Route,
        adapter: Adapter,
        decoded: Decoded,
        batch: _Batch,
    ) -> Settled:
        sender = self._sender(arrival, route, adapter, decoded, batch)
        for sign in decoded.signs:
            device = sender if sign.device is None else self._directory.behind(sender.device_id, sign.device)
            if device is None:
                batch.candidates.append(
                    (adapter.name, sender.device_id, sign.device or "", arrival.received_at, sign.facts)
                )
            elif device.trusted:
                self._take_sign(arrival, device, sign, batch)
        strangers: dict[str, None] = {}
        aside: RefusedError | None = None
        for reading in decoded.readings:
            device = (
                sender if reading.device is None else self._directory.behind(sender.device_id, reading.device)
            )
            if device is None:
                strangers[reading.device or ""] = None
                continue
            try:
                _trust(device)
            except RefusedError as refused:
                aside = refused
                continue
            self._take_reading(position, arrival, device, reading, batch)
        if strangers:
            batch.candidates += [
                (adapter.name, sender.device_id, name, arrival.received_at, {}) for name in strangers
            ]
            aside = RefusedError("unknown_device", ", ".join(strangers)[:200])
        if aside is not None:
            return self._refuse(batch, arrival, route, aside)
        answers = decoded.answers
        if route.root is not None:
            answers = tuple(_rooted(answer, adapter, route.root) for answer in answers)
        return Settled(answers, decoded.reply)

    def _sender(
        self, arrival: Arrival, route: Route, adapter: Adapter, decoded: Decoded, batch: _Batch
    ) -> DeviceFacts:
        """The registered device that speaks. Raises `RefusedError` unless it is to be believed."""
        device = route.device
        if device is None and decoded.sender is not None:
            device = self._directory.speaking(adapter.name, decoded.sender)
        if device is None:
            name = decoded.sender or ""
            facts = next((sign.facts for sign in decoded.signs if sign.device is None), {})
            batch.candidates.append((adapter.name, None, name, arrival.received_at, facts))
            raise RefusedError("unknown_device", name[:64])
        _trust(device)
        return device

    def _take_reading(
        self, position: int, arrival: Arrival, device: DeviceFacts, reading: Reading, batch: _Batch
    ) -> None:
        if "bad_base64" in reading.marks:
            # The event counts without its picture; the bytes stay for whoever mends the device.
            self._refuse(
                batch, arrival, None, RefusedError("bad_base64", "the event was kept without the picture")
            )
        if reading.point is not None or reading.record_id is None:
            batch.unnamed.append((position, reading, device))
            return
        self._sort(position, self._prepare(arrival, device, reading), batch)

    def _prepare(self, arrival: Arrival, device: DeviceFacts, reading: Reading) -> Prepared:
        device_time, marks = reading.device_time, reading.marks
        if device_time is not None and device_time.tzinfo is None:
            device_time = _in_zone(device_time, device.time_zone)
            marks = (*marks, "zone_assumed")
        timing = settle(
            device_time,
            arrival.received_at,
            flagged_late=reading.late or arrival.late,
            known_offset=self._offsets.get(device.device_id),
        )
        pictures = []
        for role, content in reading.pictures:
            stored = self._media.put(content)
            pictures.append(Picture(role, stored.media_id, stored.size))
        return prepare(device, reading, device_time, marks, timing, arrival.received_at, pictures)

    def _sort(self, position: int, prepared: Prepared, batch: _Batch) -> None:
        if not prepared.message.late:
            batch.last_seen[prepared.message.device_id] = prepared.message.received_at
        if prepared.message.id in batch.events:
            batch.further.append((position, prepared))
        else:
            batch.events[prepared.message.id] = (position, prepared)

    def _take_sign(self, arrival: Arrival, device: DeviceFacts, sign: SignOfLife, batch: _Batch) -> None:
        offset = None
        if sign.online and sign.device_time is not None and not arrival.retained:
            device_time = sign.device_time
            if device_time.tzinfo is None:
                device_time = _in_zone(device_time, device.time_zone)
            offset = device_time - arrival.received_at
            self._offsets[device.device_id] = offset
        if (arrival.retained and sign.online) or arrival.late:
            # What the broker remembers of a device is no sign of life.
            return
        batch.states.append((device, sign.online, offset, arrival.received_at))

    def _refuse(self, batch: _Batch, arrival: Arrival, route: Route | None, refused: RefusedError) -> Settled:
        """Makes a dead letter; the answer tells a device that it need not send this again."""
        compound, device_id = device_of(arrival.topic)
        known = route.device if route is not None else None
        if known is not None:
            compound, device_id = known.compound, known.device_id
        log.warning("ingest.refused", reason=refused.reason, size=len(arrival.payload))
        batch.letters.append(
            deadletters.letter(
                "mqtt" if arrival.signed_in is None else "http",
                refused.reason,
                arrival.received_at,
                detail=refused.detail,
                topic=arrival.topic,
                compound=compound,
                device_id=device_id or arrival.signed_in,
                raw=arrival.payload,
                context={"content_type": arrival.content_type} if arrival.content_type else None,
            )
        )
        if route is None:
            return Settled(refused=refused.reason)
        answers: list[Outgoing] = []
        reply: HttpReply | None = None
        message = _incoming(route, arrival)
        for adapter in route.adapters:
            told = adapter.refused(message, refused.reason)
            answers += [_rooted(answer, adapter, route.root) for answer in told.answers]
            reply = reply or told.reply
        return Settled(tuple(answers), reply, refused.reason)

    def _store(self, session: Session, arrivals: Sequence[Arrival], batch: _Batch) -> list[Prepared]:
        """Writes everything; returns the events that were new."""
        if batch.unnamed:
            self._name(session, arrivals, batch)
        fresh = self._sort_out_known(session, arrivals, batch)
        if fresh:
            store(session, [event_row(prepared) for prepared in fresh])
        self._amend(session, batch)
        told = [*fresh, *batch.amendments]
        if told:
            enqueue(
                session,
                [
                    (
                        message_id(prepared.message),
                        subjects.event(prepared.message.compound, prepared.message.type),
                        encode(prepared.message),
                    )
                    for prepared in told
                ],
            )
        for times in set(batch.repeats.values()):
            again = [event_id for event_id, seen in batch.repeats.items() if seen == times]
            session.execute(_COUNT_AGAIN, {"ids": again, "times": times})
        self._note_presence(session, batch)
        for candidate in batch.candidates:
            candidates.note(session, *candidate)
        deadletters.record(session, batch.letters)
        return fresh

    def _count(self, batch: _Batch, fresh: list[Prepared]) -> None:
        """After the commit: a batch that failed comes again and would be counted twice."""
        late = sum(1 for prepared in fresh if prepared.message.late)
        self._metrics.stored.labels("true").inc(len(fresh) - late)
        self._metrics.stored.labels("false").inc(late)
        self._metrics.resent.inc(batch.repeats.total())
        self._metrics.amended.inc(len(batch.amendments))
        for letter in batch.letters:
            self._metrics.refused.labels(letter["reason"]).inc()

    def _name(self, session: Session, arrivals: Sequence[Arrival], batch: _Batch) -> None:
        """Gives an identity to what came without one, and finds what only repeats a state."""
        known = points.known(session, (device.device_id for _, _, device in batch.unnamed))
        changed: dict[tuple[str, str], tuple[str, dt.datetime]] = {}
        for position, reading, device in batch.unnamed:
            arrival = arrivals[position]
            if reading.point is not None:
                what, value = reading.point
                key = (device.device_id, what)
                before = known.get(key)
                known[key] = value
                if before == value:
                    batch.last_seen.setdefault(device.device_id, arrival.received_at)
                    continue
                changed[key] = (value, arrival.received_at)
                if before is None and arrival.retained and reading.type not in CRITICAL:
                    # How things stand on the first day is no change.
                    continue
            elif arrival.retained:
                # Remembered by the broker, and nothing tells it from the one that we have.
                continue
            named = identity.named(session, arrival, device, reading)
            if named is None:
                continue
            self._sort(position, self._prepare(arrival, device, named), batch)
        points.keep(session, changed)

    def _sort_out_known(self, session: Session, arrivals: Sequence[Arrival], batch: _Batch) -> list[Prepared]:
        """The events that are new; the others are repeats, amendments or conflicts.

        Only one ingest writes a device's events, so looking first is safe here; the primary
        key stands behind it, and a lost race fails the batch, which then comes again.
        """
        if not batch.events:
            return []
        rows = session.execute(_KNOWN, {"ids": list(batch.events)})
        known = {row.id: (row.content_hash, row.revision) for row in rows}
        fresh = [prepared for event_id, (_, prepared) in batch.events.items() if event_id not in known]
        if not known and not batch.further:
            return fresh
        newest = self._newest(session, known)
        for prepared in fresh:
            newest[prepared.message.id] = (prepared.content_hash, prepared.message.revision)
        seen_before = [entry for event_id, entry in batch.events.items() if event_id in known]
        for position, prepared in [*seen_before, *batch.further]:
            event_id = prepared.message.id
            content_hash, revision = newest[event_id]
            first_hash = known[event_id][0] if event_id in known else content_hash
            mine = prepared.message.revision
            if prepared.content_hash in {content_hash, first_hash}:
                batch.repeats[event_id] += 1
            elif mine is not None and revision is not None:
                if mine > revision:
                    newest[event_id] = (prepared.content_hash, mine)
                    batch.amendments.append(prepared.as_amendment())
                else:
                    batch.repeats[event_id] += 1
            elif prepared.message.late:
                # A record that is pushed again on demand says less than it did at first.
                batch.repeats[event_id] += 1
            else:
                self._conflict(position, arrivals[position], prepared, batch)
        return fresh

    def _newest(
        self, session: Session, known: Mapping[str, tuple[str, int | None]]
    ) -> dict[str, tuple[str, int | None]]:
        """What holds now of stored events, as (content hash, revision)."""
        newest = dict(known)
        told_again = [event_id for event_id, (_, revision) in known.items() if revision is not None]
        if told_again:
            for row in session.execute(_AMENDED, {"ids": told_again}):
                newest[row.event_id] = (row.content_hash, row.revision)
        return newest

    def _conflict(self, position: int, arrival: Arrival, prepared: Prepared, batch: _Batch) -> None:
        detail = f"record {prepared.record_id[:100]} was stored before with other content"
        route = routes.find(self._directory, arrival.topic, arrival.signed_in)
        refused = RefusedError("duplicate_id_conflict", detail)
        batch.settled[position] = self._refuse(batch, arrival, route, refused)

    def _amend(self, session: Session, batch: _Batch) -> None:
        if batch.amendments:
            session.execute(insert(EventAmendment), [amendment_row(one) for one in batch.amendments])

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


def _read(route: Route, arrival: Arrival) -> tuple[Adapter, Decoded]:
    """The first adapter of the route that says the message is its own, and what it read."""
    message = _incoming(route, arrival)
    *others, last = route.adapters
    for adapter in others:
        try:
            return adapter, adapter.decode(message)
        except RefusedError as refused:
            if refused.reason != "wrong_topic":
                raise
    return last, last.decode(message)


def _incoming(route: Route, arrival: Arrival) -> Incoming:
    return Incoming(route.topic, arrival.payload, arrival.content_type, arrival.retained)


def _trust(device: DeviceFacts) -> None:
    """Raises `RefusedError` unless the device is to be believed."""
    if not device.enabled:
        raise RefusedError("disabled_device", device.device_id)
    if not device.trusted:
        raise RefusedError("quarantined_device", device.device_id)


def _in_zone(local: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """A time without a zone, as aware UTC. Raises `RefusedError`."""
    try:
        return local.replace(tzinfo=zone).astimezone(dt.UTC)
    except OverflowError:
        raise RefusedError("invalid_field", "the device's time is out of range") from None


def _rooted(answer: Outgoing, adapter: Adapter, root: str | None) -> Outgoing:
    if root is None:
        return answer
    return Outgoing(rooted(answer.topic, adapter, root), answer.payload, answer.qos)
