"""The round in which measures are taken: each group at its own pace, and none because of another late."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import Compound
from ringward.foundation import Foundation
from ringward.measures import database, machine
from ringward.measures import definitions as of
from ringward.measures.board import Board
from ringward.measures.bus import BusMeasures
from ringward.measures.definitions import Sample
from storage import SystemClock, audit

log = structlog.get_logger(__name__)

QUICK_S: Final = 15.0
MINUTE_S: Final = 60.0
GALLERY_S: Final = 600.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0

_AFTER_START_S: Final = 300.0
"""What reads much waits so long after a start: a morning on which everything starts has other cares."""

_SAY_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Group:
    """What is taken together, every so many seconds, for the first time `first_s` after the start."""

    name: str
    every_s: float
    take: Callable[[dt.datetime], Awaitable[Iterable[Sample]]]
    first_s: float = 0.0


class Measuring:
    """Takes measures from `start` to `stop` and hangs them up on a board of the process's metrics.

    Failure policy: *fail open*. What cannot be taken is logged and tried again at its next time; meanwhile
    it disappears from the board.
    """

    def __init__(self, foundation: Foundation) -> None:
        self._ground = foundation
        self._waiting = database.Waiting()
        self._bus = BusMeasures(foundation.bus)
        self.board = Board()
        foundation.metrics.register(self.board)
        self.groups = (
            Group("waits", QUICK_S, self._in_thread(self._waits)),
            Group("bus", QUICK_S, self._bus.take),
            Group("machine", MINUTE_S, self._in_thread(self._machine)),
            Group("counts", MINUTE_S, self._in_thread(self._counts)),
            Group("galleries", GALLERY_S, self._in_thread(self._galleries)),
            Group("faces", HOUR_S, self._in_thread(self._faces), _AFTER_START_S),
            Group("audit", DAY_S, self._in_thread(self._audit), _AFTER_START_S),
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    async def start(self) -> None:
        """Returns at once."""
        self._stopping.clear()
        self._tasks = [
            asyncio.create_task(self._keep(group), name=f"measures-{group.name}") for group in self.groups
        ]

    async def stop(self) -> None:
        self._stopping.set()
        under_way = set(self._tasks)
        while under_way:
            # Said again: a cancellation that comes with a client's own answer is lost on its way.
            for task in under_way:
                task.cancel()
            _, under_way = await asyncio.wait(under_way, timeout=_SAY_AGAIN_S)
        self._tasks = []
        self.board.clear()
        await self._bus.close()

    async def take(self, group: Group) -> bool:
        """Takes a group once; False where it could not be taken."""
        try:
            samples = list(await group.take(self._ground.clock.now()))
        except Exception as error:  # noqa: BLE001 - whatever is away comes back; the round goes on
            log.warning("measures.not_taken", group=group.name, error=type(error).__name__)
            return False
        self.board.hang(group.name, group.every_s, samples)
        return True

    async def _keep(self, group: Group) -> None:
        await asyncio.sleep(group.first_s)
        while not self._stopping.is_set():
            await self.take(group)
            await asyncio.sleep(group.every_s)

    def _in_thread(
        self, read: Callable[[Session, dt.datetime], Iterator[Sample]]
    ) -> Callable[[dt.datetime], Awaitable[Iterable[Sample]]]:
        def taken(now: dt.datetime) -> list[Sample]:
            with self._ground.database.read() as session:
                return list(read(session, now))

        async def take(now: dt.datetime) -> Iterable[Sample]:
            return await asyncio.to_thread(taken, now)

        return take

    def _waits(self, session: Session, now: dt.datetime) -> Iterator[Sample]:
        yield from self._waiting.look(session, now)
        yield from database.waits(session, now)
        yield from database.attendance(session, self._ground.clock)
        # The machine's own: what processes go by is the database's already.
        yield from database.offset(session, SystemClock().now)

    def _machine(self, _session: Session, _now: dt.datetime) -> Iterator[Sample]:
        yield from machine.disks(self._ground.settings)
        yield from machine.clock()
        yield from machine.validity(self._ground.settings)

    def _counts(self, session: Session, now: dt.datetime) -> Iterator[Sample]:
        yield from database.letters(session)
        yield from database.devices(session)
        yield from database.copies(session, now)
        yield from database.size(session)
        yield from database.pieces(session, now)

    def _galleries(self, session: Session, _now: dt.datetime) -> Iterator[Sample]:
        yield from database.galleries(session)

    def _faces(self, session: Session, now: dt.datetime) -> Iterator[Sample]:
        compounds = session.scalars(select(Compound.id).order_by(Compound.id)).all()
        yield from database.answers(session, compounds, now)
        yield from database.drift(session, now)

    def _audit(self, session: Session, now: dt.datetime) -> Iterator[Sample]:
        broken = audit.verify(session)
        if broken is None:
            yield Sample(of.AUDIT_VERIFIED, now.timestamp())
        else:
            log.error("audit.chain_broken", row=broken)
        yield Sample(of.AUDIT_HOLDS, float(broken is None))
