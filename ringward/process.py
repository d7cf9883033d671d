"""Running roles in one process, from start to a clean stop in order."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ringward import memory
from ringward.foundation import Foundation
from ringward.roles import (
    DevicesRole,
    IngestRole,
    KeeperRole,
    RelayRole,
    Role,
)
from storage import ringmark

log = structlog.get_logger(__name__)

# Stopped from the outside in: first nobody new comes, then what is under way is finished.
ORDER = ("console", "ingest", "devices", "recognition", "alerts", "notify", "keeper", "relay")

# A console alone only reads, on as many connections as it has threads.
CONSOLE_PAGES_MB = 24


def build(names: Sequence[str], foundation: Foundation) -> list[Role]:
    """The roles by name, wired to each other. Raises `ValueError` for a name that is none."""
    unknown = set(names) - set(ORDER)
    if unknown:
        raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
    relay = RelayRole(foundation) if "relay" in names else None
    # Without a relay in this process its poll finds the message a moment later.
    wake: Callable[[], None] = relay.relay.wake if relay is not None else _nobody_to_wake
    ingest = IngestRole(foundation, wake) if "ingest" in names else None
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
        devices = DevicesRole(foundation, wake)
        if ingest is not None:
            devices.listening = ingest.ready
        built["devices"] = devices
    if "alerts" in names:
        # The rules with all their facts, which no other role needs.
        from ringward.alertside import AlertsRole

        built["alerts"] = AlertsRole(foundation, changed)
    if "keeper" in names:
        built["keeper"] = KeeperRole(foundation)
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
    await serve(build(names, foundation), foundation)


async def serve(roles: Sequence[Role], foundation: Foundation) -> None:
    """Starts the roles, waits for SIGINT or SIGTERM, and stops them in order."""
    _know_the_ring(foundation)
    memory.settle()
    if {role.name for role in roles} == {"console"}:
        foundation.database.keep_at_most(CONSOLE_PAGES_MB)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    started: list[Role] = []
    try:
        # The relay declares the stream that the others consume, so it comes first.
        for role in reversed(roles):
            await _start(role, stopping)
            if stopping.is_set():
                break
            started.append(role)
            log.info("role.started", role=role.name)
        await stopping.wait()
    finally:
        for role in reversed(started):
            try:
                await asyncio.wait_for(role.stop(), 35)
            except Exception as error:  # noqa: BLE001 - whatever one role cannot end, the others must
                log.warning("role.stop_failed", role=role.name, error=type(error).__name__)
            else:
                log.info("role.stopped", role=role.name)
        foundation.database.close()


def _know_the_ring(foundation: Foundation) -> None:
    """Nothing starts with keys of another deployment. Raises `ForeignRingError`."""
    try:
        ringmark.ensure(foundation.database, foundation.ring, foundation.clock.now())
    except SQLAlchemyError as error:
        # Whoever can wait for the database does; readiness asks again.
        log.warning("ring.not_compared", error=type(error).__name__)


async def _start(role: Role, stopping: asyncio.Event) -> None:
    """Starts a role, again and again while the bus is not there yet."""
    while not stopping.is_set():
        try:
            await role.start()
        except (OSError, TimeoutError) as error:
            log.warning("role.waiting", role=role.name, error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), 1)
        else:
            return


def _both(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def wake() -> None:
        one()
        other()

    return wake


def _nobody_to_wake() -> None:
    """The relay runs elsewhere and polls."""


def _always() -> bool:
    return True
