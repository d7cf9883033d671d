"""Read the text of a straightened plate.

The network is PP-OCRv4's line recogniser out of ``rapidocr_onnxruntime`` (Apache-2.0).
Input ``x`` is float32 (1, 3, 48, 320), blue first, scaled to -1..1 and padded with zeros on
the right: 98.7 % whole plates against 94.3 % without the padding (measured). Output is
(1, steps, classes) with probabilities for CTC; the dictionary is the model's own metadata.

It knows 6,623 characters and takes rare plate characters for common ones, so what comes out
here is told in the alphabet of plates only.
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.plates.decoding import Steps
from recognition.plates.detector import open_session
from recognition.plates.grammar import ALPHABET, INDEX
from registry.plates import PROVINCES, UNREAD, is_well_formed, normalise

_HEIGHT, _WIDTH = 48, 320
_STRIDE: Final = 8  # pixels of the line for each step

_MISREAD: Final = {"锁": "领", "便": "使"}
"""Characters that no plate has, by the ones that they are read for."""

_SEPARATORS: Final = "·•.-—|一"
"""Points, rivets and the frame: read where a plate holds no character."""


class LineReader:
    def __init__(self, model: Path) -> None:
        self._session = open_session(model)
        dictionary = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        # Class 0 is CTC's blank, the last one the space.
        self._names = ["", *dictionary, " "]
        self._silent = [0, *(self._names.index(name) for name in f"{_SEPARATORS} ")]
        self._columns = [self._names.index(glyph) for glyph in ALPHABET]
        self._more = [
            (self._names.index(name), INDEX[glyph])
            for name, glyph in (*_MISREAD.items(), *((c.lower(), c) for c in ALPHABET if c.isascii()))
            if name != glyph
        ]

    def read(self, line: NDArray[np.uint8]) -> Steps:
        """Read an RGB picture of one line of text."""
        height, width = line.shape[:2]
        shown = min(_WIDTH, max(1, round(width * _HEIGHT / height)))
        scaled = cv2.resize(line, (shown, _HEIGHT))[:, :, ::-1].astype(np.float32)
        tensor = np.zeros((1, 3, _HEIGHT, _WIDTH), np.float32)
        tensor[0, :, :, :shown] = (scaled / 127.5 - 1.0).transpose(2, 0, 1)
        chances = self._session.run(None, {"x": tensor})[0][0]
        best = chances.argmax(axis=1)
        # A character is told once: repeats count only when a blank lies between.
        told = np.flatnonzero((best != 0) & (best != np.concatenate(([0], best[:-1]))))
        raw = "".join(self._names[i] for i in best[told])
        # The padding holds nothing; two steps of it are kept, for glyphs told late.
        chances = chances[: shown // _STRIDE + 2].astype(np.float64)
        glyphs = chances[:, self._columns]
        for column, index in self._more:
            glyphs[:, index] += chances[:, column]
        return Steps(chances[:, self._silent].sum(axis=1), glyphs, raw)


def as_read(raw: str) -> str | None:
    """A greedy reading in the registry's spelling; None when it is empty.

    Where all but the province fits, ``?`` stands for it, so that near plates are still found: a
    guessed one would be a well-formed wrong plate.
    """
    plate = normalise(raw)
    if plate is None:
        return None
    for body in (plate[1:], plate):
        if plate[0] not in PROVINCES and is_well_formed(PROVINCES[0] + body):
            return UNREAD + body
    # What fits a pattern, yet not on this ground, is damage to whoever reads it.
    return UNREAD + plate[1:] if is_well_formed(plate) else plate
