"""Finds a folder that lies in memory: templates may be decrypted nowhere else.

What it holds may be swapped out like any process's memory, and is gone with the power. It is no
folder of the deployment's data, so no backup takes it along.
"""

import ctypes
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# statfs(2), f_type: of tmpfs and of ramfs.
_IN_MEMORY: Final = frozenset({0x01021994, 0x858458F6})
_STATFS_SIZE: Final = 256
_BASES: Final = ("/dev/shm",)  # noqa: S108 - a folder in it is looked at closely before it is used


def open_folder(environ: Mapping[str, str] = os.environ) -> int | None:
    """A descriptor of a folder of our own in memory, made where it is missing; None where there is none.

    Nobody else can have prepared it: it is ours alone, and no link to another place.
    """
    for base in (environ.get("XDG_RUNTIME_DIR"), *_BASES):
        if base and (folder := _opened(Path(base) / f"ringward-{os.geteuid()}")) is not None:
            return folder
    return None


def _opened(path: Path) -> int | None:
    try:
        if not path.parent.is_absolute():
            return None
        path.mkdir(mode=0o700, exist_ok=True)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    if is_ours(os.fstat(folder)) and lies_in_memory(folder):
        return folder
    os.close(folder)
    return None


def is_ours(found: os.stat_result) -> bool:
    """Whether a file or folder belongs to this process's user, and to nobody else in any way."""
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077


def lies_in_memory(descriptor: int) -> bool:
    """Whether an open file or folder lies on a file system that is memory; False where nobody can say."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        answer = ctypes.create_string_buffer(_STATFS_SIZE)
        if libc.fstatfs(descriptor, answer) != 0:
            return False
    except (OSError, AttributeError):
        return False
    # The first field of struct statfs on Linux is f_type, a machine word.
    return ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF in _IN_MEMORY
