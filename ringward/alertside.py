"""The alerts role: which compounds this process evaluates, and the stream read for each of them."""

import asyncio
import concurrent.futures
import contextlib
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

import nats
import structlog
from nats.aio.client import Client
from sqlalchemy import exists, select

from alerts import leases, sharing
from alerts.desk import AlertDesk, DeskMetrics
from alerts.incidents import timers
from alerts.incidents.models import Incident
from alerts.leases import Lease, LeaseLostError
from alerts.sharing import Member
from bus.broker import declare_stream
from registry.models import Compound
from ringward.alertwatch import Watch
from ringward.foundation import Foundation
from ringward.roles import Role
from storage import new_id

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_LOOK_S: Final = 0.5
"""How often leases are prolonged and looked for: a fifth of what a holder is believed to live."""
_TICK_S: Final = 0.2
_REFRESH_S: Final = 1.0
_SWEEP_S: Final = 1.0


class AlertsRole(Role):
    """Runs the rules of the compounds whose leases it has, and keeps incidents' timers."""

    name = "alerts"

    def __init__(self, foundation: Foundation, wake: Callable[[], None]) -> None:
        self._foundation = foundation
        self.desk = AlertDesk(foundation.database, foundation.clock, DeskMetrics(foundation.metrics), wake)
        only = foundation.settings.alerts_only
        self.member = Member(_holder(), frozenset(only.split(",")) if only else None)
        self._wake = wake
        self._time = leases.database_time(foundation.clock)
        self._client = Client()
        self._watches: dict[str, Watch] = {}
        self._surplus: list[Watch] = []
        # Watches that end, each beside the leases' rounds: what one waits for the others do not.
        self._ending: dict[Watch, asyncio.Task[None]] = {}
        self._is_closing = False
        self._tasks: list[asyncio.Task[None]] = []
        # Of its own: a lease must not run out because everybody else's work has the threads.
        self._lease_thread = concurrent.futures.ThreadPoolExecutor(1, "alert-leases")
        self._last_round: float | None = None

    async def start(self) -> None:
        self._client = await nats.connect(self._foundation.bus.servers, **self._foundation.bus.options())
        await declare_stream(self._client.jetstream(), self._foundation.bus.replicas)
        self._tasks = [
            asyncio.create_task(self._keep_leases(), name="alerts-leases"),
            asyncio.create_task(self._tick(), name="alerts-tick"),
        ]

    async def stop(self) -> None:
        self._is_closing = True
        keeping, ticking = self._tasks
        await _cancelled(ticking)
        # Leases are prolonged until what is under way under them is written.
        for watch in list(self._watches.values()):
            self._end(watch, watch.stop())
        await asyncio.gather(*self._ending.values())
        await _cancelled(keeping)
        # Taken in the round that was under way.
        for watch in list(self._watches.values()):
            await watch.stop()
        await self._on_lease_thread(self._give_up_all)
        self._lease_thread.shutdown()
        await self._client.close()

    def ready(self) -> bool:
        """Whether it is heard among the holders; one that has nothing to evaluate is ready to."""
        now = asyncio.get_running_loop().time()
        return (
            self._client.is_connected
            and self._last_round is not None
            and now - self._last_round < 2 * leases.TTL.total_seconds()
        )

    # ── leases ────────────────────────────────────────────────────────────────

    async def _keep_leases(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                lost, taken = await self._on_lease_thread(self._round)
            except Exception:
                # Without a database nothing is written either; what is held runs out and is taken anew.
                log.exception("alerts.leases_failed")
            else:
                self._last_round = loop.time()
                for watch in lost:
                    self._drop(watch)
                for lease in taken:
                    self._begin(lease)
                for watch in self._surplus:
                    self._end(watch, self._give_back(watch))
            await asyncio.sleep(_LOOK_S)

    def _round(self) -> tuple[list[Watch], list[Lease]]:
        """Prolongs what is held, and takes what is free and this process's share."""
        holding = {watch.lease.compound: watch for watch in self._watches.values()}
        with self._foundation.database.write() as session:
            now = self._time(session)
            leases.attend(session, self.member, now)
            kept = leases.renew(session, [(one.lease, one.news) for one in holding.values()], now)
            held = leases.held(session, now)
            turn = sharing.turn(
                self.member.holder,
                session.scalars(select(Compound.id)).all(),
                leases.members(session, now),
                held,
            )
            wanted = () if self._is_closing else turn.take
            found = (leases.acquire(session, compound, self.member.holder, now) for compound in wanted)
            taken = [lease for lease in found if lease is not None]
        for watch in holding.values():
            watch.noted()
        self._surplus = [holding[compound] for compound in turn.release if compound in holding]
        return [watch for compound, watch in holding.items() if compound not in kept], taken

    async def _give_back(self, watch: Watch) -> None:
        """What is more than a fair share: ended where it stands, held until then, and given up."""
        log.info("alerts.lease_shared", compound=watch.lease.compound, epoch=watch.lease.epoch)
        await watch.stop()
        if self._forget(watch):
            # No round prolongs it from here on: one that is under way is over before this is done.
            await self._on_lease_thread(self._release, watch.lease, watch.come)

    def _begin(self, lease: Lease) -> None:
        log.info("alerts.lease_taken", compound=lease.compound, epoch=lease.epoch)
        watch = Watch(lease, self.desk, self._foundation, self._client)
        self._watches[lease.compound] = watch
        watch.start()

    def _drop(self, watch: Watch) -> None:
        """Somebody else evaluates the compound by now, or this process under a newer lease."""
        if self._forget(watch):
            log.info("alerts.lease_gone", compound=watch.lease.compound, epoch=watch.lease.epoch)
            self._end(watch, watch.stop())

    def _forget(self, watch: Watch) -> bool:
        """Whether it was this one that is watched under."""
        if self._watches.get(watch.lease.compound) is not watch:
            return False
        del self._watches[watch.lease.compound]
        return True

    def _end(self, watch: Watch, ending: Coroutine[Any, Any, None]) -> None:
        if watch in self._ending:
            ending.close()
            return
        task = asyncio.create_task(ending, name=f"alerts-ending-{watch.lease.compound}")
        self._ending[watch] = task
        task.add_done_callback(lambda done: self._ended(watch, done))

    def _ended(self, watch: Watch, done: asyncio.Task[None]) -> None:
        del self._ending[watch]
        if not done.cancelled() and (error := done.exception()) is not None:
            # The lease runs out, then, and whoever looks next takes the compound.
            self._forget(watch)
            log.error("alerts.ending_failed", compound=watch.lease.compound, error=repr(error))

    def _release(self, lease: Lease, come: leases.Come) -> None:
        with self._foundation.database.write() as session:
            now = self._time(session)
            leases.renew(session, [(lease, come)], now)
            leases.release(session, lease, now)

    def _give_up_all(self) -> None:
        for watch in self._watches.values():
            self._release(watch.lease, watch.come)
        with self._foundation.database.write() as session:
            leases.leave(session, self.member.holder)

    async def _on_lease_thread(self, work: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._lease_thread, work, *args)

    # ── time ──────────────────────────────────────────────────────────────────

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        refreshed = swept = loop.time()
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                await asyncio.to_thread(self.desk.tick)
                if loop.time() - refreshed >= _REFRESH_S:
                    refreshed = loop.time()
                    await asyncio.to_thread(self.desk.refresh)
                if loop.time() - swept >= _SWEEP_S:
                    swept = loop.time()
                    await asyncio.to_thread(self._sweep)
            except LeaseLostError as error:
                watch = self._watches.get(error.compound)
                # One of an older lease says nothing of the newer one's.
                if watch is not None and watch.lease.epoch == error.epoch:
                    self._drop(watch)
            except Exception:
                log.exception("alerts.tick_failed")

    def _sweep(self) -> None:
        """Timers of incidents. Any process may: the row's version lets one of two through."""
        now = self._foundation.clock.now()
        with self._foundation.database.read() as session:
            # A look first: a writer in vain would keep ingest waiting.
            if not session.scalar(select(exists().where(Incident.due_at <= now))):
                return
        with self._foundation.database.write() as session:
            swept = timers.sweep(session, now)
        if swept:
            self._wake()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _holder() -> str:
    """A name for this run of this process: one that is started again is another."""
    return f"{socket.gethostname()[:24]}:{os.getpid()}:{new_id()[-12:]}"
