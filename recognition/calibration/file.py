"""The calibration file: what an engine's distances were measured to mean, without anybody's data.

JSON, one file an engine version. A file says how many people were measured and how sure it is;
it holds no name, no picture and no embedding.
"""

from pathlib import Path
from typing import Final

import msgspec

FORMAT: Final = 1
EVERYBODY: Final = ""
"""The group that holds all people of the measurement."""


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a stranger's passages against one enrolled person, a share ``rate`` lie within ``distance``.

    ``rate_low`` and ``rate_high`` are its 95 % interval when people are drawn again. ``spread`` says
    how unevenly the matches fall on strangers, as the shape of a gamma distribution: below 1 a few
    strangers have most of them, large means chance alone.
    """

    rate: float
    distance: float
    rate_low: float
    rate_high: float
    spread: float


class Curve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Passages of ``frames`` fused pictures against people with one enrolled photo each.

    ``points`` go from frequent to rare, as far as the comparisons carry; beyond, distance goes on
    straight over the probit of the rate with ``tail_slope`` (distance per unit), as Gaussian tails
    do. ``genuine`` are distances that a share (the key, 0…1) of true passages keeps.
    """

    frames: int
    strangers: int
    residents: int
    points: tuple[Point, ...]
    tail_slope: float
    genuine: dict[str, float]
    genuine_people: int


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``shape_from`` names the group whose tail this one has, because it has too few people of its own."""

    name: str
    people: int
    curves: tuple[Curve, ...]
    shape_from: str | None = None


class Promise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was observed where a promise was made from half of the people and kept to the other half.

    ``observed`` is None where too few strangers were there to see it, and ``reason`` says so.
    """

    fpir: float
    gallery_people: int
    frames: int
    observed: float | None
    low: float | None
    high: float | None
    reason: str | None = None


class CalibrationFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An ``engine_version`` of "" holds for every version whose embeddings have length 1."""

    format: int
    engine: str
    engine_version: str
    made_at: str
    data: str
    groups: tuple[Group, ...]
    identify_cap: float
    identify_cap_reason: str
    margin: float
    margin_reason: str
    promises: tuple[Promise, ...] = ()


class BadCalibrationError(ValueError):
    """A file in the calibration folder cannot be read as a calibration."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name} is no calibration: {reason}")
        self.path = path
        self.reason = reason


def load(path: Path) -> CalibrationFile:
    """Raises ``BadCalibrationError``."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=CalibrationFile)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadCalibrationError(path, str(error)) from error
    if found.format != FORMAT:
        raise BadCalibrationError(path, f"format {found.format}, this version reads {FORMAT}")
    if EVERYBODY not in {group.name for group in found.groups} or not all(g.curves for g in found.groups):
        raise BadCalibrationError(path, "it has no curve for everybody")
    return found


def save(path: Path, calibration: CalibrationFile) -> None:
    """Written beside and moved, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(calibration), indent=1) + b"\n")
    beside.replace(path)
