"""A disk that is nearly full: a tiny tmpfs where this user may mount one, else writes that fail alike."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 1024 * 1024


@contextmanager
def small_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that takes about `SIZE` bytes; then writing raises ENOSPC."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return
    real = os.fsync

    def full(handle: int) -> None:
        # The file itself counts: on a disk of this size it would not have been written.
        used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if used > SIZE:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        yield folder
