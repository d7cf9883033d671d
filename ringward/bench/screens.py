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

import httpx

from console.security import SESSION_COOKIE

# `debounced(refreshQueue, 400)` of the page.
_QUIET_S: Final = 0.4
_INCIDENT: Final = re.compile(r'data-incident="([^"]+)"')
_POSITION: Final = re.compile(r'data-position="(\d+)"')
_WAIT_S: Final = 25


@dataclass(slots=True)
class Seen:
    """Seconds since 1970 at which something was there first, by incident, a line for each console."""

    lines: list[dict[str, float]] = field(default_factory=list)
    screens: list[dict[str, float]] = field(default_factory=list)
    queue_bytes: int = 0
    broken: int = 0


async def main(base: str) -> None:
    """Opens everything, says `open`, and goes on until its input ends."""
    wanted = json.loads(sys.stdin.readline())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    seen = Seen()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60, trust_env=False) as client:
        opened = [asyncio.Event() for _ in (*wanted["consoles"], *wanted["phones"])]
        doors = iter(opened)
        tasks = [asyncio.create_task(_console(client, one, seen, next(doors))) for one in wanted["consoles"]]
        tasks += [asyncio.create_task(_phone(client, one, seen, next(doors))) for one in wanted["phones"]]
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


async def _console(client: httpx.AsyncClient, cookie: str, seen: Seen, opened: asyncio.Event) -> None:
    headers = _as(cookie)
    lines: dict[str, float] = {}
    screens: dict[str, float] = {}
    seen.lines.append(lines)
    seen.screens.append(screens)
    page = (await client.get("/console", headers=headers)).raise_for_status()
    for incident in _INCIDENT.findall(page.text):
        screens[incident] = lines[incident] = 0.0
    changed = asyncio.Event()
    asking = asyncio.create_task(_queue(client, headers, screens, changed, seen))
    position = _POSITION.search(page.text)
    try:
        async for kind, data in _stream(client, headers, position and position[1], opened, seen):
            if kind == "incident":
                lines.setdefault(data["id"], time.time())
                changed.set()
    finally:
        asking.cancel()


async def _queue(
    client: httpx.AsyncClient,
    headers: dict[str, str],
    screens: dict[str, float],
    changed: asyncio.Event,
    seen: Seen,
) -> None:
    tag: dict[str, str] = {}
    while True:
        await changed.wait()
        changed.clear()
        part = await client.get("/console/fragments/queue", headers=headers | tag | {"HX-Request": "true"})
        now = time.time()
        if part.is_success:
            seen.queue_bytes = max(seen.queue_bytes, len(part.content))
            for incident in _INCIDENT.findall(part.text):
                screens.setdefault(incident, now)
            tag = {"If-None-Match": part.headers["ETag"]} if "ETag" in part.headers else {}
        elif part.status_code != httpx.codes.NOT_MODIFIED:
            seen.broken += 1
        await asyncio.sleep(_QUIET_S)


async def _phone(client: httpx.AsyncClient, cookie: str, seen: Seen, opened: asyncio.Event) -> None:
    headers = _as(cookie)
    (await client.get("/phone", headers=headers)).raise_for_status()
    inbox = asyncio.create_task(_inbox(client, headers))
    try:
        async for _ in _stream(client, headers, None, opened, seen):
            pass
    finally:
        inbox.cancel()


async def _inbox(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    mark = None
    while True:
        asked: dict[str, Any] = {"wait": 0} if mark is None else {"wait": _WAIT_S, "after": mark}
        with contextlib.suppress(httpx.HTTPError):
            answer = await client.get("/api/v1/notifications/inbox", params=asked, headers=headers)
            mark = answer.json()["mark"] if answer.is_success else mark
            continue
        await asyncio.sleep(1)


async def _stream(
    client: httpx.AsyncClient, headers: dict[str, str], after: str | None, opened: asyncio.Event, seen: Seen
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Kind and data of what comes; a stream that ends is one that was broken, and is opened anew."""
    while True:
        with contextlib.suppress(httpx.HTTPError):
            query = {"after": after} if after else {}
            async with client.stream("GET", "/api/v1/stream", params=query, headers=headers) as stream:
                kind = ""
                async for line in stream.aiter_lines():
                    name, _, value = line.partition(":")
                    if name == "id":
                        after = value.strip()
                        # Its first line has only a number: from here on nothing is missed.
                        opened.set()
                    elif name == "event":
                        kind = value.strip()
                    elif name == "data" and kind:
                        yield kind, json.loads(value)
                        kind = ""
        seen.broken += 1
        await asyncio.sleep(0.5)


def _as(cookie: str) -> dict[str, str]:
    return {"Cookie": f"{SESSION_COOKIE}={cookie}"}


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
