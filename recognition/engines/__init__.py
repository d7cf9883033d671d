"""Face engines behind one contract: dlib's, and any embedder that its owner puts on the shelf."""

from recognition.engines.contract import DetectedFace, Engines, FaceEngine, OneEngine, Rgb, Vector
from recognition.engines.dlib import DlibEngine
from recognition.engines.errors import ModelError
from recognition.engines.shelf import Given, Shelf, engine_version, open_engine
from recognition.engines.vectors import UselessEmbeddingError

__all__ = [
    "DetectedFace",
    "DlibEngine",
    "Engines",
    "FaceEngine",
    "Given",
    "ModelError",
    "OneEngine",
    "Rgb",
    "Shelf",
    "UselessEmbeddingError",
    "Vector",
    "engine_version",
    "open_engine",
]
