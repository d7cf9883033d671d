"""YuNet and an embedder of the owner's choice, as one engine."""

import hashlib
from typing import Final

import numpy as np

from recognition.engines.alignment import align
from recognition.engines.contract import DetectedFace, Rgb, Vector
from recognition.engines.describing import describe, largest_first
from recognition.engines.embedder import OnnxEmbedder
from recognition.engines.manifest import Manifest
from recognition.engines.yunet import Found, YuNet, moved
from recognition.framing import EVERYTHING, Box, Frame, View, frame_of
from recognition.points import FacePoints

FOUND_FROM_PX: Final = 40
"""YuNet finds every frontal face of this size; at 24 px it began to miss some (2 of 116, measured)."""

SMALLEST_FACE_PX: Final = 120
"""Wanted where a camera's view names nothing else: at 1280×720 detection takes 6 ms then, not 80."""

CLOSE_LONG_SIDE: Final = 800
CLOSE_SMALLEST_FACE_PX: Final = 60
"""In frames up to 800 pixels, as terminals send them, smaller faces are wanted too."""

RECIPE: Final = "YuNet, second look at 160 px; similarity to ArcFace's five points; face and mirror image"
"""Part of the version: templates depend on it."""


class OnnxEngine:
    """A face engine out of two ONNX files and what a manifest says of them."""

    metric = "l2"

    def __init__(self, manifest: Manifest, model: bytes, detector: bytes, version: str) -> None:
        """Raises ``UnfitModelError``. ``version`` is ``version_of`` the manifest."""
        if manifest.detector is None:
            raise ValueError("an engine needs a detector")
        self.name = manifest.name
        self.version = version
        self.dimension = manifest.embedder.dimension
        self.unit = manifest.embedder.normalise
        self._embedder = OnnxEmbedder(model, manifest.embedder)
        self._detector = YuNet(detector, manifest.detector.min_score)

    def detect(self, image: Rgb, view: View = EVERYTHING) -> list[DetectedFace]:
        close = max(image.shape[:2]) <= CLOSE_LONG_SIDE
        wanted = CLOSE_SMALLEST_FACE_PX if close else SMALLEST_FACE_PX
        frame = frame_of(image, view, found_from_px=FOUND_FROM_PX, smallest_face_px=wanted)
        faces = [self._describe(image, found, frame) for found in self._detector.find(frame.pixels)]
        return largest_first(faces)

    def embed(self, image: Rgb, face: DetectedFace) -> Vector:
        return self.embed_aligned(align(image, np.asarray(face.landmarks)))

    def embed_aligned(self, crop: Rgb) -> Vector:
        return self._embedder.embed(crop)

    def check(self) -> None:
        """Lets the embedder look at pictures that are nobody. Raises ``UnfitModelError``."""
        self._embedder.check()

    def _describe(self, image: Rgb, coarse: Found, frame: Frame) -> DetectedFace:
        corner = np.array((frame.left, frame.top), np.float64)
        found = self._detector.look_again(image, moved(coarse, frame.scale, corner))
        left, top, width, height = found.box
        # At least a pixel each way, wherever the edges come to lie.
        low = (round(left), round(top))
        box = Box(*low, max(low[0] + 1, round(left + width)), max(low[1] + 1, round(top + height)))
        landmarks = tuple((float(x), float(y)) for x, y in found.points)
        eye, other_eye, nose, *mouth = landmarks
        return describe(image, box, landmarks, FacePoints(eye, other_eye, nose, (mouth[0], mouth[1])))


def version_of(manifest: Manifest) -> str:
    """12 hex digits over both files' SHA-256, how they are fed and what becomes of their numbers."""
    embedder, detector = manifest.embedder, manifest.detector
    facts = (
        embedder.sha256,
        detector.sha256 if detector is not None else "",
        embedder.output,
        embedder.layout,
        embedder.colour,
        f"{embedder.mean:g}",
        f"{embedder.divisor:g}",
        str(embedder.normalise),
        RECIPE,
    )
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
