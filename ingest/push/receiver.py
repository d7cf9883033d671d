"""The HTTP receiver: `POST` or `PUT /push/{device}/…`, stored and fsynced, then 200.

What stands below the device's name is the path that its adapter sees, with the query. The
device signs in with HTTP Basic, or with `key-{secret}` as the first step of that path, for
firmware that can be given an address and nothing else. A body is read only after that.

| answer | meaning |
|---|---|
| 200, or what the vendor's protocol says | the message is safe, or lies with the dead letters |
| 401 | no credential, or a wrong one |
| 403 | the device is disabled |
| 404 | no such address, or a device whose format is not pushed |
| 408 | the body did not come in time |
| 413 | larger than `MAX_BYTES`; no more of it is read |
| 429 | too many wrong secrets; `Retry-After` says when |
| 503 | the spool or the disk is full, or too much comes at once: send it again |
"""

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import parse_qsl, urlencode

import structlog
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from devices.adapters import ADAPTERS
from devices.adapters.contract import MAX_BYTES, Adapter, HttpReply, Incoming, RefusedError
from ingest.push.guessing import Guessing
from ingest.push.pushers import Pusher, Pushers
from ingest.push.room import NoRoomError, Room
from ingest.push.spool import Spool, SpoolFullError
from ingest.push.turnedaway import TurnedAway

log = structlog.get_logger(__name__)

# Threads that hash, seal, wait for the disk and decode. More would only wait for each other.
WORKERS: Final = 4
# Bodies in memory at once, by their declared size; a body is copied a few times on its way.
BODIES_BYTES: Final = 64 * 1024 * 1024
# Of one device, so that one with many slow connections holds up nobody else.
BODIES_A_DEVICE: Final = 2
BODY_S: Final = 30.0
ROOM_S: Final = 20.0
# Of a body that is not wanted so much is read and dropped: a device that reads the answer only
# after it has sent everything hears it then. Beyond, the connection is closed.
DISCARDED_BYTES: Final = 1024 * 1024
DISCARD_S: Final = 5.0
RETRY_AFTER_S: Final = 30
_TOPIC_MOST: Final = 2000
_TYPE_MOST: Final = 500
_KEY: Final = "key-"
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Ringward", charset="UTF-8"'}
_FORM: Final = "application/x-www-form-urlencoded"
# A query may carry the device's own login to whatever it believes to push to.
_SECRETS: Final = frozenset(
    [
        *("pass", "passwd", "password", "pass_wd", "pwd", "secret", "token", "access_token", "auth"),
        *("authorization", "apikey", "api_key", "key", "sign", "signature", "authcode"),
    ]
)


class PushMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.answers = Counter(
            "ringward_ingest_pushes", "Pushed messages by the status answered.", ["status"], registry=registry
        )


