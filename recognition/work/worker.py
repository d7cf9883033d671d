"""The recognition worker: one committed event in, one decision out, however often it comes.

The sighting's id is a function of the event's, its decision and the message that carries
it are committed together, and the unique key of the decision settles who was first. So the
bus may deliver twice and a worker may die anywhere. What cannot be looked at is a sighting
too (``no_usable_picture``): silence would look like nobody. Failures of the database are
raised, for the bus to deliver again.
"""

import threading
import time
from typing import Final, cast

import structlog

from bus.messages import EventStored, Sighting
from recognition.calibration import Calibrations
from recognition.cameras import camera_of
from recognition.engines import Engines, FaceEngine, OneEngine
from recognition.gallery import REFRESH_S, GalleryKeeper
from recognition.gallery.snapshots import Snapshots
from recognition.models import DecisionRow
from recognition.plates import PlateReader
from recognition.work import amended, plate_reads
from recognition.work.face_work import FaceWork, Look
from recognition.work.finding import given_up, unprocessed
from recognition.work.ledger import Ledger, PassageMovedError
from recognition.work.plate_path import PlatePath, known_plates
from recognition.work.policy import RecognitionPolicy
from recognition.work.strangers import Strangers
from recognition.work.telling import sighting_of
from storage import Clock, Database, KeyRing, MediaStore, SystemClock, content_id, new_id
from storage.keys import install_ring

__all__ = ["FACE_EVENTS", "PLATE_EVENTS", "REFRESH_S", "RecognitionWorker"]

log = structlog.get_logger()

FACE_EVENTS: Final = frozenset({"face.captured", "face.identified", "face.unknown", "face.uncertain"})
PLATE_EVENTS: Final = frozenset({"plate.recognised", "plate.none"})

_AGAIN: Final = 5
"""How often a picture is looked at again because others of its passage came in between."""


class RecognitionWorker:
    """One event at a time: parallel work comes from more processes, since encoding gains
    nothing from threads (measured). `refresh` and `settle` may be called from another thread.

    ``engine`` is one for all compounds, or says which decides where. ``reader`` None means that
    plates are matched by what devices read. Raises ``UncalibratedEngineError`` for an engine
    without a measured curve: it must stop the worker at its start, not at a gate.
    """

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        keyring: KeyRing,
        engine: FaceEngine | Engines,
        reader: PlateReader | None,
        *,
        clock: Clock | None = None,
        calibrations: Calibrations | None = None,
        policy: RecognitionPolicy = RecognitionPolicy(),  # noqa: B008 - frozen
        snapshots: Snapshots | None = None,
    ) -> None:
        install_ring(keyring)
        self._database = database
        self._clock = clock or SystemClock()
        # Who this is among the holders of galleries.
        self.name = new_id()
        self._engines = _engines(engine)
        self._faces = FaceWork(
            database,
            media,
            self._clock,
            self._engines,
            calibrations or Calibrations(),
            policy,
            GalleryKeeper(database, self._clock, self.name, snapshots=snapshots),
        )
        if isinstance(self._engines, OneEngine):
            self._faces.calibration(self._engines.of(""))
        self._plates = PlatePath(reader, media)
        self._policy = policy
        self._strangers = Strangers(self._clock, policy.stranger_token)
        self._ledger = Ledger(database, self._clock, policy, self._strangers)
        # Whoever forgets waits for the look that still remembers.
        self._busy = threading.Lock()

    def handle(self, message: EventStored) -> list[Sighting]:
        """Look at an event; the sightings that hold for it now, stored and queued.

        Empty for other events, and while a track waits for more pictures (see `settle`).
        """
        kind = _kind(message)
        if kind is None:
            return []
        with self._busy:
            sighting = self._handle(message, kind, content_id("sighting", message.id, kind))
        return [] if sighting is None else [sighting]

    def settle(self) -> list[Sighting]:
        """Tells what has waited long enough for more pictures; to be called ten times a second."""
        return self._ledger.settle()

    def give_up(self, message: EventStored, reason: str) -> list[Sighting]:
        """Decides an event without looking at it, with a reason; a decision that is there stays."""
        kind = _kind(message)
        if kind is None:
            return []
        sighting_id = content_id("sighting", message.id, kind)
        look = Look(given_up(kind, reason), self._policy.deadline)
        sighting = self._ledger.write(message, sighting_id, look, 0)
        log.warning("recognition.given_up", event_id=message.id, kind=kind, reason=reason)
        return [] if sighting is None else [sighting]

    def refresh(self) -> None:
        """Follows what has changed, and says what is held now: nobody erased stays in memory."""
        self._engines.refresh()
        self._faces.keeper.refresh()
        with self._busy:
            self._faces.frames.forget_old()
        self._strangers.forget_old()

    def close(self) -> None:
        """Forgets every gallery and every face, and says so."""
        with self._busy:
            self._faces.frames.clear()
            self._strangers.clear()
            self._faces.keeper.close()

    def _handle(self, message: EventStored, kind: str, sighting_id: str) -> Sighting | None:
        stored = self._stored(sighting_id)
        if stored is not None and not (
            message.amends and amended.shows_more(self._database, message, stored)
        ):
            return self._told(message, stored)
        if message.amends:
            message = amended.whole(self._database, message)
        leader = None if stored is None else stored.leader or stored.sighting_id
        for _ in range(_AGAIN):
            started = time.perf_counter()
            look = self._look(message, kind, leader)
            milliseconds = round((time.perf_counter() - started) * 1000)
            try:
                sighting = self._ledger.write(message, sighting_id, look, milliseconds)
            except PassageMovedError:
                continue
            log.info(
                "recognition.decided",
                event_id=message.id,
                kind=kind,
                outcome=look.finding.outcome,
                milliseconds=milliseconds,
            )
            return sighting
        # Given back to the bus, which delivers it again when it is quieter there.
        raise PassageMovedError

    def _look(self, message: EventStored, kind: str, leader: str | None) -> Look:
        if kind == "face":
            return self._faces.look(message, leader)
        if self._faces.is_past(message):
            return Look(unprocessed(kind), self._policy.deadline)
        with self._database.read() as session:
            known = known_plates(session, message.compound, message.at)
            near = plate_reads.beside(session, message, self._policy.track_gap)
            deadline = camera_of(session, message.device_id).deadline or self._policy.deadline
        return Look(self._plates.look(message, known, near), deadline)

    def _stored(self, sighting_id: str) -> DecisionRow | None:
        return self._ledger.decided(sighting_id)

    def _told(self, message: EventStored, stored: DecisionRow) -> Sighting | None:
        """What was told of an event that has come again; nothing where it is another's to be told."""
        if stored.leader is not None or (stored.settles_at is not None and stored.told_at is None):
            return None
        return sighting_of(message, stored)


def _engines(given: FaceEngine | Engines) -> Engines:
    return cast("Engines", given) if hasattr(given, "of") else OneEngine(given)


def _kind(message: EventStored) -> str | None:
    if message.type in FACE_EVENTS:
        return "face"
    return "plate" if message.type in PLATE_EVENTS else None
