"""Incident → on the screens, with many consoles and phones open; and how long pages take.

The console is a process of its own, as `ringward run console` starts it; relay and database are here; the
consoles and phones are one more process that asks for what their pages ask for. The peer of the same run is
the bare line of the live stream, without what a page then asks for; the ceiling of a page is `/healthz`.
"""

import asyncio
import datetime as dt
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from alerts.duty.models import Responder, Shift, Team, TeamKind
from console.accounts.models import Role, User
from console.accounts.service import Client, create_user, open_session
from console.pages.navigation import ROWS
from console.security import SESSION_COOKIE
from registry.models import Ring
from ringward.bench.incidents import raise_forced_door
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import COMPOUND, Rig, rig
from ringward.bench.street import build_street
from ringward.ports import free_port
from ringward.roles import RelayRole
from storage import new_id

DEADLINE_S: Final = 60.0
# Two seconds of a core that nobody else wants.
_START_S: Final = 180.0
_TIMES: Final = 20
_ASSET: Final = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js|svg))"')
_IMPORT: Final = re.compile(r'from "\./([\w-]+\.js)"')
_MEGABYTE: Final = 1024 * 1024


@dataclass(slots=True)
class _Screens:
    """Milliseconds from before an incident's commit, over all consoles."""

    lines: list[float] = field(default_factory=list)
    screens: list[float] = field(default_factory=list)
    missing: int = 0
    broken: int = 0
    queue_bytes: int = 0


def run(*, seconds: int, rate: float, consoles: int, phones: int, communities: int) -> Report:
    """`rate` incidents a second for `seconds` on `consoles` screens, then each page of the menu."""
    with rig() as ground, served(ground) as (base, process):
        administrator = _people(ground, consoles, phones)
        alone = resident_mb(process)
        shown, busy = asyncio.run(_flow(ground, base, process, seconds, rate))
        people = _street(ground, communities)
        pages, bare = _pages(base, administrator)
        size, first = _first(base, administrator)
    worst = max(pages, key=lambda path: percentile(pages[path], 0.95))
    every = [ms for times in pages.values() for ms in times]
    return report(
        "console",
        {
            "seconds": seconds,
            "incidents_per_s": rate,
            "consoles": consoles,
            "phones": phones,
            "people": people,
            "pages": len(pages),
            "slowest_page": worst,
        },
        {
            "incident_to_screen_p50_ms": percentile(shown.screens, 0.5),
            "incident_to_screen_p99_ms": percentile(shown.screens, 0.99),
            "incident_to_screen_max_ms": max(shown.screens),
            "screens_missing": shown.missing,
            "streams_broken": shown.broken,
            "queue_bytes": shown.queue_bytes,
            "process_alone_mb": alone,
            "process_busy_mb": busy,
            "first_page_bytes": size,
            "first_page_p50_ms": percentile(first, 0.5),
            "first_page_p95_ms": percentile(first, 0.95),
            "page_p50_ms": percentile(every, 0.5),
            "page_p95_ms": percentile(every, 0.95),
            "slowest_page_p95_ms": percentile(pages[worst], 0.95),
        },
        {
            "incident_to_line_p50_ms": percentile(shown.lines, 0.5),
            "incident_to_line_p99_ms": percentile(shown.lines, 0.99),
            "healthz_p50_ms": percentile(bare, 0.5),
            "healthz_p95_ms": percentile(bare, 0.95),
        },
        {
            "screen_p99_over_line": percentile(shown.screens, 0.99) / percentile(shown.lines, 0.99),
            "page_p95_over_healthz": percentile(every, 0.95) / percentile(bare, 0.95),
        },
    )


