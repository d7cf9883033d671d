"""People who pass cameras, with faces made of numbers: what is seen can be said exactly.

A face is an angle on a circle, in thousandths: the distance of two faces is about their
difference. The engine is a fake behind the contract; everything else is the real thing, from
the device's message to the outbox.
"""

import base64
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from bus.messages import EventStored, Sighting, decode
from devices.directory import DeviceDirectory
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from ingest.arrival import Arrival
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from recognition.calibration import FaceThresholds
from recognition.engines import DetectedFace
from recognition.framing import EVERYTHING, Box, View
from recognition.models import CameraView, DecisionRow, FaceExclusion
from recognition.quality import FacePoints, QualityReport
from recognition.work.policy import RecognitionPolicy
from recognition.work.worker import RecognitionWorker
from registry.faces import consents, templates
from registry.faces.templates import Embedding
from registry.models import (
    Building,
    Compound,
    ConsentPurpose,
    Dwelling,
    DwellingState,
    GivenBy,
    Household,
    LegalBasis,
    Person,
    Residence,
    ResidenceKind,
    Ring,
    Unit,
    WatchlistEntry,
    WatchlistSubject,
    Zone,
)
from storage import Database, KeyRing, MediaStore, new_id
from storage.events import OutboxRow
from tests.support.clock import VirtualClock
from tests.support.compound import COMPOUND, SECRET_HASH
from tests.support.native import event, topic

DIMENSION: Final = 2
IDENTIFY, UNKNOWN, MARGIN = 0.40, 0.55, 0.05
# Where nobody lives.
STRANGER: Final = 4500


def vector(face: int) -> np.ndarray:
    return np.array([np.cos(face / 1000), np.sin(face / 1000)], np.float32)


def picture(face: int | None, quality: int = 90) -> bytes:
    """A PNG that says which face is in it and how well it can be seen (0…100); None: nobody is."""
    pixels = np.zeros((80, 80, 3), np.uint8)
    if face is not None:
        pixels[:] = (face // 256, face % 256, quality)
    done, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


class FakeEngine:
    """Reads faces out of `picture`; below quality 50 a face is blurred, below 20 too small to compare."""

    name, version, metric, dimension, unit = "fake", "1", "l2", DIMENSION, True

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, image: np.ndarray, view: View = EVERYTHING) -> list[DetectedFace]:
        self.looks += 1
        quality = int(image[40, 40, 2])
        if quality == 0:
            return []
        reasons = ("face_too_small",) if quality < 20 else ("blurred",) if quality < 50 else ()
        report = QualityReport(quality / 100, reasons, 80, 100.0, 100.0, 40.0, 0.0, 0.0)
        points = FacePoints((30.0, 30.0), (50.0, 30.0), (40.0, 45.0))
        return [DetectedFace(Box(0, 0, 80, 80), (), points, 80, report)]

    def embed(self, image: np.ndarray, face: DetectedFace) -> np.ndarray:
        return vector(int(image[40, 40, 0]) * 256 + int(image[40, 40, 1]))

    def embed_aligned(self, crop: np.ndarray) -> np.ndarray:
        return self.embed(crop, self.detect(crop)[0])


class FakeCalibration:
    """Stricter by 0.01 a factor of ten of people or of false names; the same for any frames."""

    id = "fake/1"

    def thresholds(
        self, people: int, fpir: float, *, frames: int = 1, shift: float = 0.0, photos: float = 1.0
    ) -> FaceThresholds:
        strict = 0.01 * (np.log10(1e-3 / fpir) + np.log10(max(1, people)))
        return FaceThresholds(round(min(UNKNOWN, IDENTIFY - float(strict) + shift), 6), UNKNOWN, MARGIN)


class FakeCalibrations:
    def of(self, engine: object) -> FakeCalibration:
        return FakeCalibration()


@dataclass
class Terminal:
    """What a terminal says that it matched."""

    ref: str | None = None
    score: float | None = 0.95
    liveness: bool | None = True


