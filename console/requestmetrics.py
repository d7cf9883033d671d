"""How many requests the console answers, how long it takes, and how many answers are errors."""

import time
from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_OPEN_FOR_EVER: Final = "/stream"


class RequestMetrics:
    """By surface (api, pages, static) and class of status: paths hold ids, and there are hundreds of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "ringward_console_request_seconds",
            "From a request to the end of its answer, by surface and class of status; without live streams.",
            ["surface", "status"],
            buckets=_BUCKETS_S,
            registry=registry,
        )


class CountRequests:
    """Counts what passes; `api` is where the paths of the API begin."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics, api: str) -> None:
        self._app = app
        self._metrics = metrics
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(_OPEN_FOR_EVER):
            await self._app(scope, receive, send)
            return
        # Where the application raises before it answered, the server answers 500.
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.perf_counter()
        try:
            await self._app(scope, receive, noted)
        finally:
            labels = (self._surface(scope["path"]), f"{status // 100}xx")
            self._metrics.seconds.labels(*labels).observe(time.perf_counter() - begun)

    def _surface(self, path: str) -> str:
        if path.startswith(f"{self._api}/"):
            return "api"
        return "static" if path.startswith("/static/") else "pages"
