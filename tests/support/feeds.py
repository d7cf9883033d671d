"""A browser's or phone's live feed as a bare socket: hundreds of them in one test's loop."""

import asyncio
import contextlib
import json
import socket
from typing import Any, Final
from urllib.parse import urlsplit

from console.security import SESSION_COOKIE

# The least that Linux gives.
_SMALL: Final = 2304


class Feed:
    """One who follows `/api/v1/stream`, and comes back with the last number when the stream ends.

    `slow` reads nothing before `read()`, and its machine takes next to nothing in for it.
    """

    def __init__(self, base: str, cookie: str, *, slow: bool = False) -> None:
        self._to = urlsplit(base)
        self._cookie = cookie
        self._slow = slow
        self._reading = asyncio.Event()
        if not slow:
            self._reading.set()
        self._task: asyncio.Task[None] | None = None
        self.opened = asyncio.Event()
        # What came, in its order: its number, its kind and what it says.
        self.came: list[tuple[int, str, dict[str, Any]]] = []
        self.last: int | None = None
        self.connections = 0
        self.refused: list[str] = []

    def open(self) -> None:
        """Connects, from where it was."""
        self.opened.clear()
        self._task = asyncio.create_task(self._follow())

    async def cut(self) -> None:
        """The line is cut, wherever the feed is."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def read(self) -> None:
        self._reading.set()

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._once()
            await asyncio.sleep(0.05)

    async def _once(self) -> None:
        line = socket.socket()
        line.setblocking(False)
        if self._slow:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        assert self._to.hostname is not None
        await asyncio.get_running_loop().sock_connect(line, (self._to.hostname, self._to.port or 80))
        reader, writer = await asyncio.open_connection(sock=line, limit=_SMALL if self._slow else 65536)
        try:
            self.connections += 1
            after = "" if self.last is None else f"Last-Event-ID: {self.last}\r\n"
            writer.write(
                f"GET /api/v1/stream HTTP/1.1\r\nHost: {self._to.netloc}\r\n"
                f"Cookie: {SESSION_COOKIE}={self._cookie}\r\n{after}\r\n".encode()
            )
            status = (await reader.readline()).decode().strip()
            if " 200 " not in status:
                self.refused.append(status)
                return
            await self._read(reader)
        finally:
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        kind, number = "", 0
        # Sizes of chunks stand on lines of their own, and are no fields.
        while line := await reader.readline():
            name, _, value = line.decode().strip().partition(": ")
            if name == "id":
                number = self.last = int(value)
                self.opened.set()
                await self._reading.wait()
            elif name == "event":
                kind = value
            elif name == "data" and kind:
                self.came.append((number, kind, json.loads(value)))
                kind = ""
