"""The recognition worker: one committed event in, one sighting out, however often it comes.

The sighting's id is a function of the event's, its decision and the message that carries
it are committed together, and the unique key of the decision settles who was first. So the
bus may deliver twice and a worker may die anywhere. What cannot be looked at is a sighting
too (``no_usable_picture``): silence would look like nobody. Failures of the database are
raised, for the bus to deliver again.
"""

import datetime as dt
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bus import subjects
from bus.messages import EventStored, Picture, Sighting, encode
from recognition.calibration import Calibrations
from recognition.engines import FaceEngine
from recognition.gallery import Gallery, Template
from recognition.models import DecisionRow
from recognition.plates import PlateReader
from recognition.work.face_path import FacePath
from recognition.work.finding import Finding
from recognition.work.plate_path import PlatePath, known_plates
from recognition.work.policy import RecognitionPolicy
from recognition.work.telling import sighting_of
from registry.days import local_date
from registry.faces import galleries, templates
from storage import Clock, Database, KeyRing, MediaStore, SystemClock, content_id, new_id
from storage.amendments import standing
from storage.events import EventAmendment, EventRow, enqueue
from storage.keys import install_ring

log = structlog.get_logger()

FACE_EVENTS: Final = frozenset({"face.captured", "face.identified", "face.unknown", "face.uncertain"})
PLATE_EVENTS: Final = frozenset({"plate.recognised", "plate.none"})


# A moved gallery is read again after at most this many seconds, also when no event comes.
REFRESH_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Held:
    """A gallery in memory: as of which revision, and of which day, since children grow up."""

    revision: int
    day: dt.date
    gallery: Gallery


