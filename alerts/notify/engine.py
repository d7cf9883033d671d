"""The engine: takes what is due, brings it, and writes down what came of it.

A try is in the log before anything is sent. So without faults each letter goes out once, however many engines
there are; what an engine was at when it was killed may go out once more, and nothing is forgotten.

Failure policy: *fail open*. A database that is away costs time and no letter; a channel that hangs, refuses
or breaks keeps no other waiting.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import func, select

from alerts.notify import mending, unreached
from alerts.notify.channels.channel import Channel, Letter, Outcome, Result
from alerts.notify.claims import Claim, Errand, Taken
from alerts.notify.holding import Limits
from alerts.notify.lanes import Lanes
from alerts.notify.letters import Words
from alerts.notify.metrics import DeliveryMetrics
from alerts.notify.models import (
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
    under_way,
)
from alerts.notify.settling import NOT_WANTED, Done, Settled, settle
from alerts.notify.writing import written
from storage import Clock, Database, tracing

log = structlog.get_logger(__name__)

AT_ONCE: Final = 64
"""Letters in one commit: another writer waits for no longer than they take."""

PATIENCE_S: Final = 1.0
"""A letter that takes longer makes room for the others' first tries."""

DEADLINE_S: Final = 10.0
"""What has not answered by then may have taken the letter, or not."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """An errand with its words, and whether anybody still wants it."""

    errand: Errand
    letter: Letter
    wanted: bool


class Engine:
    """One of any number. `holder` names it in the log of tries; `is_gone` knows by a name who has ended."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        channels: Mapping[ChannelKind, Channel],
        words: Words,
        holder: str,
        metrics: DeliveryMetrics,
        limits: Limits | None = None,
        *,
        patience_s: float = PATIENCE_S,
        deadline_s: float = DEADLINE_S,
        is_gone: Callable[[str], bool] = lambda _holder: False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._channels = channels
        self._kinds = frozenset(channels)
        self._inside = frozenset(kind for kind, one in channels.items() if one.stays_inside)
        self._words = words
        self._holder = holder[:64]
        self._metrics = metrics
        self._limits = limits or Limits()
        self._patience_s = patience_s
        self._deadline_s = deadline_s
        self._is_gone = is_gone
        self._lanes = Lanes()
        self._tasks: set[asyncio.Task[None]] = set()
        self._at: set[str] = set()
        # Claimed, and not made ready yet: the database went away in between.
        self._claimed: Sequence[Errand] = ()
        self._done: list[Done] = []
        self._wake = asyncio.Event()

    async def turn(self) -> int:
        """Sends all that is due, and whatever becomes due by what comes of it; returns how many tries."""
        tries = 0
        while True:
            tries += await self.begin()
            if not self._tasks and not self._done:
                return tries
            if self._tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            await self.settle()

    async def begin(self) -> int:
        """Takes what is due and sets about it; returns how many tries there are. Does not wait for them."""
        ready = await asyncio.to_thread(self._take)
        for one in ready:
            task = asyncio.create_task(self._bring(one), name="notify-letter")
            self._tasks.add(task)
            task.add_done_callback(self._over)
        return len(ready)

    async def settle(self) -> int:
        """Writes down what came of tries; returns of how many. What cannot be written is kept."""
        done, self._done = self._done, []
        if not done:
            return 0
        count = len(done)
        try:
            await asyncio.to_thread(self._settle, done)
        finally:
            self._done = [*done, *self._done]
        return count

    async def wait(self, seconds: float) -> None:
        """Until a try is over or somebody wakes it, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
        self._wake.clear()

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    async def stop(self, seconds: float = 2.0) -> None:
        """Ends what is under way: what answers in time is settled, the rest is uncertain."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self.settle()

    def measure(self) -> None:
        """Sets the gauges; a look alone."""
        now = self._clock.now()
        with self._database.read() as session:
            waiting, oldest = session.execute(
                select(func.count(), func.min(Notification.due_at)).where(Notification.due_at <= now)
            ).one()
            dead = {
                ChannelKind(kind): number
                for kind, number in session.execute(
                    select(Contact.kind, func.count())
                    .where(Contact.dead_since.is_not(None), Contact.enabled)
                    .group_by(Contact.kind)
                )
            }
        for kind in ChannelKind:
            self._metrics.dead.labels(kind.value).set(dead.get(kind, 0))
        self._metrics.backlog.set(waiting)
        self._metrics.oldest.set(max((now - oldest).total_seconds(), 0.0) if oldest else 0.0)

    def _take(self) -> list[_Ready]:
        now = self._clock.now()
        if self._claimed:
            return self._prepare(self._claimed, now)
        with self._database.read() as session:
            # No turn of a writer is taken where there is nothing to do.
            due = session.scalar(select(Notification.id).where(Notification.due_at <= now).limit(1))
            ended = mending.gone(session, self._holder, self._is_gone)
            broken = mending.needed(session, now, ended)
        if broken:
            with self._database.write() as session:
                mended = mending.mend(session, self._at, self._kinds, self._inside, now, ended)
            self._count_ends(mended)
        if due is None and not broken:
            return []
        taken = Taken()
        try:
            with self._database.write() as session:
                claim = Claim(
                    session,
                    now,
                    self._holder,
                    self._kinds,
                    self._inside,
                    self._lanes,
                    self._limits,
                    AT_ONCE,
                    taken,
                )
                claim.take()
                unreached.tell(session, taken.ended, now)
        except BaseException:
            # Nothing of it is so: the places are others'.
            for errand in taken.errands:
                errand.place.leave()
            raise
        self._at |= {errand.attempt for errand in taken.errands}
        for by in taken.held:
            self._metrics.held.labels(by).inc()
        for state, _ in taken.ended:
            self._metrics.ended.labels(state.value).inc()
        return self._prepare(taken.errands, now)

    def _prepare(self, errands: Sequence[Errand], now: dt.datetime) -> list[_Ready]:
        """Finds the words, then looks once more whether anybody wants them.

        Where that fails they are kept for the next time: their places are taken, and nobody else may send
        them before they lapse.
        """
        if not errands:
            return []
        self._claimed = errands
        letters = written(self._words, errands, now)
        with self._database.read() as session:
            wanted = set(
                session.scalars(
                    select(NotificationAttempt.id)
                    .join(Notification, Notification.id == NotificationAttempt.notification)
                    .where(
                        NotificationAttempt.id.in_([errand.attempt for errand in errands]),
                        # One that lapsed meanwhile is another's.
                        under_way(),
                        Notification.state == NotificationState.PENDING,
                    )
                )
            )
        self._claimed = ()
        return [
            _Ready(errand, letter, errand.attempt in wanted)
            for errand, letter in zip(errands, letters, strict=True)
        ]

    async def _bring(self, one: _Ready) -> None:
        errand = one.errand
        sent = one.wanted
        try:
            with tracing.span(
                "notify.try",
                errand.cause,
                own=errand.trace,
                kind="client",
                compound=errand.told.compound,
                purpose=errand.told.purpose.value,
                channel=errand.kind.value,
                severity=errand.told.severity,
            ) as span:
                outcome = await self._hand_over(one) if sent else Outcome(Result.FAILED, NOT_WANTED)
                if span is not None:
                    span.note(outcome=outcome.result.value if sent else NOT_WANTED)
        except asyncio.CancelledError:
            outcome = Outcome(Result.UNCERTAIN, "stopped")
        finally:
            errand.place.leave()
        now = self._clock.now()
        self._done.append(Done(errand.attempt, errand.notification, errand.to.contact, outcome, now, sent))
        result = outcome.result.value if sent else NOT_WANTED
        self._metrics.attempts.labels(errand.kind.value, result).inc()
        if errand.first and outcome.result in {Result.HANDED_OVER, Result.RECEIVED}:
            taken = max((now - errand.told.asked_at).total_seconds(), 0.0)
            self._metrics.handed_over.labels(errand.kind.value).observe(taken)

    async def _hand_over(self, one: _Ready) -> Outcome:
        errand = one.errand
        task = asyncio.ensure_future(self._channels[errand.kind].send(errand.to, one.letter))
        try:
            done, _ = await asyncio.wait({task}, timeout=min(self._patience_s, self._deadline_s))
            if not done:
                errand.place.slow_down()
                self._wake.set()
                left = max(self._deadline_s - self._patience_s, 0.0)
                done, _ = await asyncio.wait({task}, timeout=left)
            if not done:
                return Outcome(Result.UNCERTAIN, "timeout")
            return task.result()
        except Exception as error:  # noqa: BLE001
            # Its text may hold the address, which is a secret.
            log.error(  # noqa: TRY400
                "notify.channel_broke", kind=errand.kind.value, error=type(error).__name__
            )
            return Outcome(Result.FAILED, "broken")
        finally:
            if not task.done():
                task.cancel()

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()

    def _settle(self, done: list[Done]) -> None:
        """Takes from the list what is written down."""
        # Elsewhere than on SQLite each in a commit of its own: whoever locks two notifications in another
        # order would otherwise wait for this, and this for him.
        size = len(done) if self._database.is_sqlite else 1
        while done:
            batch = done[:size]
            with self._database.write() as session:
                settled = settle(session, batch, self._kinds, self._inside, self._clock.now())
            self._count_ends(settled)
            self._at -= {one.attempt for one in batch}
            del done[:size]

    def _count_ends(self, settled: Settled) -> None:
        for state, _ in settled.ended:
            self._metrics.ended.labels(state.value).inc()
