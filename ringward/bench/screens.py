"""Open consoles and phones as a process of its own: what their pages ask for, at the moments they ask for it.

A console follows the live stream and asks for the queue whenever an incident changes, at once and then at
most every 400 ms, as its page does. A phone follows the stream and waits at its inbox. What each console's
queue showed first, and when, is printed at the end.

Run as a process: python -m ringward.bench.screens BASE, with {"consoles": [cookies], "phones": [cookies]} in.
"""

import asyncio
import contextlib
import json
import re
import resource
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from console.security import SESSION_COOKIE
from ringward.bench.wire import Answer, BrokenError, Line

# `debounced(refreshQueue, 400)` of the page.
_QUIET_S: Final = 0.4
_INCIDENT: Final = re.compile(rb'data-incident="([^"]+)"')
_POSITION: Final = re.compile(rb'data-position="(\d+)"')
_WAIT_S: Final = 25
_OK: Final = 200
_SAME: Final = 304


@dataclass(slots=True)
class Seen:
    """Seconds since 1970 at which something was there first, by incident, a line for each console."""

    lines: list[dict[str, float]] = field(default_factory=list)
    screens: list[dict[str, float]] = field(default_factory=list)
    queue_bytes: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class _Site:
    host: str
    port: int

    def line(self, cookie: str) -> Line:
        return Line(self.host, self.port, f"{SESSION_COOKIE}={cookie}")


async def main(base: str) -> None:
    """Opens everything, says `open`, and goes on until its input ends."""
    wanted = json.loads(sys.stdin.readline())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    seen = Seen()
    address = urlsplit(base)
    site = _Site(address.hostname or "127.0.0.1", address.port or 80)
    opened = [asyncio.Event() for _ in (*wanted["consoles"], *wanted["phones"])]
    doors = iter(opened)
    tasks = [asyncio.create_task(_console(site, one, seen, next(doors))) for one in wanted["consoles"]]
    tasks += [asyncio.create_task(_phone(site, one, seen, next(doors))) for one in wanted["phones"]]
    for door in opened:
        await door.wait()
    sys.stdout.write("open\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    found = {"lines": seen.lines, "screens": seen.screens, "bytes": seen.queue_bytes, "broken": seen.broken}
    sys.stdout.write(json.dumps(found))


async def _console(site: _Site, cookie: str, seen: Seen, opened: asyncio.Event) -> None:
    lines: dict[str, float] = {}
    screens: dict[str, float] = {}
    seen.lines.append(lines)
    seen.screens.append(screens)
    async with site.line(cookie) as line:
        page = _good(await line.get("/console"))
        for incident in _INCIDENT.findall(page.body):
            screens[incident.decode()] = lines[incident.decode()] = 0.0
        changed = asyncio.Event()
        asking = asyncio.create_task(_queue(line, screens, changed, seen))
        position = _POSITION.search(page.body)
        try:
            async for kind, data in _stream(site, cookie, position and position[1].decode(), opened, seen):
                if kind == "incident":
                    lines.setdefault(data["id"], time.time())
                    changed.set()
        finally:
            asking.cancel()


async def _queue(line: Line, screens: dict[str, float], changed: asyncio.Event, seen: Seen) -> None:
    tag: dict[str, str] = {}
    while True:
        await changed.wait()
        changed.clear()
        part = await line.get("/console/fragments/queue", tag | {"HX-Request": "true"})
        now = time.time()
        if part.status == _OK:
            seen.queue_bytes = max(seen.queue_bytes, len(part.body))
            for incident in _INCIDENT.findall(part.body):
                screens.setdefault(incident.decode(), now)
            tag = {"If-None-Match": part.headers["etag"]} if "etag" in part.headers else {}
        elif part.status != _SAME:
            seen.broken += 1
        await asyncio.sleep(_QUIET_S)


async def _phone(site: _Site, cookie: str, seen: Seen, opened: asyncio.Event) -> None:
    async with site.line(cookie) as line:
        _good(await line.get("/phone"))
        inbox = asyncio.create_task(_inbox(line))
        try:
            async for _ in _stream(site, cookie, None, opened, seen):
                pass
        finally:
            inbox.cancel()


async def _inbox(line: Line) -> None:
    mark = None
    while True:
        asked = "wait=0" if mark is None else f"wait={_WAIT_S}&after={mark}"
        with contextlib.suppress(BrokenError):
            answer = await line.get(f"/api/v1/notifications/inbox?{asked}")
            if answer.status == _OK:
                mark = json.loads(answer.body)["mark"]
                continue
        await asyncio.sleep(1)


async def _stream(
    site: _Site, cookie: str, after: str | None, opened: asyncio.Event, seen: Seen
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Kind and data of what comes; a stream that ends is one that was broken, and is opened anew."""
    while True:
        with contextlib.suppress(BrokenError):
            async with site.line(cookie) as line:
                kind = b""
                async for one in line.lines(f"/api/v1/stream{f'?after={after}' if after else ''}"):
                    name, _, value = one.partition(b":")
                    if name == b"id":
                        after = value.strip().decode()
                        # Its first line has only a number: from here on nothing is missed.
                        opened.set()
                    elif name == b"event":
                        kind = value.strip()
                    elif name == b"data" and kind:
                        yield kind.decode(), json.loads(value)
                        kind = b""
        seen.broken += 1
        await asyncio.sleep(0.5)


def _good(answer: Answer) -> Answer:
    if answer.status != _OK:
        raise BrokenError(f"status {answer.status}")
    return answer


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
