"""A file of mode 0600 that is made once, whole, by whichever process comes first."""

import os
from pathlib import Path

from storage.ids import new_id


def make_once(path: Path, text: str) -> None:
    """Writes the file where there is none; what is there already stays.

    The name appears with its content: a process that starts at the same moment must not
    read an empty key, nor write a second one over the first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{new_id()}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link does not replace what another process has made meanwhile.
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
