"""Opens a camera's endless answer: the right machine, signed in as it asks, and nowhere else.

Digest (RFC 7616) where it is offered, else Basic: cameras of ten years ago know nothing better.
Nothing is sent before it is asked for. Redirects are not followed, proxies of the environment
not used, and a name is looked up here, so that the address that was checked is the one that is
called.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from devices.near import Network, is_near
from devices.streams import KINDS, StreamWanted

CONNECT_S: Final = 10.0
# Signs of life that may be missed, as for `devices.presence`.
PATIENCE: Final = 2.5
# What Dahua's firmware takes.
_MOST_HEARTBEAT_S: Final = 60
# Of an answer that says no so much is read, to go on with the same connection.
_REFUSAL_BYTES: Final = 65_536
_CODES: Final = {401: "auth_failed", 403: "forbidden", 404: "not_found"}


class AttachError(Exception):
    """A camera whose stream cannot be read; `code` holds no secret and no address.

    address_refused, unreachable, tls_failed, auth_failed, forbidden, not_found, status_NNN,
    not_a_stream, silent, closed, broken.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@asynccontextmanager
async def attached(wanted: StreamWanted, allowed: tuple[Network, ...]) -> AsyncIterator[httpx.Response]:
    """The answer, its body not read yet. Raises `AttachError`, also for what fails while it is read."""
    timeout = httpx.Timeout(CONNECT_S, read=patience_s(wanted))
    try:
        url = httpx.URL(wanted.url)
        address = await _looked_up(url, allowed)
        async with httpx.AsyncClient(
            verify=_trust(wanted) if url.scheme == "https" else False,
            timeout=timeout,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=2),
        ) as client:
            response = await _signed_in(client, _request(client, wanted, url, address), wanted)
            try:
                if response.status_code != httpx.codes.OK:
                    code = _CODES.get(response.status_code, f"status_{response.status_code}")
                    raise AttachError(code)
                yield response
            finally:
                await response.aclose()
    except httpx.ConnectError as error:
        raise AttachError("tls_failed" if _is_tls(error) else "unreachable") from None
    except (httpx.ConnectTimeout, httpx.PoolTimeout, httpx.WriteTimeout):
        raise AttachError("unreachable") from None
    except httpx.ReadTimeout:
        raise AttachError("silent") from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError):
        raise AttachError("broken") from None


def patience_s(wanted: StreamWanted) -> float:
    """How long nothing may come until a stream is given up."""
    return PATIENCE * wanted.heartbeat_s


def _request(client: httpx.AsyncClient, wanted: StreamWanted, url: httpx.URL, address: str) -> httpx.Request:
    path = KINDS[wanted.kind].path.format(heartbeat=min(wanted.heartbeat_s, _MOST_HEARTBEAT_S))
    headers = {
        "Host": url.netloc.decode("ascii"),
        "Accept": "multipart/mixed, multipart/x-mixed-replace, */*",
        "Accept-Encoding": "identity",
        "User-Agent": "Ringward",
    }
    there = url.copy_with(host=address).join(path)
    return client.build_request("GET", there, headers=headers, extensions={"sni_hostname": url.host})


async def _looked_up(url: httpx.URL, allowed: tuple[Network, ...]) -> str:
    """The address to call; every one that the name has must be near."""
    port = url.port or (443 if url.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_S):
            found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError):
        raise AttachError("unreachable") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_near(address, allowed) for address in addresses):
        raise AttachError("address_refused")
    return addresses[0]


async def _signed_in(
    client: httpx.AsyncClient, request: httpx.Request, wanted: StreamWanted
) -> httpx.Response:
    response = await client.send(request, stream=True)
    if response.status_code != httpx.codes.UNAUTHORIZED:
        return response
    schemes = {value.split(" ", 1)[0].lower() for value in response.headers.get_list("www-authenticate")}
    auth: httpx.Auth
    if "digest" in schemes:
        auth = httpx.DigestAuth(wanted.username, wanted.password)
    elif "basic" in schemes:
        auth = httpx.BasicAuth(wanted.username, wanted.password)
    else:
        await response.aclose()
        raise AttachError("auth_failed")
    await _read_off(response)
    flow = auth.auth_flow(request)
    signed = next(flow)
    if isinstance(auth, httpx.DigestAuth):
        signed = _challenged(flow, response)
    return await client.send(signed, stream=True)


def _challenged(
    flow: Generator[httpx.Request, httpx.Response, None], response: httpx.Response
) -> httpx.Request:
    try:
        return flow.send(response)
    except (StopIteration, KeyError, ValueError, NotImplementedError):
        # A challenge of a kind that is not known, or none at all.
        raise AttachError("auth_failed") from None


async def _read_off(response: httpx.Response) -> None:
    read = 0
    async for chunk in response.aiter_raw():
        read += len(chunk)
        if read > _REFUSAL_BYTES:
            break
    await response.aclose()


def _trust(wanted: StreamWanted) -> ssl.SSLContext:
    """The certificate that was named for this camera and no other, or what the machine believes."""
    context = ssl.create_default_context(cadata=wanted.certificate)
    if wanted.certificate is not None:
        # It stands for itself: no camera's certificate names the address at which it hangs.
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
