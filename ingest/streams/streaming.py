"""One camera's stream, read for good: called again whenever it ends, its events spooled.

A message is forgotten here once it lies on the disk, synced. While there is no room for it
nothing more is read, so that the camera notices. What a camera tells while nobody reads is lost:
it keeps no events for a stream.
"""

import asyncio
import random
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Final

import httpx
import structlog
from prometheus_client import CollectorRegistry, Counter

from devices.adapters import ADAPTERS
from devices.adapters.contract import MAX_BYTES, Incoming, RefusedError
from devices.near import Network
from devices.streams import KINDS, StreamWanted
from ingest.push.spool import Spool, SpoolFullError
from ingest.push.turnedaway import TurnedAway
from ingest.streams.assembly import Assembler, Message, is_picture
from ingest.streams.attaching import AttachError, attached
from ingest.streams.parts import NotAStreamError, PartReader, StreamPart
from storage import Clock

log = structlog.get_logger(__name__)

# Seconds until a camera is called again: the first time, and at most; each time twice as long.
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 60.0
# After a refused password. Hikvision locks whoever is wrong five times, for half an hour.
REFUSED_WAIT_S: Final = 900.0
# A connection that held for so long was a good one.
GOOD_S: Final = 30.0
# How long nothing has come when an event is taken to be complete, and where it promises pictures.
QUIET_S: Final = 0.5
PROMISED_S: Final = 5.0
_GRACE_S: Final = 0.02
ROOM_RETRY_S: Final = 1.0
# Of all streams together, in parts that are not complete.
MEMORY_BYTES: Final = 64 * 1024 * 1024
# What is left to each when that is used up by pictures.
WORDS_BYTES: Final = 1024 * 1024


class StreamMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "ringward_ingest_stream_messages", "Messages of streams that were spooled.", registry=registry
        )
        self.ends = Counter(
            "ringward_ingest_stream_ends",
            "Connections to cameras that ended or were not made.",
            ["code"],
            registry=registry,
        )
        self.lost = Counter(
            "ringward_ingest_stream_lost",
            "What came in a stream and was not kept: picture (of no event), part (too large), message "
            "(no room when ingest stopped).",
            ["what"],
            registry=registry,
        )


@dataclass(slots=True)
class StreamState:
    """What is known of a stream now, times as seconds of the clock.

    `error` is a code of `AttachError`, or no_room, failed, too_many; `error_at` says since when.
    """

    connected_since: float | None = None
    last_part: float | None = None
    error: str | None = None
    error_at: float | None = None


class Memory:
    """How much lies in memory over all streams; for one event loop."""

    def __init__(self, most: int = MEMORY_BYTES) -> None:
        self._most = most
        self._held: dict[str, int] = {}

    def holds(self, device_id: str, size: int) -> None:
        """Says how much one stream holds now."""
        self._held[device_id] = size

    def left(self, device_id: str) -> int:
        """How much one stream may hold, with what it holds already: enough for words in any case."""
        others = sum(size for other, size in self._held.items() if other != device_id)
        return max(WORDS_BYTES, self._most - others)


@dataclass(frozen=True, slots=True)
class Means:
    """What all streams share."""

    spool: Spool
    clock: Clock
    turned_away: TurnedAway
    metrics: StreamMetrics
    pool: Executor
    allowed: tuple[Network, ...]
    memory: Memory


