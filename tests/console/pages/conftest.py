"""The pages on a seeded compound: as plain HTML, and under uvicorn for a real browser."""

import asyncio
import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pages_world
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from bus.messages import decode
from console.accounts.models import User
from console.accounts.service import Client, open_session
from console.context import Rooms
from console.live import LiveFeed
from console.live_tail import Change
from console.security import CSRF_HEADER, SESSION_COOKIE
from storage import Database, MediaStore
from storage.events import clear_outbox, take_outbox

CHROMIUM = "/usr/bin/chromium"
# What a page shows late is late; only a failing test waits this long.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


def picture(shade: int) -> bytes:
    """A small JPEG; the pages only have to show it."""
    canvas = np.full((120, 90, 3), shade, np.uint8)
    cv2.circle(canvas, (45, 50), 26, (180, 200, 230), -1)
    return cv2.imencode(".jpg", canvas)[1].tobytes()


class RelayedFeed(LiveFeed):
    """A feed that carries the outbox straight to the watchers, so that no broker is needed."""

    database: Database

    async def _run(self) -> None:
        seq = 0
        self.position = None
        self._following.set()
        while True:
            with self.database.write() as session:
                rows = take_outbox(session, 100)
                clear_outbox(session, [row[0] for row in rows])
            for row in rows:
                seq += 1
                self._hand_out(Change(seq, 0, decode(row[3])))
                self.position = None
            await asyncio.sleep(0.02)


@pytest.fixture
def seeded(database: Database, media: MediaStore, rooms: Rooms) -> Rooms:
    """The compound of `pages_world`, its present being the virtual clock's."""
    pages_world.build(database, media, rooms.clock.now(), picture(60), picture(140))
    return rooms


def session_token(rooms: Rooms, name: str) -> tuple[str, str]:
    """Opens a session without hashing a password; returns the cookie and the CSRF token."""
    with rooms.database.write() as session:
        user = session.get_one(User, f"u-{name}")
        opened = open_session(session, user, Client("127.0.0.1"), rooms.clock.now())
    return opened.token, opened.csrf_token


@pytest.fixture
def visit(app: FastAPI, seeded: Rooms) -> Callable[..., TestClient]:
    """A client signed in as somebody, asking for a language."""

    def open_as(name: str | None, language: str = "zh-CN,zh;q=0.9,en;q=0.5") -> TestClient:
        client = TestClient(app, headers={"Accept-Language": language}, follow_redirects=False)
        if name:
            token, csrf = session_token(seeded, name)
            client.cookies.set(SESSION_COOKIE, token)
            client.headers[CSRF_HEADER] = csrf
        return client

    return open_as


@dataclass
class Served:
    url: str
    rooms: Rooms


@pytest.fixture
def served(app: FastAPI, seeded: Rooms) -> Iterator[Served]:
    """The app under uvicorn on a free port, its live feed fed from the outbox."""
    feed = RelayedFeed("nats://127.0.0.1:1", {}, seeded.compound)
    feed.database = seeded.database
    app.state.feed = feed
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    # The socket listens already: a request waits in its backlog until the server takes it.
    yield Served(f"http://127.0.0.1:{listener.getsockname()[1]}", seeded)
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


def is_complaint(message: ConsoleMessage) -> bool:
    """An error of ours. That nobody has pressed anything yet, so that nothing may sound, is none."""
    return message.type in {"error", "warning"} and "AudioContext was not allowed" not in message.text


@pytest.fixture
def browse(chromium: Browser, served: Served) -> Iterator[Callable[..., Page]]:
    """A page of a real browser, signed in; it fails the test when its console shows an error."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_as(
        name: str,
        *,
        width: int = 1366,
        height: int = 768,
        locale: str = "zh-CN",
        session_ends: bool = False,
        loses_line: bool = False,
        **more: object,
    ) -> Page:
        def note(message: ConsoleMessage) -> None:
            # Whoever is signed out while a page asks for letters is told so by the browser, too.
            expected = session_ends and "status of 401" in message.text
            # So is whoever asks without a network, or tells afterwards what comes too late.
            cut = ("ERR_INTERNET_DISCONNECTED", "status of 409")
            expected = expected or (loses_line and any(one in message.text for one in cut))
            if is_complaint(message) and not expected:
                complaints.append(message.text)

        context = chromium.new_context(viewport={"width": width, "height": height}, locale=locale, **more)  # type: ignore[arg-type]
        contexts.append(context)
        token, _ = session_token(served.rooms, name)
        context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": served.url}])
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def at(seeded: Rooms) -> dt.datetime:
    return seeded.clock.now()


@pytest.fixture
def templates() -> Path:
    return Path(__file__).parents[3] / "console" / "templates"
