"""Find faces and turn each into 128 numbers: the engine's contract, and the dlib engine.

An engine is a detector and an encoder that belong together; its name, version and
metric are stored with every decision, and templates of one version are never compared
with another's.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.modelfiles import model_file, version_of
from recognition.quality import QualityReport, assess

Rgb = NDArray[np.uint8]
Vector = NDArray[np.float32]

DETECT_LONG_SIDE: Final = 1280
"""Frames are shrunk to this before detection. HOG finds faces from 80 px there at 81 ms
a 720p frame; 1080p costs 202 ms and upsampling four times as much again (measured, one core)."""

UPSAMPLE_LONG_SIDE: Final = 800
"""Only frames up to this size are looked at a second time at double size, for faces of 40 px."""

EMBED_PADDING: Final = 0.25
"""Margin of the aligned crop, relative to the face: what the encoder was trained with."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; right and bottom are exclusive. It may overhang the picture."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """A face in the picture's own pixels.

    ``landmarks`` are five (x, y): the eye at the right of the picture outer and inner
    corner, the eye at the left outer and inner corner, and the base of the nose.
    ``size_px`` is the shorter side of the box.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    size_px: int
    quality: QualityReport


class FaceEngine(Protocol):
    """What the rest of the room needs of any engine."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """Changes whenever templates of before and after cannot be compared."""

    @property
    def metric(self) -> str:
        """How embeddings are compared: ``l2`` (Euclidean distance)."""

    @property
    def dimension(self) -> int: ...

    def detect(self, image: Rgb) -> list[DetectedFace]:
        """Faces in the picture, largest first."""

    def embed(self, image: Rgb, face: DetectedFace) -> Vector:
        """Embedding of one face, shape (dimension,), float32."""


class DlibEngine:
    """dlib's HOG detector, 5-point predictor and ResNet encoder, on the CPU.

    The models come with the ``face_recognition_models`` package and are opened here
    directly: importing ``face_recognition`` would also load the 68-point predictor
    (100 MB, trained on data with a non-commercial licence) and the CNN detector.
    Encoding takes about 80 ms a face and gains nothing from batches or threads.
    """

    name = "dlib"
    metric = "l2"
    dimension = 128

    def __init__(self) -> None:
        import dlib

        predictor = model_file("face_recognition_models", "models/shape_predictor_5_face_landmarks.dat")
        encoder = model_file("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat")
        self._dlib: Any = dlib
        self._detector: Any = dlib.get_frontal_face_detector()
        self._predictor: Any = dlib.shape_predictor(str(predictor))
        self._encoder: Any = dlib.face_recognition_model_v1(str(encoder))
        # The predictor aligns the crop, so it is part of what a template depends on.
        self.version = version_of(encoder, predictor)

    def detect(self, image: Rgb) -> list[DetectedFace]:
        long_side = max(image.shape[:2])
        scale = min(1.0, DETECT_LONG_SIDE / long_side)
        frame = image if scale == 1.0 else _resized(image, scale)
        found = self._detector(frame, 0)
        if not found and long_side <= UPSAMPLE_LONG_SIDE:
            found = self._detector(frame, 1)
        faces = [self._describe(image, rectangle, 1 / scale) for rectangle in found]
        return sorted(faces, key=lambda face: (-face.size_px, face.box.left, face.box.top))

    def embed(self, image: Rgb, face: DetectedFace) -> Vector:
        box, dlib = face.box, self._dlib
        rectangle = dlib.rectangle(box.left, box.top, box.right - 1, box.bottom - 1)
        points = [dlib.point(round(x), round(y)) for x, y in face.landmarks]
        shape = dlib.full_object_detection(rectangle, points)
        descriptor = self._encoder.compute_face_descriptor(image, shape, 0, EMBED_PADDING)
        return np.asarray(descriptor, dtype=np.float32)

    def _describe(self, image: Rgb, rectangle: Any, scale: float) -> DetectedFace:
        box = Box(
            round(rectangle.left() * scale),
            round(rectangle.top() * scale),
            round((rectangle.right() + 1) * scale),
            round((rectangle.bottom() + 1) * scale),
        )
        outline = self._dlib.rectangle(box.left, box.top, box.right - 1, box.bottom - 1)
        # Landmarks are placed on the full picture: the encoder's crop keeps all its pixels.
        shape = self._predictor(image, outline)
        landmarks = tuple((float(p.x), float(p.y)) for p in shape.parts())
        crop = _cut(image, box)
        visible = crop.shape[0] * crop.shape[1] / (box.width * box.height)
        return DetectedFace(box, landmarks, min(box.width, box.height), assess(crop, landmarks, visible))


def _resized(image: Rgb, scale: float) -> Rgb:
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.ascontiguousarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _cut(image: Rgb, box: Box) -> Rgb:
    """The part of the box that lies inside the picture."""
    return image[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