class RecognitionWorker:
    """One event at a time: parallel work comes from more processes, since encoding gains
    nothing from threads (measured). `refresh` may be called from another thread.

    ``reader`` None means that plates are matched by what devices read. Raises
    ``UncalibratedEngineError`` for an engine without a measured curve.
    """

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        keyring: KeyRing,
        engine: FaceEngine,
        reader: PlateReader | None,
        *,
        clock: Clock | None = None,
        calibrations: Calibrations | None = None,
        policy: RecognitionPolicy = RecognitionPolicy(),  # noqa: B008 - frozen
    ) -> None:
        install_ring(keyring)
        self._database = database
        self._engine = engine
        self._clock = clock or SystemClock()
        self._faces = FacePath(engine, media, calibrations or Calibrations(), policy)
        self._plates = PlatePath(reader, media)
        self._galleries: dict[str, _Held] = {}
        # Who this is among the holders of galleries.
        self.name = new_id()
        # Whoever reads a gallery again waits for the look that still uses the old one.
        self._busy = threading.Lock()

    def handle(self, message: EventStored) -> list[Sighting]:
        """Look at an event; the sightings it has, stored and queued. Empty for other events."""
        with self._busy:
            return self._handle(message)

    def refresh(self) -> None:
        """Reads again what has moved, and says what is held now: nobody erased stays in memory."""
        with self._busy:
            for compound in list(self._galleries):
                self._gallery(compound)
            if not self._galleries:
                return
            now = self._clock.now()
            with self._database.write() as session:
                for compound, held in self._galleries.items():
                    galleries.report(session, self.name, compound, held.revision, now)

    def close(self) -> None:
        """Forgets every gallery and says so."""
        with self._busy:
            self._galleries.clear()
            with self._database.write() as session:
                galleries.leave(session, self.name)

    def _handle(self, message: EventStored) -> list[Sighting]:
        if message.type in FACE_EVENTS:
            kind = "face"
        elif message.type in PLATE_EVENTS:
            kind = "plate"
        else:
            return []
        sighting_id = content_id("sighting", message.id, kind)
        stored = self._stored(message, sighting_id)
        if stored is not None and not self._shows_more(message, sighting_id):
            return [stored]
        if message.amends:
            message = self._whole(message)
        started = time.perf_counter()
        finding = self._look(message, kind)
        milliseconds = round((time.perf_counter() - started) * 1000)
        sighting = self._store(message, sighting_id, finding, milliseconds)
        log.info(
            "recognition.decisionsd",
            event_id=message.id,
            kind=kind,
            outcome=sighting.outcome,
            milliseconds=milliseconds,
        )
        return [sighting]

    def _look(self, message: EventStored, kind: str) -> Finding:
        if kind == "face":
            return self._faces.look(message, self._gallery(message.compound))
        with self._database.read() as session:
            known = known_plates(session, message.compound, message.at)
        return self._plates.look(message, known)

    def _gallery(self, compound: str) -> Gallery:
        """The compound's gallery, read again when its revision or the day has moved."""
        held = self._galleries.get(compound)
        if held is None:
            # Entered before it is read: an erasure in between must know that somebody holds one.
            with self._database.write() as session:
                galleries.clear_away(session, self._clock.now())
                galleries.report(session, self.name, compound, -1, self._clock.now())
        with self._database.read() as session:
            # The revision is read first: a change in between makes the copy look old, never new.
            revision = templates.revision(session, compound)
            day = local_date(session, compound, self._clock.now())
            if held is not None and (held.revision, held.day) == (revision, day):
                return held.gallery
            entries = templates.gallery(session, compound, self._engine.name, self._engine.version, day)
        gallery = Gallery(
            self._engine.dimension,
            (
                Template(
                    entry.template_id,
                    entry.person_id,
                    entry.household_id,
                    np.frombuffer(entry.vector, dtype="<f4").astype(np.float32),
                    entry.under_14,
                )
                for entry in entries
            ),
        )
        self._galleries[compound] = _Held(revision, day, gallery)
        log.info(
            "recognition.gallery_loaded", revision=revision, templates=len(gallery), people=gallery.people
        )
        return gallery

    def _stored(self, message: EventStored, sighting_id: str) -> Sighting | None:
        with self._database.read() as session:
            row = session.get(DecisionRow, sighting_id)
            return None if row is None else sighting_of(message, row)

    def _shows_more(self, message: EventStored, sighting_id: str) -> bool:
        """Whether an amendment has what its event's decision has not seen: a plate, match or picture."""
        if not message.amends:
            return False
        with self._database.read() as session:
            decided = session.get_one(DecisionRow, sighting_id)
            if (decided.revision or 0) >= (message.revision or 0):
                return False
            then = session.get(EventAmendment, (message.id, decided.revision)) or session.get(
                EventRow, message.id
            )
            before = then.body if then is not None else {}
        seen = {picture["media_id"] for picture in before.get("pictures") or ()}
        return (
            msgspec.to_builtins(message.plate) != before.get("plate")
            or msgspec.to_builtins(message.match) != before.get("match")
            or any(picture.media_id not in seen for picture in message.pictures)
        )

    def _whole(self, message: EventStored) -> EventStored:
        """An amendment with all pictures of its event: the first may be the best."""
        with self._database.read() as session:
            rows = standing(session, session.scalars(select(EventRow).where(EventRow.id == message.id)).all())
            kept = [picture for row in rows for picture in row.body.get("pictures") or ()]
        pictures = dict.fromkeys([*message.pictures, *msgspec.convert(kept, list[Picture])])
        return msgspec.structs.replace(message, pictures=tuple(pictures))

    def _store(self, message: EventStored, sighting_id: str, finding: Finding, milliseconds: int) -> Sighting:
        """Decision and outbox row in one commit; the row that was there first wins.

        Unless it was decided on less than is known now: then this is its new decision.
        """
        columns = finding.columns() | {
            "sighting_id": sighting_id,
            "event_id": message.id,
            "compound": message.compound,
            "milliseconds": milliseconds,
            "at": message.at,
            "decided_at": self._clock.now(),
            "revision": message.revision,
        }
        dialect = sqlite if self._database.is_sqlite else postgresql
        insert = dialect.insert(DecisionRow).values(columns).on_conflict_do_nothing()
        with self._database.write() as session:
            added = session.execute(insert.returning(DecisionRow.sighting_id)).all()
            amended = not added and message.amends and _decide_anew(session, columns)
            row = session.get_one(DecisionRow, sighting_id)
            sighting = sighting_of(message, row, amends=amended)
            if added or amended:
                subject = subjects.sighting(message.compound, row.subject_kind, row.outcome)
                # The bus drops a second message of one id: a new decision is told under its own.
                told_as = f"{sighting_id}:{message.revision}" if amended else sighting_id
                enqueue(session, [(told_as, subject, encode(sighting))])
            return sighting


def _decide_anew(session: Session, columns: dict[str, Any]) -> bool:
    """Puts a decision in the place of one on less; False where somebody knew as much already."""
    known = func.coalesce(DecisionRow.revision, -1)
    changed = session.execute(
        update(DecisionRow)
        .where(DecisionRow.sighting_id == columns["sighting_id"], known < columns["revision"])
        .values(columns)
        .execution_options(synchronize_session=False)
        .returning(DecisionRow.sighting_id)
    )
    return bool(changed.all())
