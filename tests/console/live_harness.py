"""Publishing on the stream, and reading the console's server-sent events as a browser does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

import httpx
import nats
from nats.js.api import StreamConfig

from bus import subjects
from bus.messages import DeviceChanged, DispatchChanged, EventStored, IncidentChanged, Sighting, encode
from console.accounts.models import Role
from console.security import SESSION_COOKIE

DEADLINE_S = 15


class Bus:
    """Publishes on the stream as the relay does."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        self.client = await nats.connect(self._url)
        self.jetstream = self.client.jetstream()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()

    async def make_stream(self) -> None:
        config = StreamConfig(name=subjects.STREAM, subjects=subjects.STREAM_SUBJECTS)
        await self.jetstream.add_stream(config)

    async def say(self, *messages: object) -> int:
        seq = 0
        for message in messages:
            match message:
                case IncidentChanged():
                    subject = subjects.incident(message.compound)
                case DispatchChanged():
                    subject = subjects.dispatch(message.compound)
                case DeviceChanged():
                    subject = subjects.device(message.compound)
                case Sighting():
                    subject = subjects.sighting(message.compound, message.subject_kind, message.outcome)
                case EventStored():
                    subject = subjects.event(message.compound, message.ring, message.type)
            seq = (await self.jetstream.publish(subject, encode(message))).seq
        return seq


@dataclass
class Sent:
    """One block of the event stream."""

    id: str | None = None
    event: str | None = None
    data: dict | None = None
    comment: str | None = None


class Reader:
    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def block(self) -> Sent | None:
        """The next block; None when the stream has ended."""
        block = Sent()
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                if not line:
                    return block
                name, _, value = line.partition(": ")
                if not name:
                    block.comment = value
                elif name == "data":
                    block.data = json.loads(value)
                elif name in {"id", "event"}:
                    setattr(block, name, value)
        return None

    async def change(self) -> Sent:
        """The next block that a browser would hand to the page."""
        while True:
            block = await self.block()
            assert block is not None, "the stream has ended"
            if block.data is not None:
                return block

    async def changes(self, count: int) -> list[str]:
        return [(await self.change()).data["id"] for _ in range(count)]


@dataclass
class Served:
    app: object
    client: httpx.AsyncClient
    token_of: object

    @asynccontextmanager
    async def stream(
        self,
        role: Role = Role.OPERATOR,
        *,
        responder: str | None = None,
        query: str = "",
        last: int | None = None,
    ) -> AsyncIterator[Reader]:
        headers = {"Cookie": f"{SESSION_COOKIE}={self.token_of(role, responder)}"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        async with self.client.stream("GET", f"/api/v1/stream{query}", headers=headers) as response:
            assert response.status_code == 200
            assert response.headers["Content-Type"].startswith("text/event-stream")
            yield Reader(response)

    @asynccontextmanager
    async def following(self, role: Role = Role.OPERATOR, **options) -> AsyncIterator[Reader]:
        """A stream that has begun: what is published from now on must arrive."""
        async with self.stream(role, **options) as reader:
            begun = await reader.block()
            assert begun is not None
            assert begun.data is None
            yield reader


async def until(condition) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - the condition is another task's
            await asyncio.sleep(0.01)
