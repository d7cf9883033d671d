"""A recognition process whose engine is cheap, and does to the process what a picture's colour says.

`python -m tests.support.lookers`, with the settings of a deployment in its environment.
"""

import asyncio
import os
import signal
import time
from typing import Final

import cv2
import numpy as np

from bus import lanes
from recognition.calibration import shipped
from recognition.engines import DetectedFace, OneEngine, Rgb, Vector
from recognition.framing import EVERYTHING, Box, View
from recognition.points import FacePoints
from recognition.quality import QualityReport
from recognition.work.watchdog import WatchedEngines
from ringward import logs, process
from ringward.foundation import Foundation, lay
from ringward.recognitionside import Eyes, RecognitionRole
from ringward.settings import Settings

NOBODY: Final = (90, 90, 90)
FACE: Final = (200, 160, 120)
SEGFAULT: Final = (250, 10, 10)
HANGS: Final = (10, 10, 250)
"""Colours of pictures: nobody is on it, a face, one that ends the process, one that never ends."""

LIMIT_S: Final = 1.0
ACK_WAIT_S: Final = 3.0
"""A tenth of the product's time for a look, and a third of it until a dead worker's picture comes again."""


class CheapEngine:
    """Sees by the colour."""

    name, version, metric, dimension, unit = "dlib", shipped().engine_version, "l2", 128, True

    def detect(self, image: Rgb, view: View = EVERYTHING) -> list[DetectedFace]:
        del view
        shown = image.reshape(-1, 3).mean(axis=0)
        if _is(shown, SEGFAULT):
            os.kill(os.getpid(), signal.SIGSEGV)
        if _is(shown, HANGS):
            time.sleep(3600)
        if not _is(shown, FACE):
            return []
        points = FacePoints((40.0, 45.0), (80.0, 45.0), (60.0, 65.0))
        quality = QualityReport(0.9, (), 100, 500.0, 128.0, 50.0, 0.0, 0.0)
        return [DetectedFace(Box(10, 10, 110, 110), (), points, 100, quality)]

    def embed(self, image: Rgb, face: DetectedFace) -> Vector:
        del image, face
        return np.eye(1, self.dimension, dtype=np.float32)[0]

    def embed_aligned(self, crop: Rgb) -> Vector:
        raise NotImplementedError


def picture(colour: tuple[int, int, int], number: int) -> bytes:
    """A PNG of one colour; another number is other bytes."""
    pixels = np.full((120, 120, 3), colour, dtype=np.uint8)
    pixels[0, 0] = number % 256, number // 256 % 256, 0
    return bytes(cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes())


def cheap_eyes(_foundation: Foundation) -> Eyes:
    return Eyes(WatchedEngines(OneEngine(CheapEngine()), LIMIT_S), None)


def _is(shown: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(shown - colour).max() < 3)


def main() -> None:
    lanes.ACK_WAIT_S, lanes._IN_HAND_S = ACK_WAIT_S, 0.5
    settings = Settings()
    logs.configure("warning", "json")
    foundation = lay(settings)
    asyncio.run(process.serve([RecognitionRole(foundation, cheap_eyes)], foundation))


if __name__ == "__main__":
    main()
