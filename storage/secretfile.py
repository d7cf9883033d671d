"""Files of mode 0600 that appear whole: made once by whichever process comes first, or replaced."""

import os
from pathlib import Path

from storage.ids import new_id


def make_once(path: Path, text: str) -> None:
    """Writes the file where there is none; what is there already stays.

    The name appears with its content: a process that starts at the same moment must not
    read an empty key, nor write a second one over the first.
    """
    draft = _draft(path, text)
    try:
        # Unlike a rename, a link does not replace what another process has made meanwhile.
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def replace(path: Path, text: str) -> None:
    """Writes the file anew; whoever reads meanwhile sees the old content or the new, both whole.

    Durable when it returns.
    """
    draft = _draft(path, text)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes names in a folder durable that were made, moved or removed."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _draft(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{new_id()}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft
