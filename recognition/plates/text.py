"""Read the text of a straightened plate.

The network is PP-OCRv4's line recogniser out of ``rapidocr_onnxruntime`` (Apache-2.0).
Input ``x`` is float32 (1, 3, 48, 320), blue first, scaled to -1..1 and padded with zeros on
the right: 98.7 % whole plates against 94.3 % without the padding (measured). Output is
(1, steps, classes) with probabilities for CTC; the dictionary is the model's own metadata.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.plates.detector import open_session
from registry.plates import PROVINCES, UNREAD, PlateClass, classify, is_well_formed, normalise

_HEIGHT, _WIDTH = 48, 320
_LETTERS: Final = str.maketrans("0258764", "OZSBTGA")
"""Digits by the letters they are taken for."""

_MISREAD: Final = {"锁": "领", "便": "使"}
_ARMED_POLICE: Final = re.compile(r"^W[UI1](?=.?[0-9]{4})")
_MIN_PROVINCE_CHANCE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Line:
    """What the recogniser saw: raw text, mean probability of its characters (0..1), and the
    province that is likeliest at the first character, None when all are out of the question.
    """

    raw: str
    confidence: float
    province: str | None


class LineReader:
    def __init__(self, model: Path) -> None:
        self._session = open_session(model)
        dictionary = self._session.get_modelmeta().custom_metadata_map["character"].splitlines()
        # Class 0 is CTC's blank, the last one the space.
        self._glyphs = ["", *dictionary, " "]
        self._provinces = [self._glyphs.index(name) for name in PROVINCES]

    def read(self, line: NDArray[np.uint8]) -> Line:
        """Read an RGB picture of one line of text."""
        height, width = line.shape[:2]
        shown = min(_WIDTH, max(1, round(width * _HEIGHT / height)))
        scaled = cv2.resize(line, (shown, _HEIGHT))[:, :, ::-1].astype(np.float32)
        tensor = np.zeros((1, 3, _HEIGHT, _WIDTH), np.float32)
        tensor[0, :, :, :shown] = (scaled / 127.5 - 1.0).transpose(2, 0, 1)
        steps = self._session.run(None, {"x": tensor})[0][0]
        best = steps.argmax(axis=1)
        # A character is told once: repeats count only when a blank lies between.
        told = np.flatnonzero((best != 0) & (best != np.concatenate(([0], best[:-1]))))
        if told.size == 0:
            return Line("", 0.0, None)
        raw = "".join(self._glyphs[i] for i in best[told])
        # The province may be told a step or two beside the character that was taken for it.
        chances = steps[: told[0] + 3, self._provinces].max(axis=0)
        likeliest = int(chances.argmax())
        province = PROVINCES[likeliest] if chances[likeliest] > _MIN_PROVINCE_CHANCE else None
        return Line(raw, float(steps[told, best[told]].mean()), province)


def by_position(line: Line, *, white: bool = False) -> str | None:
    """Correct a reading by what each position of a plate can hold; None when it is empty.

    The recogniser knows 6,623 characters and takes rare plate characters for common ones:
    领 for 锁, 使 for 便, WJ for WU, 川 for M. Position 2 is a letter wherever a province
    stands first. What fits no pattern even so is given back as it was read, with ``?`` for a
    province that nothing supports: a guessed one would be a well-formed wrong plate.

    ``white`` says that the plate's ground is white. Elsewhere two letters and five digits
    are no military plate, for which every barrier opens, but a misread province.
    """
    plate = normalise(line.raw)
    if plate is None:
        return None
    plate = _MISREAD.get(plate[0], plate[0]) + plate[1:-1] + _MISREAD.get(plate[-1], plate[-1])
    for candidate in _corrections(plate, line.province):
        kind = classify(candidate)
        military = kind is PlateClass.MILITARY
        if kind is not PlateClass.UNKNOWN and not (military and (line.province or not white)):
            return candidate
    return normalise(_with_unread_province(plate))


def _corrections(plate: str, province: str | None) -> Iterator[str]:
    yield plate
    yield _ARMED_POLICE.sub("WJ", plate)
    yield _lettered(plate)
    # A rivet or the frame read as one character more. Military plates begin with letters,
    # so dropping one from damage could make a plate that every barrier opens for.
    if plate[1:2] in PROVINCES:
        yield _lettered(plate[1:])
    if province is not None:
        yield _lettered(province + plate[1:])
        yield _lettered(province + plate)


def _with_unread_province(plate: str) -> str:
    """Say that the province is unread where all else fits, so that near plates are still found."""
    for body in (plate[1:], plate):
        if plate[0] not in PROVINCES and is_well_formed(PROVINCES[0] + body):
            return UNREAD + body
    return plate


def _lettered(plate: str) -> str:
    return plate[:1] + plate[1:2].translate(_LETTERS) + plate[2:]
