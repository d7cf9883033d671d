"""A look that does not end: the process ends itself, and the supervisor starts another.

What hangs, hangs in a library's machine code and may hold the interpreter's lock, so no
Python thread could see to it. `faulthandler` waits outside the interpreter; its last word,
on standard error, are the lines where each thread stood, without any values.
"""

import contextlib
import faulthandler
import threading
from collections.abc import Iterator
from typing import Final

from recognition.engines import DetectedFace, Engines, FaceEngine, Rgb, Vector
from recognition.framing import EVERYTHING, View
from recognition.plates import PlateRead, PlateReader

LIMIT_S: Final = 20.0
"""No picture that is small enough to be decoded takes a tenth of this."""

_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def watched(limit_s: float) -> Iterator[None]:
    """Ends the process with code 1 when what is inside takes longer."""
    # There is one such watch in a process.
    with _one_at_a_time:
        faulthandler.dump_traceback_later(limit_s, exit=True)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


class WatchedEngine:
    """A face engine whose every step is watched; waiting for a database is not."""

    def __init__(self, engine: FaceEngine, limit_s: float = LIMIT_S) -> None:
        self._engine = engine
        self._limit_s = limit_s

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def version(self) -> str:
        return self._engine.version

    @property
    def metric(self) -> str:
        return self._engine.metric

    @property
    def dimension(self) -> int:
        return self._engine.dimension

    @property
    def unit(self) -> bool:
        return self._engine.unit

    def detect(self, image: Rgb, view: View = EVERYTHING) -> list[DetectedFace]:
        with watched(self._limit_s):
            return self._engine.detect(image, view)

    def embed(self, image: Rgb, face: DetectedFace) -> Vector:
        with watched(self._limit_s):
            return self._engine.embed(image, face)

    def embed_aligned(self, crop: Rgb) -> Vector:
        with watched(self._limit_s):
            return self._engine.embed_aligned(crop)


class WatchedEngines:
    """Engines that are watched, whichever decides."""

    def __init__(self, engines: Engines, limit_s: float = LIMIT_S) -> None:
        self._engines = engines
        self._limit_s = limit_s
        self._watched: dict[str, tuple[FaceEngine, WatchedEngine]] = {}

    def of(self, compound: str) -> FaceEngine:
        engine = self._engines.of(compound)
        found = self._watched.get(compound)
        if found is None or found[0] is not engine:
            found = self._watched[compound] = engine, WatchedEngine(engine, self._limit_s)
        return found[1]

    def complete(self, compound: str) -> bool:
        return self._engines.complete(compound)

    def refresh(self) -> None:
        self._engines.refresh()


class WatchedReader:
    """A plate reader that is watched."""

    def __init__(self, reader: PlateReader, limit_s: float = LIMIT_S) -> None:
        self._reader = reader
        self._limit_s = limit_s

    @property
    def name(self) -> str:
        return self._reader.name

    @property
    def version(self) -> str:
        return self._reader.version

    def read(self, rgb: Rgb) -> list[PlateRead]:
        with watched(self._limit_s):
            return self._reader.read(rgb)
