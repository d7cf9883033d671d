"""The face of one event: found, judged and embedded once, and remembered while its track lasts.

What is remembered of a face lies in this process's memory alone, for seconds. Another worker
that needs it looks at the stored pictures again.
"""

import datetime as dt
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from bus.messages import Picture as StoredPicture
from recognition.engines import DetectedFace, FaceEngine, UselessEmbeddingError, Vector
from recognition.framing import EVERYTHING, View
from recognition.images import Picture
from recognition.quality import NO_USABLE_FACE as NOTHING_TO_COMPARE
from recognition.quality import QualityReport
from recognition.work.finding import NO_FACE, NO_USABLE_FACE, NO_USABLE_PICTURE
from recognition.work.pictures import FACE_ROLES, load_by_role
from storage import Clock, MediaStore

LIFE: Final = dt.timedelta(seconds=30)
"""How long one passage lasts at most. Whoever stands before a camera for longer is looked at anew."""

MOST_REMEMBERED: Final = 256

UNCERTAIN: Final = "uncertain"
_PREFERENCE: Final = (NO_USABLE_PICTURE, NO_FACE, NO_USABLE_FACE, UNCERTAIN)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What the pictures of one event show.

    ``embedding`` is None where nothing can be compared; ``outcome`` and ``reasons`` then say
    why, and are empty otherwise. ``weight`` is the quality of the face, 0…1. ``notes`` are
    further reasons: pictures that were no use, other faces beside this one.
    """

    embedding: Vector | None = None
    weight: float = 0.0
    quality: dict[str, Any] | None = None
    outcome: str = ""
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def most_telling(frames: Sequence[Frame]) -> Frame:
    """Of frames of which none can be compared the one that comes nearest; at least one is given."""
    return max(frames, key=lambda frame: (_PREFERENCE.index(frame.outcome), frame.weight))


class Frames:
    """Looks at pictures for a face, the best role first. Not safe for threads, as its engines are."""

    def __init__(self, media: MediaStore, clock: Clock) -> None:
        self._media = media
        self._clock = clock
        self._known: OrderedDict[tuple[str, ...], tuple[dt.datetime, Frame]] = OrderedDict()

    def of(self, pictures: Sequence[StoredPicture], engine: FaceEngine, view: View) -> Frame:
        """The face of an event's pictures; from memory where this process has looked before."""
        self.forget_old()
        shown = [part for one in pictures if one.role in FACE_ROLES for part in (one.role, one.media_id)]
        key = (engine.name, engine.version, *shown)
        known = self._known.get(key)
        if known is not None:
            return known[1]
        frame = self._look(pictures, engine, view)
        self._known[key] = (self._clock.now() + LIFE, frame)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return frame

    def forget_old(self) -> None:
        """Forgets faces whose passage is over."""
        now = self._clock.now()
        while self._known and next(iter(self._known.values()))[0] <= now:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """Forgets every face."""
        self._known.clear()

    def _look(self, pictures: Sequence[StoredPicture], engine: FaceEngine, view: View) -> Frame:
        best: Frame | None = None
        troubles: dict[str, None] = {}
        faces_expected = seen = False
        # Beside a whole frame the others are cut out of it: a part of the frame is no part of them.
        framed = any(one.role == "scene" for one in pictures)
        for role, picture in load_by_role(pictures, self._media, FACE_ROLES):
            if isinstance(picture, str):
                troubles[picture] = None
                continue
            seen = True
            faces_expected = faces_expected or role == "face"
            found = engine.detect(picture.rgb, EVERYTHING if framed and role != "scene" else view)
            if not found or (best is not None and _rank(found[0].quality) <= (False, best.weight)):
                continue
            best = _frame(picture, found, engine)
            if best.embedding is not None:
                break
        if best is not None:
            return replace(best, notes=(*best.notes, *troubles))
        if not seen:
            reasons = tuple(troubles) or ("no_picture",)
            return Frame(outcome=NO_USABLE_PICTURE, reasons=reasons)
        # The device has seen a face in what it calls one, and it is no use to us.
        outcome = NO_USABLE_FACE if faces_expected else NO_FACE
        return Frame(outcome=outcome, reasons=("face_not_found",), notes=tuple(troubles))


def _frame(picture: Picture, found: Sequence[DetectedFace], engine: FaceEngine) -> Frame:
    """The nearest face of a picture; in the gate's crowd it is the one that passes."""
    face = found[0]
    outcome, reasons = _unusable(face.quality.reasons)
    embedding = None
    if not outcome:
        try:
            embedding = engine.embed(picture.rgb, face)
        except UselessEmbeddingError:
            outcome, reasons = UNCERTAIN, ("embedding_useless",)
    return Frame(
        embedding,
        face.quality.score,
        asdict(face.quality) | {"box": asdict(face.box), "notes": picture.notes},
        outcome,
        reasons,
        notes=("several_faces",) if len(found) > 1 else (),
    )


def _rank(quality: QualityReport) -> tuple[bool, float]:
    return quality.usable, quality.score


def _unusable(reasons: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if not reasons:
        return "", ()
    if NOTHING_TO_COMPARE.isdisjoint(reasons):
        return UNCERTAIN, ("poor_quality", *reasons)
    return NO_USABLE_FACE, reasons
