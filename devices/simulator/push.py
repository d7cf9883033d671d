"""A device's HTTP connection: one request after the other, as firmware does it."""

import asyncio
import contextlib
from typing import Final
from urllib.parse import urlsplit

from devices.simulator.wires import Message

ANSWER_S: Final = 60.0
RETRY_S: Final = 2.0


class PushError(Exception):
    """No answer came: the connection failed, or the answer was none."""


class PushLine:
    """Posts to `{base}/{device}/key-{secret}/…` on a connection that is kept.

    `base` is the receiver's address, for example `http://127.0.0.1:8081/push`.
    """

    def __init__(self, base: str, device_id: str, secret: str) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._path = f"{parts.path.rstrip('/')}/{device_id}/key-{secret}"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, message: Message) -> tuple[int, bytes]:
        """The status and body of the answer. Raises `PushError`."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._post(message)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            await self.close()
            raise PushError(type(error).__name__) from error

    async def close(self) -> None:
        """Closes the connection; the next request opens another."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _post(self, message: Message) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        head = (
            f"POST {self._path}{message.topic} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: {message.content_type}\r\nContent-Length: {len(message.body)}\r\n\r\n"
        )
        writer.write(head.encode() + message.body)
        await writer.drain()
        status = int((await reader.readuntil(b"\r\n")).split()[1])
        length, keep = 0, True
        while (line := (await reader.readuntil(b"\r\n")).strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "connection" and value.strip().lower() == "close":
                keep = False
        body = await reader.readexactly(length)
        if not keep:
            await self.close()
        return status, body