class Street:
    """A compound with a gate, two buildings and a garden, and a worker that looks at its cameras.

    `gate-1` and `gate-2` share a lane; `hall-1` hangs at building 1, `hall-2` at building 2.
    """

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        ring: KeyRing,
        clock: VirtualClock,
        policy: RecognitionPolicy | None = None,
        engine: Any = None,
        calibrations: Any = None,
    ) -> None:
        self.database, self.media, self.ring, self.clock = database, media, ring, clock
        self.engine = engine or FakeEngine()
        self.policy = policy or RecognitionPolicy()
        self._calibrations = calibrations or FakeCalibrations()
        _build(database, clock.now())
        self.intake = Intake(database, media, DeviceDirectory(database), IntakeMetrics(CollectorRegistry()))
        self.worker = self.new_worker()
        self._read_to = 0
        self._records = 0
        self.sightings: list[Sighting] = []

    def new_worker(self, engine: Any = None) -> RecognitionWorker:
        return RecognitionWorker(
            self.database,
            self.media,
            self.ring,
            engine or self.engine,
            None,
            clock=self.clock,
            calibrations=self._calibrations,
            policy=self.policy,
        )

    # ── who lives here ──

    def lives(
        self, name: str, face: int | None, home: str | None = "d1", household: str | None = None, **more: Any
    ) -> str:
        """Registers somebody in a dwelling (d1 in building 1, d2 in building 2), with a face or without."""
        household = household or f"h-{name}"
        with self.database.write() as session:
            if session.get(Household, household) is None:
                session.add(Household(id=household, compound=COMPOUND, dwelling=home))
                session.flush()
            session.add(Person(id=name, compound=COMPOUND, household=household, name=name, **more))
            session.flush()
            if home is not None:
                kind, since = ResidenceKind.OWNER_OCCUPIER, dt.date(2020, 1, 1)
                session.add(
                    Residence(
                        id=f"r-{name}", compound=COMPOUND, person=name, dwelling=home, kind=kind, since=since
                    )
                )
        if face is not None:
            self.enrol(name, vector(face))
        return name

    def enrol(self, name: str, face: np.ndarray, engine: Any = None) -> None:
        made_by = engine or self.engine
        at = self.clock.now()
        embedding = Embedding(
            made_by.name, made_by.version, made_by.dimension, face.astype("<f4").tobytes(), 0.9
        )
        with self.database.write() as session:
            person = session.get_one(Person, name)
            given_by = GivenBy.SELF
            if person.under_14:
                # As if consent had been given by a guardian: what is tested is that nobody is named.
                given_by = GivenBy.GUARDIAN
                self._guardian(session, person)
            consents.give(
                session, person, ConsentPurpose.FACE_ACCESS, wording="…", channel="paper",
                given_by=given_by, at=at, guardian=person.guardian if person.under_14 else None,
            )  # fmt: skip
            templates.enrol(session, person, embedding, media_id=None, at=at)

    def _guardian(self, session: Any, child: Person) -> None:
        guardian = f"{child.id}-guardian"
        session.add(Person(id=guardian, compound=COMPOUND, household=child.household, name=guardian))
        session.flush()
        child.guardian = guardian

    def confused(self, person: str, other: str | None) -> None:
        with self.database.write() as session:
            session.add(
                FaceExclusion(
                    id=new_id(), compound=COMPOUND, person=person, other=other, made_by="u",
                    made_at=self.clock.now(),
                )
            )  # fmt: skip

    def wanted(self, person: str, rings: Sequence[str] = ("entrance",), days: float = 30) -> None:
        with self.database.write() as session:
            session.add(
                WatchlistEntry(
                    id=new_id(), compound=COMPOUND, subject_kind=WatchlistSubject.PERSON, subject=person,
                    legal_basis=LegalBasis.POLICE_ORDER, document_no="1", applicant="a", approver="b",
                    reason="…", rings=[Ring(ring) for ring in rings],
                    starts_at=self.clock.now() - dt.timedelta(days=1),
                    ends_at=self.clock.now() + dt.timedelta(days=days),
                )
            )  # fmt: skip

    def view(self, device: str, **settings: Any) -> None:
        with self.database.write() as session:
            session.merge(
                CameraView(
                    device=device, compound=COMPOUND, changed_at=self.clock.now(), changed_by="u",
                    **{"policy": "needed", "threshold_shift": 0.0} | settings,
                )
            )  # fmt: skip

    # ── what happens ──

    def passes(
        self,
        face: int | None,
        device: str = "gate-1",
        *,
        track: str | None = None,
        quality: int = 90,
        ago: float = 0.0,
        role: str = "face",
        kind: str = "face.captured",
        terminal: Terminal | None = None,
        pictures: Sequence[bytes] | None = None,
        **more: Any,
    ) -> EventStored:
        """A device reports a face that was seen ``ago`` seconds ago; the message that was committed."""
        self._records += 1
        shown = [picture(face, quality)] if pictures is None else pictures
        fields: dict[str, Any] = {
            "images": [{"role": role, "jpeg": base64.b64encode(data).decode()} for data in shown],
            **more,
        }
        if track is not None:
            fields["track"] = track
        if terminal is not None:
            match = {"person_ref": terminal.ref, "score": terminal.score, "liveness": terminal.liveness}
            fields["match"] = {name: value for name, value in match.items() if value is not None}
        seen = self.clock.now() - dt.timedelta(seconds=ago)
        payload = event(f"r-{self._records}", kind, seen, **fields)
        self.intake.process([Arrival(topic(device), payload, self.clock.now())])
        (message,) = self._new(EventStored)
        return message

    def sees(self, *args: Any, worker: RecognitionWorker | None = None, **more: Any) -> list[Sighting]:
        """`passes`, looked at at once; what was told of it."""
        message = self.passes(*args, **more)
        (worker or self.worker).handle(message)
        return self.told()

    def waits(self, seconds: float) -> list[Sighting]:
        """Time passes; what was told because of it."""
        self.clock.advance(seconds)
        self.worker.settle()
        return self.told()

    def told(self) -> list[Sighting]:
        """What the bus has heard since this was asked last."""
        told = self._new(Sighting)
        self.sightings += told
        return told

    def decisions(self) -> list[DecisionRow]:
        """All decisions, in order of time."""
        with self.database.read() as session:
            rows = list(session.scalars(select(DecisionRow).order_by(DecisionRow.at, DecisionRow.event_id)))
            session.expunge_all()
        return rows

    def _new(self, kind: type) -> list[Any]:
        with self.database.read() as session:
            query = select(OutboxRow).where(OutboxRow.seq > self._read_to).order_by(OutboxRow.seq)
            rows = session.scalars(query).all()
            found = [(row.seq, decode(row.payload)) for row in rows]
        if found:
            self._read_to = found[-1][0]
        return [
            message
            for _, message in found
            if isinstance(message, kind) and not getattr(message, "type", "").startswith("device.")
        ]


