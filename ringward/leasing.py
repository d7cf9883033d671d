"""Roles that one process does at a time: its work begins with a lease and ends with it.

Every process that runs such a role asks for its lease; one gets it, the others stand by and begin
when it has run out or was given back. See `storage.leases` for what a lease is, and ADR 0010 for
what each role's own writes are fenced by.
"""

import asyncio
import concurrent.futures
import contextlib
import datetime as dt
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from ringward import holders
from ringward.foundation import Foundation
from ringward.roles import Role
from storage import leases
from storage.leases import TTL, Claim, Lease, RoleLostError

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_LOOK_S: Final = 0.5
"""How often a standby looks: with the lease's own 2.5 s it takes over within three."""
_RENEW_S: Final = 0.9
_RETRY_S: Final = 1.0
_UNREADY_S: Final = 3.0
"""After this long without being able to work a holder gives up, where somebody else waits."""
_YIELD_EVERY_S: Final = 30.0
"""Where nobody is able, those who wait would otherwise hand it round and round."""


class LeaseMetrics:
    """Of roles by their names."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.held = Gauge(
            "ringward_roles_lease_held",
            "1 where this process holds the role's lease, 0 where it stands by.",
            ["role"],
            registry=registry,
        )
        self.taken = Counter(
            "ringward_roles_leases_taken", "Leases that this process took.", ["role"], registry=registry
        )
        self.lost = Counter(
            "ringward_roles_leases_lost",
            "Leases that another process took from this one while it was silent.",
            ["role"],
            registry=registry,
        )
        self.failures = Counter(
            "ringward_roles_lease_rounds_failed",
            "Rounds in which leases could be neither prolonged nor asked for.",
            registry=registry,
        )


@dataclass(eq=False)
class Turn:
    """One time that a process has a role: its threads write under its epoch alone, also after its end."""

    claim: Claim
    lease: Lease | None = None
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    awaited: bool = False
    confirmed: float = float("-inf")

    def hold(self, session: Session) -> None:
        """Nobody takes over before the transaction ends. Raises `RoleLostError`."""
        leases.hold(session, self._own())

    def check(self, session: Session) -> None:
        """A look without a lock. Raises `RoleLostError`."""
        leases.check(session, self._own())

    def is_sure(self) -> bool:
        """Whether nobody else can have taken it yet, by a clock that goes on while the process sleeps."""
        return time.monotonic() - self.confirmed < TTL.total_seconds()

    def _own(self) -> Lease:
        if self.lease is None:
            raise RoleLostError(self.claim.role, 0)
        return self.lease


class Leases:
    """All leases of one process, prolonged and asked for in one round."""

    def __init__(self, foundation: Foundation, holder: str | None = None) -> None:
        self.holder = holder or holders.own_name()
        self.metrics = LeaseMetrics(foundation.metrics)
        self._database = foundation.database
        self._time = leases.database_time(foundation.clock)
        self._asking: dict[Turn, asyncio.Event] = {}
        self._held: dict[Turn, Lease] = {}
        self._users = 0
        self._task: asyncio.Task[None] | None = None
        # Of its own: a lease must not run out because everybody else's work has the threads.
        self._thread: concurrent.futures.ThreadPoolExecutor | None = None
        self._asked = asyncio.Event()
        self._renewed = float("-inf")
        self._heard = float("-inf")

    def open(self) -> None:
        """Once for each role that begins to ask."""
        self._users += 1
        if self._task is None:
            self._thread = concurrent.futures.ThreadPoolExecutor(1, "role-leases")
            self._task = asyncio.create_task(self._keep(), name="role-leases")

    async def close(self) -> None:
        """Once for each role that has ended."""
        self._users -= 1
        if self._users or self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        assert self._thread is not None
        # A round in it may wait for a database that is away: what it takes runs out by itself.
        self._thread.shutdown(wait=False)
        self._task = None

    @property
    def heard(self) -> bool:
        """Whether the database has answered lately: whoever stands by is able to take over."""
        return time.monotonic() - self._heard < 2 * TTL.total_seconds()

    async def take(self, turn: Turn) -> Lease:
        """Waits for the lease of a turn."""
        taken = self._asking[turn] = asyncio.Event()
        self._asked.set()
        try:
            await taken.wait()
        finally:
            self._asking.pop(turn, None)
        return self._held[turn]

    async def give_back(self, turn: Turn) -> None:
        """Whoever looks next takes it. A database that is away lets it run out instead."""
        lease = self._held.pop(turn, None)
        if lease is None:
            return
        self.metrics.held.labels(lease.claim.role).set(0)
        try:
            async with asyncio.timeout(2 * TTL.total_seconds()):
                await self._on_thread(self._release, lease)
        except Exception as error:  # noqa: BLE001 - it runs out, whatever was wrong
            log.warning("role.lease_not_given_back", role=lease.claim.role, error=type(error).__name__)
        else:
            log.info("role.lease_given_back", role=lease.claim.role, epoch=lease.epoch)

    def _release(self, lease: Lease) -> None:
        with self._database.write() as session:
            leases.release(session, lease, self._time(session))

    async def _keep(self) -> None:
        while True:
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - nobody can take over either while the database is away
                self.metrics.failures.inc()
                log.warning("role.leases_failed", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._asked.wait()
            self._asked.clear()

    async def _look(self) -> None:
        asked = time.monotonic()
        held = dict(self._held)
        due = asked - self._renewed >= _RENEW_S
        wanted = {turn.claim: turn for turn in self._asking if turn not in held}
        seen = await self._on_thread(self._round, held, list(wanted), due)
        self._heard = time.monotonic()
        if due:
            self._renewed = asked
        for turn, lease in held.items():
            if turn not in self._held:
                continue
            if turn.claim in seen.lost:
                del self._held[turn]
                self.metrics.held.labels(turn.claim.role).set(0)
                self.metrics.lost.labels(turn.claim.role).inc()
                log.warning("role.lease_lost", role=turn.claim.role, epoch=lease.epoch)
                turn.lost.set()
            elif due:
                turn.confirmed = asked
                turn.awaited = turn.claim in seen.awaited
        for claim, taken in seen.taken.items():
            self._begin(wanted[claim], taken, asked)

    def _begin(self, turn: Turn, lease: Lease, asked: float) -> None:
        taken = self._asking.get(turn)
        if taken is None:
            # Nobody wants it any more; it runs out.
            return
        self._held[turn] = turn.lease = lease
        turn.confirmed = asked
        self.metrics.held.labels(lease.claim.role).set(1)
        self.metrics.taken.labels(lease.claim.role).inc()
        log.info("role.lease_taken", role=lease.claim.role, epoch=lease.epoch)
        taken.set()

    def _round(self, held: dict[Turn, Lease], wanted: list[Claim], due: bool) -> "_Seen":
        seen = _Seen()
        claims = [*(turn.claim for turn in held), *wanted]
        with self._database.read() as session:
            # A look first: a writer in vain would keep ingest waiting.
            now = self._time(session)
            rows = leases.standing(session, claims)
            free = [claim for claim in wanted if self._is_free(rows.get(claim), now)]
            seen.awaited = {
                turn.claim for turn in held if turn.claim in rows and leases.is_awaited(rows[turn.claim], now)
            }
            waits = [
                claim
                for claim in wanted
                if claim not in free and leases.is_to_be_told(rows[claim], self.holder, now)
            ]
        if held and due:
            # By itself: what others do with rows that this process only waits for must not hold it up.
            with self._database.write() as session:
                kept = leases.renew(session, held.values(), self._time(session))
            seen.lost = {turn.claim for turn, lease in held.items() if lease not in kept}
        if not free and not waits:
            return seen
        with self._database.write() as session:
            now = self._time(session)
            for claim in free:
                lease = leases.acquire(session, claim, self.holder, now, holders.is_gone)
                if lease is not None:
                    seen.taken[claim] = lease
            for claim in waits:
                leases.wait(session, claim, self.holder, now)
        return seen

    def _is_free(self, row: leases.RoleLease | None, now: dt.datetime) -> bool:
        return leases.is_free(row, now) or (row is not None and holders.is_gone(row.holder))

    async def _on_thread(self, work: Callable[..., _T], *args: Any) -> _T:
        assert self._thread is not None
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)


@dataclass
class _Seen:
    """What a round found."""

    lost: set[Claim] = field(default_factory=set)
    awaited: set[Claim] = field(default_factory=set)
    taken: dict[Claim, Lease] = field(default_factory=dict)


class _Part(CollectorRegistry):
    """What the role of one turn counts; withdrawn before the next one's, which has the same names."""

    def __init__(self, whole: CollectorRegistry) -> None:
        super().__init__()
        self._whole = whole
        self._own: list[Collector] = []

    def register(self, collector: Collector) -> None:
        super().register(collector)
        self._whole.register(collector)
        self._own.append(collector)

    def withdraw(self) -> None:
        for collector in self._own:
            self._whole.unregister(collector)
        self._own.clear()


