"""The media store: pictures in a directory or a bucket, encrypted, under the hash of their content.

A picture is safe when `put` returns, so the event that names it may be committed and
acknowledged. It is sealed in this process: a bucket's owner sees bytes without meaning.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from storage.keys import KeyRing
from storage.objects import Directory, Objects
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
    """Content-addressed and idempotent: the same bytes twice are one picture.

    `where` is a folder, or what `storage.objects.bucket` gives.
    """

    def __init__(self, where: Path | Objects, ring: KeyRing) -> None:
        self._objects = Directory(where) if isinstance(where, Path) else where
        self._ring = ring

    def put(self, content: bytes, *, subject: str | None = None) -> StoredPicture:
        """Stores bytes durably. Raises `OSError` when the disk is full or the bucket is away.

        With a subject they are sealed with that person's key and go with it: an enrolled
        photo. Two people's copies of one photo are two pictures.
        """
        media_id = self.id_of(content, subject=subject)
        if not self.exists(media_id):
            self._objects.write(_name(media_id), self._seal(content, subject))
        return StoredPicture(media_id, len(content))

    def id_of(self, content: bytes, *, subject: str | None = None) -> str:
        """What the bytes are called, stored or not."""
        # The name carries no readable hash of the picture: whoever has a photo must not be
        # able to ask the folder whether that photo is in it.
        digest = hashlib.sha256(content).hexdigest()
        return self._ring.fingerprint("media", digest if subject is None else f"{subject}\x1f{digest}")

    def get(self, media_id: str) -> bytes:
        """The picture's bytes. Raises `MediaNotFoundError`, and `OSError` when the bucket is away."""
        sealed = self.sealed(media_id)
        if sealed[0] != SUBJECT_MARK:
            return self._ring.open(sealed)
        end = 2 + sealed[1]
        try:
            return current_vault().open(sealed[2:end].decode(), _FIELD, sealed[end:])
        except ShreddedError:
            raise MediaNotFoundError(media_id) from None

    def exists(self, media_id: str) -> bool:
        """Whether the picture's bytes are there, readable or not."""
        return self.size(media_id) is not None

    def size(self, media_id: str) -> int | None:
        """Bytes that it takes, sealed; None where there is no such picture."""
        try:
            return self._objects.size(_name(media_id))
        except ValueError:
            return None

    def list(self) -> Iterator[str]:
        """The ids of all pictures, in no order; those that come and go meanwhile may be in it."""
        for name in self._objects.names():
            media_id = name.replace("/", "", 1)
            if name[2:3] == "/" and _is_id(media_id):
                yield media_id

    def delete(self, media_id: str) -> bool:
        """Removes a picture; False when it was not there."""
        return self.delete_all([media_id]) == 1

    def delete_all(self, media_ids: Iterable[str]) -> int:
        """Removes pictures, faster than one by one; returns how many were there."""
        return self._objects.delete(_name(media_id) for media_id in media_ids if _is_id(media_id))

    def sealed(self, media_id: str) -> bytes:
        """The bytes as they lie there, for a backup. Raises `MediaNotFoundError`."""
        try:
            return self._objects.read(_name(media_id))
        except (FileNotFoundError, ValueError):
            raise MediaNotFoundError(media_id) from None

    def put_sealed(self, media_id: str, sealed: bytes) -> None:
        """Puts back what `sealed` gave, into a store of the same ring and vault."""
        self._objects.write(_name(media_id), sealed)

    def sealed_by(self, media_id: str) -> int:
        """The number of the ring's key; 0 where it is a person's own. Raises `MediaNotFoundError`."""
        try:
            return self._objects.begin(_name(media_id))[0]
        except (FileNotFoundError, ValueError):
            raise MediaNotFoundError(media_id) from None

    def reseal(self, media_id: str) -> bool:
        """Seals a picture again with the ring's newest key; False where it is gone or needs none."""
        sealed = self.sealed(media_id)
        if sealed[0] in {SUBJECT_MARK, self._ring.newest}:
            return False
        return self._objects.swap(_name(media_id), sealed, self._ring.seal(self._ring.open(sealed)))

    def _seal(self, content: bytes, subject: str | None) -> bytes:
        """Of a person: mark · length of the subject · subject · what the vault sealed."""
        if subject is None:
            return self._ring.seal(content)
        name = subject.encode()
        return bytes([SUBJECT_MARK, len(name)]) + name + current_vault().seal(subject, _FIELD, content)


def _is_id(media_id: str) -> bool:
    return len(media_id) == 64 and all(c in "0123456789abcdef" for c in media_id)


def _name(media_id: str) -> str:
    if not _is_id(media_id):
        raise ValueError("a media id is 64 hex digits")
    return f"{media_id[:2]}/{media_id[2:]}"
