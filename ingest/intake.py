"""The intake: a batch of arrivals becomes one commit. Acknowledging comes after, elsewhere."""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec
from sqlalchemy.orm import Session

from bus import deadletters, subjects
from bus.messages import encode
from devices import answers, candidates, clocks, observations, presence, standing
from devices.adapters.contract import RefusedError
from devices.clocks import Clocks
from devices.directory import DeviceDirectory, DeviceFacts
from devices.notices import notice
from ingest import matches, routes
from ingest.arrival import Arrival, Settled
from ingest.batch import Batch, Origin
from ingest.flood import Limit
from ingest.flooding import FloodControl
from ingest.letters import Letter, Outcome, judge
from ingest.metrics import IntakeMetrics
from ingest.reading import Reader
from ingest.refusals import refuse
from ingest.rows import Prepared, event_row, message_id
from ingest.sorting import amend, sort_out
from ingest.timing import LIVE_WINDOW
from ingest.turns import Turns
from storage import Database, MediaStore, tracing
from storage.events import enqueue_of_events, store
from storage.leases import Fence, unfenced


class _UndoneError(Exception):
    """Ends a transaction that was only a rehearsal."""


Also = Callable[[Session, Batch, Sequence[Prepared]], None]


class Intake:
    """Turns arrivals into committed events, dead letters and answers; safe to use from several threads.

    They take turns, whole batches long: what is stored is looked up before the rest is added,
    and a clock's offset that one message shows holds for the next. On SQLite the writers would
    wait for each other all the same, and what was pushed comes rarely.
    """

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        directory: DeviceDirectory,
        metrics: IntakeMetrics,
        limit: Limit | None = None,
        pinned: Collection[str] = standing.PINNED,
        fence: Fence = unfenced,
    ) -> None:
        self._database = database
        self._directory = directory
        self._metrics = metrics
        self._reader = Reader(media, directory, Clocks(database))
        self._turns = Turns()
        # How much one device may send; None: as much as it likes.
        self._flood = FloodControl(limit)
        # Of what a device says of itself: a change of these means that it is other hardware.
        self._pinned = frozenset(pinned)
        # Of a process that slept: what it has in hand is another's by now, and would be old news of
        # its devices' presence.
        self._fence = fence

    def process(self, arrivals: Sequence[Arrival]) -> list[Settled]:
        """Commits a batch; when it returns, every arrival is safe and may be acknowledged.

        Raises whatever the database or the disk raises; then nothing may be acknowledged.
        """
        with self._turns.turn():
            return self._commit(Batch(arrivals, self._flood)).settled

    def close_floods(self, now: dt.datetime | None) -> int:
        """Says of devices that flooded what was dropped, and stores how it ended; returns of how many.

        For whoever has a clock, every second or so; None closes all, before the process ends.
        """
        with self._turns.turn():
            windows = self._flood.due(now)
            if not windows:
                return 0

            def tell(session: Session, *_: object) -> None:
                for one in windows:
                    notice(session, one.device, "device.fault", one.until, one.as_attributes())

            last = [_history(one, now) for window in windows for one in window.last.values()]
            self._commit(Batch(last, self._flood, Origin.FLOOD), tell)
            self._flood.close(windows)
        return len(windows)

    def replay(self, letters: Sequence[Letter], now: dt.datetime) -> list[Outcome]:
        """Reads dead letters again, as history of when they came first; says what became of each."""
        arrivals = [letter.arrival for letter in letters]
        outcomes: list[Outcome] = []

        def settle(session: Session, batch: Batch, fresh: Sequence[Prepared]) -> None:
            outcomes.extend(judge(batch, fresh))
            for letter, outcome in zip(letters, outcomes, strict=True):
                deadletters.settle(session, letter.id, outcome.code, outcome.events, now)

        with self._turns.turn():
            self._commit(Batch(arrivals, self._flood, Origin.LETTERS), settle)
        return outcomes

    def rehearse(self, arrival: Arrival, look: Also) -> None:
        """Does with one arrival all that `process` does, has `look` see it, and takes it back.

        Nothing is stored, counted, told or answered. For the test bench, with a media store that
        stores nothing: pictures are written before the transaction.
        """

        def undo(session: Session, batch: Batch, fresh: Sequence[Prepared]) -> None:
            look(session, batch, fresh)
            raise _UndoneError

        with self._turns.turn(), contextlib.suppress(_UndoneError):
            self._commit(Batch([arrival], self._flood), undo)

    def _commit(self, batch: Batch, also: Also | None = None) -> Batch:
        """Commits a batch, and in the same transaction what `also` adds to it."""
        self._flood.begin()
        self._reader.begin()
        try:
            for position, arrival in enumerate(batch.arrivals):
                batch.settled.append(self._reader.take(position, arrival, batch))
            # Before the transaction, which others wait for.
            self._reader.settle_pictures()
            with self._database.write() as session:
                self._fence(session)
                fresh = self._store(session, batch)
                if also is not None:
                    also(session, batch, fresh)
        except BaseException:
            self._flood.undo()
            raise
        dropped = self._flood.keep()
        if batch.facts:
            self._reader.remember(batch)
            self._directory.expire()
        self._count(batch, fresh, dropped)
        if tracing.on():
            _trace(batch, fresh)
        return batch

    def _store(self, session: Session, batch: Batch) -> list[Prepared]:
        """Writes everything in one transaction; returns the events that were new."""
        if batch.unnamed:
            self._reader.name(session, batch)
            self._reader.settle_pictures()

        def conflict(position: int, prepared: Prepared) -> None:
            self._conflict(position, prepared, batch)

        fresh = sort_out(session, batch, conflict)
        if fresh:
            store(session, [event_row(prepared) for prepared in fresh])
        amend(session, batch)
        told = matches.resolved(session, [one.message for one in (*fresh, *batch.amendments)])
        if told:
            enqueue_of_events(
                session,
                [
                    (one.id, message_id(one), subjects.event(one.compound, one.ring, one.type), encode(one))
                    for one in told
                ],
            )
        self._note_presence(session, batch)
        for result in batch.results:
            answers.take(session, *result)
        for (adapter, gateway, name), (at, facts) in batch.candidates.items():
            candidates.note(session, adapter, gateway, name, at, facts)
        observations.observed(session, batch.heard)
        for device, said, at in batch.facts:
            standing.compare(session, device, said, at, self._pinned)
        if batch.origin is not Origin.LETTERS:
            deadletters.record(session, batch.letters)
        return fresh

    def _conflict(self, position: int, prepared: Prepared, batch: Batch) -> None:
        arrival = batch.arrivals[position]
        detail = f"record {prepared.record_id[:100]} was stored before with other content"
        route = routes.find(self._directory, arrival.topic, arrival.signed_in)
        speaker = self._directory.get(prepared.message.device_id)
        refused = RefusedError("duplicate_id_conflict", detail)
        batch.settled[position] = refuse(batch, arrival, route, refused, speaker)

    def _note_presence(self, session: Session, batch: Batch) -> None:
        for device, online, clock, at in batch.states:
            if online:
                batch.last_seen[device.device_id] = at
            if clock is not None:
                drift, sure = clock
                clocks.note(session, device, drift, at, sure=sure)
            self._change(session, device, at, online=online, cause="heartbeat" if online else "last_will")
        presence.seen(session, batch.last_seen)
        told = {device.device_id for device, *_ in batch.states}
        for device_id, at in batch.last_seen.items():
            known = self._directory.get(device_id)
            if known is not None and device_id not in told:
                self._change(session, known, at, online=True, cause="event")

    def _change(
        self, session: Session, device: DeviceFacts, at: dt.datetime, *, online: bool, cause: str
    ) -> None:
        behind = self._directory.hanging_on(device.device_id)
        presence.change(session, device, at, online=online, cause=cause, behind=behind)

    def _count(self, batch: Batch, fresh: list[Prepared], dropped: Counter[str]) -> None:
        late = sum(1 for prepared in fresh if prepared.message.late)
        self._metrics.stored.labels("true").inc(len(fresh) - late)
        self._metrics.stored.labels("false").inc(late)
        self._metrics.resent.inc(batch.repeats.total())
        self._metrics.amended.inc(len(batch.amendments))
        for event_type, times in dropped.items():
            self._metrics.suppressed.labels(event_type).inc(times)
        letters = () if batch.origin is Origin.LETTERS else batch.letters
        for letter in letters:
            self._metrics.refused.labels(letter["reason"]).inc()
        self._metrics.batch.observe(len(batch.arrivals))


def _trace(batch: Batch, fresh: Sequence[Prepared]) -> None:
    for message in (one.message for one in fresh):
        tracing.taken_in(
            message.id,
            message.received_at,
            event_type=message.type,
            compound=message.compound,
            ring=message.ring,
            late=message.late,
        )
    for message in (one.message for one in batch.amendments):
        tracing.mark(
            "ingest.amended", tracing.root_of(message.id), event_id=message.id, event_type=message.type
        )


def _history(arrival: Arrival, now: dt.datetime | None) -> Arrival:
    """What was held back for so long that nobody is to be met there any more is history."""
    late = now is None or now - arrival.received_at > LIVE_WINDOW
    return msgspec.structs.replace(arrival, late=arrival.late or late)
