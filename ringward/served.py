"""An application served by uvicorn inside the process's own loop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

_BACKLOG: Final = 2048


class _Server(uvicorn.Server):
    """The process stops its roles in order; uvicorn must not take the signals for itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Served:
    """Started and stopped with its role."""

    def __init__(self, app: ASGIApp, host: str, port: int, **options: Any) -> None:
        self._app = app
        self._host = host
        self.port = port
        self._options = options
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def listening(self) -> bool:
        """Whether it answers."""
        return self._server is not None and self._server.started and not self._server.should_exit

    async def start(self) -> None:
        """Returns when it listens. Raises `OSError` where the port is taken; it may be called again."""
        # Bound here: uvicorn itself ends the whole process where it cannot.
        listener = _listener(self._host, self.port)
        # Access logs would hold addresses with what they name.
        config = uvicorn.Config(
            self._app, log_level="warning", access_log=False, server_header=False, **self._options
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="served")
        # uvicorn says by a flag that it listens; it has no event to wait for.
        while not self._server.started and not self._task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Ends what is under way, within the options' patience."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


def _listener(host: str, port: int) -> socket.socket:
    # asyncio sends small writes at once only where the protocol is named: without, an answer's
    # body would wait 40 ms for the peer's delayed acknowledgement of its head.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
