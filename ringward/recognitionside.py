"""Recognition as a role: pictures come in two lanes, one is looked at, its decision is told.

A process of its own: the engines hold a core. More of them share the lanes.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from nats.errors import Error as NatsError
from sqlalchemy import event

from bus.lanes import RECOGNITION, Delivery, LaneConsumer
from bus.relay import WAKE
from ringward import figures, memory
from ringward.foundation import Foundation
from ringward.roles import Role
from ringward.settings import Settings

if TYPE_CHECKING:
    from recognition.engines import Engines, FaceEngine
    from recognition.plates import PlateReader
    from recognition.reembedding import Reembedder
    from recognition.work.desk import Desk
    from recognition.work.policy import RecognitionPolicy
    from recognition.work.worker import RecognitionWorker

log = structlog.get_logger(__name__)

SETTLE_S: Final = 0.1
REFRESH_S: Final = 1.0
"""A moved gallery is followed after at most this long, also while nothing happens at the gates."""
IDLE_S: Final = 0.05
"""Between two enrolled photos that are embedded anew; each is embedded while no picture waits."""

_CACHE_KB: Final = 4096


@dataclass(frozen=True, slots=True)
class Eyes:
    """What a worker looks with; without a reader only plates that devices read are matched.

    `aim` is the engine that every gallery is to be embedded by in the end; None: there is no other.
    """

    engines: "Engines"
    reader: "PlateReader | None"
    aim: "FaceEngine | None" = None


def open_eyes(foundation: Foundation) -> Eyes:
    """The engines of the settings, each step of them watched."""
    import cv2

    from recognition.plates import OnnxPlateReader
    from recognition.work.watchdog import WatchedEngine, WatchedEngines, WatchedReader
    from ringward.faces import open_faces

    # It has threads of its own, which no variable of the environment tells how many to be.
    cv2.setNumThreads(1)
    faces = open_faces(foundation)
    return Eyes(
        WatchedEngines(faces.chosen), WatchedReader(OnnxPlateReader()), WatchedEngine(faces.configured)
    )


def policy_of(settings: Settings) -> "RecognitionPolicy":
    """What the settings say of recognition."""
    from recognition.work.policy import RecognitionPolicy

    return RecognitionPolicy(
        gate_fpir=settings.gate_fpir,
        door_fpir=settings.door_fpir,
        smallest_face_px=settings.smallest_face_px,
        settle=dt.timedelta(milliseconds=settings.recognition_settle_ms),
        deadline=dt.timedelta(milliseconds=settings.recognition_deadline_ms),
        ttl=dt.timedelta(seconds=settings.recognition_ttl_s),
        low_score=settings.terminal_low_score,
        stranger_token=dt.timedelta(minutes=settings.stranger_token_minutes),
    )


class UnassessedError(Exception):
    """Strangers are to be told again, and no impact assessment says why."""

    def __init__(self, compounds: list[str]) -> None:
        super().__init__(
            "stranger_token_minutes is set, and the newest impact assessment does not name "
            f"stranger_token_minutes in: {', '.join(compounds)}. Assess it first, or set it to 0"
        )
        self.compounds = compounds


def refuse_unassessed(foundation: Foundation) -> None:
    """Raises `UnassessedError` where unknown faces would be remembered without an assessment (L-14, L-19)."""
    from privacy.assessment import unassessed

    if foundation.settings.stranger_token_minutes == 0:
        return
    with foundation.database.read() as session:
        compounds = unassessed(session, "stranger_token_minutes")
    if compounds:
        raise UnassessedError(compounds)


def _small_cache(connection: Any, _record: Any) -> None:
    """Pages of the database that are kept in memory: what a look asks for is a few rows, and recent.

    With what ingest needs, 64 MB a connection, a process would grow beyond its 400 MB in a day.
    """
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
    cursor.close()


class RecognitionRole(Role):
    """Looks at faces and plates of both lanes, one after the other."""

    name = "recognition"

    def __init__(self, foundation: Foundation, eyes: Callable[[Foundation], Eyes] = open_eyes) -> None:
        from recognition.work.metrics import RecognitionMetrics

        self._foundation = foundation
        if foundation.database.is_sqlite:
            event.listen(foundation.database.engine, "connect", _small_cache)
        self._open_eyes = eyes
        self._metrics = RecognitionMetrics(foundation.metrics)
        self._consumer = LaneConsumer(foundation.bus, RECOGNITION, self._take)
        self._worker: RecognitionWorker | None = None
        self._desk: Desk | None = None
        self._reembedder: Reembedder | None = None
        # Engines are one thread's at a time.
        self._turn = asyncio.Lock()
        self._rounds: list[asyncio.Task[None]] = []

    def ready(self) -> bool:
        """Whether the engines are loaded and pictures are taken."""
        return self._worker is not None and self._consumer.running

    async def start(self) -> None:
        if self._worker is None:
            await asyncio.to_thread(self._open)
        await self._consumer.start()
        self._rounds = [
            asyncio.create_task(self._again(work, pause_s), name=f"recognition-{work.__name__}")
            for work, pause_s in ((self._settle, SETTLE_S), (self._refresh, REFRESH_S))
        ]
        self._rounds += [
            asyncio.create_task(self._embed_anew(), name="recognition-embed-anew"),
            asyncio.create_task(self._say_figures(), name="recognition-figures"),
        ]
        self._metrics.ready.set_function(lambda: float(self.ready()))

    async def stop(self) -> None:
        await self._consumer.stop()
        for task in self._rounds:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._worker is not None:
            await asyncio.to_thread(self._worker.close)

    def _open(self) -> None:
        from recognition.calibration import Calibrations
        from recognition.gallery.snapshots import Snapshots
        from recognition.reembedding import Reembedder
        from recognition.work.desk import Desk
        from recognition.work.worker import RecognitionWorker

        ground, settings = self._foundation, self._foundation.settings
        refuse_unassessed(ground)
        eyes = self._open_eyes(ground)
        calibrations = Calibrations(settings.data_dir / "calibration", settings.face_population)
        if eyes.aim is not None:
            # Without a measured curve it may decide nothing: better said now than when it takes over.
            calibrations.of(eyes.aim)
        worker = RecognitionWorker(
            ground.database,
            ground.media,
            ground.ring,
            eyes.engines,
            eyes.reader,
            clock=ground.clock,
            calibrations=calibrations,
            policy=policy_of(settings),
            snapshots=Snapshots.of_this_machine(ground.database),
        )
        if eyes.aim is not None:
            self._reembedder = Reembedder(ground.database, ground.media, eyes.aim, ground.clock)
        memory.give_back()
        self._desk = Desk(ground.database, worker, ground.clock, self._metrics)
        self._worker = worker

    async def _take(self, delivery: Delivery) -> None:
        assert self._desk is not None
        async with self._turn:
            await asyncio.to_thread(self._desk.take, delivery)
        await self._wake()

    async def _wake(self) -> None:
        """Sightings lie in the outbox, and the relay is in another process."""
        with contextlib.suppress(NatsError):
            await self._consumer.say(WAKE)

    async def _again(self, work: Callable[[], bool], pause_s: float) -> None:
        while True:
            await asyncio.sleep(pause_s)
            try:
                if await asyncio.to_thread(work):
                    await self._wake()
            except Exception:
                # A database that is away comes back; without it no look would be decided either.
                log.exception("recognition.round_failed", round=work.__name__)

    async def _say_figures(self) -> None:
        while True:
            with contextlib.suppress(NatsError):
                await self._consumer.say(figures.SUBJECT, figures.figures_of(self._foundation.metrics))
            await asyncio.sleep(figures.EVERY_S)

    async def _embed_anew(self) -> None:
        """Brings galleries to another engine, a photo at a time, while no picture waits."""
        while self._reembedder is not None:
            await asyncio.sleep(IDLE_S)
            if not self._consumer.idle:
                continue
            try:
                async with self._turn:
                    busy = await asyncio.to_thread(self._reembedder.step)
            except Exception:
                log.exception("recognition.round_failed", round="embed_anew")
                busy = False
            if not busy:
                await asyncio.sleep(REFRESH_S)

    def _settle(self) -> bool:
        """Tells what has waited for more pictures; whether there was any."""
        assert self._worker is not None
        told = self._worker.settle()
        self._metrics.decided(told)
        return bool(told)

    def _refresh(self) -> bool:
        """Forgets whoever was erased, also while nothing happens at the gates."""
        assert self._worker is not None
        self._worker.refresh()
        return False
