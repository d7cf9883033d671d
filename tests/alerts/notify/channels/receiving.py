"""Real servers on loopback that take letters as push services and webhooks do, or refuse to."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alerts.notify.channels.channel import Address, Letter
from alerts.notify.channels.subscription import written
from alerts.notify.models import Purpose
from devices.near import networks

HERE = networks("127.0.0.0/8,::1/128")


def letter(**changes: object) -> Letter:
    facts: dict[str, object] = {
        "notification": "n" * 32,
        "attempt": "a" * 32,
        "purpose": Purpose.OFFER,
        "severity": 1,
        "title": "能去吗？门被强行打开",
        "body": "3幢，11月23日 15:00:00。",
        "path": "/phone",
        "tag": "incident-7",
        "incident": "i" * 32,
        "compound": "honghua",
        "ttl_s": 120,
        "arguments": {"kind": "door.forced", "zone": "yard", "ring": "building", "state": "raised"},
    }
    return Letter(**facts | changes)


def to(address: str, **changes: object) -> Address:
    return Address(contact="c-1", address=address, **changes)


@dataclass
class Taken:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Post:
    """What a server was sent, and what it answers: a status, or None to say nothing at all."""

    port: int = 0
    status: int | None = 201
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/push/abc") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def post_office(change: Callable[[Post], None] = lambda _: None) -> AsyncIterator[Post]:
    post = Post()
    change(post)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        post.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                method, path, _ = first.split(" ")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                post.taken.append(Taken(method, path, headers, body))
                if post.status is None:
                    await asyncio.Event().wait()
                extra = "".join(f"{k}: {v}\r\n" for k, v in post.headers.items())
                said = f"HTTP/1.1 {post.status} x\r\nContent-Length: {len(post.answer)}\r\n{extra}\r\n"
                writer.write(said.encode() + post.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    post.port = server.sockets[0].getsockname()[1]
    try:
        yield post
    finally:
        server.close()
        for task in tasks:
            task.cancel()


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class BrowserKeys:
    """A subscription as a browser makes it: the private half never leaves it."""

    private: ec.EllipticCurvePrivateKey
    auth: bytes

    def address(self, endpoint: str) -> str:
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return written(endpoint, encoded(point), encoded(self.auth))
