"""Calling an address that a person or a browser has given us, without being sent where we must not go.

Whoever may enter an address could otherwise have this machine call what only it can reach: its own
services, a cloud's keys, a neighbour's recorder. So a name is looked up at every call, every address
that it has must be public or lie in a network of the settings, and the call goes to the address that
was looked at. Redirects are not followed, and of the answer only the first few kilobytes are read.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from alerts.notify.channels.channel import Outcome, Result
from devices.near import Network, is_near

ANSWER_MAX: Final = 16 * 1024
_LONGEST_URL: Final = 2048
_LONGEST_PAUSE_S: Final = 3600.0
_CONNECTIONS: Final = 100

# It writes whole URLs, and those of push services and webhooks are keys.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class ForbiddenAddressError(Exception):
    """An address that is not called; `code` says why: not_https, bad_url, forbidden_address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: the host and port that it names, and the address to call."""

    url: httpx.URL
    host: str
    address: str


def is_public(address: str) -> bool:
    """Whether an IP address is one of the Internet's: no network of anybody's own, no loopback."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if mapped is not None:
            return mapped.is_global and not mapped.is_multicast
        if found in _NAT64:
            return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF).is_global
    return found.is_global and not found.is_multicast


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


def check_url(text: str) -> httpx.URL:
    """A URL as it may be entered: http or https, a host, no sign-in. Raises `ForbiddenAddressError`."""
    if len(text) > _LONGEST_URL or not text.isprintable() or " " in text:
        raise ForbiddenAddressError("bad_url")
    try:
        parts = urlsplit(text)
        url = httpx.URL(text)
        _ = parts.port
    except (ValueError, httpx.InvalidURL):
        raise ForbiddenAddressError("bad_url") from None
    if url.scheme not in {"http", "https"} or not url.host or "@" in parts.netloc or url.fragment:
        raise ForbiddenAddressError("bad_url")
    return url


class Outward:
    """Posts to addresses that others have entered. One for a process; it belongs to one event loop.

    `allowed` are networks that may be called although they are not public, also by plain http: a push
    service or a webhook of the compound's own. Everything else is public and https.
    """

    def __init__(self, allowed: tuple[Network, ...] = (), *, deadline_s: float = 10.0) -> None:
        self._allowed = allowed
        self._deadline_s = deadline_s
        self._client: httpx.AsyncClient | None = None

    async def target(self, text: str) -> Target:
        """Where a URL leads now. Raises `ForbiddenAddressError`, and `OSError` where no name answers."""
        url = check_url(text)
        port = url.port or (443 if url.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        # Every one of them: a name that has a public address and an inner one is on its way inside.
        if not addresses or not all(self._may(address) for address in addresses):
            raise ForbiddenAddressError("forbidden_address")
        if url.scheme != "https" and not all(is_near(address, self._allowed) for address in addresses):
            raise ForbiddenAddressError("not_https")
        return Target(url, url.host, addresses[0])

    async def post(self, text: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Posts, and says what came of it. Never raises for what the other side does."""
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._post(text, body, headers)
        except ForbiddenAddressError as error:
            return Outcome(Result.REFUSED, error.code)
        except (httpx.ConnectError, httpx.ConnectTimeout, OSError) as error:
            # `TimeoutError` is an `OSError` too, and means the opposite: it may have been taken.
            if isinstance(error, TimeoutError):
                return Outcome(Result.UNCERTAIN, "timeout")
            return Outcome(Result.FAILED, "no_connection")
        except httpx.TimeoutException:
            return Outcome(Result.UNCERTAIN, "timeout")
        except httpx.HTTPError:
            return Outcome(Result.UNCERTAIN, "broken_off")

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _post(self, text: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        try:
            target = await self.target(text)
        except socket.gaierror:
            return Outcome(Result.FAILED, "no_such_host")
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=self._deadline_s,
                follow_redirects=False,
                # A proxy of the environment would look names up itself, after we did.
                trust_env=False,
                limits=httpx.Limits(max_connections=_CONNECTIONS),
            )
        called = target.url.copy_with(host=target.address)
        sent = {**headers, "Host": target.url.netloc.decode("ascii")}
        extensions = {"sni_hostname": target.host} if target.url.scheme == "https" else {}
        async with self._client.stream(
            "POST", called, content=body, headers=sent, extensions=extensions
        ) as answer:
            outcome = outcome_of(answer.status_code, answer.headers.get("Retry-After"))
            with contextlib.suppress(httpx.HTTPError):
                # Read so that the connection can serve again; whoever sends more than that is hung up on.
                read = 0
                async for part in answer.aiter_raw():
                    read += len(part)
                    if read > ANSWER_MAX:
                        break
            return outcome

    def _may(self, address: str) -> bool:
        return is_public(address) or is_near(address, self._allowed)


def outcome_of(status: int, retry_after: str | None = None) -> Outcome:
    """What an HTTP status says of a letter."""
    match status:
        case _ if 200 <= status < 300:
            return Outcome(Result.HANDED_OVER)
        case 404 | 410:
            return Outcome(Result.GONE, "gone")
        case 429:
            return Outcome(Result.TOO_MANY, "too_many", seconds_of(retry_after))
        case 503 if (pause := seconds_of(retry_after)) is not None:
            return Outcome(Result.FAILED, "server_error", pause)
        case _ if 300 <= status < 400:
            # Followed, it would lead where nobody has looked.
            return Outcome(Result.REFUSED, "redirect")
        case 408:
            return Outcome(Result.FAILED, "timeout")
        case 413:
            return Outcome(Result.REFUSED, "too_large")
        case 401 | 403:
            return Outcome(Result.REFUSED, "not_allowed")
        case _ if 400 <= status < 500:
            return Outcome(Result.REFUSED, "refused")
        case _:
            return Outcome(Result.FAILED, "server_error")


def seconds_of(retry_after: str | None) -> float | None:
    """Seconds of a `Retry-After` header, 0…3,600; None where it names a date or nothing.

    A date is of the other side's clock: without it the engine waits as it always does.
    """
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE_S) if seconds == seconds else None  # noqa: PLR0124
