"""What an archive says it holds, and reading one through to see that it does.

An archive is the database as rows, then the pictures as they lie in the media store. Keys
are never in it.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from storage import dump
from storage.archive import DamagedError, Reader, frames

KIND: Final = "backup"
KEYS_KIND: Final = "keys"
FORMAT: Final = 1
# Beside the archives, once.
KEYS_FILE: Final = "keys.rwk"
SUFFIX: Final = ".rwb"

# What is being done, and how many rows or pictures so far.
Progress = Callable[[str, int], None]


def silent(_what: str, _count: int) -> None:
    """Nobody is looking."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """An archive that has been read to its end."""

    made_at: dt.datetime
    # The schema's, and which kind of database it came from.
    revision: str
    database: str
    tables: Mapping[str, int]
    pictures: int
    picture_bytes: int
    # Pictures that were listed and deleted before they could be copied.
    gone: int
    # SHA-256 of the file.
    sha256: str

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


@dataclass
class _Seen:
    tables: dict[str, int] = field(default_factory=dict)
    table: str = ""
    pictures: int = 0
    picture_bytes: int = 0
    gone: int = 0


def walk(
    path: Path,
    passphrase: str,
    *,
    row: Callable[[list[Any]], None] = lambda _: None,
    picture: Callable[[str, bytes], None] = lambda _id, _sealed: None,
    head: Callable[[str], None] = lambda _: None,
    progress: Progress = silent,
) -> Manifest:
    """Reads a whole archive and compares it with what it says of itself at its end.

    `head` gets the schema's revision, `row` every frame of the database, `picture` every
    picture's id and sealed bytes. Raises `storage.archive.ArchiveError`; what was handed
    over until then is then worth nothing.
    """
    with path.open("rb") as file:
        reader = Reader(file, passphrase, KIND)
        stream = frames(reader)
        said = _head(stream)
        head(said["revision"])
        seen = _Seen()
        for frame in stream:
            match frame:
                case [dump.TABLE, str(name), list()]:
                    seen.table = name
                    seen.tables[name] = 0
                    row(frame)
                case [dump.ROWS, list(rows)] if seen.table:
                    row(frame)
                    seen.tables[seen.table] += len(rows)
                    progress(seen.table, seen.tables[seen.table])
                case ["picture", str(media_id), str(digest), bytes(sealed)]:
                    if hashlib.sha256(sealed).hexdigest() != digest:
                        raise DamagedError(f"picture {media_id} is not what was put in")
                    picture(media_id, sealed)
                    seen.pictures += 1
                    seen.picture_bytes += len(sealed)
                    progress("pictures", seen.pictures)
                case ["gone", str()]:
                    seen.gone += 1
                case ["end", dict(totals)]:
                    _compare(totals, seen)
                    if reader.read(1):
                        raise DamagedError("something follows the end")
                    return Manifest(
                        dt.datetime.fromisoformat(said["made_at"]),
                        said["revision"],
                        said["database"],
                        seen.tables,
                        seen.pictures,
                        seen.picture_bytes,
                        seen.gone,
                        reader.sha256,
                    )
                case _:
                    raise DamagedError("the content is not what an archive holds")
    raise DamagedError("the archive ends before its end")


def _head(stream: Iterator[Any]) -> dict[str, str]:
    match next(stream, None):
        case ["head", {"format": 1, "made_at": str(), "revision": str(), "database": str()} as said]:
            return {str(name): str(value) for name, value in said.items()}
        case _:
            raise DamagedError("the archive was made by a version that this one does not understand")


def _compare(totals: dict[str, Any], seen: _Seen) -> None:
    if totals != totals_of(seen.tables, seen.pictures, seen.picture_bytes, seen.gone):
        raise DamagedError("the archive does not hold what it says")


def totals_of(tables: Mapping[str, int], pictures: int, picture_bytes: int, gone: int) -> dict[str, Any]:
    """The last frame's content."""
    return {"tables": dict(tables), "pictures": pictures, "picture_bytes": picture_bytes, "gone": gone}
