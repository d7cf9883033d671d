"""The key ring: 256-bit keys in a file beside the database, never in it.

Sealed bytes are `key id (1 byte) · nonce (12) · ciphertext and tag`. A rotation adds a key;
old ones stay to read what they sealed until `storage.rotation` has sealed it again. The
oldest never goes: keyed hashes, which things are looked up by, are made with it.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.secretfile import make_once, replace

# How long a process may go on sealing with a key that another one has replaced, in seconds.
STALE_S: Final = 1.0
# A number has one byte, and 0 stands for a person's own key.
MOST_KEYS: Final = 255


class KeyInUseError(ValueError):
    """The newest key seals and the oldest one finds: neither can be taken away."""

    def __init__(self, number: int) -> None:
        super().__init__(f"key {number} is the newest or the oldest of the ring, or not in it")
        self.number = number


class KeyRing:
    """AES-256-GCM keys by number; the highest seals, all of them open."""

    def __init__(
        self,
        keys: dict[int, bytes],
        path: Path | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._monotonic = monotonic
        self._stamp = _stamp(path)
        self._checked = monotonic()
        self._take(keys)

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """Reads the ring, and makes it with one random key (mode 0600) where there is none."""
        if not path.exists():
            make_once(path, f"1 {secrets.token_hex(32)}\n")
        # Before reading: a change in between is then found, not missed.
        stamp = _stamp(path)
        ring = cls(_read(path), path)
        ring._stamp = stamp
        return ring

    @property
    def newest(self) -> int:
        """The number of the key that seals."""
        self._follow()
        return self._newest

    @property
    def numbers(self) -> tuple[int, ...]:
        """The keys that open, oldest first."""
        return tuple(sorted(self._keys))

    def seal(self, plain: bytes, bound: bytes | None = None) -> bytes:
        """Seals bytes; `bound` is not in the result and must be given again to open it."""
        self._follow()
        nonce = os.urandom(12)
        return bytes([self._newest]) + nonce + self._ciphers[self._newest].encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, bound: bytes | None = None) -> bytes:
        """Raises `KeyError` for an unknown key and `InvalidTag` for altered bytes."""
        if sealed[0] not in self._ciphers and self._path is not None:
            # Another process has rotated the keys since this one read them.
            self._take(_read(self._path))
        return self._ciphers[sealed[0]].decrypt(sealed[1:13], sealed[13:], bound)

    def is_kin(self, text: str) -> bool:
        """Whether the text of a ring's file is this ring's at some time: the oldest key stays."""
        keys = _parse(text)
        oldest = self._keys[min(self._keys)]
        return bool(keys) and hmac.compare_digest(keys[min(keys)], oldest)

    def rotate(self) -> int:
        """Adds a key that seals from now on; returns its number. Durable when it returns.

        Other processes of this ring's file follow within `STALE_S`. Two that rotate at once
        add two keys.
        """
        return self._change(_with_one_more)

    def retire(self, number: int) -> None:
        """Takes a key away for good: what it still seals, here or in a backup, is lost.

        Raises `KeyInUseError` for the newest and the oldest key. Whether anything else
        needs it is for `storage.rotation.usage` to say.
        """

        def without(keys: dict[int, bytes]) -> dict[int, bytes]:
            if number not in keys or number in {min(keys), max(keys)}:
                raise KeyInUseError(number)
            return {known: key for known, key in keys.items() if known != number}

        self._change(without)

    def _change(self, work: Callable[[dict[int, bytes]], dict[int, bytes]]) -> int:
        if self._path is None:
            self._take(work(dict(self._keys)))
            return self._newest
        with _alone(self._path.parent):
            # What is in the file counts, not what this process has read of it.
            keys = work(_read(self._path))
            replace(self._path, "".join(f"{number} {keys[number].hex()}\n" for number in sorted(keys)))
            self._stamp = _stamp(self._path)
            self._take(keys)
        return self._newest

    def _follow(self) -> None:
        """Reads the file again when another process has changed it."""
        now = self._monotonic()
        if self._path is None or now - self._checked < STALE_S:
            return
        self._checked = now
        stamp = _stamp(self._path)
        if stamp is not None and stamp != self._stamp:
            self._take(_read(self._path))
            self._stamp = stamp

    def fingerprint(self, purpose: str, value: str) -> str:
        """A keyed hash for looking a secret value up without storing it: 64 hex digits."""
        # The oldest key, so that a rotation does not orphan what was indexed before it.
        key = hmac.new(self._keys[min(self._keys)], purpose.encode(), hashlib.sha256).digest()
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()

    def _take(self, keys: dict[int, bytes]) -> None:
        if not keys or any(len(key) != 32 for key in keys.values()):
            raise ValueError("a key ring needs at least one key of 32 bytes")
        self._keys = keys
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._newest = max(keys)


def _with_one_more(keys: dict[int, bytes]) -> dict[int, bytes]:
    if max(keys) >= MOST_KEYS:
        raise ValueError(f"a ring numbers {MOST_KEYS} keys at most")
    return keys | {max(keys) + 1: secrets.token_bytes(32)}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _stamp(path: Path | None) -> tuple[int, int, int] | None:
    """Changes whenever the file is replaced."""
    if path is None:
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> dict[int, bytes]:
    return _parse(path.read_text())


def _parse(text: str) -> dict[int, bytes]:
    keys: dict[int, bytes] = {}
    for line in text.splitlines():
        number, _, value = line.partition(" ")
        if value:
            keys[int(number)] = bytes.fromhex(value)
    return keys


_ring: KeyRing | None = None


def install_ring(ring: KeyRing) -> None:
    """Makes `ring` the one that `Encrypted` columns of this process use."""
    global _ring  # noqa: PLW0603 - column types are built at import, long before the key is read
    _ring = ring


def current_ring() -> KeyRing:
    if _ring is None:
        raise RuntimeError("no key ring installed: call storage.keys.install_ring first")
    return _ring
