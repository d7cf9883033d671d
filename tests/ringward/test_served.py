import asyncio
import socket

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from ringward.served import Served
from tests.support.ports import free_port


class Answering:
    """An application that notes whether its connection holds small packets back."""

    def __init__(self) -> None:
        self.held_back: list[bool] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        for transport in {t for t in _transports() if t.get_extra_info("peername") == scope["client"]}:
            connection = transport.get_extra_info("socket")
            self.held_back.append(not connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})


def _transports() -> list[asyncio.Transport]:
    loop = asyncio.get_running_loop()
    return [transport for transport in loop._transports.values() if transport.get_extra_info("peername")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_it_answers_at_its_address_and_no_more_after_its_stop(host: str) -> None:
    app, port = Answering(), free_port()
    served = Served(app, host, port, lifespan="off")
    assert not served.listening
    await served.start()
    assert served.listening
    address = f"http://{host}:{port}/"
    async with httpx.AsyncClient() as client:
        answer = await client.get(address)
        assert (answer.content, "server" in answer.headers) == (b"here", False)
    await served.stop()
    assert not served.listening
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(address)


async def test_answers_are_not_held_back_for_a_delayed_acknowledgement() -> None:
    app, port = Answering(), free_port()
    served = Served(app, "127.0.0.1", port, lifespan="off")
    await served.start()
    async with httpx.AsyncClient() as client:
        await client.get(f"http://127.0.0.1:{port}/")
    await served.stop()
    assert app.held_back == [False]


async def test_taken_port_is_an_error_and_may_be_tried_again() -> None:
    port = free_port()
    served = Served(Answering(), "127.0.0.1", port, lifespan="off")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match="in use"):
        await served.start()
    assert not served.listening
    await served.start()
    assert served.listening
    await served.stop()
