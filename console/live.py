"""The live feed: one NATS connection a process, fanned out to everybody who watches.

Failure policy: *fail open*. Without NATS the pages still show the database; the feed
connects again by itself and goes on where it was, so that whoever stayed missed nothing.
A watcher who does not keep up is dropped and comes back with the number of the last
change it saw: nothing waits in memory without bound.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from prometheus_client import CollectorRegistry, Counter, Gauge

from console.live_tail import Change, TailBrokenError, bounds, follow

log = structlog.get_logger(__name__)

QUEUE_MAX: Final = 500
REPLAY_MAX: Final = 5_000
WATCHERS_MAX: Final = 1_000
CONNECT_TIMEOUT_S: Final = 5.0
FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0


class FeedFullError(Exception):
    """Too many watch already."""


class ResumeImpossibleError(Exception):
    """The stream no longer holds what came after that sequence number."""


class DroppedError(Exception):
    """The watcher did not keep up, or the stream began anew: it has to come back."""


class Watcher:
    """One who watches: changes in order, at most `QUEUE_MAX` waiting."""

    def __init__(self, limit: int) -> None:
        self._waiting: deque[Change] = deque()
        self._limit = limit
        self._news = asyncio.Event()
        self.dropped = False

    def offer(self, change: Change) -> bool:
        """Adds a change; False when this was one too many and the watcher is dropped."""
        if len(self._waiting) >= self._limit:
            self.drop()
            return False
        self._waiting.append(change)
        self._news.set()
        return True

    def drop(self) -> None:
        self.dropped = True
        self._waiting.clear()
        self._news.set()

    async def next(self, timeout_s: float) -> Change | None:
        """The next change, None when none came in time. Raises `DroppedError`."""
        if not self._waiting and not self.dropped:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), timeout_s)
        if self.dropped:
            raise DroppedError
        change = self._waiting.popleft() if self._waiting else None
        if not self._waiting:
            self._news.clear()
        return change


class LiveFeed:
    """Follows the stream and hands every change to every watcher."""

    def __init__(
        self,
        url: str | list[str],
        options: dict[str, Any],
        compound: str,
        registry: CollectorRegistry | None = None,
    ) -> None:
        # Reconnecting is done here, so that a connection that comes back cannot skip a change.
        self._options = {
            **options,
            "servers": [url] if isinstance(url, str) else url,
            "allow_reconnect": False,
        }
        self.compound = compound
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._following = asyncio.Event()
        self._watchers: set[Watcher] = set()
        self.queue_max = QUEUE_MAX
        # The sequence of the newest change handed out; None before the first connection.
        self.position: int | None = None
        self._count = Gauge(
            "ringward_console_live_watchers", "Streams open to browsers and phones", registry=registry
        )
        self._dropped = Counter(
            "ringward_console_live_dropped", "Streams ended because they did not keep up", registry=registry
        )

    @property
    def connected(self) -> bool:
        """Whether changes come in now."""
        return self._following.is_set()

    @property
    def is_full(self) -> bool:
        """Whether a further watcher would be refused."""
        return len(self._watchers) >= WATCHERS_MAX

    async def wait_connected(self) -> None:
        await self._following.wait()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="live-feed")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for watcher in self._watchers:
            watcher.drop()

    @contextlib.contextmanager
    def watch(self) -> Iterator[Watcher]:
        """A watcher of everything after `position` at this moment. Raises `FeedFullError`."""
        if self.is_full:
            raise FeedFullError
        watcher = Watcher(self.queue_max)
        self._watchers.add(watcher)
        self._count.inc()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            self._count.dec()

    async def replay(self, after: int, upto: int) -> AsyncGenerator[Change, None]:
        """What came after `after` up to `upto`.

        Raises `ResumeImpossibleError` when some of it is gone or it is too much, and
        `TailBrokenError` when the connection breaks meanwhile.
        """
        client = self._client
        if client is None or not client.is_connected:
            raise TailBrokenError
        try:
            first, last = await bounds(client)
        except (NatsError, TimeoutError) as error:
            raise TailBrokenError from error
        if after + 1 < first or after > last or upto - after > REPLAY_MAX:
            raise ResumeImpossibleError
        if upto <= after:
            return
        async with contextlib.aclosing(follow(client, self.compound, after + 1)) as changes:
            async for change in changes:
                if change is None or change.seq > upto:
                    return  # A heartbeat: nothing of ours is left before the end.
                yield change
                if change.seq == upto or change.pending == 0:
                    return

    async def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            before = self.position
            try:
                await self._connect_and_follow()
            except (NatsError, TailBrokenError, OSError, TimeoutError) as error:
                log.warning("live.disconnected", error=type(error).__name__)
            except Exception:
                # A feed that ends in silence shows every operator an old state as the present.
                log.exception("live.failed")
            finally:
                self._following.clear()
                await self._disconnect()
            pause = FIRST_PAUSE_S if self.position != before else min(pause * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(pause)

    async def _connect_and_follow(self) -> None:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            self._client = client = Client()
            await client.connect(**self._options | {"closed_cb": self._closed, "error_cb": _ignored})
            first, last = await bounds(client)
        if self.position is None:
            self.position = last
        elif self.position + 1 < first or self.position > last:
            # Emptied or made anew while we were away: nobody can be told what they missed.
            for watcher in self._watchers:
                watcher.drop()
            self.position = last
        async with contextlib.aclosing(follow(client, self.compound, self.position + 1)) as changes:
            self._following.set()
            log.info("live.following", position=self.position)
            async for change in changes:
                if change is not None:
                    self._hand_out(change)

    def _hand_out(self, change: Change) -> None:
        self.position = change.seq
        for watcher in self._watchers:
            if not watcher.dropped and not watcher.offer(change):
                self._dropped.inc()

    async def _closed(self) -> None:
        self._following.clear()

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None and not client.is_closed:
            with contextlib.suppress(NatsError, OSError):
                await client.close()


async def _ignored(_error: Exception) -> None:
    """Whatever it is, the tail breaks on it and says so in the log once."""
