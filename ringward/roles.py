"""The roles a process can run. Each starts, says whether it is ready, and stops cleanly."""

import asyncio
import contextlib
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from bus import deadletters
from bus.messages import Message
from devices.opening import SUBJECTS as OPENING_SUBJECTS
from ringward.foundation import Foundation, ingest_login, ingest_share, mqtt_login
from storage.leases import Fence, unfenced

if TYPE_CHECKING:
    from bus.broker import Advisory

log = structlog.get_logger(__name__)


class Role(ABC):
    """Something a process does until it is told to stop."""

    name: str

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    async def stop(self) -> None: ...

    def ready(self) -> bool:
        """Whether it can do its work now."""
        return True

    def active(self) -> bool | None:
        """Whether it is the one that does the work; None where any number may."""
        return None


class _Looping(Role):
    """A role that is one coroutine."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._forever(), name=self.name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _forever(self) -> None:
        while True:
            try:
                await self._run()
            except asyncio.CancelledError:
                raise
            except Exception:
                # A bus or database that is away comes back; the role waits for it.
                log.exception("role.failed", role=self.name)
                await asyncio.sleep(1)

    @abstractmethod
    async def _run(self) -> None: ...


class RelayRole(_Looping):
    """Carries the outbox to the bus."""

    name = "relay"

    def __init__(self, foundation: Foundation) -> None:
        super().__init__()
        # The library for workers and what it brings is 30 MB: no role has it for another's sake.
        from bus.relay import Relay, RelayMetrics

        self.relay = Relay(foundation.database, foundation.bus, RelayMetrics(foundation.metrics))

    def ready(self) -> bool:
        return self.relay.connected

    async def _run(self) -> None:
        await self.relay.run()


class IngestRole(Role):
    """Takes in what devices publish and push."""

    name = "ingest"
    # How long a flood that is over waits to be told, or a dead letter to be read again.
    UPKEEP_S = 1.0

    def __init__(
        self,
        foundation: Foundation,
        wake: Callable[[], None],
        *,
        fence: Fence = unfenced,
        may_connect: Callable[[], bool] = lambda: True,
    ) -> None:
        from devices.directory import DeviceDirectory
        from ingest.intake import Intake
        from ingest.metrics import IntakeMetrics
        from ingest.mqtt.subscriber import Subscriber, SubscriberMetrics
        from ingest.upkeep import Upkeep
        from ringward.pushside import PushSide

        self._foundation = foundation
        self._wake = wake
        directory = DeviceDirectory(foundation.database)
        metrics = IntakeMetrics(foundation.metrics)
        intake = Intake(
            foundation.database,
            foundation.media,
            directory,
            metrics,
            foundation.settings.flood_limit,
            foundation.settings.pinned_facts,
            fence,
        )
        self._share = ingest_share(foundation.settings)
        self._login = ingest_login(foundation.settings)
        self._said: dt.datetime | None = None
        self._upkeep = Upkeep(foundation.database, intake, foundation.clock)
        self._looking: asyncio.Task[None] | None = None
        self._push_side = PushSide(foundation, intake, metrics, wake)
        self.subscriber = Subscriber(
            self._login,
            intake,
            foundation.clock,
            SubscriberMetrics(foundation.metrics),
            wake,
            may_connect,
            self._share.filters(),
        )

    async def start(self) -> None:
        from devices import presence

        with self._foundation.database.write() as session:
            presence.ensure_rows(session, self._foundation.clock.now())
        self.subscriber.start()
        self._push_side.start()
        self._looking = asyncio.create_task(self._look_in(), name="ingest-upkeep")

    async def stop(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await self._push_side.stop()
        await asyncio.to_thread(self.subscriber.stop)
        try:
            await asyncio.to_thread(self._upkeep.finish)
        except Exception:
            log.exception("ingest.upkeep_failed")

    def ready(self) -> bool:
        return self.subscriber.connected and self._push_side.ready

    async def _look_in(self) -> None:
        while True:
            await asyncio.sleep(self.UPKEEP_S)
            try:
                if await asyncio.to_thread(self._upkeep.turn):
                    self._wake()
                await asyncio.to_thread(self._say)
            except Exception:
                # The database that is away comes back; what is due stays due.
                log.exception("ingest.upkeep_failed")

    def _say(self) -> None:
        """What is taken here, for whoever looks for what falls between several ingests."""
        from ingest import shares

        now = self._foundation.clock.now()
        if not self.subscriber.connected or (self._said is not None and now - self._said < shares.SAY_EVERY):
            return
        with self._foundation.database.write() as session:
            shares.say(session, self._login.client_id, self._share, now)
            found = shares.between(session, now)
        self._said = now
        if not found.is_closed:
            log.warning("ingest.nobody_listens", compounds=found.compounds, vendor_topics=found.vendor_topics)


class DevicesRole(_Looping):
    """Notices devices that fall silent, sends what they are asked to do, keeps their lists, opens doors."""

    name = "devices"
    SWEEP_S = 1.0
    # How long a command waits at worst until it is looked at.
    SEND_S = 0.1
    # How long an order to forget waits at worst until it is looked at.
    LISTS_S = 1.0

    def __init__(self, foundation: Foundation, wake: Callable[[], None], *, fence: Fence = unfenced) -> None:
        from bus import broker
        from devices.commands.sender import CommandSender, SenderMetrics
        from devices.directory import DeviceDirectory
        from devices.downlink import Downlink
        from devices.lists.metrics import ListMetrics
        from devices.lists.reconciler import Reconciler
        from devices.opening import Opener, OpeningMetrics

        super().__init__()
        self._foundation = foundation
        self._directory = DeviceDirectory(foundation.database)
        self._wake = wake
        self._fence = fence
        self._since = foundation.clock.now()
        self._downlink = Downlink(mqtt_login(foundation.settings, "devices"))
        self._sender = CommandSender(
            foundation.database,
            self._directory,
            self._downlink,
            foundation.clock,
            SenderMetrics(foundation.metrics),
            fence,
        )
        self._reconciler = Reconciler(
            foundation.database,
            self._directory,
            self._downlink,
            foundation.clock,
            ListMetrics(foundation.metrics),
            terminal_url=foundation.settings.terminal_url,
        )
        self._opener = Opener(foundation.database, foundation.clock, OpeningMetrics(foundation.metrics))
        self._bus = broker
        self._broker = broker.build(foundation.bus)
        self._replicas = foundation.bus.replicas
        self._lists: asyncio.Task[None] | None = None
        # Set where ingest runs in the same process: silence counts while it listens only.
        self.listening: Callable[[], bool] = lambda: True

    async def start(self) -> None:
        if self._lists is None:
            # Silence from before, when another process may have listened, is not counted.
            self._since = self._foundation.clock.now()
            self._downlink.start()
            await super().start()
            # Apart from the commands: a door does not wait until a register is read.
            self._lists = asyncio.create_task(self._keep_lists(), name="devices-lists")
            self._bus.consume(
                self._broker, "openings", list(OPENING_SUBJECTS), self._open, replicas=self._replicas
            )
        await self._broker.start()

    async def stop(self) -> None:
        await self._broker.stop()
        if self._lists is not None:
            self._lists.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._lists
        await super().stop()
        await asyncio.to_thread(self._downlink.stop)

    async def _open(self, message: Message) -> None:
        await asyncio.to_thread(self._opener.handle, message)

    async def _keep_lists(self) -> None:
        loop = asyncio.get_running_loop()
        rounds = loop.time()
        while True:
            try:
                if loop.time() >= rounds:
                    rounds = loop.time() + self._foundation.settings.list_interval_s
                    await asyncio.to_thread(self._reconciler.round)
                else:
                    await asyncio.to_thread(self._reconciler.step)
            except Exception:
                # A database that is away comes back; nothing is lost, since all of it is written down.
                log.exception("lists.failed")
            await asyncio.sleep(self.LISTS_S)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        swept = loop.time()
        while True:
            await asyncio.sleep(self.SEND_S)
            await asyncio.to_thread(self._sender.round)
            if loop.time() - swept < self.SWEEP_S:
                continue
            swept = loop.time()
            if not self.listening():
                self._since = self._foundation.clock.now()
                continue
            if await asyncio.to_thread(self._sweep):
                self._wake()

    def _sweep(self) -> list[str]:
        from devices import presence

        known = {device.device_id: device for device in self._directory.all() if device.enabled}
        now = self._foundation.clock.now()
        with self._foundation.database.write() as session:
            self._fence(session)
            presence.ensure_rows(session, now)
            return presence.sweep(session, known, now, self._since)


class KeeperRole(Role):
    """Keeps what workers gave up where an operator sees it, and sees to it that what is over goes."""

    name = "keeper"

    def __init__(self, foundation: Foundation) -> None:
        from bus import broker
        from ringward.housekeeping import Housekeeping, HousekeepingMetrics
        from ringward.measures import Measuring

        self._foundation = foundation
        self._bus = broker
        self._broker = broker.build(foundation.bus)
        self.housekeeping = Housekeeping(foundation, HousekeepingMetrics(foundation.metrics))
        self._measuring = Measuring(foundation)
        self._rounds: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        if not self._rounds:
            await self._measuring.start()
            # Erasure and retention need no bus: they go on while it is away.
            self._rounds = [
                asyncio.create_task(self._again(work), name=f"keeper-{work.__name__}")
                for work in (self.housekeeping.round, self.housekeeping.keep)
            ]
            self._bus.consume_given_up(self._broker, self._keep, replicas=self._foundation.bus.replicas)
        await self._broker.start()

    async def stop(self) -> None:
        self.housekeeping.stop()
        await self._measuring.stop()
        await asyncio.gather(*self._rounds)
        await self._broker.stop()

    async def _again(self, work: Callable[[], None]) -> None:
        from ringward.housekeeping import ROUND_S, StoppedError

        while not self.housekeeping.stopping:
            try:
                await asyncio.to_thread(work)
            except StoppedError:
                return
            await asyncio.to_thread(self.housekeeping.rest, ROUND_S)

    async def _keep(self, advisory: "Advisory") -> None:
        raw = await self._bus.stored_message(self._broker, advisory.stream_seq)
        await asyncio.to_thread(self._record, advisory, raw)

    def _record(self, advisory: "Advisory", raw: tuple[str, bytes] | None) -> None:
        subject, payload = raw or ("", b"")
        letter = deadletters.letter(
            "bus",
            "worker_gave_up",
            self._foundation.clock.now(),
            detail=f"{advisory.consumer} failed {advisory.deliveries} times",
            topic=subject,
            raw=payload,
            context={"stream_seq": advisory.stream_seq, "consumer": advisory.consumer},
        )
        with self._foundation.database.write() as session:
            deadletters.record(session, [letter])
