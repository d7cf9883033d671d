"""How often plates are read wrong, and what that means at a gate with a register.

``labels.csv`` beside the pictures: file, plate, colour, box_xywh_rot, other_plates (``|`` between).
The folder's first part is the source. Columns that a set does not know stay empty.
"""

import csv
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from recognition.decisions import PlateOutcome, decide_plate
from recognition.evaluation.labels import LABELS, BadLabelsError
from recognition.images import Picture, decode
from recognition.plates import PlateRead, PlateReader
from recognition.work.plate_reads import text_of
from registry.plates import PROVINCES, classify, edit_cost, normalise

COLUMNS: Final = ("file", "plate", "colour", "other_plates")
REGISTERS: Final = 100
"""Registers that are invented anew for the figure of wrong hits: a single one says little of 0.1 %."""

_COLOURS: Final = {
    "蓝": "blue",
    "黄": "yellow",
    "绿": "green",
    "白": "white",
    "黑": "black",
    "黄绿": "yellow_green",
}
_SERIAL: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_Z: Final = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class LabelledPlate:
    """A picture and what is on it; ``others`` are further plates that can be read on it."""

    path: Path
    file: str
    plate: str
    colour: str
    others: tuple[str, ...]

    @property
    def source(self) -> str:
        return self.file.split("/", maxsplit=1)[0] if "/" in self.file else ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the reader made of a picture. ``milliseconds`` is its time, without decoding the file, and
    ``cpu_ms`` what of it this thread had a core: on a busy machine the smaller, and the one to compare.
    """

    label: LabelledPlate
    reads: tuple[PlateRead, ...]
    milliseconds: float
    cpu_ms: float
    cut_out: bool

    @property
    def exact(self) -> bool:
        return any(read.text == self.label.plate for read in self.reads)

    @property
    def first(self) -> PlateRead | None:
        """The one that decides an event."""
        return self.reads[0] if self.reads else None


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` of ``of`` with Wilson's 95 % interval (JASA 22, 1927); of nothing it is 0 to 1."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class Register:
    """What decisions on the first plate of each picture came to, against one register."""

    right: Rate
    wrong: Rate
    near: Rate
    doubted: Rate


def wilson(count: int, of: int) -> Rate:
    if of == 0:
        return Rate(0, 0, 0.0, 1.0)
    share, z = count / of, _Z * _Z / of
    centre, half = share + z / 2, _Z * ((share * (1 - share) + z / 4) / of) ** 0.5
    return Rate(count, of, max(0.0, (centre - half) / (1 + z)), min(1.0, (centre + half) / (1 + z)))


def read_plate_labels(folder: Path) -> list[LabelledPlate]:
    """The pictures of a folder in the order of its table. Raises ``BadLabelsError``."""
    path = folder / LABELS
    labels: list[LabelledPlate] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
            if missing:
                raise BadLabelsError(path, 1, f"no column {', '.join(missing)}")
            labels.extend(_label(folder, path, table.line_num, row) for row in table)
    except OSError as error:
        raise BadLabelsError(path, None, error.strerror or "cannot be read") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadLabelsError(path, None, str(error)) from error
    if not labels:
        raise BadLabelsError(path, None, "it lists no pictures")
    return labels


def _label(folder: Path, table: Path, line: int, row: dict[str, str | None]) -> LabelledPlate:
    name, plate = (row["file"] or "").strip(), normalise(row["plate"])
    picture = folder / name
    if plate is None:
        raise BadLabelsError(table, line, "the plate is empty")
    if not picture.resolve().is_relative_to(folder.resolve()):
        raise BadLabelsError(table, line, f"{name} lies outside the folder")
    if not picture.is_file():
        raise BadLabelsError(table, line, f"{name} is not there")
    colour = (row["colour"] or "").strip().removesuffix("牌")
    others = tuple(o for one in (row["other_plates"] or "").split("|") if (o := normalise(one)) is not None)
    return LabelledPlate(picture, name, plate, _COLOURS.get(colour, colour), others)


def look_at_plates(
    reader: PlateReader, labels: Sequence[LabelledPlate], progress: Callable[[int], None] = lambda _: None
) -> list[Seen]:
    """Read every picture. One that cannot be decoded has no reading and no time."""
    seen = []
    for number, label in enumerate(labels, start=1):
        picture = decode(label.path.read_bytes(), label.path.name)
        if isinstance(picture, Picture):
            started, ran = time.perf_counter(), time.thread_time()
            reads = tuple(reader.read(picture.rgb))
            spent = (time.perf_counter() - started) * 1000, (time.thread_time() - ran) * 1000
            seen.append(Seen(label, reads, *spent, cut_out=len(reads) == 1 and _whole(reads[0], picture)))
        else:
            seen.append(Seen(label, (), 0.0, 0.0, cut_out=False))
        progress(number)
    return seen


def _whole(read: PlateRead, picture: Picture) -> bool:
    return read.corners[0] == (0.0, 0.0) and read.corners[2] == (float(picture.width), float(picture.height))


def exact(seen: Iterable[Seen]) -> Rate:
    found = [one.exact for one in seen]
    return wilson(sum(found), len(found))


def others_exact(seen: Iterable[Seen]) -> Rate:
    """Of the further plates on the pictures."""
    found = [other in {read.text for read in one.reads} for one in seen for other in one.label.others]
    return wilson(sum(found), len(found))


def by_class(seen: Sequence[Seen]) -> dict[str, Rate]:
    return _by(seen, lambda one: classify(one.label.plate).value)


def by_colour(seen: Sequence[Seen]) -> dict[str, Rate]:
    return _by(seen, lambda one: one.label.colour or "unlabelled")


def by_source(seen: Sequence[Seen]) -> dict[str, Rate]:
    return _by(seen, lambda one: one.label.source)


def colour_named(seen: Sequence[Seen]) -> Rate:
    """Of plates with a labelled colour that were read exactly: how many were given that colour."""
    pairs = [
        (read.colour, one.label.colour)
        for one in seen
        for read in one.reads
        if one.label.colour and read.text == one.label.plate
    ]
    return wilson(sum(a == b for a, b in pairs), len(pairs))


def times(seen: Sequence[Seen]) -> dict[str, float]:
    """Milliseconds of whole scenes and of cut-out plates: median and 95th percentile."""
    found = {}
    for name, cut_out in (("scene", False), ("cutout", True)):
        timed = [one for one in seen if one.cut_out is cut_out and one.milliseconds > 0.0]
        if timed:
            wall, cpu = [one.milliseconds for one in timed], [one.cpu_ms for one in timed]
            found[f"{name}_p50_ms"] = float(np.median(wall))
            found[f"{name}_p95_ms"] = float(np.percentile(wall, 95))
            found[f"{name}_cpu_p50_ms"] = float(np.median(cpu))
            found[f"{name}_cpu_p95_ms"] = float(np.percentile(cpu, 95))
    return found


def invented(count: int, chance: random.Random, like: Sequence[str], barred: Iterable[str]) -> set[str]:
    """``count`` plates of the provinces, offices and lengths of ``like``, none of them ``barred``.

    A compound's vehicles are of its own town as those on its road are, so a misreading stays there.
    """
    prefixes = [plate[:2] for plate in like if plate[0] in PROVINCES] or ["云M"]
    forbidden, found = set(barred), set[str]()
    while len(found) < count:
        plate = chance.choice(prefixes) + "".join(chance.choice(_SERIAL) for _ in range(5))
        if plate not in forbidden:
            found.add(plate)
    return found


def look_alikes(count: int, chance: random.Random, true: Sequence[str]) -> set[str]:
    """``count`` plates that are one confusable character from true ones, and none of those: the worst
    register that there can be.
    """
    pool = set()
    for plate in true:
        for position, char in enumerate(plate[2:], start=2):
            for other in _SERIAL:
                twin = f"{plate[:position]}{other}{plate[position + 1 :]}"
                if other != char and edit_cost(plate, twin) < 1 and twin not in true:
                    pool.add(twin)
    return set(chance.sample(sorted(pool), min(count, len(pool))))


def against(seen: Sequence[Seen], registered: frozenset[str]) -> Register:
    """Decide the first plate of every picture against a register.

    Right: identified, and on the picture. Wrong: identified, and not on it. Near: left to a guard
    with the true plate among the candidates. Doubted: any other uncertain one.
    """
    right = wrong = near = doubted = 0
    for one in seen:
        if one.first is None:
            continue
        decision = decide_plate([text_of(one.first)], registered)
        there = {one.label.plate, *one.label.others}
        if decision.outcome is PlateOutcome.IDENTIFIED:
            right += decision.text in there
            wrong += decision.text not in there
        elif decision.outcome is PlateOutcome.UNCERTAIN:
            told = any(plate in there for plate, _ in decision.candidates)
            near += told
            doubted += not told
    return Register(*(wilson(count, len(seen)) for count in (right, wrong, near, doubted)))


def _by(seen: Sequence[Seen], key: Callable[[Seen], str]) -> dict[str, Rate]:
    groups: dict[str, list[Seen]] = {}
    for one in seen:
        groups.setdefault(key(one), []).append(one)
    return {name: exact(group) for name, group in sorted(groups.items())}
