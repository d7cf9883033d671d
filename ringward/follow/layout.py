"""How a followed backup lies in its folder, and which of it makes the state of a moment.

    follow/20261123T040000Z/base.rwf            sealed with the passphrase; holds the series' secret
    follow/20261123T040000Z/00000001.rwf        an increment, sealed with the secret
    follow/pictures/aa/bbbb…                    pictures as they lie in the store: sealed already

Every increment names the SHA-256 of the file before it, so one that is missing, exchanged or
of another series is noticed. Files get their name only once they are whole and on the disk.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from storage.archive import ArchiveError, DamagedError, Reader, frames

FOLDER: Final = "follow"
PICTURES: Final = "pictures"
BASE: Final = "base.rwf"
SUFFIX: Final = ".rwf"
BASE_KIND: Final = "follow base"
STEP_KIND: Final = "follow increment"
FORMAT: Final = 1
# A source whose increments are a log, which can be read up to any moment in it.
LOGGED: Final = "postgresql"
# The secret of a series has 256 random bits: nothing is gained by making a guess at it dear.
SECRET_N: Final = 2
_SERIES: Final = re.compile(r"\d{8}T\d{6}Z")
_STEP: Final = re.compile(r"\d{8}\.rwf")


class NothingThenError(ArchiveError):
    """The folder holds no state of that moment or before it."""

    def __init__(self, until: dt.datetime | None, oldest: dt.datetime | None) -> None:
        when = (
            "nothing was followed here yet"
            if oldest is None
            else f"the oldest is of {oldest:%Y-%m-%d %H:%M:%S}Z"
        )
        asked = "" if until is None else f" of {until:%Y-%m-%d %H:%M:%S}Z or before"
        super().__init__(f"no state{asked}: {when}")
        self.until = until
        self.oldest = oldest


class Head(msgspec.Struct, frozen=True):
    """The first frame of every file. `at`: nothing in it was committed later."""

    number: int
    at: dt.datetime
    # Which source, and its word for where it stands after this file.
    source: str
    position: dict[str, Any]
    # SHA-256 of the file before it; "" for a base.
    previous: str = ""
    # Of a base alone: what the increments are sealed with.
    secret: str = ""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Series:
    """A base and its increments, in order."""

    path: Path
    steps: tuple[Path, ...]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def base(self) -> Path:
        return self.path / BASE


def series_name(at: dt.datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}Z"


def all_series(destination: Path) -> list[Series]:
    """What a folder holds, oldest first; without a base it is none."""
    root = destination / FOLDER
    if not root.is_dir():
        return []
    found = []
    for path in sorted(root.iterdir()):
        if _SERIES.fullmatch(path.name) and (path / BASE).exists():
            steps = tuple(sorted(each for each in path.iterdir() if _STEP.fullmatch(each.name)))
            found.append(Series(path, steps))
    return found


def head_of(path: Path, secret: str, kind: str = STEP_KIND) -> Head:
    """What a file says of itself. Raises `storage.archive.ArchiveError`."""
    with path.open("rb") as file:
        return _head(frames(Reader(file, secret, kind)), path)


def chosen(
    series: list[Series], until: dt.datetime | None, passphrase: str
) -> tuple[Series, Head, list[Path]]:
    """The series, its base's head, and the increments that make the newest state not after a moment.

    Raises `NothingThenError` and `storage.archive.ArchiveError`.
    """
    oldest: dt.datetime | None = None
    for each in reversed(series):
        base = head_of(each.base, passphrase, BASE_KIND)
        oldest = base.at
        if until is not None and base.at > until:
            continue
        taken: list[Path] = []
        if base.source == LOGGED:
            if until is not None and (not each.steps or head_of(each.steps[0], base.secret).at > until):
                # A base of a running server is whole only with the log of the time that it took.
                continue
            for path in each.steps:
                # The first one after the moment has the log that leads to it.
                taken.append(path)
                if until is not None and _moment_of(path, base.secret, base.at) >= until:
                    break
            return each, base, taken
        reached = base.at
        for path in each.steps:
            if until is not None:
                # Before its head is read: what is damaged later does not matter then.
                if reached >= until:
                    break
                reached = _moment_of(path, base.secret, reached)
                if reached > until:
                    break
            taken.append(path)
        return each, base, taken
    raise NothingThenError(until, oldest)


def _moment_of(path: Path, secret: str, before: dt.datetime) -> dt.datetime:
    try:
        return head_of(path, secret).at
    except DamagedError:
        # It may have been in time; whoever replays it says what is wrong with it.
        return before


def read(path: Path, secret: str, kind: str, take: Callable[[list[Any]], None]) -> tuple[Head, str]:
    """Reads a file to its end; returns its head and the SHA-256 of the whole.

    Raises `storage.archive.ArchiveError`; what was handed over until then is worth nothing.
    """
    with path.open("rb") as file:
        reader = Reader(file, secret, kind)
        stream = frames(reader)
        head = _head(stream, path)
        count = 0
        for frame in stream:
            match frame:
                case ["end", int(said)]:
                    if said != count or reader.read(1):
                        raise DamagedError(f"{path.name} does not hold what it says")
                    return head, reader.sha256
                case [str(), *_]:
                    count += 1
                    take(frame)
                case _:
                    break
    raise DamagedError(f"{path.name} ends before its end")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _head(stream: Iterator[Any], path: Path) -> Head:
    match next(stream, None):
        case ["head", dict(said)]:
            try:
                head = msgspec.convert(said, Head, strict=False)
            except msgspec.ValidationError:
                raise DamagedError(f"{path.name} has a head that this version does not understand") from None
            if head.format == FORMAT:
                return head
    raise DamagedError(f"{path.name} was made by a version that this one does not understand")
