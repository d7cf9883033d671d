"""Face engines behind one contract: dlib's, and any embedder that its owner puts on the shelf."""

from recognition.engines.contract import DetectedFace, Engines, FaceEngine, OneEngine, Rgb, Vector
from recognition.engines.dlib import DlibEngine
from recognition.engines.errors import ModelError
from recognition.engines.shelf import Shelf, open_engine
from recognition.engines.vectors import UselessEmbeddingError

__all__ = [
    "DetectedFace",
    "DlibEngine",
    "Engines",
    "FaceEngine",
    "ModelError",
    "OneEngine",
    "Rgb",
    "Shelf",
    "UselessEmbeddingError",
    "Vector",
    "open_engine",
]
