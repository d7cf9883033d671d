"""Incident → routed → a push service has the letter: through reactions, routing and the engine, on SQLite.

Incidents are raised at a calm rate for people on duty, each of whom has a browser that subscribed at a push
service in a process of its own. What the service took is counted against what was asked for: each letter
once; and, in a second run with a service that hangs, fails and asks for pauses and with an engine that is
killed, at most once more for each fault. The ceiling is the same posts in the same run with nothing around.
"""

import asyncio
import collections
import datetime as dt
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.notify.models import (
    Contact,
    Notification,
    NotificationAttempt,
)
from alerts.notify.plan import LOST
from alerts.reactions import Changed, IncidentChange
from registry.models import Ring
from ringward.bench.incidents import raise_forced_door
from ringward.bench.pushbox import HUNG
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import COMPOUND
from ringward.bench.subscribers import ground_of, push_box, subscribe
from ringward.followups import REACTIONS
from ringward.foundation import Foundation
from ringward.notifyside import NotifyRole
from storage import new_id
from storage.ids import content_id

DEADLINE_S: Final = 150.0
FAULT_EVERY: Final = 40
_GONE: Final = 2
_TAKEN: Final = 201


@dataclass(slots=True)
class Counts:
    """What came of one run. Times in milliseconds."""

    routed: list[float] = field(default_factory=list)
    handed_over: list[float] = field(default_factory=list)
    letters: int = 0
    doubled: int = 0
    beyond_faults: int = 0
    missing: int = 0
    faults: int = 0


def run(*, seconds: int, incidents: int, responders: int, fault_seconds: int) -> Report:
    """`incidents` in `seconds` for `responders`, then for `fault_seconds` at the same rate with faults."""
    rate = incidents / seconds
    calm, bare = _calm(seconds, incidents, responders)
    faulty = _faulty(fault_seconds, max(int(rate * fault_seconds), 1), responders)
    return report(
        "notify",
        {
            "seconds": seconds,
            "incidents": incidents,
            "responders": responders,
            "fault_seconds": fault_seconds,
            "fault_every_letters": FAULT_EVERY,
        },
        {
            "incident_to_routed_p50_ms": percentile(calm.routed, 0.5),
            "incident_to_routed_p99_ms": percentile(calm.routed, 0.99),
            "incident_to_handed_over_p50_ms": percentile(calm.handed_over, 0.5),
            "incident_to_handed_over_p95_ms": percentile(calm.handed_over, 0.95),
            "incident_to_handed_over_p99_ms": percentile(calm.handed_over, 0.99),
            "letters": calm.letters,
            "letters_doubled": calm.doubled,
            "letters_missing": calm.missing,
            "faulty_letters": faulty.letters,
            "faulty_faults": faulty.faults,
            "faulty_letters_doubled": faulty.doubled,
            "faulty_letters_doubled_beyond_faults": faulty.beyond_faults,
            "faulty_letters_missing": faulty.missing,
            "faulty_handed_over_p95_ms": percentile(faulty.handed_over, 0.95),
        },
        {"bare_post_p50_ms": percentile(bare, 0.5), "bare_post_p95_ms": percentile(bare, 0.95)},
        {"handed_over_p95_over_bare": percentile(calm.handed_over, 0.95) / percentile(bare, 0.95)},
    )


class _Watched(NotifyRole):
    """Notes when the commit that routed an incident was over."""

    def __init__(self, foundation: Foundation) -> None:
        self.routed: dict[str, float] = {}
        self._turn: list[str] = []
        super().__init__(foundation, follow=(*REACTIONS, ("bench", self._follow_too)), kept=())

    def _follow_too(self, _session: Session, changed: Changed, _now: dt.datetime) -> None:
        self._turn.append(changed.incident.id)

    def _take(self) -> int:
        done = super()._take()
        at = time.time()
        for incident in self._turn:
            self.routed.setdefault(incident, at)
        self._turn.clear()
        return done


def _calm(seconds: int, incidents: int, responders: int) -> tuple[Counts, list[float]]:
    with ground_of(responders) as ground, push_box(0) as box:
        subscribe(ground, box.port, gone=0)
        bare = asyncio.run(_bare(box.port, 200, incidents / seconds))
        role = _Watched(ground)
        raised = asyncio.run(_beside(role, ground, seconds, incidents))
        counts = _count(ground, raised, box.end())
        counts.routed = [(role.routed[key] - at) * 1000 for key, at in raised.items()]
    return counts, bare


