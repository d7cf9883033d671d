"""Takes away what killed processes have left of galleries in memory."""

import fcntl
import os
import time
from collections.abc import Iterator
from typing import Final

from recognition.gallery import memoryfs

SUFFIX: Final = ".gallery"

ABANDONED_AFTER_S: Final = 60.0
"""A file that nobody holds is left lying this long, so that a worker that was killed starts warm."""


def sweep(folder: int | None = None) -> int:
    """Takes away what processes that were killed have left; returns how many files.

    Without a folder it is this machine's own, which the keeper sweeps too.
    """
    own = memoryfs.open_folder() if folder is None else None
    folder = own if folder is None else folder
    if folder is None:
        return 0
    try:
        return sum(1 for name in _abandoned(folder) if _taken(name, folder))
    finally:
        if own is not None:
            os.close(own)


def files(folder: int) -> list[str]:
    # By descriptor: the folder that was checked, whatever its path has become.
    return [name for name in os.listdir(folder) if name.endswith(SUFFIX)]


def _abandoned(folder: int) -> Iterator[str]:
    for name in files(folder):
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            continue
        try:
            idle = time.time() - os.fstat(descriptor).st_mtime
            if idle > ABANDONED_AFTER_S and alone(descriptor):
                yield name
        finally:
            os.close(descriptor)


def _taken(name: str, folder: int) -> bool:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return False
    return True


def alone(descriptor: int) -> bool:
    """Whether nobody else holds an open file. Takes it from whoever comes now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
