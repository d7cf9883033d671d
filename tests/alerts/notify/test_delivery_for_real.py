"""A real push service on loopback that hangs, fails, asks for a pause, hangs up or knows the phone no more."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from reaching import PUSH, PlainWords, Reach

from alerts.notify.channels.outward import Outward
from alerts.notify.channels.subscription import written
from alerts.notify.channels.webpush import WebPush
from alerts.notify.engine import Engine
from alerts.notify.models import NotificationState
from devices.near import networks

HANGS, HANGS_UP = 0, -1


@dataclass
class Service:
    """Answers its letters with these, one after another, and then takes every one."""

    answers: list[int]
    port: int = 0
    seen: list[int] = field(default_factory=list)
    stuck: list[asyncio.Task[None]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.stuck.append(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
                await reader.readexactly(length)
                status = self.answers.pop(0) if self.answers else 201
                self.seen.append(status)
                if status == HANGS:
                    await asyncio.Event().wait()
                if status == HANGS_UP:
                    return
                pause = "Retry-After: 40\r\n" if status == 429 else ""
                writer.write(f"HTTP/1.1 {status} X\r\n{pause}Content-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def service(*answers: int) -> AsyncIterator[Service]:
    made = Service(list(answers))
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in made.stuck:
            task.cancel()
        await asyncio.gather(*made.stuck, return_exceptions=True)


@asynccontextmanager
async def engine(reach: Reach, deadline_s: float = 9.0) -> AsyncIterator[Engine]:
    outward = Outward(networks("127.0.0.0/8"), deadline_s=deadline_s)
    push = WebPush(outward, ec.generate_private_key(ec.SECP256R1()), "mailto:a@example.org", reach.clock.now)
    made = Engine(reach.database, reach.clock, {PUSH: push}, PlainWords(), "one", reach.numbers)
    try:
        yield made
    finally:
        await outward.close()


def subscribed(reach: Reach, responder: str, port: int) -> str:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    key, auth = (base64.urlsafe_b64encode(x).rstrip(b"=").decode() for x in (raw, b"0123456789abcdef"))
    return reach.contact(responder, PUSH, address=written(f"http://127.0.0.1:{port}/{responder}", key, auth))


@pytest.mark.parametrize(
    ("answer", "error", "wait"),
    [
        (500, "server_error", 5),
        (429, "too_many", 40),
        (HANGS, "timeout", 5),
        (HANGS_UP, "broken_off", 5),
    ],
)
async def test_one_fault_costs_one_more_letter_and_no_other_waits(
    reach: Reach, answer: int, error: str, wait: int
) -> None:
    # Whoever hangs is waited for: no longer than the test has to, and long enough for a busy machine.
    waits = 3.0 if answer == HANGS else 9.0
    async with service(answer) as bad, service() as good, engine(reach, waits) as sends:
        subscribed(reach, "qian", bad.port)
        subscribed(reach, "sun", good.port)
        key, other = reach.tell("qian"), reach.tell("sun")
        await sends.turn()
        assert reach.state(other) is NotificationState.TOLD
        assert reach.state(key) is NotificationState.PENDING
        assert [one.error for one in reach.attempts(key)] == [error]

        reach.clock.advance(wait - 1)
        assert await sends.turn() == 0
        reach.clock.advance(1)
        await sends.turn()
        assert reach.state(key) is NotificationState.TOLD
        reach.clock.advance(3600)
        await sends.turn()
    assert bad.seen == [answer, 201]
    assert good.seen == [201]


async def test_a_phone_that_is_no_more_is_called_once(reach: Reach) -> None:
    async with service(410) as gone, engine(reach) as sends:
        contact = subscribed(reach, "qian", gone.port)
        first = reach.tell()
        await sends.turn()
        second = reach.tell()
        await sends.turn()
    assert gone.seen == [410]
    assert not reach.of(contact).enabled
    assert reach.state(first) is reach.state(second) is NotificationState.UNREACHED
