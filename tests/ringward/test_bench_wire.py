"""The lean client speaks enough HTTP/1.1 for what it is asked to measure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ringward.bench.wire import BrokenError, Line


@asynccontextmanager
async def serving(*parts: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Answers every question with the same bytes, in pieces; the questions' heads."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                if b"\r\nConnection: close" in parts[0]:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def test_an_answer_with_a_length_and_the_next_on_the_same_line() -> None:
    async with serving(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 4\r\n\r\nab', b"cd") as (
        port,
        asked,
    ):
        async with Line("127.0.0.1", port, "who=me") as line:
            first, second = await line.get("/a"), await line.get("/b", {"If-None-Match": '"a"'})
        assert (first.status, first.headers["etag"], first.body) == (200, '"a"', b"abcd")
        assert second.body == b"abcd"
        assert asked[0].startswith(b"GET /a HTTP/1.1\r\n")
        assert b"Cookie: who=me" in asked[0]
        assert b'If-None-Match: "a"' in asked[1]


async def test_a_body_in_chunks_that_come_in_pieces() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(head, b"3\r\nab", b"c\r\n2;x=y\r\nde\r\n", b"0\r\n\r\n") as (port, _):
        line = Line("127.0.0.1", port, "")
        assert (await line.get("/")).body == b"abcde"
        assert (await line.get("/")).body == b"abcde"
        line.close()


async def test_nothing_new_has_no_body() -> None:
    async with serving(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n') as (port, _):
        line = Line("127.0.0.1", port, "")
        assert (await line.get("/")).status == 304
        line.close()


async def test_lines_of_a_stream_are_whole_however_they_are_cut_and_its_end_is_said() -> None:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    got = []

    async def read(port: int) -> None:
        async for one in Line("127.0.0.1", port, "").lines("/stream"):
            got.append(one)

    async with serving(head, b"7\r\nid: 7\nd\r\n", b"8\r\nata: x\n\n\r\n") as (port, _):
        with pytest.raises(BrokenError):
            await read(port)
    assert got == [b"id: 7", b"data: x", b""]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nshort",
        b"SSH-2.0\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_whole_answer_is_broken(answer: bytes) -> None:
    async with serving(answer) as (port, _):
        with pytest.raises(BrokenError):
            await Line("127.0.0.1", port, "").get("/")


async def test_a_stream_that_is_refused_is_broken() -> None:
    async with serving(b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") as (
        port,
        _,
    ):
        with pytest.raises(BrokenError, match="401"):
            async for _line in Line("127.0.0.1", port, "").lines("/stream"):
                pass


async def test_nobody_who_answers_is_broken() -> None:
    with pytest.raises(BrokenError):
        await Line("127.0.0.1", 1, "").get("/")
