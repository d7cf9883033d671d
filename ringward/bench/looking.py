"""One core's part of `ringward bench recognise`: a process that measures and prints what it found.

The plain recipe and our engines look at the same pictures in turn, so that whatever else the
machine does hits both. Started with `OMP_NUM_THREADS=1`; it ties itself to one core, and what is
measured is the time that the core works for it: the time that passes where nobody else wants it.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np

from recognition.engines import DlibEngine, FaceEngine
from recognition.gallery import Gallery, Template
from recognition.plates import OnnxPlateReader
from ringward.bench.crowds import Rgb, crowds, pixels
from ringward.demo.plate_scenes import plate_scene

PEOPLE: Final = 2_000
LARGE_GALLERY: Final = 100_000
SEARCHES: Final = 200
PLATE_WIDTH: Final = 960
PLATES: Final = ("云M12345", "云MA123B", "云MD12345", "云M8K26F")


class Asked(msgspec.Struct):
    """What is to be measured."""

    pictures: int
    portraits: str
    shelf: str | None = None
    engine: str | None = None


class Found(msgspec.Struct):
    """Milliseconds a picture by who looked, in order of the pictures, and what was seen in them."""

    times: dict[str, list[float]]
    faces: dict[str, int]
    versions: dict[str, str]
    search_ms: list[float]
    plates_ms: list[float]


def measure(asked: Asked) -> Found:
    """Everything that one core is asked."""
    scenes = crowds(asked.pictures, Path(asked.portraits))
    engines: dict[str, FaceEngine] = {"dlib": DlibEngine()}
    if asked.engine is not None and asked.shelf is not None:
        from recognition.engines import Shelf, open_engine

        engines["onnx"] = open_engine(asked.engine, Shelf(Path(asked.shelf)))
    rng = np.random.default_rng(7)
    lookers = {name: _ours(engine, _gallery(engine, PEOPLE, rng)) for name, engine in engines.items()}
    lookers["recipe"] = _recipe(PEOPLE, rng)
    times: dict[str, list[float]] = {name: [] for name in lookers}
    faces = dict.fromkeys(lookers, 0) | {"placed": sum(people for _, people in scenes)}
    for look in lookers.values():
        # Libraries lay out their memory for a picture's size at the first one.
        look(scenes[0][0])
    for picture, _ in scenes:
        for name, look in lookers.items():
            started = time.process_time()
            faces[name] += look(picture)
            times[name].append((time.process_time() - started) * 1000)
    return Found(
        times,
        faces,
        {name: engine.version for name, engine in engines.items()},
        _searches(engines["dlib"], rng),
        _plates(),
    )


def _recipe(people: int, rng: np.random.Generator) -> Callable[[Rgb], int]:
    """What the package's own page shows: locations, encodings, comparison."""
    import face_recognition

    known = list(_vectors(people, 128, rng).astype(np.float64))

    def look(picture: Rgb) -> int:
        locations = face_recognition.face_locations(picture)
        for encoding in face_recognition.face_encodings(picture, locations):
            face_recognition.compare_faces(known, encoding)
        return len(locations)

    return look


def _ours(engine: FaceEngine, gallery: Gallery) -> Callable[[Rgb], int]:
    """Every face of the picture found, judged, embedded and searched for."""

    def look(picture: Rgb) -> int:
        found = engine.detect(picture)
        for face in found:
            gallery.search(engine.embed(picture, face))
        return len(found)

    return look


def _vectors(count: int, dimension: int, rng: np.random.Generator) -> Any:
    vectors = rng.standard_normal((count, dimension), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _gallery(engine: FaceEngine, people: int, rng: np.random.Generator) -> Gallery:
    vectors = _vectors(people, engine.dimension, rng)
    return Gallery(
        engine.dimension,
        (Template(f"t{n}", f"p{n}", f"h{n // 3}", vector, False) for n, vector in enumerate(vectors)),
        unit=engine.unit,
    )


def _searches(engine: FaceEngine, rng: np.random.Generator) -> list[float]:
    gallery = _gallery(engine, LARGE_GALLERY, rng)
    times = []
    for vector in _vectors(SEARCHES, engine.dimension, rng):
        started = time.process_time()
        gallery.search(vector)
        times.append((time.process_time() - started) * 1000)
    return times


def _plates() -> list[float]:
    """Milliseconds a scene of 960 pixels' width, each of eight looked at three times."""
    reader, times = OnnxPlateReader(), []
    scenes = [_shrunk(PLATES[number % len(PLATES)], number) for number in range(8)]
    reader.read(scenes[0])
    for _ in range(3):
        for scene in scenes:
            started = time.process_time()
            reader.read(scene)
            times.append((time.process_time() - started) * 1000)
    return times


def _shrunk(plate: str, seed: int) -> Rgb:
    """A scene of the demo's, `PLATE_WIDTH` pixels wide."""
    scene = pixels(plate_scene(plate, random.Random(seed)))  # noqa: S311 - dirt is no secret
    height, width = scene.shape[:2]
    size = PLATE_WIDTH, round(height * PLATE_WIDTH / width)
    return np.asarray(cv2.resize(scene, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def core() -> int:
    """The last core that this process may use: the first ones serve interrupts."""
    return max(os.sched_getaffinity(0))


if __name__ == "__main__":
    os.sched_setaffinity(0, {core()})
    cv2.setNumThreads(1)
    sys.stdout.buffer.write(msgspec.json.encode(measure(msgspec.json.decode(sys.argv[1], type=Asked))))
