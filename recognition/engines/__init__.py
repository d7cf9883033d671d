"""Face engines behind one contract."""

from recognition.engines.contract import DetectedFace, Engines, FaceEngine, OneEngine, Rgb, Vector
from recognition.engines.dlib import DlibEngine

__all__ = ["DetectedFace", "DlibEngine", "Engines", "FaceEngine", "OneEngine", "Rgb", "Vector"]
