"""The demo's pictures: who or which plate is asked for, and a fresh capture comes back."""

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from ringward.demo import portraits
from ringward.demo.face_scenes import augment
from ringward.demo.plate_scenes import plate_scene

CAPTURES: Final = 4
"""Different captures of one face or plate; then they come round again. Drawing one takes
about 0.1 s, which a demo that runs for hours need not spend for ever."""


class DemoPictures:
    """Draws lazily and remembers; every picture is a function of the seed.

    Raises `PortraitMissingError` at once when a portrait is not there: a demo without its
    faces should say so before it starts. Safe to use from several threads.
    """

    def __init__(self, portraits_dir: Path, *, seed: int = 1) -> None:
        self._seed = seed
        self._portraits = {role: portraits.load(role, portraits_dir) for role in portraits.ROLES}
        self._drawn: dict[tuple[str, int], bytes] = {}
        self._turns: dict[str, Iterator[int]] = {}
        self._lock = threading.Lock()

    def face(self, role: str) -> bytes:
        """The next capture of a role of `portraits.ROLES`: a JPEG of 640×480."""
        known = self._portraits[role]
        return self._next(role, lambda turn, rng: augment(known[turn % len(known)], rng))

    def plate(self, plate: str) -> bytes:
        """The next capture of a car with this plate: a JPEG of 1280×720."""
        return self._next(plate, lambda _, rng: plate_scene(plate, rng))

    def _next(self, key: str, draw: Callable[[int, random.Random], bytes]) -> bytes:
        with self._lock:
            turn = next(self._turns.setdefault(key, itertools.cycle(range(CAPTURES))))
            if (key, turn) not in self._drawn:
                self._drawn[key, turn] = draw(turn, random.Random(f"{self._seed} {key} {turn}"))
            return self._drawn[key, turn]