class Streaming:
    """`run` never ends by itself; cancelled, it spools what it holds."""

    def __init__(self, wanted: StreamWanted, means: Means) -> None:
        self.wanted = wanted
        self.state = StreamState()
        self._means = means
        self._kind = KINDS[wanted.kind]
        self._adapter = ADAPTERS[self._kind.adapter]
        self._topic = self._kind.path.partition("?")[0]
        self._alive_at = float("-inf")

    async def run(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            began = time.monotonic()
            try:
                await self._read_once()
                code = "closed"
            except AttachError as error:
                code = error.code
            except NotAStreamError:
                code = "not_a_stream"
            except Exception as error:  # noqa: BLE001 - one camera's answer must not end its stream for good
                # Its text may show what the camera said; its kind does not.
                log.error("stream.failed", device=self.wanted.device_id, error=type(error).__name__)  # noqa: TRY400
                code = "failed"
            good = self.state.connected_since is not None and time.monotonic() - began > GOOD_S
            wait_s = FIRST_WAIT_S if good else wait_s
            self._ended(code)
            pause_s = REFUSED_WAIT_S if code == "auth_failed" else wait_s
            # Cameras that lost power together are not called together.
            await asyncio.sleep(pause_s * random.uniform(0.75, 1.25))  # noqa: S311
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def refuse(self, code: str) -> None:
        """Says why it is not read at all."""
        self._note_error(code)

    def _ended(self, code: str) -> None:
        if code != self.state.error or self.state.connected_since is not None:
            log.warning("stream.ended", device=self.wanted.device_id, code=code)
        self._means.metrics.ends.labels(code).inc()
        self.state.connected_since = None
        self._note_error(code)

    def _note_error(self, code: str) -> None:
        if self.state.error != code:
            self.state.error, self.state.error_at = code, self._now()

    async def _read_once(self) -> None:
        """One connection, to its end. Raises `AttachError` and `NotAStreamError`."""
        assembler = Assembler(pictures=self._kind.pictures)
        reader: PartReader | None = None
        try:
            async with attached(self.wanted, self._means.allowed) as response:
                reader = PartReader(response.headers.get("content-type", ""), MAX_BYTES, self._is_whole)
                self.state.connected_since = self._now()
                log.info("stream.connected", device=self.wanted.device_id)
                await self._read(response, reader, assembler)
        finally:
            await self._finish(reader, assembler)

    async def _finish(self, reader: PartReader | None, assembler: Assembler) -> None:
        """What is left when a connection ends; half a picture belongs to its event, half an event is none."""
        rest = None if reader is None else reader.end()
        messages: list[Message] = []
        if rest is not None and (is_picture(rest) or self._is_whole(rest.content_type, rest.content)):
            messages += assembler.add(rest)
        messages += assembler.flush()
        self._means.memory.holds(self.wanted.device_id, 0)
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            self._last(messages)
        else:
            await self._hand_on(messages)

    async def _read(self, response: httpx.Response, reader: PartReader, assembler: Assembler) -> None:
        chunks = response.aiter_raw()
        coming: asyncio.Future[bytes] | None = None
        quiet_s = 0.0
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(chunks, b""))
                pending = assembler.waiting or not reader.between
                await asyncio.wait([coming], timeout=QUIET_S if pending else None)
                if not coming.done():
                    # It may have been us who were busy: then what has come meanwhile goes first.
                    await asyncio.wait([coming], timeout=_GRACE_S)
                if coming.done():
                    chunk = coming.result()
                    coming, quiet_s = None, 0.0
                    if not chunk:
                        return
                    parts = self._fed(reader, assembler, chunk)
                else:
                    quiet_s += QUIET_S
                    parts = reader.pause()
                await self._take(parts, reader, assembler, quiet_s)
        finally:
            if coming is not None:
                coming.cancel()

    def _fed(self, reader: PartReader, assembler: Assembler, chunk: bytes) -> list[StreamPart]:
        memory, device_id = self._means.memory, self.wanted.device_id
        before = reader.too_large
        reader.most = max(0, min(MAX_BYTES, memory.left(device_id)) - assembler.held)
        parts = reader.feed(chunk)
        if reader.too_large > before:
            self._means.metrics.lost.labels("part").inc(reader.too_large - before)
            self._means.turned_away.note("too_large", device_id, "", detail="a part of its stream")
        return parts

    async def _take(
        self, parts: list[StreamPart], reader: PartReader, assembler: Assembler, quiet_s: float
    ) -> None:
        if parts:
            self.state.last_part, self.state.error, self.state.error_at = self._now(), None, None
        lost = assembler.lost
        messages = [message for part in parts for message in assembler.add(part)]
        limit_s = PROMISED_S if assembler.promised else QUIET_S
        if quiet_s >= limit_s and assembler.waiting and (reader.between or quiet_s >= PROMISED_S):
            messages += assembler.flush()
        if assembler.lost > lost:
            self._means.metrics.lost.labels("picture").inc(assembler.lost - lost)
        held = reader.held + assembler.held + sum(len(message.body) for message in messages)
        self._means.memory.holds(self.wanted.device_id, held)
        await self._hand_on(messages)

    async def _hand_on(self, messages: list[Message]) -> None:
        """Each message onto the disk; waits while there is no room for it."""
        for position, message in enumerate(messages):
            job: Future[None] = self._means.pool.submit(self._store, message)
            try:
                while not await self._succeeds(job):
                    await asyncio.sleep(ROOM_RETRY_S)
                    job = self._means.pool.submit(self._store, message)
            except asyncio.CancelledError:
                # What has been begun is finished; its outcome says whether this one is still to do.
                self._last(messages[position + (job.exception() is None) :])
                raise

    async def _succeeds(self, job: Future[None]) -> bool:
        try:
            await asyncio.shield(asyncio.wrap_future(job))
        except (SpoolFullError, OSError) as error:
            log.error("stream.no_room", device=self.wanted.device_id, error=type(error).__name__)  # noqa: TRY400
            self._note_error("no_room")
            return False
        return True

    def _last(self, messages: list[Message]) -> None:
        """When ingest stops there is no more waiting: one try."""
        for message in messages:
            try:
                self._store(message)
            except (SpoolFullError, OSError) as error:
                log.error("stream.lost", device=self.wanted.device_id, error=type(error).__name__)  # noqa: TRY400
                self._means.metrics.lost.labels("message").inc()

    def _store(self, message: Message) -> None:
        now = time.monotonic()
        if self._is_sign_of_life(message):
            # Some cameras say every second that they are there; twice a heartbeat is enough.
            if now - self._alive_at < self.wanted.heartbeat_s / 2:
                return
            self._alive_at = now
        self._means.spool.put(self.wanted.device_id, self._topic, message.body, message.content_type)
        self._means.metrics.messages.inc()

    def _is_sign_of_life(self, message: Message) -> bool:
        try:
            decoded = self._adapter.decode(Incoming(self._topic, message.body, message.content_type))
        except Exception:  # noqa: BLE001 - what it is, the intake says
            return False
        return decoded.ignored == "keep_alive" and not decoded.readings and decoded.partial is None

    def _is_whole(self, content_type: str, content: bytes) -> bool:
        """Whether nothing is missing at the end of a part, as far as its content says so."""
        if is_picture(StreamPart((), content_type, content)):
            return content.rstrip(b"\0\r\n").endswith((b"\xff\xd9", b"IEND\xaeB`\x82"))
        try:
            decoded = self._adapter.decode(Incoming(self._topic, content, content_type or "text/plain"))
        except RefusedError as refused:
            return not refused.reason.startswith("malformed")
        except Exception:  # noqa: BLE001 - what it is, the intake says
            return False
        return decoded.partial is None

    def _now(self) -> float:
        return self._means.clock.now().timestamp()