class _RefusedPushError(Exception):
    """What a device is told instead of 200."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {})


class Receiver:
    """`app` serves what devices push. `address`, `body` and secrets stand in no log."""

    def __init__(self, pushers: Pushers, spool: Spool, turned_away: TurnedAway, metrics: PushMetrics) -> None:
        self._pushers = pushers
        self._spool = spool
        self._turned_away = turned_away
        self._metrics = metrics
        self._guessing = Guessing(time.monotonic)
        self._room = Room(BODIES_BYTES, BODIES_A_DEVICE, ROOM_S)
        # Sign-ins must not wait behind a slow disk.
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="push")
        self._checks = ThreadPoolExecutor(1, thread_name_prefix="push-secrets")
        routes = [
            Route("/push/{device}", self._push, methods=["POST", "PUT"]),
            Route("/push/{device}/{rest:path}", self._push, methods=["POST", "PUT"]),
        ]
        self.app = Starlette(routes=routes)
        self.app.router.redirect_slashes = False

    def close(self) -> None:
        """Ends the threads; what they have begun is finished."""
        self._pool.shutdown()
        self._checks.shutdown()

    async def _push(self, request: Request) -> Response:
        response = await self._answer(request)
        self._metrics.answers.labels(str(response.status_code)).inc()
        return response

    async def _answer(self, request: Request) -> Response:
        try:
            reply = await self._take(request)
        except _RefusedPushError as refused:
            headers = refused.headers
            if "Connection" not in headers and not await _discarded(request):
                headers["Connection"] = "close"
            return PlainTextResponse(f"{refused.text}\n", refused.status, headers)
        except ClientDisconnect:
            # Half a message is none; nobody hears the answer.
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing was promised
            # Its text may show what the message holds; its kind does not.
            log.error("push.failed", error=type(error).__name__)  # noqa: TRY400
            return PlainTextResponse("not stored: send it again\n", 503, _retry(close=True))
        return Response(reply.body, reply.status, media_type=reply.content_type)

    async def _take(self, request: Request) -> HttpReply:
        device_id = request.path_params["device"]
        secret, rest = _presented(request.headers.get("authorization"), request.path_params.get("rest", ""))
        address = request.client.host if request.client else ""
        pusher = await self._signed_in(device_id, secret, address)
        adapter = ADAPTERS.get(pusher.adapter)
        if adapter is None or not adapter.pushes:
            raise _RefusedPushError(
                404,
                f"{pusher.device_id} is registered as {pusher.adapter}, whose devices do not push by HTTP",
            )
        declared = request.headers.get("content-length", "")
        size = int(declared) if declared.isdigit() else MAX_BYTES
        if size > MAX_BYTES:
            raise self._too_large(pusher, address, size)
        try:
            async with self._room.taken(pusher.device_id, size):
                # Known before the body comes: a device that hears it now has saved its breath.
                self._spool.admit(size)
                body = await self._body(request, pusher, address)
                return await self._stored(pusher, adapter, rest, request, body)
        except (SpoolFullError, NoRoomError) as full:
            log.error("push.no_room", error=type(full).__name__)  # noqa: TRY400
            raise _RefusedPushError(503, "no room: send it again", _retry()) from None
        except OSError as error:
            log.error("push.not_stored", error=type(error).__name__, errno=error.errno)  # noqa: TRY400
            raise _RefusedPushError(503, "not stored: send it again", _retry()) from None

    async def _signed_in(self, device_id: str, secret: str | None, address: str) -> Pusher:
        if secret is None:
            # Many devices ask without a credential first, and bring it when they are asked to.
            if not self._pushers.has_signed_in(device_id):
                self._turned_away.note("push_auth_failed", device_id, address, detail="no credential")
            raise _RefusedPushError(401, "sign in with the device's secret", _CHALLENGE)
        pusher = self._pushers.recognised(device_id, secret)
        if pusher is None:
            wait_s = self._guessing.wait_s(device_id, address)
            if wait_s > 0:
                raise _RefusedPushError(429, "too many wrong secrets", {"Retry-After": str(int(wait_s) + 1)})
            loop = asyncio.get_running_loop()
            pusher = await loop.run_in_executor(self._checks, self._pushers.verified, device_id, secret)
        if pusher is None:
            self._guessing.failed(device_id, address)
            self._turned_away.note("push_auth_failed", device_id, address, detail="wrong device or secret")
            raise _RefusedPushError(401, "wrong device or secret", _CHALLENGE)
        if not pusher.enabled:
            self._turned_away.note("disabled_device", device_id, address)
            raise _RefusedPushError(403, f"{pusher.device_id} is disabled")
        return pusher

    async def _body(self, request: Request, pusher: Pusher, address: str) -> bytes:
        taken = bytearray()
        try:
            async with asyncio.timeout(BODY_S):
                async for chunk in request.stream():
                    taken += chunk
                    if len(taken) > MAX_BYTES:
                        raise self._too_large(pusher, address, len(taken))
        except TimeoutError:
            raise _RefusedPushError(408, "the body did not come in time", {"Connection": "close"}) from None
        return bytes(taken)

    async def _stored(
        self, pusher: Pusher, adapter: Adapter, rest: str, request: Request, body: bytes
    ) -> HttpReply:
        content_type = request.headers.get("content-type")
        query = _without_secrets(request.scope["query_string"].decode("latin-1"))
        if not body and query:
            # A call without a body says all it has to say in its address: there it would be
            # readable to everybody who may see a topic.
            body, content_type, query = query.encode(), _FORM, ""
        topic = f"/{rest}?{query}" if query else f"/{rest}"
        message = Incoming(
            _plain(topic)[:_TOPIC_MOST], body, content_type and _plain(content_type)[:_TYPE_MOST]
        )
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._store, pusher.device_id, adapter, message)

    def _store(self, device_id: str, adapter: Adapter, message: Incoming) -> HttpReply:
        self._spool.put(device_id, message.topic, message.body, message.content_type)
        return reply_of(adapter, message)

    def _too_large(self, pusher: Pusher, address: str, size: int) -> _RefusedPushError:
        detail = f"{size} bytes or more, at most {MAX_BYTES}"
        self._turned_away.note("too_large", pusher.device_id, address, detail=detail, size=size)
        return _RefusedPushError(413, detail, {"Connection": "close"})


def reply_of(adapter: Adapter, message: Incoming) -> HttpReply:
    """What the vendor's protocol answers once the message is safe, refused or not."""
    try:
        try:
            reply = adapter.decode(message).reply
        except RefusedError as refused:
            reply = adapter.refused(message, refused.reason).reply
    except Exception as error:  # noqa: BLE001 - the intake meets the same, and keeps the message aside
        log.error("push.not_understood", error=type(error).__name__)  # noqa: TRY400
        reply = None
    return reply or HttpReply()


def _presented(authorization: str | None, rest: str) -> tuple[str | None, str]:
    """(secret, path for the adapter). A key in the path is taken out whatever else is shown."""
    first, _, further = rest.lstrip("/").partition("/")
    if first.startswith(_KEY):
        return first.removeprefix(_KEY), further.lstrip("/")
    return _basic(authorization), rest.lstrip("/")


def _basic(authorization: str | None) -> str | None:
    """The password of HTTP Basic; the user may be anything, since the address names the device."""
    scheme, _, given = (authorization or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(given.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    _, colon, secret = decoded.partition(":")
    return secret if colon else None


def _without_secrets(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name.lower() not in _SECRETS]
    # As it came where there is nothing to take out: an adapter may care for its spelling.
    return query if len(kept) == len(pairs) else urlencode(kept)


def _plain(text: str) -> str:
    """No zero character and no other that a database or a screen might stumble over."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _retry(*, close: bool = False) -> dict[str, str]:
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return headers | {"Connection": "close"} if close else headers


async def _discarded(request: Request) -> bool:
    """Reads the rest of a body that is not wanted; False when the connection had better be closed."""
    declared = request.headers.get("content-length", "0")
    chunked = "transfer-encoding" in request.headers
    if chunked or "expect" in request.headers or not declared.isdigit() or int(declared) > DISCARDED_BYTES:
        return False
    try:
        async with asyncio.timeout(DISCARD_S):
            async for _ in request.stream():
                pass
    except (TimeoutError, ClientDisconnect, RuntimeError):
        return False
    return True