def _build(database: Database, at: dt.datetime) -> None:
    with database.write() as session:
        session.add(Compound(id=COMPOUND, name="红花苑", time_zone="Asia/Shanghai"))
        session.flush()
        for zone, ring, beside in (
            ("gate", Ring.ENTRANCE, ["garden"]),
            ("garden", Ring.COMMON, ["gate", "z1", "z2"]),
            ("z1", Ring.BUILDING, ["garden"]),
            ("z2", Ring.BUILDING, ["garden"]),
        ):
            session.add(
                Zone(
                    id=zone, compound=COMPOUND, name=zone, ring=ring, kind="x", outline=[], neighbours=beside
                )
            )
        session.flush()
        for number in ("1", "2"):
            session.add(
                Building(
                    id=f"b{number}", compound=COMPOUND, zone=f"z{number}", name=number, x=0, y=0, width=1,
                    height=1,
                )
            )  # fmt: skip
            session.flush()
            session.add(Unit(id=f"u{number}", compound=COMPOUND, building=f"b{number}", name="1"))
            session.flush()
            session.add(
                Dwelling(
                    id=f"d{number}", compound=COMPOUND, unit=f"u{number}", floor=1, room_no="101",
                    state=DwellingState.OCCUPIED,
                )
            )  # fmt: skip
        camera, door = DeviceKind.FACE_CAMERA, DeviceKind.DOOR
        for device, kind, zone, lane, direction in (
            ("gate-1", camera, "gate", "lane-in", "in"),
            ("gate-2", camera, "gate", "lane-in", "in"),
            ("gate-out", camera, "gate", "lane-out", "out"),
            ("garden-1", camera, "garden", None, None),
            ("hall-1", camera, "z1", None, "in"),
            ("hall-2", camera, "z2", None, "in"),
            ("door-1", door, "z1", None, "in"),
            ("door-2", door, "z2", None, "in"),
            ("barrier", DeviceKind.BARRIER, "gate", "lane-in", "in"),
        ):
            session.add(
                Device(
                    id=device, compound=COMPOUND, zone=zone, kind=kind, name=device, lane=lane,
                    direction=direction, heartbeat_s=30, secret_hash=SECRET_HASH, enabled=True,
                    stage=Stage.APPROVED,
                )
            )  # fmt: skip
            session.flush()
            session.add(DeviceStatus(device_id=device, online=True, since=at, last_seen=at))
