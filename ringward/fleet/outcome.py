"""A plan played and judged: what was lost, what was doubled, and how long devices waited."""

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from devices.simulator.checker import Verdict, check
from devices.simulator.history import Entry, History
from devices.simulator.plan import Plan
from devices.simulator.play import RESEND_S, Progress, Target, play
from ringward.foundation import Foundation

# What was pushed is safe when it is answered and in the database a moment later; what a flood was
# is told half a minute after it.
_SETTLE_S: Final = 45.0


class Waits(msgspec.Struct, frozen=True):
    """How long devices waited for one kind of answer, in milliseconds."""

    count: int
    p50_ms: float
    p99_ms: float


class Outcome(msgspec.Struct, frozen=True):
    """`waits` by whose answer it was: puback (the broker's), answer and http (ours, once it is safe)."""

    devices: int
    minutes: float
    speed: float
    seed: int
    seconds: float
    messages: int
    verdict: Verdict
    waits: dict[str, Waits]


def drive(
    foundation: Foundation,
    target: Target,
    plan: Plan,
    *,
    speed: float,
    resend_s: float = RESEND_S,
    path: Path | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Outcome:
    """Plays the plan and compares; `path` is where the history goes, a line of JSON an entry.

    Raises `devices.simulator.play.NotConnectedError`.
    """
    history = History(path)
    since = foundation.clock.now()
    began = time.monotonic()
    try:
        asyncio.run(
            play(
                plan,
                target,
                history,
                speed=speed,
                resend_s=resend_s,
                now=foundation.clock,
                on_progress=on_progress,
            )
        )
    finally:
        history.close()
    seconds = time.monotonic() - began
    verdict = judge(foundation, plan, history.entries, since)
    told = sum(entry.what == "told" for entry in history.entries)
    devices = sum(member.purpose is not None for member in plan.members)
    waits = {by: found for by in ("puback", "answer", "http") if (found := _waits(history.entries, by))}
    return Outcome(devices, plan.minutes, speed, plan.seed, seconds, told, verdict, waits)


def judge(foundation: Foundation, plan: Plan, entries: list[Entry], since: dt.datetime) -> Verdict:
    """The verdict, once what is under way has arrived, or when for a while nothing more arrives."""
    devices = {member.device_id for member in plan.members}
    stored, deadline = -1, 0.0
    while True:
        with foundation.database.read() as session:
            verdict = check(entries, session, devices, since)
        if verdict.stored != stored:
            stored, deadline = verdict.stored, time.monotonic() + _SETTLE_S
        if verdict.clean or time.monotonic() > deadline:
            return verdict
        time.sleep(1)


def _waits(entries: list[Entry], by: str) -> Waits | None:
    found = sorted(entry.ms for entry in entries if entry.by == by and entry.ms is not None)
    if not found:
        return None
    return Waits(len(found), found[len(found) // 2], found[min(len(found) - 1, int(len(found) * 0.99))])
