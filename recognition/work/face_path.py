"""From a face event to a finding: find the face, judge it, compare it, decide."""

from dataclasses import asdict
from typing import Any

from bus.messages import EventStored
from recognition.calibration import Calibrations
from recognition.decisions import decide_face
from recognition.engines import DetectedFace, FaceEngine
from recognition.gallery import Gallery
from recognition.images import Picture
from recognition.work.finding import NO_FACE, NO_USABLE_PICTURE, Finding
from recognition.work.pictures import FACE_ROLES, load
from recognition.work.policy import RecognitionPolicy
from storage import MediaStore


class FacePath:
    """Decides face events with one engine. Pictures that are no use are a finding, not an error."""

    def __init__(
        self, engine: FaceEngine, media: MediaStore, calibrations: Calibrations, policy: RecognitionPolicy
    ) -> None:
        # An engine without a measured curve must stop the worker at its start, not at a gate.
        self._calibration = calibrations.of(engine)
        self._engine = engine
        self._media = media
        self._policy = policy

    def look(self, event: EventStored, gallery: Gallery) -> Finding:
        evidence, asserted = _device_match(event)
        found, troubles, seen = self._best_face(event)
        if found is None:
            outcome = NO_FACE if seen else NO_USABLE_PICTURE
            own = ("face_not_found",) if seen else () if troubles else ("no_picture",)
            return Finding("face", outcome, (*own, *troubles, *asserted), evidence=evidence)
        picture, face, others = found
        quality = face.quality
        # A face of the gate's crowd is not the one that passes; the nearest one is.
        crowd = ("several_faces",) if others else ()
        size = gallery.people
        thresholds = self._calibration.thresholds(size, self._policy.fpir(event.ring))
        candidates = () if quality.reasons else gallery.search(self._engine.embed(picture.rgb, face))
        live = event.match.liveness if event.match else None
        decision = decide_face(candidates, size, quality.reasons, thresholds, liveness=live)
        return Finding(
            "face",
            decision.outcome.value,
            (*decision.reasons, *crowd, *troubles, *asserted),
            person_id=decision.person_id,
            household_id=decision.household_id,
            score=decision.score,
            threshold=decision.threshold,
            margin=decision.margin,
            gallery_size=size,
            engine=self._engine.name,
            engine_version=self._engine.version,
            candidates=tuple(asdict(candidate) for candidate in candidates),
            quality=asdict(quality) | {"box": asdict(face.box), "notes": picture.notes},
            evidence=evidence,
        )

    def _best_face(
        self, event: EventStored
    ) -> tuple[tuple[Picture, DetectedFace, int] | None, tuple[str, ...], bool]:
        """The best largest face over the event's pictures, what was wrong, whether any decoded."""
        best: tuple[Picture, DetectedFace, int] | None = None
        troubles: dict[str, None] = {}
        seen = False
        for picture in load(event, self._media, FACE_ROLES):
            if isinstance(picture, str):
                troubles[picture] = None
                continue
            seen = True
            faces = self._engine.detect(picture.rgb)
            if faces and (best is None or faces[0].quality.score > best[1].quality.score):
                best = (picture, faces[0], len(faces) - 1)
            if best is not None and best[1].quality.usable:
                break
        return best, tuple(troubles), seen


def _device_match(event: EventStored) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The terminal's own match as evidence. It names nobody: its gallery and threshold are not ours."""
    match = event.match
    if match is None:
        return {}, ()
    evidence = {"person_ref": match.person_ref, "score": match.score, "liveness": match.liveness}
    return {"device_match": evidence}, ("device_match_not_trusted",) if match.person_ref else ()
