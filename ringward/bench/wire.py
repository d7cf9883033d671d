"""HTTP/1.1 as lean as it goes, for a client that plays three hundred and fifty browsers on one core.

A library's client takes more of that core than the server that is to be measured. It speaks to our own
console on loopback and to nothing else: bodies with a length or in chunks, nothing compressed, no redirects.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

# Of one answer's head, and of one line of a stream.
_LONGEST: Final = 1024 * 1024
_OK: Final = 200


class BrokenError(Exception):
    """The connection ended, or what came is no answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Line:
    """One connection, one question at a time; opened anew where it was closed meanwhile."""

    def __init__(self, host: str, port: int, cookie: str) -> None:
        self._host, self._port, self._cookie = host, port, cookie
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; the next question opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Asks for a path with its query. Raises `BrokenError` where no whole answer came back."""
        try:
            reader = await self._ask(path, headers or {})
            status, found = await _head(reader)
            if found.get("transfer-encoding") == "chunked":
                return Answer(status, found, b"".join([part async for part in _chunks(reader)]))
            return Answer(status, found, await reader.readexactly(int(found.get("content-length", 0))))
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.close()
            raise BrokenError(str(error)) from error

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """Lines of a stream, without their ends, for as long as it lasts. `BrokenError`: refused, or cut."""
        try:
            reader = await self._ask(path, {"Accept": "text/event-stream"})
            status, _ = await _head(reader)
            if status != _OK:
                raise BrokenError(f"status {status}")
            rest = b""
            async for part in _chunks(reader):
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    yield line.rstrip(b"\r")
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise BrokenError(str(error)) from error
        finally:
            self.close()

    async def _ask(self, path: str, headers: Mapping[str, str]) -> asyncio.StreamReader:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=_LONGEST)
        asked = {"Host": f"{self._host}:{self._port}", "Cookie": self._cookie, **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        self._writer.write(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        return self._reader


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in rest if line)
    protocol, _, said = first.partition(" ")
    if protocol != "HTTP/1.1":
        raise BrokenError(f"no answer: {protocol[:20]}")
    return int(said.partition(" ")[0]), {name.lower(): value.strip() for name, _, value in pairs}


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Parts of a body in chunks (RFC 9112 §7.1), without trailers, which our console never sends."""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
