"""What every response carries, and how much a request may bring."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.security import CSRF_COOKIE, secured_name

# A native event may be 8 MB; only sheets and photos to import are larger, on routes of their own.
MAX_BODY_BYTES: Final = 10 * 1024 * 1024

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

ALWAYS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
}

# The guard's page reads visitors' codes; no other page has a camera.
_CAMERA_PAGE: Final = "/registry/gate"
_CAMERA: Final = "camera=(self), microphone=(), geolocation=(self)"


class SecurityHeaders:
    """Adds the headers, and the CSRF cookie where a form for it was just rendered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        secure = scope["scheme"] == "https"

        async def decorated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers[name] = value
                if scope["path"] == _CAMERA_PAGE or scope["path"].startswith(f"{_CAMERA_PAGE}/"):
                    headers["Permissions-Policy"] = _CAMERA
                if secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
                if not scope["path"].startswith("/static/"):
                    # What somebody saw while signed in must not be found in the browser afterwards.
                    headers.setdefault("Cache-Control", "no-store")
                token = state.get("new_csrf_token")
                if token:
                    headers.append("Set-Cookie", _csrf_cookie(token, secure=secure))
            await send(message)

        await self._app(scope, receive, decorated)


class BodyLimit:
    """Ends a request whose body is larger than `MAX_BODY_BYTES`, however it says to be.

    `larger` are the few paths that files come to; what reads them asks first who sends them.
    """

    def __init__(
        self, app: ASGIApp, limit: int = MAX_BODY_BYTES, larger: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            await _too_large(scope, send)
            return
        taken = 0
        refused = False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise _BodyTooLargeError
            return message

        async def checked(message: Message) -> None:
            # The framework turns the error above into its own answer about an unreadable body.
            nonlocal refused
            if taken <= limit:
                await send(message)
            elif not refused:
                refused = True
                await _too_large(scope, send)

        try:
            await self._app(scope, counted, checked)
        except _BodyTooLargeError:
            if not refused:
                await _too_large(scope, send)


class _BodyTooLargeError(Exception):
    pass


_TOO_LARGE: Final = (
    b'{"type":"urn:ringward:body_too_large","title":"The request is too large",'
    b'"status":413,"code":"body_too_large"}'
)


# For people, who get no JSON; nobody's language was asked yet.
_TOO_LARGE_PAGE: Final = (
    '<!doctype html><html lang="zh-CN"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
    "<title>413</title><h1>文件太大</h1>"
    '<p lang="en">The file is too large.</p><p><a href="/">守圈 Ringward</a></p></html>'
).encode()


async def _too_large(scope: Scope, send: Send) -> None:
    program = scope["path"].startswith("/api/")
    body = _TOO_LARGE if program else _TOO_LARGE_PAGE
    headers = [
        (b"content-type", b"application/problem+json" if program else b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _csrf_cookie(token: str, *, secure: bool) -> str:
    cookie = f"{secured_name(CSRF_COOKIE, secure=secure)}={token}; Path=/; HttpOnly; SameSite=Strict"
    return f"{cookie}; Secure" if secure else cookie
