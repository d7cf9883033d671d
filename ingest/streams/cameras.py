"""All cameras whose stream is read: one thread, a task for each, kept in step with the registry."""

import asyncio
import contextlib
import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from devices.near import PRIVATE, Network, networks
from devices.streams import DeviceStream, StreamWanted, wanted
from ingest.push.spool import Spool
from ingest.push.turnedaway import TurnedAway
from ingest.streams.streaming import Means, Memory, Streaming, StreamMetrics, StreamState
from storage import Clock, Database

log = structlog.get_logger(__name__)

# How long a new stream or a changed one may wait until it counts.
REFRESH_S: Final = 2.0
# How often the last part's time is noted: it is for people, and each time is a write.
NOTED_S: Final = 60.0
# Threads that seal and wait for the disk.
_WORKERS: Final = 2
_STOP_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class StreamRules:
    """Which networks cameras may be in, and how many streams are read at most."""

    allowed: tuple[Network, ...] = networks(PRIVATE)
    most: int = 64


class Streams:
    """Starts with an open spool, and stops before it is closed."""

    def __init__(
        self,
        rules: StreamRules,
        spool: Spool,
        database: Database,
        clock: Clock,
        turned_away: TurnedAway,
        registry: CollectorRegistry,
    ) -> None:
        self._rules = rules
        self._database = database
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="streams")
        self._means = Means(
            spool, clock, turned_away, StreamMetrics(registry), self._pool, rules.allowed, Memory()
        )
        # Without a task: more are wanted than are read.
        self._reading: dict[str, tuple[Streaming, asyncio.Task[None] | None]] = {}
        # What is written in the database of each stream's state.
        self._noted: dict[str, dict[str, Any]] = {}
        self._stop: Callable[[], object] = lambda: None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest-streams", daemon=True)
        gauge = Gauge("ringward_ingest_streams", "Streams that are to be read.", ["state"], registry=registry)
        gauge.labels("connected").set_function(lambda: self._count(connected=True))
        gauge.labels("away").set_function(lambda: self._count(connected=False))

    @property
    def states(self) -> dict[str, StreamState]:
        """What is known of each stream now, by device."""
        return {device_id: reading.state for device_id, (reading, _) in list(self._reading.items())}

    def start(self) -> None:
        if self._rules.most:
            self._thread.start()

    def stop(self) -> None:
        """Hangs up; what was read lies in the spool."""
        if self._thread.is_alive() and self._running.wait(_STOP_S):
            self._stop()
            self._thread.join(_STOP_S)
        self._pool.shutdown()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stopping.set)
        self._running.set()
        while not stopping.is_set():
            await self._keep_in_step()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), REFRESH_S)
        await self._leave()

    async def _leave(self) -> None:
        """Nobody is connected any more, and the database says so."""
        tasks = [task for _, task in self._reading.values() if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for reading, _ in self._reading.values():
            reading.state.connected_since = None
        with contextlib.suppress(SQLAlchemyError):
            self._note()

    async def _keep_in_step(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._pool, self._wanted)
            await self._change(found)
            await loop.run_in_executor(self._pool, self._note)
        except SQLAlchemyError as error:
            # What was read before goes on to hold: streams fill the spool.
            log.warning("streams.registry_away", error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one row that cannot be read must not end all streams
            log.error("streams.failed", error=type(error).__name__)  # noqa: TRY400

    def _wanted(self) -> dict[str, StreamWanted]:
        with self._database.read() as session:
            return {one.device_id: one for one in wanted(session)}

    async def _change(self, found: dict[str, StreamWanted]) -> None:
        await self._hang_up(
            [device_id for device_id, (now, _) in self._reading.items() if now.wanted != found.get(device_id)]
        )
        free = self._rules.most - sum(task is not None for _, task in self._reading.values())
        for device_id, one in found.items():
            streaming, task = self._reading.get(device_id, (None, None))
            if task is not None or (streaming is not None and free <= 0):
                continue
            streaming = Streaming(one, self._means)
            if free > 0:
                free -= 1
                task = asyncio.create_task(streaming.run(), name=f"stream-{device_id}")
            else:
                log.error("streams.too_many", wanted=len(found), most=self._rules.most)
                streaming.refuse("too_many")
            self._reading[device_id] = streaming, task

    async def _hang_up(self, device_ids: list[str]) -> None:
        tasks = [self._reading.pop(device_id)[1] for device_id in device_ids]
        for device_id in device_ids:
            self._noted.pop(device_id, None)
        begun = [task for task in tasks if task is not None]
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)

    def _note(self) -> None:
        """Writes what has changed of the streams' states, for whoever asks the database."""
        rows = {
            device_id: (reading.wanted.changed_at, _columns(reading.state, self._noted.get(device_id, {})))
            for device_id, (reading, _) in list(self._reading.items())
        }
        changed = {device_id: row for device_id, row in rows.items() if row[1] != self._noted.get(device_id)}
        if not changed:
            return
        with self._database.write() as session:
            for device_id, (changed_at, row) in changed.items():
                # What was known of a stream says nothing of the one that took its place.
                where = DeviceStream.device_id == device_id, DeviceStream.changed_at == changed_at
                session.execute(update(DeviceStream).where(*where).values(row))
        self._noted |= {device_id: row for device_id, (_, row) in changed.items()}

    def _count(self, *, connected: bool) -> int:
        return sum((state.connected_since is not None) == connected for state in self.states.values())


def _columns(state: StreamState, noted: dict[str, Any]) -> dict[str, Any]:
    last = _moment(state.last_part)
    before = noted.get("last_part_at")
    if before is not None and last is not None and (last - before).total_seconds() < NOTED_S:
        last = before
    return {
        "connected_since": _moment(state.connected_since),
        "last_part_at": last,
        "error": state.error,
        "error_at": _moment(state.error_at),
    }


def _moment(at: float | None) -> dt.datetime | None:
    return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC)
