"""dlib's face models, as the ``face_recognition`` package carries them."""

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from recognition.engines.contract import DetectedFace, Rgb, Vector
from recognition.engines.describing import describe, largest_first
from recognition.engines.dlib_net import DIMENSION, SIDE_PX, DlibNet
from recognition.engines.vectors import mean_of
from recognition.framing import EVERYTHING, Box, Frame, View, frame_of
from recognition.modelfiles import model_file, version_of
from recognition.points import FacePoints

FOUND_FROM_PX: Final = 80
"""HOG finds faces of this size on; looking at twice the size costs four times as much (measured)."""

SMALLEST_FACE_PX: Final = 120
"""Wanted where a camera's view names nothing else."""

UPSAMPLE_LONG_SIDE: Final = 800
"""Only frames up to this size are looked at a second time at double size, for faces of 40 px."""

RECIPE: Final = "unit mean of three margins, each with its mirror image"
"""What is done with the encoder's numbers: part of the version, since templates depend on it."""

_ALIGNED: Final = 224
_EDGE: Final = 56
_OUTLINE: Final = (18 / 112, 24 / 112, 94 / 112, 100 / 112)
"""Where a face lies in an ArcFace-aligned crop, as HOG draws its boxes: left, top, right, bottom."""

PADDINGS: Final = (0.18, 0.25, 0.33)
"""Margins of the aligned crops, relative to the face; the encoder was trained with 0.25.

The mean of three, each with its mirror image, beside that of the middle one alone: on LFW 65.9 %
against 63.7 % of known people are named at FPIR 1 % (1,736 people enrolled, 10 draws), of pairs of
East-Asian photos 70.7 % against 64.5 % are recognised at FAR 1e-3 (113 photos)."""


def model_files() -> tuple[Path, Path]:
    """Encoder and predictor. Raises ``ModelFileMissingError``."""
    return (
        model_file("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"),
        model_file("face_recognition_models", "models/shape_predictor_5_face_landmarks.dat"),
    )


def version() -> str:
    """The version of the engine, without opening it.

    The predictor aligns the crop, so it is part of what a template depends on.
    """
    return version_of(*model_files(), recipe=RECIPE)


class DlibEngine:
    """dlib's HOG detector, 5-point predictor and ResNet encoder, on the CPU.

    The models come with the ``face_recognition_models`` package and are opened here
    directly: importing ``face_recognition`` would also load the 68-point predictor
    (100 MB, trained on data with a non-commercial licence) and the CNN detector.
    The encoder's weights run in onnxruntime: 3 ms a face where dlib takes 75 (measured).
    Embeddings have length 1; dlib's own, whose length varies about 1.4 with the picture's
    contrast, separate people less well.
    """

    name = "dlib"
    metric = "l2"
    dimension = DIMENSION
    unit = True

    def __init__(self) -> None:
        import dlib

        encoder, predictor = model_files()
        self._dlib: Any = dlib
        self._detector: Any = dlib.get_frontal_face_detector()
        self._predictor: Any = dlib.shape_predictor(str(predictor))
        self._net = DlibNet(encoder.read_bytes())
        self.version = version()

    def detect(self, image: Rgb, view: View = EVERYTHING) -> list[DetectedFace]:
        small = max(image.shape[:2]) <= UPSAMPLE_LONG_SIDE
        wanted = FOUND_FROM_PX if small else SMALLEST_FACE_PX
        frame = frame_of(image, view, found_from_px=FOUND_FROM_PX, smallest_face_px=wanted)
        found = self._detector(frame.pixels, 0)
        if not found and small and (view.smallest_face_px or 0) < FOUND_FROM_PX:
            found = self._detector(frame.pixels, 1)
        faces = [self._describe(image, rectangle, frame) for rectangle in found]
        return largest_first(faces)

    def embed(self, image: Rgb, face: DetectedFace) -> Vector:
        box, dlib = face.box, self._dlib
        rectangle = dlib.rectangle(box.left, box.top, box.right - 1, box.bottom - 1)
        points = [dlib.point(round(x), round(y)) for x, y in face.landmarks]
        return self._encode(image, dlib.full_object_detection(rectangle, points))

    def embed_aligned(self, crop: Rgb) -> Vector:
        # The encoder sees more of a head than the crop holds: its edge is drawn outwards.
        large = cv2.resize(crop, (_ALIGNED, _ALIGNED), interpolation=cv2.INTER_CUBIC)
        bordered = cv2.copyMakeBorder(large, _EDGE, _EDGE, _EDGE, _EDGE, cv2.BORDER_REPLICATE)
        image = np.asarray(bordered, dtype=np.uint8)
        outline = self._dlib.rectangle(*(round(v * _ALIGNED) + _EDGE for v in _OUTLINE))
        return self._encode(image, self._predictor(image, outline))

    def _encode(self, image: Rgb, shape: Any) -> Vector:
        chips = [
            self._dlib.get_face_chip(image, shape, size=SIDE_PX, padding=padding) for padding in PADDINGS
        ]
        return mean_of(self._net.embed(np.stack([*chips, *(chip[:, ::-1] for chip in chips)])), unit=True)

    def _describe(self, image: Rgb, rectangle: Any, frame: Frame) -> DetectedFace:
        left, top = frame.in_picture(rectangle.left(), rectangle.top())
        right, bottom = frame.in_picture(rectangle.right() + 1, rectangle.bottom() + 1)
        box = Box(round(left), round(top), round(right), round(bottom))
        outline = self._dlib.rectangle(box.left, box.top, box.right - 1, box.bottom - 1)
        # Landmarks are placed on the full picture: the encoder's crop keeps all its pixels.
        shape = self._predictor(image, outline)
        landmarks = tuple((float(p.x), float(p.y)) for p in shape.parts())
        return describe(image, box, landmarks, _points(landmarks))


def _points(landmarks: tuple[tuple[float, float], ...]) -> FacePoints:
    """Dlib's order: the corners of the eye at the picture's right, of that at its left, the nose."""
    right, left = np.asarray(landmarks[0:2]).mean(axis=0), np.asarray(landmarks[2:4]).mean(axis=0)
    return FacePoints((float(left[0]), float(left[1])), (float(right[0]), float(right[1])), landmarks[4])
