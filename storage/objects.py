"""Where sealed pictures lie: a directory of this machine, or a bucket that speaks S3.

A bucket is reached through obstore, and has stored what it answered 200 to. A directory is
listed through it too, but written by ourselves: obstore has no way to ask its local store
for an fsync, and a picture whose event has been acknowledged must survive the power cut.
Reading is ours as well, since a hop through another thread costs more than the disk does.
"""

import fcntl
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import LocalStore, S3Store

from storage.secretfile import sync_folder

# A picture is small and the next attempt is the device's: an ingest that waits does not answer.
_TIMEOUT: Final = "10s"
_RETRIES: Final = 2
_PER_DELETE: Final = 1000


class ObjectsUnavailableError(OSError):
    """The bucket did not answer, refused us, or does not exist."""


class Objects(Protocol):
    """Bytes under names `aa/…`; a name's bytes are seen whole or not at all."""

    def write(self, name: str, content: bytes) -> None:
        """Durable when it returns; what was there is replaced. Raises `OSError`."""

    def read(self, name: str) -> bytes:
        """Raises `FileNotFoundError`."""

    def begin(self, name: str) -> bytes:
        """The first byte. Raises `FileNotFoundError`."""

    def size(self, name: str) -> int | None:
        """In bytes; None where there is nothing."""

    def swap(self, name: str, before: bytes, after: bytes) -> bool:
        """Replaces exactly these bytes; False when they are gone or others meanwhile."""

    def delete(self, names: Iterable[str]) -> int:
        """Removes what is there; returns how many were. Durable when it returns."""

    def names(self) -> Iterator[str]:
        """Everything that is there, in no order."""


class Directory:
    """A folder of this machine's disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(root)

    def write(self, name: str, content: bytes) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.{threading.get_ident():x}.part")
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError:
            # On a full disk every attempt would leave another piece behind.
            partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
        sync_folder(path.parent.parent)

    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    def begin(self, name: str) -> bytes:
        with (self._root / name).open("rb") as file:
            return file.read(1)

    def size(self, name: str) -> int | None:
        try:
            return (self._root / name).stat().st_size
        except FileNotFoundError:
            return None

    def swap(self, name: str, before: bytes, after: bytes) -> bool:
        try:
            # Nobody deletes it between the comparison and the rename: it would come back.
            with _held((self._root / name).parent):
                if self.read(name) != before:
                    return False
                self.write(name, after)
        except FileNotFoundError:
            return False
        return True

    def delete(self, names: Iterable[str]) -> int:
        gone = 0
        folders: set[Path] = set()
        for name in names:
            path = self._root / name
            try:
                with _held(path.parent):
                    path.unlink()
            except FileNotFoundError:
                continue
            folders.add(path.parent)
            gone += 1
        for folder in folders:
            sync_folder(folder)
        return gone

    def names(self) -> Iterator[str]:
        for batch in obstore.list(self._store):
            for found in batch:
                yield found["path"]


class Bucket:
    """An S3 bucket, or a part of one."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def write(self, name: str, content: bytes) -> None:
        with _answering():
            obstore.put(self._store, name, content, use_multipart=False)

    def read(self, name: str) -> bytes:
        with _answering():
            return obstore.get(self._store, name).bytes().to_bytes()

    def begin(self, name: str) -> bytes:
        with _answering():
            return obstore.get_range(self._store, name, start=0, length=1).to_bytes()

    def size(self, name: str) -> int | None:
        try:
            with _answering():
                return obstore.head(self._store, name)["size"]
        except FileNotFoundError:
            return None

    def swap(self, name: str, before: bytes, after: bytes) -> bool:
        try:
            with _answering():
                found = obstore.get(self._store, name)
                tag = found.meta["e_tag"]
                if found.bytes().to_bytes() != before:
                    return False
                obstore.put(self._store, name, after, mode={"e_tag": tag}, use_multipart=False)
        except (FileNotFoundError, PreconditionError):
            return False
        return True

    def delete(self, names: Iterable[str]) -> int:
        there = [name for name in names if self.size(name) is not None]
        with _answering():
            for start in range(0, len(there), _PER_DELETE):
                obstore.delete(self._store, there[start : start + _PER_DELETE])
        return len(there)

    def names(self) -> Iterator[str]:
        with _answering():
            for batch in obstore.list(self._store):
                for found in batch:
                    yield found["path"]


def bucket(
    url: str,
    *,
    endpoint: str | None = None,
    region: str | None = None,
    key_id: str | None = None,
    key_secret: str | None = None,
) -> Bucket:
    """The bucket of `s3://bucket/prefix`. Without keys, those of the machine's AWS environment.

    Raises `ValueError` for another kind of URL, and for plain http to another machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError("pictures lie in a directory or at s3://bucket/prefix")
    if endpoint is not None and not is_private(endpoint):
        raise ValueError("an S3 endpoint of another machine is reached by https only")
    prefix = parts.path.strip("/") or None
    config: dict[str, str] = {"region": region or "us-east-1"}
    if endpoint is not None:
        config["endpoint"] = endpoint
    if key_id is not None and key_secret is not None:
        config |= {"access_key_id": key_id, "secret_access_key": key_secret}
    return Bucket(
        S3Store(
            parts.netloc,
            prefix=prefix,
            config=config,  # type: ignore[arg-type]
            client_options={"timeout": _TIMEOUT, "connect_timeout": _TIMEOUT, "allow_http": True},
            retry_config={"max_retries": _RETRIES},
        )
    )


def is_private(endpoint: str) -> bool:
    """Whether nobody on the way can read along: https, or an address of this machine."""
    parts = urlsplit(endpoint)
    if parts.scheme == "https":
        return parts.hostname is not None
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Alone in a folder, among processes too. Raises `FileNotFoundError` where there is none."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        # Closing lets the lock go.
        os.close(handle)


@contextmanager
def _answering() -> Iterator[None]:
    """Turns what the library raises into what callers of a disk are ready for."""
    try:
        yield
    except PreconditionError:
        raise
    except BaseError as error:
        # The library's text may name the bucket and the request's headers; the kind is enough.
        raise ObjectsUnavailableError(f"the bucket does not answer: {type(error).__name__}") from error
