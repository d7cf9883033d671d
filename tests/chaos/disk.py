"""A disk of its own that can be filled up and freed: a tmpfs."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Disk:
    """Mounted at `folder`."""

    folder: Path

    def fill(self) -> None:
        """Takes every byte that is left."""
        part = os.statvfs(self.folder).f_blocks * os.statvfs(self.folder).f_frsize
        with (self.folder / "filler").open("ab") as filler:
            while part:
                # Others write meanwhile: what does not fit any more is asked for in smaller parts.
                try:
                    os.posix_fallocate(filler.fileno(), os.fstat(filler.fileno()).st_size, part)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    part //= 2

    def free(self) -> None:
        (self.folder / "filler").unlink()

    @classmethod
    @contextmanager
    def mounted(cls, folder: Path, megabytes: int) -> Iterator[Self]:
        """Needs root."""
        folder.mkdir(parents=True)
        options = f"size={megabytes}m,mode=0700,uid={os.geteuid()}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
        try:
            yield cls(folder)
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
