"""Any network from aligned faces to vectors, as its manifest describes it."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recognition.engines.contract import ALIGNED_PX, Vector
from recognition.engines.errors import UnfitModelError
from recognition.engines.manifest import Embedder
from recognition.engines.sessions import session_of
from recognition.engines.vectors import UselessEmbeddingError, mean_of

TOO_ALIKE: Final = 0.05
"""Cosine distance that two pictures without anything in common must have at least."""


class OnnxEmbedder:
    """One network on onnxruntime, one thread."""

    def __init__(self, model: bytes, embedder: Embedder) -> None:
        """``model`` is the ONNX file. Raises ``UnfitModelError``."""
        self._wanted = embedder
        try:
            self._session: Any = session_of(model)
        except Exception as error:
            raise UnfitModelError(f"onnxruntime does not open it: {error}") from error
        self._input = _named(self._session.get_inputs(), embedder.input, "input")
        self._output = _named(self._session.get_outputs(), embedder.output, "output")

    def embed(self, crop: NDArray[np.uint8]) -> Vector:
        """Embedding of an aligned RGB face (112, 112, 3): the mean of it and its mirror image.

        Raises ``UselessEmbeddingError`` where it is not finite.
        """
        return mean_of(self.raw(np.stack([crop, crop[:, ::-1]])), unit=self._wanted.normalise)

    def raw(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network gives of two aligned RGB faces (2, 112, 112, 3)."""
        wanted = self._wanted
        ordered = crops[..., ::-1] if wanted.colour == "bgr" else crops
        scaled = (ordered.astype(np.float32) - np.float32(wanted.mean)) / np.float32(wanted.divisor)
        laid = scaled.transpose(0, 3, 1, 2) if wanted.layout == "nchw" else scaled
        values = np.ascontiguousarray(laid, dtype=np.float32)
        batches = [values[:1], values[1:]] if wanted.batch == 1 else [values]
        return np.concatenate([self._run(batch) for batch in batches])

    def check(self) -> None:
        """Lets the network look at pictures that are nobody. Raises ``UnfitModelError``."""
        ramp = np.linspace(0, 255, ALIGNED_PX)
        across = np.broadcast_to(ramp[None, :, None], (ALIGNED_PX, ALIGNED_PX, 3)).astype(np.uint8)
        noise = np.random.default_rng(0).integers(0, 256, across.shape, np.uint8)
        try:
            vectors = self.raw(np.stack([across, noise]))
        except Exception as error:
            raise UnfitModelError(f"it does not take such faces: {error}") from error
        wanted = (2, self._wanted.dimension)
        if vectors.shape != wanted:
            raise UnfitModelError(f"it gives vectors of shape {vectors.shape}, not {wanted}")
        try:
            one, other = (mean_of(vector[None], unit=True) for vector in vectors)
        except UselessEmbeddingError as error:
            raise UnfitModelError(str(error)) from error
        if 1.0 - float(one @ other) < TOO_ALIKE:
            raise UnfitModelError("it says the same of two different pictures")

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        (found,) = self._session.run([self._output], {self._input: batch})
        return np.asarray(found, dtype=np.float32).reshape(len(batch), -1)


def _named(values: list[Any], name: str, kind: str) -> str:
    names = [str(value.name) for value in values]
    if name in names:
        return name
    if not name and len(names) == 1:
        return names[0]
    raise UnfitModelError(f"its {kind}s are {', '.join(names)}; the manifest says {name or 'none'}")
