"""One look at a face event: what the terminal says, what was seen beside it, what we make of both."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy.orm import Session

from bus.messages import EventStored
from recognition.calibration import Calibration, Calibrations
from recognition.cameras import CameraSettings, camera_of
from recognition.decisions import FaceOutcome
from recognition.engines import Engines, FaceEngine, Vector
from recognition.framing import View
from recognition.gallery import GalleryKeeper
from recognition.work import asserted, face_path, tracks
from recognition.work.face_path import Lens
from recognition.work.finding import Finding, unprocessed
from recognition.work.frames import Frame, Frames
from recognition.work.policy import RecognitionPolicy
from recognition.work.scopes import Looked, Scopes, Strictness
from recognition.work.tracks import Member, Passage, State
from storage import Clock, Database, MediaStore

MOST_BESIDE: Final = 8
"""The newest so many pictures of a passage are looked at beside a further one."""


@dataclass(frozen=True, slots=True, eq=False)
class Stranger:
    """An unknown face, the engine that made it, and how near another picture of it would be."""

    face: Vector
    engine: str
    near: float


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A finding and how it is to be written down.

    ``passage`` is the one that the event joins; None: it begins one, or is by itself.
    ``beside`` is what its neighbours were when they were looked at; None where nobody asked.
    """

    finding: Finding
    deadline: dt.timedelta
    passage: Passage | None = None
    beside: State | None = None
    # Of whom nobody knows, where strangers are told again: in memory, and nowhere else.
    stranger: "Stranger | None" = None


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database says before a picture is fetched."""

    camera: CameraSettings
    who: asserted.Claimed | None
    looked: Looked
    members: list[Member]
    cameras: dict[str, CameraSettings]


class FaceWork:
    """Looks at face events with the engine of their compound. One at a time."""

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        clock: Clock,
        engines: Engines,
        calibrations: Calibrations,
        policy: RecognitionPolicy,
        keeper: GalleryKeeper,
    ) -> None:
        self._database = database
        self._clock = clock
        self._engines = engines
        self._calibrations = calibrations
        self._policy = policy
        self._measured: dict[tuple[str, str], Calibration] = {}
        self._scopes = Scopes(clock)
        self.keeper = keeper
        self.frames = Frames(media, clock)

    def calibration(self, engine: FaceEngine) -> Calibration:
        """Raises `UncalibratedEngineError` for an engine without a measured curve."""
        key = (engine.name, engine.version)
        if key not in self._measured:
            self._measured[key] = self._calibrations.of(engine)
        return self._measured[key]

    def look(self, event: EventStored, leader: str | None) -> Look:
        """Looks at an event. ``leader`` is the sighting that it was decided under before, if it was."""
        with self._database.read() as session:
            camera = camera_of(session, event.device_id)
            who = asserted.claimed(session, event, self._clock.now())
            low_score = self._policy.low_score if camera.low_score is None else camera.low_score
            deadline = camera.deadline or self._policy.deadline
            word = asserted.accepted(event, who, camera.policy, low_score)
            if word is not None:
                return Look(word, deadline)
            if self.is_past(event):
                return Look(unprocessed("face"), deadline)
            known = self._known(session, event, camera, who)
        engine = self._engines.of(event.compound)
        lens = Lens(engine, self.calibration(engine), self.keeper.gallery(event.compound, engine))
        frame = self.frames.of(event.pictures, engine, self._view(camera))
        passage, beside = self._passage(event, leader, frame, known, lens)
        strictness = Strictness(camera.fpir or self._policy.fpir(event.ring), camera.threshold_shift)
        live = event.match.liveness if event.match else None
        finding = face_path.decide([frame, *beside], known.looked, lens, strictness, liveness=live)
        if finding.outcome == FaceOutcome.UNKNOWN and not self._engines.complete(event.compound):
            # Its former engine is gone, and its gallery is being embedded anew: who is not found may
            # be the next.
            finding = replace(
                finding,
                outcome=FaceOutcome.UNCERTAIN.value,
                reasons=(*finding.reasons, "gallery_incomplete"),
            )
        finding = asserted.compared(finding, event, who, low_score)
        if passage is not None and _differed(passage) and finding.names_somebody:
            finding = asserted.differing(finding)
        stranger = self._stranger(finding, [frame, *beside], lens)
        return Look(finding, deadline, passage, tracks.state_of(known.members), stranger)

    def is_past(self, event: EventStored) -> bool:
        """Whether pictures have waited too long to be worth a look; history may wait."""
        waited = self._clock.now() - event.received_at
        return waited > self._policy.ttl and not event.late and not event.amends

    def _known(
        self, session: Session, event: EventStored, camera: CameraSettings, who: asserted.Claimed | None
    ) -> _Known:
        members = tracks.neighbours(session, event, self._policy.track_gap)
        others = {one.event.device_id for one in members} - {event.device_id}
        cameras = {device: camera_of(session, device) for device in others} | {event.device_id: camera}
        return _Known(camera, who, self._scopes.of(session, event), members, cameras)

    def _passage(
        self, event: EventStored, leader: str | None, frame: Frame, known: _Known, lens: Lens
    ) -> tuple[Passage | None, Sequence[Frame]]:
        """The passage that an event belongs to, and the other pictures of it."""
        frames: dict[str, list[Frame]] = {}
        for group in tracks.passages(known.members, ()):
            frames[group.members[0].leader] = [
                self.frames.of(one.pictures, lens.engine, self._view(known.cameras[one.event.device_id]))
                for one in group.members[-MOST_BESIDE:]
            ]
        faces = [
            (told_as, face_path.fused(seen, unit=lens.engine.unit)[0]) for told_as, seen in frames.items()
        ]
        found = tracks.passages(known.members, faces)
        if leader is not None:
            # It was decided on before: it stays where it was, with those who share its decision.
            mine = next((one for one in found if one.members[0].leader == leader), None)
            return (mine if mine is None or mine.first is not None else None), frames.get(leader, ())
        pair = lens.calibration.thresholds(1, self._policy.gate_fpir)
        joined = tracks.passage_of(frame.embedding, found, tracked=event.track is not None, pair=pair)
        return joined, () if joined is None else frames[joined.members[0].leader]

    def _view(self, camera: CameraSettings) -> View:
        """How a camera is looked at, with the deployment's smallest face where it names none."""
        smallest = camera.view.smallest_face_px or self._policy.smallest_face_px
        return replace(camera.view, smallest_face_px=smallest)

    def _stranger(self, finding: Finding, frames: Sequence[Frame], lens: Lens) -> Stranger | None:
        if finding.outcome != FaceOutcome.UNKNOWN or not self._policy.stranger_token:
            return None
        face, _ = face_path.fused(frames, unit=lens.engine.unit)
        if face is None:
            return None
        near = lens.calibration.thresholds(1, self._policy.gate_fpir).identify
        return Stranger(face, f"{lens.engine.name}/{lens.engine.version}", near)


def _differed(passage: Passage) -> bool:
    return any(asserted.DIFFERS in one.decision.reasons for one in passage.members)
