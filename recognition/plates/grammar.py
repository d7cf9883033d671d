"""What a plate can hold at each position: the shapes of GA 36, for a reader that looks for a plate.

Every class of :class:`registry.plates.PlateClass` is a few sequences of glyph sets. A test keeps
them and the registry's patterns together. Shapes marked [K] there are common knowledge that no
standard's text was at hand to confirm.
"""

from dataclasses import dataclass
from typing import Final

from registry.plates import PROVINCES, PlateClass

DIGITS: Final = "0123456789"
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # serials never use I and O
SERIAL: Final = LETTERS + DIGITS
OFFICES: Final = LETTERS + "O"
"""Issuing offices: O is no serial letter but stands second on older official plates."""

_ENERGY: Final = "ABCDEFGHJK"
_SPECIAL: Final = "挂学警港澳使领民航应急"
ALPHABET: Final = PROVINCES + DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + _SPECIAL
INDEX: Final = {glyph: index for index, glyph in enumerate(ALPHABET)}


@dataclass(frozen=True, slots=True)
class Shape:
    """One sequence of glyph sets. ``prior`` is the natural logarithm of how much less often it is
    met than an ordinary plate: an estimate, there to break ties and never to win against glyphs.
    """

    kind: PlateClass
    positions: tuple[str, ...]
    prior: float


def _shape(kind: PlateClass, prior: float, *positions: str) -> Shape:
    return Shape(kind, positions, prior)


_P: Final = PROVINCES
_FORCE: Final = DIGITS + "TDSHBXJ"
SHAPES: Final = (
    _shape(PlateClass.ORDINARY, 0.0, _P, OFFICES, *[SERIAL] * 5),
    _shape(PlateClass.TRAILER, -1.0, _P, OFFICES, *[SERIAL] * 4, "挂"),
    _shape(PlateClass.COACH, -1.0, _P, OFFICES, *[SERIAL] * 4, "学"),
    _shape(PlateClass.POLICE, -1.0, _P, OFFICES, *[SERIAL] * 4, "警"),
    _shape(PlateClass.CROSS_BORDER, -1.0, "粤", "Z", *[SERIAL] * 4, "港澳"),
    _shape(PlateClass.NEW_ENERGY_SMALL, 0.0, _P, OFFICES, _ENERGY, SERIAL, *[DIGITS] * 4),
    _shape(PlateClass.NEW_ENERGY_LARGE, -1.0, _P, OFFICES, *[DIGITS] * 5, _ENERGY),
    _shape(PlateClass.EMBASSY, -1.5, *[DIGITS] * 6, "使"),
    _shape(PlateClass.EMBASSY, -3.0, "使", *[DIGITS] * 6),
    *(
        _shape(PlateClass.CONSULATE, -2.0, _P, *office, *[DIGITS] * digits, "领")
        for office in ((OFFICES,), ())
        for digits in (4, 5)
    ),
    _shape(PlateClass.AVIATION, -2.0, "民", "航", *[SERIAL] * 5),
    _shape(PlateClass.EMERGENCY, -2.0, _P, OFFICES, *[SERIAL] * 4, "应", "急"),
    _shape(PlateClass.EMERGENCY, -2.0, _P, OFFICES, *[SERIAL] * 5, "应", "急"),
    _shape(PlateClass.ARMED_POLICE, -4.0, "W", "J", _P, *[DIGITS] * 4, _FORCE),
    _shape(PlateClass.ARMED_POLICE, -4.0, "W", "J", *[DIGITS] * 4, _FORCE),
    _shape(PlateClass.ARMED_POLICE, -4.0, "W", "J", LETTERS, *[DIGITS] * 5),
    _shape(PlateClass.ARMED_POLICE, -4.0, "W", "J", *[DIGITS] * 7),
    _shape(PlateClass.MILITARY, -5.0, "QVKHBSLJNGCEZ", "ABCDJKLMNOPRTVY", *[DIGITS] * 5),
)

LONGEST: Final = max(len(shape.positions) for shape in SHAPES)

HOLDS: Final = tuple(
    tuple(
        sum(
            1 << number
            for number, shape in enumerate(SHAPES)
            if position < len(shape.positions) and glyph in shape.positions[position]
        )
        for glyph in ALPHABET
    )
    for position in range(LONGEST)
)
"""For each position and glyph of the alphabet the shapes, as bits, that may hold it there."""

_NEW_ENERGY: Final = frozenset({PlateClass.NEW_ENERGY_SMALL, PlateClass.NEW_ENERGY_LARGE})
FORCES: Final = frozenset({PlateClass.ARMED_POLICE, PlateClass.MILITARY})


def shapes_on(colour: str | None, *, double_row: bool) -> int:
    """Shapes, as bits, that a plate of this ground may have.

    Plates of the forces are white, and every barrier opens for them: elsewhere two letters and
    five digits are a misread province. Plates of eight characters are green and have one row.
    """
    barred: frozenset[PlateClass] = frozenset() if colour == "white" else FORCES
    if colour == "blue" or double_row:
        barred |= _NEW_ENERGY
    return sum(1 << number for number, shape in enumerate(SHAPES) if shape.kind not in barred)


def fitting(shapes: int, length: int) -> Shape | None:
    """The most frequent of these shapes that has exactly this length, None where there is none."""
    found = (
        shape
        for number, shape in enumerate(SHAPES)
        if shapes >> number & 1 and len(shape.positions) == length
    )
    return max(found, key=lambda shape: shape.prior, default=None)