@contextmanager
def served(ground: Rig) -> Iterator[tuple[str, int]]:
    """The console as a process of its own; its address, and itself."""
    settings = ground.foundation.settings
    port = free_port("127.0.0.1", 18080)
    own = {
        "RINGWARD_DATA_DIR": str(settings.data_dir),
        "RINGWARD_COMPOUND": COMPOUND,
        "RINGWARD_NATS_PORT": str(settings.nats_port),
        "RINGWARD_MQTT_PORT": str(settings.mqtt_port),
        "RINGWARD_HTTP_PORT": str(port),
        "RINGWARD_LOG_LEVEL": "error",
    }
    # From where no settings file lies.
    process = subprocess.Popen(
        [sys.executable, "-m", "ringward", "run", "console"],
        env=os.environ | own,
        cwd=settings.data_dir,
        stdout=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        _answers(base, process)
        yield base, process.pid
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(base: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the console ended while it started")
        try:
            if httpx.get(f"{base}/healthz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the console does not answer")


def _people(ground: Rig, consoles: int, phones: int) -> str:
    """Who looks, and a list of their cookies beside the database; returns an administrator's."""
    at = ground.foundation.clock.now()
    client = Client("127.0.0.1", "bench")
    with ground.foundation.database.write() as session:
        session.add(
            Team(id="bench", compound=COMPOUND, name="bench", kind=TeamKind.VOLUNTEER_POLICE, zones=[])
        )
        session.flush()
        signed: dict[str, list[str]] = {"consoles": [], "phones": []}
        for number in range(phones):
            who = f"bench-{number}"
            session.add(Responder(id=who, team="bench", name=who))
            session.flush()
            day = dt.timedelta(days=1)
            session.add(Shift(id=who, responder=who, starts_at=at - day, ends_at=at + day))
        made: list[tuple[str, Role, str | None]] = [("consoles", Role.OPERATOR, None)] * consoles
        made += [("phones", Role.VOLUNTEER, f"bench-{number}") for number in range(phones)]
        for number, (sort, role, responder) in enumerate(made):
            user: User = create_user(session, f"{sort}-{number}", role, at, responder_id=responder)
            signed[sort].append(open_session(session, user, client, at).token)
        chief = create_user(session, "administrator", Role.ADMINISTRATOR, at)
        token = open_session(session, chief, client, at).token
    _cookies(ground).write_text(json.dumps(signed))
    return token


def _cookies(ground: Rig) -> Path:
    return ground.foundation.settings.data_dir / "bench-cookies.json"


async def _flow(ground: Rig, base: str, process: int, seconds: int, rate: float) -> tuple[_Screens, float]:
    relay = RelayRole(ground.foundation)
    await relay.start()
    looking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ringward.bench.screens", base),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=256 * _MEGABYTE,
    )
    assert looking.stdin is not None
    assert looking.stdout is not None
    try:
        looking.stdin.write(_cookies(ground).read_bytes() + b"\n")
        await asyncio.wait_for(looking.stdout.readline(), DEADLINE_S)
        raised: dict[str, float] = {}
        begun = time.monotonic()
        for number in range(max(1, round(seconds * rate))):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            incident = new_id()
            raised[incident] = time.time()
            await asyncio.to_thread(_raise, ground, incident, number)
            relay.relay.wake()
        # The last one has the time that any of them may take.
        await asyncio.sleep(2)
        busy = resident_mb(process)
        out, _ = await asyncio.wait_for(looking.communicate(b""), DEADLINE_S)
    finally:
        if looking.returncode is None:
            looking.kill()
        await relay.stop()
    return _measured(raised, json.loads(out)), busy


def _measured(raised: dict[str, float], found: dict[str, list[dict[str, float]]]) -> _Screens:
    result = _Screens(broken=int(found["broken"]), queue_bytes=int(found["bytes"]))  # type: ignore[call-overload]
    for lines, screens in zip(found["lines"], found["screens"], strict=True):
        for incident, at in raised.items():
            if incident in lines:
                result.lines.append((lines[incident] - at) * 1000)
            if incident in screens:
                result.screens.append((screens[incident] - at) * 1000)
            else:
                result.missing += 1
    return result


def _raise(ground: Rig, key: str, number: int) -> None:
    at = ground.foundation.clock.now()
    with ground.foundation.database.write() as session:
        raise_forced_door(
            session,
            key,
            at,
            ring=Ring.ENTRANCE,
            zone="gate",
            device="bench-face",
            lane=f"lane-{number}",
            severity=2 + number % 3,
        )


def _street(ground: Rig, communities: int) -> int:
    """Fills the registry; returns how many people there are then."""
    if not communities:
        return 0
    from sqlalchemy import func, select

    from registry.models import Person

    database = ground.foundation.database
    build_street(database, ground.foundation.clock.now(), communities=communities)
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Person)) or 0


def _pages(base: str, cookie: str) -> tuple[dict[str, list[float]], list[float]]:
    """Milliseconds of each page of an administrator's menu, one after the other on one connection."""
    pages: dict[str, list[float]] = {}
    bare: list[float] = []
    with _browser(base, cookie) as client:
        for path in dict.fromkeys(row[0] for row in ROWS):
            if client.get(path).is_success:
                pages[path] = [_took(client, path) for _ in range(_TIMES)]
                bare += [_took(client, "/healthz") for _ in range(_TIMES)]
    return pages, bare


def _first(base: str, cookie: str) -> tuple[int, list[float]]:
    """Bytes of the live page with everything that it loads, and milliseconds for all of it, one by one."""
    size, times = 0, []
    for _ in range(_TIMES):
        with _browser(base, cookie) as client:
            begun = time.perf_counter()
            page = client.get("/console").raise_for_status()
            size = len(page.content)
            waiting, known = list(_ASSET.findall(page.text)), set[str]()
            while waiting:
                path = waiting.pop()
                if path in known:
                    continue
                known.add(path)
                part = client.get(path).raise_for_status()
                size += _wire(part)
                if path.endswith(".js"):
                    folder = path.rpartition("/")[0]
                    waiting += [f"{folder}/{name}" for name in _IMPORT.findall(part.text)]
            times.append((time.perf_counter() - begun) * 1000)
    return size, times


def _wire(answer: httpx.Response) -> int:
    return int(answer.headers.get("Content-Length", len(answer.content)))


def _browser(base: str, cookie: str) -> httpx.Client:
    return httpx.Client(
        base_url=base, headers={"Cookie": f"{SESSION_COOKIE}={cookie}"}, timeout=30, trust_env=False
    )


def _took(client: httpx.Client, path: str) -> float:
    begun = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - begun) * 1000


def resident_mb(process: int) -> float:
    """Resident megabytes (2^20 bytes) of a process."""
    resident = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return resident * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE
