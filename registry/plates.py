"""Chinese number plates: one spelling, a class, and how far apart two readings are.

Patterns follow GA 36 as several open projects read it; those marked [K] below are
common knowledge that no standard's text was at hand to confirm. Everything here is
pure: plates come from devices, cameras and import files alike, and all of them must
be compared in the one spelling that :func:`normalise` gives.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final

PROVINCES: Final = "京津沪渝冀晋辽吉黑苏浙皖闽赣鲁豫鄂湘粤琼川贵云陕甘青蒙桂宁新藏"
"""The 31 abbreviations that may stand first."""

UNREAD: Final = "?"
"""Stands for a character that was seen and not read."""

CONFUSABLE_COST: Final = 0.4
"""Cost of reading one glyph as another of its look-alikes."""

UNREAD_COST: Final = 0.5
"""Cost of an unread character against any other."""

PROVINCE_COST: Final = 0.7
"""Cost of one province for another: the densest glyph is the first that blur takes."""

NEAR_LIMIT: Final = 0.8
"""Two look-alikes, one unread character or one province, but not one plain edit.

Estimate: a plate has 165 neighbours at one plain edit (5 positions × 33 glyphs). Where a town
has 10⁶ plates on the road, a register of 2,000 then has a plain neighbour of every third
stranger, but a look-alike of only about one in a hundred.
"""

PART_LEAST: Final = 3
"""Glyphs of a plate that have to be known for it to be looked for."""

_SERIAL: Final = "A-HJ-NP-Z"  # serials never use I and O
_NO_PLATE: Final = frozenset({"", "无", "无牌", "无车牌", "无牌车", "未识别", "未知"})
_LOOKALIKES: Final = ("0DQO", "8B", "2Z", "5S", "1T7", "6G", "4A", "UV", "EF")
_FAMILY: Final = {glyph: family for family in _LOOKALIKES for glyph in family}
_LOOKED_UP: Final = 16  # characters; longer readings are damage with too many neighbours to name
_BODY_DIGITS: Final = str.maketrans({"O": "0", "I": "1"})


class PlateClass(StrEnum):
    """What kind of plate a text is; the values travel in messages and files."""

    ORDINARY = "ordinary"
    TRAILER = "trailer"  # 挂
    COACH = "coach"  # 学, a learner's car
    POLICE = "police"  # 警
    NEW_ENERGY_SMALL = "new_energy_small"  # 小型新能源
    NEW_ENERGY_LARGE = "new_energy_large"  # 大型新能源
    EMBASSY = "embassy"  # 使
    CONSULATE = "consulate"  # 领
    CROSS_BORDER = "cross_border"  # 粤Z…港/澳
    AVIATION = "aviation"  # 民航
    EMERGENCY = "emergency"  # 应急救援
    MILITARY = "military"  # 军
    ARMED_POLICE = "armed_police"  # 武警
    UNKNOWN = "unknown"  # fits no pattern


_PATTERNS: Final = tuple(
    (kind, re.compile(pattern.replace("p", f"[{PROVINCES}]").replace("s", f"[{_SERIAL}0-9]")))
    for kind, pattern in (
        (PlateClass.CROSS_BORDER, "粤Zs{4}[港澳]"),
        (PlateClass.ORDINARY, "p[A-Z]s{5}"),
        (PlateClass.TRAILER, "p[A-Z]s{4}挂"),
        (PlateClass.COACH, "p[A-Z]s{4}学"),
        (PlateClass.POLICE, "p[A-Z]s{4}警"),
        (PlateClass.NEW_ENERGY_SMALL, "p[A-Z][A-HJK]s[0-9]{4}"),
        (PlateClass.NEW_ENERGY_LARGE, "p[A-Z][0-9]{5}[A-HJK]"),
        (PlateClass.EMBASSY, "[0-9]{6}使|使[0-9]{6}"),  # 使 first until 2017 [K]
        (PlateClass.CONSULATE, "p[A-Z]?[0-9]{4,5}领"),
        (PlateClass.AVIATION, "民航s{5}"),  # [K]
        (PlateClass.EMERGENCY, "p[A-Z]s{4,5}应急"),  # [K]
        (PlateClass.ARMED_POLICE, "WJp?[0-9]{4}[0-9TDSHBXJ]|WJ[A-HJ-NP-Z][0-9]{5}|WJ[0-9]{7}"),  # [K]
        (PlateClass.MILITARY, "[QVKHBSLJNGCEZ][A-DJ-PR-TVY][0-9]{5}"),  # [K]
    )
)

_ALWAYS_ALLOWED: Final = frozenset(
    {PlateClass.POLICE, PlateClass.EMERGENCY, PlateClass.MILITARY, PlateClass.ARMED_POLICE}
)


def normalise(text: str | None) -> str | None:
    """Give the one spelling of a plate, or None where the device says there was no plate.

    Width and case are folded, separators and invisible characters dropped; in
    positions 3 and on O becomes 0 and I becomes 1, since serials use neither letter.
    A character that no plate can hold is kept as ``?`` rather than dropped: losing it
    could turn a damaged reading into somebody else's well-formed plate.
    """
    if text is None:
        return None
    folded = unicodedata.normalize("NFKC", text).upper()
    plate = "".join(_glyph(character) for character in folded)
    if plate in _NO_PLATE:
        return None
    return plate[:2] + plate[2:].translate(_BODY_DIGITS)


def _glyph(character: str) -> str:
    if character.isascii():
        return character if character.isalnum() else UNREAD * (character in "?*")
    if "\u4e00" <= character <= "\u9fff":
        return character
    # Marks, separators, punctuation and control characters carry nothing.
    return "" if unicodedata.category(character)[0] in "MZPC" else UNREAD


def classify(plate: str) -> PlateClass:
    """Class of a plate in its normalised spelling."""
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(plate):
            return kind
    return PlateClass.UNKNOWN


def is_well_formed(plate: str) -> bool:
    return classify(plate) is not PlateClass.UNKNOWN


def always_allowed(plate: str) -> bool:
    """Whether the vehicle passes for emergencies whoever sits in it (rule R-E04 stays silent)."""
    return classify(plate) in _ALWAYS_ALLOWED


def edit_cost(a: str, b: str) -> float:
    """Weighted edit distance of two readings, 0 only where they are equal.

    Inserting, dropping or replacing a character costs 1; a look-alike, an unread
    character and another province cost less. The costs of single characters obey the
    triangle inequality, so the whole is a metric.
    """
    previous = [float(column) for column in range(len(b) + 1)]
    for row, left in enumerate(a, start=1):
        current = [float(row)]
        for column, right in enumerate(b, start=1):
            current.append(
                min(
                    previous[column] + 1.0,
                    current[column - 1] + 1.0,
                    previous[column - 1] + _substitution(left, right),
                )
            )
        previous = current
    return round(previous[-1], 6)


def _substitution(left: str, right: str) -> float:
    if left == right:
        return 0.0
    if right in _FAMILY.get(left, ""):
        return CONFUSABLE_COST
    if UNREAD in (left, right):
        return UNREAD_COST
    if left in PROVINCES and right in PROVINCES:
        return PROVINCE_COST
    return 1.0


def near(a: str, b: str, limit: float = NEAR_LIMIT) -> bool:
    """Whether one reading may be a misreading of the other; true for equal ones.

    Near never means the same: it may ask a guard, it never opens a barrier.
    """
    return _cost_within(a, b, limit) is not None


def nearest(plate: str, known: Iterable[str], limit: float = NEAR_LIMIT) -> tuple[tuple[str, float], ...]:
    """Known plates near a reading with their cost, nearest first, ties by spelling.

    In a set or mapping, what a reading may be is looked up, a few hundred plates however many are known: a
    twentieth of the time that comparing it with 2,000 takes (measured).
    """
    if (
        isinstance(known, AbstractSet | Mapping)
        and limit < 1.0
        and len(plate) <= _LOOKED_UP
        and UNREAD not in plate
    ):
        costs: Iterable[tuple[str, float | None]] = (
            (other, cost) for other, cost in _neighbours(plate, limit).items() if other in known
        )
    else:
        costs = ((other, _cost_within(plate, other, limit)) for other in known)
    found = [(other, cost) for other, cost in costs if cost is not None]
    return tuple(sorted(found, key=lambda pair: (pair[1], pair[0])))


def lookalikes(plate: str) -> Mapping[str, float]:
    """Everything that a whole plate may have been read as, the plate among it, each with its cost.

    Of a plate without an unread character, at most 16 long; of others the plate alone.
    """
    if UNREAD in plate or len(plate) > _LOOKED_UP:
        return {plate: 0.0}
    return _neighbours(plate, NEAR_LIMIT)


def part_pattern(text: str) -> re.Pattern[str] | None:
    """What finds a part of a plate in readings, each glyph as itself, a look-alike or unread.

    None for less than three glyphs: half of all plates hold any two.
    """
    part = "".join(_glyph(character) for character in unicodedata.normalize("NFKC", text).upper())
    part = part.translate(_BODY_DIGITS)
    if len(part.replace(UNREAD, "")) < PART_LEAST or len(part) > _LOOKED_UP:
        return None
    return re.compile(
        "".join(f"[{re.escape(_FAMILY.get(one, one) + UNREAD)}]" if one != UNREAD else "." for one in part)
    )


def _neighbours(plate: str, limit: float) -> dict[str, float]:
    """Everything of the same length within a limit below one plain edit, the plate among it.

    Of a reading without an unread character: that could be any glyph that there is.
    """
    grown = {"": 0.0}
    for glyph in plate:
        others = {glyph: 0.0, UNREAD: UNREAD_COST}
        if glyph in PROVINCES:
            others |= dict.fromkeys(PROVINCES.replace(glyph, ""), PROVINCE_COST)
        others |= dict.fromkeys(_FAMILY.get(glyph, "").replace(glyph, ""), CONFUSABLE_COST)
        grown = {
            start + other: total
            for start, cost in grown.items()
            for other, more in others.items()
            if (total := round(cost + more, 6)) <= limit
        }
    return grown


def _cost_within(a: str, b: str, limit: float) -> float | None:
    """The edit cost, or None above the limit.

    Readings of one length differ by replacements alone or by at least two gaps, which
    cost 2; below that a straight walk is exact and 20 times as fast as the table, which
    matters against a register of thousands.
    """
    if len(a) != len(b) or limit >= 2.0:
        cost = edit_cost(a, b) if abs(len(a) - len(b)) <= limit else float("inf")
        return cost if cost <= limit else None
    total = 0.0
    for left, right in zip(a, b, strict=True):
        if left != right:
            total = round(total + _substitution(left, right), 6)
            if total > limit:
                return None
    return total
