"""The key ring: 256-bit keys in a file beside the database, never in it.

Sealed bytes are `key id (1 byte) · nonce (12) · ciphertext and tag`. A new key may be
added; old ones stay to read what they sealed.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.secretfile import make_once


class KeyRing:
    """AES-256-GCM keys by number; the highest seals, all of them open."""

    def __init__(self, keys: dict[int, bytes], path: Path | None = None) -> None:
        self._path = path
        self._take(keys)

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """Reads the ring, and makes it with one random key (mode 0600) where there is none."""
        if not path.exists():
            make_once(path, f"1 {secrets.token_hex(32)}\n")
        return cls(_read(path), path)

    @property
    def newest(self) -> int:
        """The number of the key that seals."""
        return self._newest

    @property
    def numbers(self) -> tuple[int, ...]:
        """The keys that open, oldest first."""
        return tuple(sorted(self._keys))

    def seal(self, plain: bytes, bound: bytes | None = None) -> bytes:
        """Seals bytes; `bound` is not in the result and must be given again to open it."""
        nonce = os.urandom(12)
        return bytes([self._newest]) + nonce + self._ciphers[self._newest].encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, bound: bytes | None = None) -> bytes:
        """Raises `KeyError` for an unknown key and `InvalidTag` for altered bytes."""
        if sealed[0] not in self._ciphers and self._path is not None:
            # Another process has rotated the keys since this one read them.
            self._take(_read(self._path))
        return self._ciphers[sealed[0]].decrypt(sealed[1:13], sealed[13:], bound)

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


def _read(path: Path) -> dict[int, bytes]:
    keys: dict[int, bytes] = {}
    for line in path.read_text().splitlines():
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