class Leased(Role):
    """A role around which a lease is held. `make` gives a fresh one for each turn.

    `role` is the one of the present turn, or of the next one while it stands by.
    """

    def __init__(
        self,
        all_leases: Leases,
        claim: Claim,
        foundation: Foundation,
        make: Callable[[Foundation, Turn], Role],
        drain_s: float = 30.0,
    ) -> None:
        self.name = claim.role
        self._leases = all_leases
        self._claim = claim
        self._foundation = foundation
        self._make = make
        self._drain_s = drain_s
        self._part: _Part | None = None
        self._turn, self.role = self._prepare()
        self._is_working = False
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._yielded = float("-inf")
        all_leases.metrics.held.labels(claim.role).set(0)

    async def start(self) -> None:
        self._leases.open()
        self._task = asyncio.create_task(self._live(), name=f"role-{self.name}")

    async def stop(self) -> None:
        """Ends what is in hand, gives the lease back."""
        self._closing.set()
        if self._task is not None:
            await self._task
        await self._leases.close()

    def ready(self) -> bool:
        """Whether it does its work, or could take it over."""
        return self.role.ready() if self._is_working else self._turn.lease is None and self._leases.heard

    def active(self) -> bool:
        """Whether it has the lease and has begun."""
        return self._is_working

    def _prepare(self) -> tuple[Turn, Role]:
        if self._part is not None:
            self._part.withdraw()
        self._part = _Part(self._foundation.metrics)
        turn = Turn(self._claim)
        return turn, self._make(replace(self._foundation, metrics=self._part), turn)

    async def _live(self) -> None:
        while not self._closing.is_set():
            try:
                await self._one_turn()
            except Exception:
                # Nobody else could take over while this process went on prolonging it.
                log.exception("role.failed", role=self.name)
            await self._leases.give_back(self._turn)
            if not self._closing.is_set():
                self._turn, self.role = self._prepare()
                await self._rest(_RETRY_S)

    async def _one_turn(self) -> None:
        taking = asyncio.create_task(self._leases.take(self._turn))
        await self._first(taking)
        await _ended(taking)
        if self._turn.lease is not None:
            await self._work()

    async def _work(self) -> None:
        """From the lease to its end, or to the end of the process."""
        try:
            if await self._begin():
                self._is_working = True
                log.info("role.active", role=self.name, epoch=self._turn.lease and self._turn.lease.epoch)
                await self._until_over()
        finally:
            # No more for whoever asks, while what is in hand is finished.
            self._is_working = False
            await self._end()

    async def _begin(self) -> bool:
        """Starts the role, again and again while the bus is not there yet; False where it came to nothing."""
        began = time.monotonic()
        while not self._closing.is_set() and not self._turn.lost.is_set():
            starting = asyncio.create_task(self.role.start())
            watching = asyncio.create_task(self._until_over(began))
            await self._first(starting, watching)
            await _ended(watching)
            if not starting.done():
                await _ended(starting)
                return False
            error = starting.exception()
            if error is None:
                return True
            log.warning("role.waiting", role=self.name, error=type(error).__name__)
            if self._is_to_yield(began):
                return False
            await self._rest(_RETRY_S)
        return False

    async def _until_over(self, began: float | None = None) -> None:
        """Until the lease is lost, the process ends, or somebody else is to try; `began`: while it starts."""
        able = time.monotonic() if began is None else began
        while not self._closing.is_set() and not self._turn.lost.is_set():
            if began is None and self.role.ready():
                able = time.monotonic()
            if self._is_to_yield(able):
                self._yielded = time.monotonic()
                log.warning("role.yielded", role=self.name)
                return
            await self._rest(_LOOK_S)

    def _is_to_yield(self, able: float) -> bool:
        now = time.monotonic()
        # Who has just woken was unable for as long as it slept: whether the lease is its own comes first.
        unable = now - able > _UNREADY_S and now - self._yielded > _YIELD_EVERY_S
        return unable and self._turn.awaited and self._turn.is_sure()

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(self._drain_s):
                await self.role.stop()
        except TimeoutError:
            # Its threads go on with what they have, and would do so beside the next turn's.
            log.error("role.stuck", role=self.name)  # noqa: TRY400 - there is nothing to trace
            if not self._closing.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
                await self._closing.wait()
        except Exception as error:  # noqa: BLE001 - one that was not whole cannot be ended whole
            log.warning("role.stop_failed", role=self.name, error=type(error).__name__)

    async def _rest(self, seconds: float) -> None:
        over = [asyncio.create_task(one.wait()) for one in (self._closing, self._turn.lost)]
        await asyncio.wait(over, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in over:
            await _ended(one)

    async def _first(self, *tasks: asyncio.Task[Any]) -> None:
        closing = asyncio.create_task(self._closing.wait())
        await asyncio.wait([closing, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await _ended(closing)


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancels what is not done, and waits; what it raised was for whoever looks at it."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
