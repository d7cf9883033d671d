"""What the rest of the room needs of a face engine: find faces, turn each into numbers.

An engine is a detector and an encoder that belong together; its name and version are
stored with every decision, and templates of one version are never compared with another's.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from recognition.framing import EVERYTHING, Box, View
from recognition.points import FacePoints
from recognition.quality import QualityReport

Rgb = NDArray[np.uint8]
Vector = NDArray[np.float32]

ALIGNED_PX: Final = 112
"""Width and height of a face that is aligned already, as ArcFace-type encoders want it."""


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """A face in the picture's own pixels.

    ``landmarks`` are the engine's own and mean nothing to others; ``points`` are what quality
    is judged by. ``size_px`` is the shorter side of the box.
    """

    box: Box
    landmarks: tuple[tuple[float, float], ...]
    points: FacePoints
    size_px: int
    quality: QualityReport


class TemplateKind(Protocol):
    """What templates of one engine have in common: all that a gallery needs to know of it."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """12 hex digits over the models' bytes and what is done with their numbers.

        It changes whenever templates cannot be compared.
        """

    @property
    def dimension(self) -> int: ...

    @property
    def unit(self) -> bool:
        """Whether embeddings have length 1, so that a fused one is brought back to it."""


class FaceEngine(TemplateKind, Protocol):
    """One detector with its encoder. Not safe for threads: parallel work comes from processes."""

    @property
    def metric(self) -> str:
        """How embeddings are compared: ``l2`` (Euclidean distance)."""

    def detect(self, image: Rgb, view: View = EVERYTHING) -> list[DetectedFace]:
        """Faces in what the camera's view holds of the picture, largest first."""

    def embed(self, image: Rgb, face: DetectedFace) -> Vector:
        """Embedding of one face, shape (dimension,), float32."""

    def embed_aligned(self, crop: Rgb) -> Vector:
        """Embedding of a face that is aligned already: (112, 112, 3), ArcFace's five points."""


class Engines(Protocol):
    """Which engine decides where: a compound changes over when its gallery has been embedded anew."""

    def of(self, compound: str) -> FaceEngine: ...

    def complete(self, compound: str) -> bool:
        """Whether its gallery holds everybody; else who is not found may still be enrolled."""

    def refresh(self) -> None:
        """Looks again whether a compound has changed over."""


class OneEngine:
    """The same engine everywhere."""

    def __init__(self, engine: FaceEngine) -> None:
        self._engine = engine

    def of(self, compound: str) -> FaceEngine:  # noqa: ARG002 - the contract's word
        return self._engine

    def complete(self, compound: str) -> bool:  # noqa: ARG002 - the contract's word
        """There is nothing to wait for."""
        return True

    def refresh(self) -> None:
        """There is nothing to change over to."""