async def _beside(role: NotifyRole, ground: Foundation, seconds: int, incidents: int) -> dict[str, float]:
    await role.start()
    try:
        raised = await asyncio.to_thread(_raise, ground, seconds, incidents, role.wake)
        await asyncio.to_thread(_settle, ground)
    finally:
        await role.stop()
    return raised


def _faulty(seconds: int, incidents: int, responders: int) -> Counts:
    with ground_of(responders) as ground, push_box(FAULT_EVERY) as box:
        subscribe(ground, box.port, gone=_GONE)
        engines = [_engine(ground), _engine(ground)]
        # One of the two is killed in the middle of it, and another takes its place.
        timer = threading.Timer(seconds / 2, _kill_one, (engines, ground))
        timer.start()
        try:
            raised = _raise(ground, seconds, incidents)
            timer.join()
            _settle(ground)
        finally:
            timer.cancel()
            for engine in engines:
                engine.kill()
                engine.wait()
        return _count(ground, raised, box.end())


def _kill_one(engines: list[subprocess.Popen[bytes]], ground: Foundation) -> None:
    engines[0].kill()
    engines.append(_engine(ground))


def _engine(ground: Foundation) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ringward.bench.notifier", str(ground.settings.data_dir), COMPOUND],
        stdin=subprocess.PIPE,
    )


def _raise(
    ground: Foundation, seconds: int, incidents: int, wake: Callable[[], None] = lambda: None
) -> dict[str, float]:
    """Raises them evenly; returns when each was begun, seconds since 1970.

    `wake` is what the rules call after a commit in their own process.
    """
    begun = time.monotonic()
    raised: dict[str, float] = {}
    for number in range(incidents):
        time.sleep(max(0.0, begun + number * seconds / incidents - time.monotonic()))
        key, at = new_id(), ground.clock.now()
        raised[key] = time.time()
        with ground.database.write() as session:
            raise_forced_door(
                session,
                key,
                at,
                ring=Ring.BUILDING,
                zone=f"house-{number % 100}",
                device="door",
                lane="door",
                severity=2,
            )
        wake()
    return raised


def _settle(ground: Foundation) -> None:
    """Waits until everything that was asked for has been tried and answered."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        with ground.database.read() as session:
            due = select(Notification.id).where(Notification.due_at.is_not(None)).limit(1)
            waits = session.scalar(due) or session.scalar(select(IncidentChange.incident).limit(1))
        if not waits:
            return
        time.sleep(0.25)
    raise RuntimeError(f"letters are still on their way after {DEADLINE_S:g} s")


def _count(ground: Foundation, raised: dict[str, float], taken: list[list[str | float]]) -> Counts:
    counts = Counts()
    came: dict[tuple[str, str], list[tuple[float, int]]] = collections.defaultdict(list)
    for path, topic, at, status in taken:
        came[str(path), str(topic)].append((float(at), int(status)))
    with ground.database.read() as session:
        gone = select(NotificationAttempt).where(NotificationAttempt.error == LOST)
        lost = collections.Counter((one.notification, one.contact) for one in session.scalars(gone))
        owned = collections.defaultdict(list)
        for contact in session.scalars(select(Contact)):
            owned[contact.responder].append(contact)
        for row in session.scalars(select(Notification)):
            whole: list[float] = []
            for contact in owned[row.responder]:
                path = urlsplit(json.loads(contact.address)["endpoint"]).path
                letters = came[path, content_id("push", contact.id, row.incident or row.id)[:32]]
                faults = sum(status != _TAKEN for _, status in letters) + lost[row.id, contact.id]
                counts.faults += faults
                counts.doubled += len(letters) > 1
                counts.beyond_faults += len(letters) > 1 + faults
                whole += [at for at, status in letters if status in {_TAKEN, HUNG}]
            counts.letters += 1
            counts.missing += not whole
            if whole and row.incident in raised:
                counts.handed_over.append((min(whole) - raised[row.incident]) * 1000)
    return counts


async def _bare(port: int, count: int, rate: float) -> list[float]:
    """The same posts at the same rate, with nothing around them; milliseconds each."""
    took = []
    body = os.urandom(3175)
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(count):
            begun = time.monotonic()
            await client.post(f"http://127.0.0.1:{port}/bare", content=body)
            took.append((time.monotonic() - begun) * 1000)
            await asyncio.sleep(max(0.0, min(1 / rate, 0.05) - (time.monotonic() - begun)))
    return took
