"""ZIP files from outside: measured before anything is unpacked, and read under these limits only.

A ZIP says how large its members are, and may lie. Whatever reads further than it said is
cut off here, so nothing behind this file ever sees more bytes than were allowed.
"""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from registry.imports.faults import FileRefusedError

MEMBERS_MAX: Final = 20_000
# Text that repeats itself packs about 1:50; a bomb packs 1:1000.
RATIO_MAX: Final = 200
# Small members may pack as well as they like.
RATIO_FROM_BYTES: Final = 1 << 20
_ENCRYPTED: Final = 0x1
_DRIVE: Final = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a ZIP. `number` counts from 1; `refused` is the code of what is wrong with its name."""

    number: int
    info: zipfile.ZipInfo
    refused: str | None

    @property
    def name(self) -> str:
        return self.info.filename


def opened(file: BinaryIO, *, total_max: int) -> zipfile.ZipFile:
    """The archive, if what it says of itself is bearable. Raises `FileRefusedError`.

    `total_max` is the sum of its members' unpacked sizes in bytes.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise FileRefusedError("zip_malformed") from error
    infos = archive.infolist()
    if len(infos) > MEMBERS_MAX:
        raise FileRefusedError("zip_too_many", maximum=MEMBERS_MAX)
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise FileRefusedError("file_encrypted")
    total = sum(info.file_size for info in infos)
    if total > total_max:
        raise FileRefusedError("zip_bomb", maximum_mb=total_max >> 20)
    if any(
        info.file_size > RATIO_FROM_BYTES and info.file_size > RATIO_MAX * max(1, info.compress_size)
        for info in infos
    ):
        raise FileRefusedError("zip_bomb", maximum_mb=total_max >> 20)
    return archive


def members(archive: zipfile.ZipFile) -> Iterator[Member]:
    """The files in an archive, each with what is wrong with its name; folders are left out."""
    for number, info in enumerate(archive.infolist(), start=1):
        if not info.is_dir():
            yield Member(number, info, _refusal(info))


def read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes, never more than it said it had. Raises `FileRefusedError`."""
    try:
        with archive.open(info) as stream:
            return stream.read(info.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise FileRefusedError("zip_malformed") from error


def repacked(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> io.BytesIO:
    """Some members in a new archive that holds exactly what was measured, not packed.

    Another reader may believe other parts of a forged ZIP than Python's does; of this one
    there is only one reading.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as target:
        for info in infos:
            target.writestr(info.filename, read(archive, info))
    made.seek(0)
    return made


def _refusal(info: zipfile.ZipInfo) -> str | None:
    # The name as it stands in the archive: Python has already replaced what it calls a separator.
    name = info.orig_filename
    if "\\" in name or "\0" in name or _DRIVE.match(name):
        return "zip_path"
    if name.startswith("/") or ".." in name.split("/"):
        return "zip_path"
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        return "zip_not_a_file"
    return None
