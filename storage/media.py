"""The media store: pictures on disk, encrypted, under the hash of their content.

A picture is safe when `put` returns: file and folder are fsynced, so the event that
names it may be committed and acknowledged.
"""

import hashlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from storage.keys import KeyRing
from storage.vault import SUBJECT_MARK, ShreddedError, current_vault

_FIELD = "media"


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """What the store knows of a picture: its name and its size in bytes."""

    media_id: str
    size: int


class MediaNotFoundError(LookupError):
    """The picture is not in the store: never written, deleted, or of somebody who is forgotten."""

    def __init__(self, media_id: str) -> None:
        super().__init__(f"no picture {media_id}")
        self.media_id = media_id


class MediaStore:
    """Content-addressed and idempotent: the same bytes twice are one file."""

    def __init__(self, root: Path, ring: KeyRing) -> None:
        self._root = root
        self._ring = ring
        root.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes, *, subject: str | None = None) -> StoredPicture:
        """Stores bytes durably. Raises `OSError` when the disk is full or a sync fails.

        With a subject they are sealed with that person's key and go with it: an enrolled
        photo. Two people's copies of one photo are two pictures.
        """
        # The name carries no readable hash of the picture: whoever has a photo must not be
        # able to ask the folder whether that photo is in it.
        digest = hashlib.sha256(content).hexdigest()
        media_id = self._ring.fingerprint("media", digest if subject is None else f"{subject}\x1f{digest}")
        path = self._path(media_id)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.{threading.get_ident():x}.part")
            try:
                with partial.open("wb") as file:
                    file.write(self._seal(content, subject))
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(path)
            except OSError:
                # On a full disk every attempt would leave another piece behind.
                partial.unlink(missing_ok=True)
                raise
            _sync_folder(path.parent)
            _sync_folder(path.parent.parent)
        return StoredPicture(media_id, len(content))

    def get(self, media_id: str) -> bytes:
        """The picture's bytes. Raises `MediaNotFoundError`."""
        try:
            sealed = self._path(media_id).read_bytes()
        except (FileNotFoundError, ValueError):
            raise MediaNotFoundError(media_id) from None
        if sealed[0] != SUBJECT_MARK:
            return self._ring.open(sealed)
        end = 2 + sealed[1]
        try:
            return current_vault().open(sealed[2:end].decode(), _FIELD, sealed[end:])
        except ShreddedError:
            raise MediaNotFoundError(media_id) from None

    def _seal(self, content: bytes, subject: str | None) -> bytes:
        """Of a person: mark · length of the subject · subject · what the vault sealed."""
        if subject is None:
            return self._ring.seal(content)
        name = subject.encode()
        return bytes([SUBJECT_MARK, len(name)]) + name + current_vault().seal(subject, _FIELD, content)

    def delete(self, media_id: str) -> bool:
        """Removes a picture; False when it was not there."""
        try:
            self._path(media_id).unlink()
        except (FileNotFoundError, ValueError):
            return False
        return True

    def _path(self, media_id: str) -> Path:
        if len(media_id) != 64 or not all(c in "0123456789abcdef" for c in media_id):
            raise ValueError("a media id is 64 hex digits")
        return self._root / media_id[:2] / media_id[2:]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
