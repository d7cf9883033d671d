"""One compound under this process's lease: what was is recalled, and the stream read from there on."""

import asyncio
import contextlib
import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from sqlalchemy import exists, or_, select

from alerts import leases
from alerts.desk import AlertDesk
from alerts.evaluator import Evaluator
from alerts.leases import AlertLease, Lease, LeaseLostError
from alerts.rules import Observation
from alerts.rules.engine import HORIZON
from bus import following
from bus.following import Entry, Follower
from bus.messages import Message, decode
from ringward.foundation import Foundation
from ringward.replay import happened
from storage import tracing
from storage.events import OutboxRow

log = structlog.get_logger(__name__)

OLD_DURABLE: Final = "alerts"
"""The consumer of versions that had no leases: what it had settled is where the first holder begins."""

_PAUSE_S: Final = 0.5
# Nights that a rule looks back on which the engine's own memory does not hold.
_NIGHTS: Final = 8
# Devices' clocks may be a little ahead of ours.
_AHEAD: Final = dt.timedelta(seconds=60)


class _Named(msgspec.Struct):
    id: str


_name: Final = msgspec.json.Decoder(_Named)


class Watch:
    """Reads a compound's part of the stream while its lease holds."""

    def __init__(self, lease: Lease, desk: AlertDesk, foundation: Foundation, client: Client) -> None:
        self.lease = lease
        self._desk = desk
        self._foundation = foundation
        self._client = client
        self._evaluator: Evaluator | None = None
        # How far it had come when the lease's row was written last, and what is being written.
        self._noted = self._telling = lease.come
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def come(self) -> leases.Come:
        """How far everything is written."""
        return self._evaluator.come if self._evaluator is not None else self.lease.come

    @property
    def news(self) -> leases.Come:
        """The same, without a place of the stream that the lease's row has already."""
        come = self._telling = self.come
        return replace(come, position=None, stream=None) if self._is_noted(come) else come

    def noted(self) -> None:
        """What `news` gave last is written."""
        self._noted = self._telling

    def _is_noted(self, come: leases.Come) -> bool:
        return (come.position, come.stream) == (self._noted.position, self._noted.stream)

    def start(self) -> None:
        self._task = asyncio.create_task(self._forever(), name=f"alerts-{self.lease.compound}")

    async def stop(self) -> None:
        """Ends what is under way, and reads no more."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        self._desk.close(self.lease)

    async def _forever(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._follow()
            except LeaseLostError:
                # Whoever keeps the leases finds it gone, too.
                log.warning("alerts.lease_lost", compound=self.lease.compound, epoch=self.lease.epoch)
                self._desk.close(self.lease)
                return
            except Exception as error:  # noqa: BLE001 - whatever is away comes back: it goes on from its place
                log.warning("alerts.waits", compound=self.lease.compound, error=repr(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _PAUSE_S)

    async def _follow(self) -> None:
        jetstream = self._client.jetstream()
        stream = await following.identity(jetstream)
        if self._evaluator is None:
            await self._recall(jetstream, stream)
        evaluator = self._evaluator
        if evaluator is None:
            return
        come = evaluator.come
        follower = self._follower(come.position or 0 if come.stream == stream else 0)
        await follower.start()
        try:
            while not self._stopping.is_set():
                stretch = await self._next(follower)
                if stretch is None:
                    break
                with self._traced(stretch.entries):
                    await asyncio.to_thread(
                        evaluator.take,
                        self._read(stretch.entries),
                        position=stretch.entries[-1].position if stretch.entries else None,
                        stream=stream,
                        is_end=stretch.is_end,
                    )
        finally:
            await follower.stop()

    async def _next(self, follower: Follower) -> following.Stretch | None:
        """What comes next; None where it is to stop."""
        coming = asyncio.create_task(follower.next())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([coming, stopping], return_when=asyncio.FIRST_COMPLETED)
            return None if stopping.done() else coming.result()
        finally:
            stopping.cancel()
            coming.cancel()

    def _follower(self, after: int, *, patient: bool = True) -> Follower:
        compound = self.lease.compound
        filters = [f"event.{compound}.>", f"sighting.{compound}.>"]
        return Follower(self._client, filters, after, patient=patient)

    @contextlib.contextmanager
    def _traced(self, entries: tuple[Entry, ...]) -> Iterator[None]:
        """Each message's own span while all of them are looked at; what rules say later follows from it."""
        begun = []
        for entry in entries if tracing.on() else ():
            one = tracing.begin("alerts", entry.trace, kind="consumer", compound=self.lease.compound)
            if one is not None:
                # A trace has its event's id.
                tracing.remember(one[1][3:35], one[1])
                begun.append(one[0])
        failed = None
        try:
            yield
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            for running in begun:
                running.end(failed=failed)

    def _read(self, entries: tuple[Entry, ...]) -> list[Message]:
        messages: list[Message] = []
        for entry in entries:
            try:
                messages.append(decode(entry.payload))
            except (msgspec.ValidationError, msgspec.DecodeError):
                # None of ours, or of a version to come; it stays in the stream for whoever looks.
                log.error("alerts.unreadable_message", position=entry.position)  # noqa: TRY400
        return messages

    # ── taking over ───────────────────────────────────────────────────────────

    async def _recall(self, jetstream: JetStreamContext, stream: str) -> None:
        """What the last holder knew, without what it had not come to: that is still to be said.

        In this order: an event that is committed meanwhile is in the outbox or in the stream when
        these are looked at, and so is not taken for one that was handled. Given up between two
        steps where it is to stop: what was not recalled has said nothing.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        evaluator = await asyncio.to_thread(self._desk.open, self.lease)
        stored = await asyncio.to_thread(self._stored)
        if self._stopping.is_set():
            return
        waiting = await asyncio.to_thread(self._in_outbox)
        after = await self._begins_after(jetstream, stream)
        waiting |= await self._in_stream(after)
        if self._stopping.is_set():
            return
        taken = await asyncio.to_thread(evaluator.recall, stored, waiting)
        await asyncio.to_thread(evaluator.take, [], position=after, stream=stream, is_end=False)
        self._evaluator = evaluator
        log.info(
            "alerts.recalled",
            compound=self.lease.compound,
            observations=taken,
            waiting=len(waiting),
            seconds=round(loop.time() - began, 2),
        )
        await asyncio.to_thread(self._note_come)
        await self._retire_old(jetstream)
        self._nights = asyncio.create_task(asyncio.to_thread(self._recall_nights, evaluator))

    def _stored(self) -> list[Observation]:
        now = self._foundation.clock.now()
        told = happened(self._foundation.database, self.lease.compound, now - HORIZON, now + _AHEAD)
        # The longest step: read by the hour, and left where it stands.
        return list(itertools.takewhile(lambda _: not self._stopping.is_set(), told))

    def _in_outbox(self) -> set[str]:
        compound = self.lease.compound
        with self._foundation.database.read() as session:
            payloads = session.scalars(
                select(OutboxRow.payload).where(
                    or_(*(OutboxRow.subject.startswith(f"{k}.{compound}.") for k in ("event", "sighting")))
                )
            )
            return {_name.decode(payload).id for payload in payloads}

    async def _begins_after(self, jetstream: JetStreamContext, stream: str) -> int:
        """Behind which position of the stream nothing was handled yet."""
        come = self.lease.come
        if come.position is not None:
            if come.stream == stream:
                return come.position
            log.warning("alerts.stream_anew", compound=self.lease.compound)
            return 0
        return await following.position_of(jetstream, OLD_DURABLE) or 0

    async def _in_stream(self, after: int) -> set[str]:
        follower = self._follower(after, patient=False)
        await follower.start()
        names: set[str] = set()
        try:
            while True:
                stretch = await follower.next()
                for entry in stretch.entries:
                    with contextlib.suppress(msgspec.ValidationError, msgspec.DecodeError):
                        names.add(_name.decode(entry.payload).id)
                if stretch.is_end or self._stopping.is_set():
                    return names
        finally:
            await follower.stop()

    def _note_come(self) -> None:
        with self._foundation.database.write() as session:
            leases.hold(session, self.lease, self.come)

    async def _retire_old(self, jetstream: JetStreamContext) -> None:
        """The consumer of former versions goes when every compound has a place of its own."""
        if self.lease.come.position is None and await asyncio.to_thread(self._all_have_places):
            await following.forget(jetstream, OLD_DURABLE)

    def _all_have_places(self) -> bool:
        with self._foundation.database.read() as session:
            return not session.scalar(select(exists().where(AlertLease.position.is_(None))))

    def _recall_nights(self, evaluator: Evaluator) -> None:
        """Beside the work: no rule needs last week's nights in its first seconds."""
        try:
            for start, end in self._nights_before():
                evaluator.recall_nights(happened(self._foundation.database, self.lease.compound, start, end))
        except Exception:
            log.exception("alerts.nights_failed", compound=self.lease.compound)

    def _nights_before(self) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """From eleven to five by the compound's clock (domain §5, R-B02)."""
        assert self._evaluator is not None
        local = self._foundation.clock.now().astimezone(self._evaluator.time_zone)
        for number in range(1, _NIGHTS + 1):
            evening = (local - dt.timedelta(days=number)).replace(hour=23, minute=0, second=0, microsecond=0)
            yield evening.astimezone(dt.UTC), (evening + dt.timedelta(hours=6)).astimezone(dt.UTC)
