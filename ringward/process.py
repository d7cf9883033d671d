"""Running roles in one process, from start to a clean stop in order."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ringward import memory, traces
from ringward.foundation import Foundation
from ringward.health import Health, server_for
from ringward.roles import Role
from ringward.single import Single
from storage import ringmark
from storage.commonclock import CommonClock

log = structlog.get_logger(__name__)

# Stopped from the outside in: first nobody new comes, then what is under way is finished.
ORDER = ("console", "ingest", "devices", "recognition", "alerts", "notify", "keeper", "relay")

# A console alone only reads, on as many connections as it has threads.
CONSOLE_PAGES_MB = 24

_CLOSE_S = 2.0
_FORCE_S = 5.0


def build(names: Sequence[str], foundation: Foundation) -> list[Role]:
    """The roles by name, wired to each other. Raises `ValueError` for a name that is none."""
    unknown = set(names) - set(ORDER)
    if unknown:
        raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
    single = Single(foundation)
    relay = single.relay() if "relay" in names else None
    # Without a relay in this process its poll finds the message a moment later.
    wake: Callable[[], None] = relay.wake if relay is not None else _nobody_to_wake
    ingest = single.ingest(wake) if "ingest" in names else None
    built: dict[str, Role] = {}
    # Whoever changes incidents in this process; what comes from devices is no change yet.
    changed = wake
    if "notify" in names:
        # The channels with all their libraries, which no other role needs.
        from ringward.notifyside import NotifyRole

        notify = NotifyRole(foundation)
        built["notify"] = notify
        changed = _both(wake, notify.wake)
    if relay is not None:
        built["relay"] = relay
    if ingest is not None:
        built["ingest"] = ingest
    if "devices" in names:
        built["devices"] = single.devices(wake, ingest.ready if ingest is not None else _always)
    if "alerts" in names:
        # The rules with all their facts, which no other role needs.
        from ringward.alertside import AlertsRole

        built["alerts"] = AlertsRole(foundation, changed)
    if "keeper" in names:
        built["keeper"] = single.keeper()
    if "recognition" in names:
        from ringward.recognitionside import RecognitionRole

        built["recognition"] = RecognitionRole(foundation)
    if "console" in names:
        # Two seconds of imports and 100 MB that no other role needs.
        from ringward.web import ConsoleRole

        built["console"] = ConsoleRole(
            foundation,
            changed,
            broker_ready=relay.ready if relay is not None else _always,
            ingest_ready=ingest.ready if ingest is not None else _always,
        )
    return [built[name] for name in ORDER if name in built]


async def run(names: Sequence[str], foundation: Foundation) -> None:
    """Runs the roles of these names. Raises `ValueError` for a name that is none."""
    with _common_time(foundation) as ground:
        await serve(
            build(names, ground),
            ground,
            on_drain=lambda: _end_by_force(ground.settings.drain_s + _FORCE_S),
        )


@contextlib.contextmanager
def _common_time(foundation: Foundation) -> Iterator[Foundation]:
    """One clock for all processes of a deployment; those of a file are on one machine."""
    if foundation.database.is_sqlite:
        yield foundation
        return
    clock = CommonClock(foundation.database, foundation.clock)
    clock.start()
    try:
        yield replace(foundation, clock=clock)
    finally:
        clock.stop()


def _end_by_force(after_s: float) -> None:
    """A thread that waits for what never answers would keep the process, and its place, for ever."""
    timer = threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True
    timer.start()


async def serve(
    roles: Sequence[Role], foundation: Foundation, *, on_drain: Callable[[], None] = lambda: None
) -> None:
    """Starts the roles, waits for SIGINT or SIGTERM, and drains them in order.

    Draining: it says that it is not ready, takes no more work, finishes what is in hand, gives its
    leases back. What is not finished `drain_s` after the signal is left: nothing of it was acknowledged.
    """
    _know_the_ring(foundation)
    memory.settle()
    if {role.name for role in roles} == {"console"}:
        foundation.database.keep_at_most(CONSOLE_PAGES_MB)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    settings = foundation.settings
    health = Health(roles, foundation.database, foundation.metrics)
    server = server_for(health, settings.health_host, settings.health_port)
    if server is not None:
        await server.start()
    started: list[Role] = []
    leaving = contextlib.ExitStack()
    leaving.enter_context(traces.collected(foundation, [role.name for role in roles]))
    try:
        # The relay declares the stream that the others consume, so it comes first.
        for role in reversed(roles):
            if not await _start(role, stopping):
                break
            started.append(role)
            log.info("role.started", role=role.name)
        else:
            health.started = True
        await stopping.wait()
    finally:
        health.draining = True
        on_drain()
        deadline = loop.time() + settings.drain_s
        for role in reversed(started):
            await _stop(role, deadline)
        if server is not None:
            await server.stop()
        await asyncio.to_thread(leaving.close)
        foundation.database.close()


def _know_the_ring(foundation: Foundation) -> None:
    """Nothing starts with keys of another deployment. Raises `ForeignRingError`."""
    try:
        ringmark.ensure(foundation.database, foundation.ring, foundation.clock.now())
    except SQLAlchemyError as error:
        # Whoever can wait for the database does; readiness asks again.
        log.warning("ring.not_compared", error=type(error).__name__)


async def _stop(role: Role, deadline: float) -> None:
    try:
        # Whoever comes last gets a moment all the same: to close is not to finish.
        async with asyncio.timeout_at(max(deadline, asyncio.get_running_loop().time() + _CLOSE_S)):
            await role.stop()
    except Exception as error:  # noqa: BLE001 - whatever one role cannot end, the others must
        log.warning("role.stop_failed", role=role.name, error=type(error).__name__)
    else:
        log.info("role.stopped", role=role.name)


async def _start(role: Role, stopping: asyncio.Event) -> bool:
    """Starts a role, again and again while the bus is not there yet; False where the process ends before."""
    ending = asyncio.create_task(stopping.wait(), name="ending")
    try:
        while not stopping.is_set():
            starting = asyncio.create_task(role.start(), name=f"start-{role.name}")
            await asyncio.wait([starting, ending], return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
                await asyncio.wait([starting])
                return False
            try:
                starting.result()
            except (OSError, TimeoutError) as error:
                log.warning("role.waiting", role=role.name, error=type(error).__name__)
                await asyncio.wait([ending], timeout=1)
            else:
                return True
        return False
    finally:
        ending.cancel()
        await asyncio.wait([ending])


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def wake() -> None:
        one()
        other()

    return wake


def _nobody_to_wake() -> None:
    """The relay runs elsewhere and polls."""


def _always() -> bool:
    return True
