"""What an evaluation folder holds: pictures with the name of who is on them.

``labels.csv`` beside the pictures: file, identity, source, group (may be empty), kind. The kind
begins with ``aligned`` (a 112×112 crop on ArcFace's five points), ``photo`` (a face has to be found
first) or ``masked`` (a covered face: only looked for, never compared).
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

LABELS: Final = "labels.csv"
COLUMNS: Final = ("file", "identity", "source", "group", "kind")
ALIAS_COLUMNS: Final = ("identity", "same_as")


class Kind(StrEnum):
    ALIGNED = "aligned"
    PHOTO = "photo"
    MASKED = "masked"


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    path: Path
    identity: str
    source: str
    group: str
    kind: Kind


class BadLabelsError(ValueError):
    """A table of labels cannot be used; ``line`` counts from 1, the header."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        where = f"{path.name}, line {line}" if line else path.name
        super().__init__(f"{where}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


def read_labels(folder: Path) -> list[LabelledPicture]:
    """The pictures of a folder in the order of its table. Raises ``BadLabelsError``."""
    path = folder / LABELS
    pictures: list[LabelledPicture] = []
    seen: set[str] = set()
    for line, row in _rows(path, COLUMNS):
        name, kind = row["file"], row["kind"].split(" ")[0]
        picture = folder / name
        if not row["identity"]:
            raise BadLabelsError(path, line, "the identity is empty")
        if kind not in {one.value for one in Kind}:
            raise BadLabelsError(path, line, f"kind {row['kind']!r} is none of {', '.join(Kind)}")
        if not picture.resolve().is_relative_to(folder.resolve()):
            raise BadLabelsError(path, line, f"{name} lies outside the folder")
        if not picture.is_file():
            raise BadLabelsError(path, line, f"{name} is not there")
        if name in seen:
            raise BadLabelsError(path, line, f"{name} is listed twice")
        seen.add(name)
        pictures.append(LabelledPicture(picture, row["identity"], row["source"], row["group"], Kind(kind)))
    if not pictures:
        raise BadLabelsError(path, None, "it lists no pictures")
    return pictures


def read_aliases(path: Path) -> Mapping[str, str]:
    """Corrections of labels: identity → the identity that is the same person, "" to leave it out.

    Raises ``BadLabelsError``.
    """
    aliases: dict[str, str] = {}
    for line, row in _rows(path, ALIAS_COLUMNS):
        if not row["identity"] or row["identity"] == row["same_as"]:
            raise BadLabelsError(path, line, "an identity is another one's alias, or left out")
        aliases[row["identity"]] = row["same_as"]
    return aliases


def _rows(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise BadLabelsError(path, 1, f"no column {', '.join(missing)}")
            rows = []
            for row in reader:
                if any(row[name] is None for name in columns):
                    raise BadLabelsError(path, reader.line_num, f"fewer than {len(columns)} columns")
                rows.append((reader.line_num, {name: row[name].strip() for name in columns}))
            return rows
    except OSError as error:
        raise BadLabelsError(path, None, error.strerror or "cannot be read") from error
    except UnicodeDecodeError:
        raise BadLabelsError(path, None, "it is not UTF-8") from None
    except csv.Error as error:
        raise BadLabelsError(path, None, str(error)) from error
