"""The pictures of a followed backup: each copied once, as it lies in the store."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from storage.media import MediaNotFoundError, MediaStore
from storage.objects import Directory

_BATCH: Final = 1000


class Pictures:
    """A folder of copies beside the series. Names and bytes are the store's: sealed, both."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copies = Directory(folder)
        # Of what is in the copy, by id; read anew with each base.
        self._known: dict[str, str] = {}
        self.bytes_copied = 0

    def all(self, media: MediaStore) -> Iterator[list[list[str]]]:
        """Brings the copy up to the store and lists everything in it, as batches of id and SHA-256.

        What another key has sealed since is copied again.
        """
        self._known = {}
        yield from self._batches(media)

    def new(self, media: MediaStore) -> Iterator[list[list[str]]]:
        """Copies what has come since, and lists it."""
        yield from self._batches(media)

    def remember(self, listed: list[list[str]]) -> None:
        """What an earlier process has copied in this series."""
        self._known.update((media_id, digest) for media_id, digest in listed)

    def forget(self, listed: list[list[list[str]]]) -> None:
        """What was copied, but listed nowhere."""
        for batch in listed:
            for media_id, _ in batch:
                self._known.pop(media_id, None)

    def thin_out(self, media: MediaStore, kept: set[str]) -> int:
        """Removes copies of pictures that neither the store nor a series that is kept knows."""
        gone = [
            name
            for name in self._copies.names()
            if (media_id := name.replace("/", "", 1)) not in kept and not media.exists(media_id)
        ]
        return self._copies.delete(gone)

    def _batches(self, media: MediaStore) -> Iterator[list[list[str]]]:
        batch: list[list[str]] = []
        for media_id in media.list():
            if media_id in self._known:
                continue
            digest = self._copy(media, media_id)
            if digest is None:
                continue
            self._known[media_id] = digest
            batch.append([media_id, digest])
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def _copy(self, media: MediaStore, media_id: str) -> str | None:
        """The SHA-256 of the copy; None for a picture that is gone before it could be read."""
        name = file_name(media_id)
        try:
            if self._copies.size(name) == media.size(media_id) and self._copies.begin(name)[
                0
            ] == media.sealed_by(media_id):
                return hashlib.sha256(self._copies.read(name)).hexdigest()
            sealed = media.sealed(media_id)
        except MediaNotFoundError:
            return None
        self._copies.write(name, sealed)
        self.bytes_copied += len(sealed)
        return hashlib.sha256(sealed).hexdigest()


def file_name(media_id: str) -> str:
    """Where a copy lies in its folder."""
    return f"{media_id[:2]}/{media_id[2:]}"
