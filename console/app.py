"""The console's application, built of its parts."""

import importlib
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from anyio import to_thread
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from console import calendars, health, problems, terminal_pictures
from console.accounts.limits import SignInLimiter
from console.api import router as api_router
from console.api import uploads
from console.context import Rooms
from console.headers import BodyLimit, SecurityHeaders
from console.live import LiveFeed
from console.requestmetrics import CountRequests, RequestMetrics
from console.security import check_csrf

API = "/api/v1"
THREADS = 12
"""More only take turns at the interpreter, and each holds memory: with 40 a burst took 200 MB more."""
_STATIC = Path(__file__).parent / "static"


def create_app(rooms: Rooms) -> FastAPI:
    """Builds the ASGI application; its lifespan holds the live feed."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Of this event loop: pages are made in its threads, each with a connection of its own.
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        feed: LiveFeed = app.state.feed
        feed.start()
        try:
            yield
        finally:
            await feed.stop()
            if (box := getattr(app.state, "letterbox", None)) is not None:
                await box.stop()

    app = FastAPI(
        title="Ringward",
        version=_version(),
        openapi_url=f"{API}/openapi.json",
        # Their pages load scripts from elsewhere; this has to work with the cable cut.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.rooms = rooms
    app.state.limiter = SignInLimiter(rooms.database)
    app.state.calendar_throttle = calendars.Throttle()
    app.state.pass_throttle = calendars.Throttle()
    app.state.feed = LiveFeed(rooms.nats_url, rooms.nats_options, rooms.compound, rooms.metrics_registry)

    guarded = [Depends(check_csrf)]
    app.include_router(api_router, prefix=API, dependencies=guarded)
    app.include_router(health.router)
    app.include_router(terminal_pictures.router)
    app.include_router(calendars.router)
    pages = _pages()
    if pages is not None:
        app.include_router(pages.router, dependencies=guarded, include_in_schema=False)
    problems.install(app, getattr(pages, "error_page", None))

    vendor = _vendored()
    if vendor is not None:
        # What is the same for everybody travels small; pages that hold secrets are not compressed (BREACH).
        app.mount("/static/vendor", GZipMiddleware(StaticFiles(directory=vendor)), name="vendor")
    if _STATIC.is_dir():
        app.mount("/static", GZipMiddleware(StaticFiles(directory=_STATIC)), name="static")
    app.add_middleware(BodyLimit, larger={f"{API}{path}": size for path, size in uploads.LARGEST.items()})
    app.add_middleware(SecurityHeaders)
    app.add_middleware(CountRequests, metrics=RequestMetrics(rooms.metrics_registry), api=API)
    return app


def _pages() -> ModuleType | None:
    # A console without pages is an API: it may be installed so on purpose.
    if importlib.util.find_spec("console.pages") is None:
        return None
    module = importlib.import_module("console.pages")
    return module if hasattr(module, "router") else None


def _vendored() -> Path | None:
    """Htmx and its extensions, out of the package that carries them."""
    spec = importlib.util.find_spec("js_lib_htmx")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "static" / "htmx"
    return folder if folder.is_dir() else None


def _version() -> str:
    try:
        return version("ringward")
    except PackageNotFoundError:
        return "0"
