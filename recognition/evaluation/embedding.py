"""The pictures of an evaluation folder through an engine: what is found, and as which numbers."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition import images
from recognition.engines import FaceEngine
from recognition.evaluation.labels import Kind, LabelledPicture
from recognition.quality import NO_USABLE_FACE

Matrix = NDArray[np.float32]


class Look(StrEnum):
    """What became of a picture."""

    FOUND = "found"
    POOR = "poor_quality"
    """A face that the quality gate refuses; it is compared here all the same."""
    NOT_USABLE = "no_usable_face"
    """A face that is too small or covered."""
    NO_FACE = "no_face"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Looked:
    """``vector`` is None where nothing was to be compared."""

    picture: LabelledPicture
    look: Look
    vector: NDArray[np.float32] | None


class EmbeddingCache:
    """Embeddings of evaluation pictures in one file an engine version, found by the picture's bytes."""

    def __init__(self, folder: Path, engine: FaceEngine) -> None:
        self._path = folder / f"{engine.name}-{engine.version}.npz"
        self._held: dict[str, tuple[Look, NDArray[np.float32] | None]] = {}
        self._changed = False
        if self._path.is_file():
            with np.load(self._path, allow_pickle=False) as stored:
                for key, look, vector in zip(stored["keys"], stored["looks"], stored["vectors"], strict=True):
                    kept = None if np.isnan(vector).any() else vector
                    self._held[str(key)] = (Look(str(look)), kept)

    def get(self, key: str) -> tuple[Look, NDArray[np.float32] | None] | None:
        return self._held.get(key)

    def put(self, key: str, look: Look, vector: NDArray[np.float32] | None) -> None:
        self._held[key] = (look, vector)
        self._changed = True

    def save(self, dimension: int) -> None:
        """Written beside and moved."""
        if not self._changed:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        nothing = np.full(dimension, np.nan, np.float32)
        beside = self._path.with_suffix(".new.npz")
        np.savez(
            beside,
            keys=np.array(list(self._held)),
            looks=np.array([look.value for look, _ in self._held.values()]),
            vectors=np.array([nothing if vector is None else vector for _, vector in self._held.values()]),
        )
        beside.replace(self._path)
        self._changed = False


def look_at_all(
    engine: FaceEngine,
    pictures: Sequence[LabelledPicture],
    *,
    cache: EmbeddingCache | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> list[Looked]:
    """Every picture through detection and embedding as its kind asks for; ``progress`` hears each."""
    looked = []
    try:
        for done, picture in enumerate(pictures, 1):
            data = picture.path.read_bytes()
            key = f"{picture.kind}:{hashlib.sha256(data).hexdigest()}"
            # Covered faces are what the detector and the quality gate are measured by: never from before.
            kept = cache if picture.kind is not Kind.MASKED else None
            known = kept.get(key) if kept else None
            if known is None:
                known = _look(engine, picture, data)
                if kept:
                    kept.put(key, *known)
            looked.append(Looked(picture, *known))
            progress(done)
    finally:
        if cache:
            cache.save(engine.dimension)
    return looked


def _look(
    engine: FaceEngine, picture: LabelledPicture, data: bytes
) -> tuple[Look, NDArray[np.float32] | None]:
    decoded = images.decode(data, picture.path.name)
    if not isinstance(decoded, images.Picture):
        return Look.UNREADABLE, None
    if picture.kind is Kind.ALIGNED:
        return Look.FOUND, engine.embed_aligned(decoded.rgb)
    faces = engine.detect(decoded.rgb)
    if not faces:
        return Look.NO_FACE, None
    reasons = set(faces[0].quality.reasons)
    look = Look.NOT_USABLE if reasons & NO_USABLE_FACE else Look.POOR if reasons else Look.FOUND
    return look, None if picture.kind is Kind.MASKED else engine.embed(decoded.rgb, faces[0])
