"""An encrypted file: written as a stream, read as a stream, and never believed half-way.

The content goes in chunks, each AES-256-GCM with a nonce of prefix · counter · "last" flag
(the STREAM construction), so that a chunk which is missing, moved or the last one of a cut
file does not open. The head says how the key comes from the passphrase (scrypt) and is
bound into every chunk.

Layout: magic (6 bytes) · length of the head (4, big-endian) · head (JSON) · its keyed hash
(32) · chunks of `chunk` + 16 bytes, the last one shorter or equal.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.secretfile import sync_folder

_MAGIC: Final = b"RWARC1"
CHUNK: Final = 1 << 20
_TAG: Final = 16
_LAST: Final = 1
# About 0.4 s and 128 MB on a small machine: a guess at the passphrase costs as much.
SCRYPT_N: Final = 1 << 17
# What a head may ask of a reader, whoever wrote it.
_MOST_N: Final = 1 << 18
_MOST_CHUNK: Final = 1 << 24
_MOST_HEAD: Final = 1 << 16


class ArchiveError(Exception):
    """The file cannot be used; nothing of what it said so far may be kept."""


class WrongPassphraseError(ArchiveError):
    """The passphrase is another one, or the head was altered: the two look alike."""

    def __init__(self) -> None:
        super().__init__("wrong passphrase, or the head of the file was altered")


class DamagedError(ArchiveError):
    """The file was cut, altered, or is none of ours. `at` is the chunk, None for the head."""

    def __init__(self, what: str, at: int | None = None) -> None:
        super().__init__(what if at is None else f"{what} (chunk {at})")
        self.at = at


class _Kdf(msgspec.Struct, frozen=True):
    salt: bytes
    n: int
    r: int = 8
    p: int = 1


class _Head(msgspec.Struct, frozen=True):
    kind: str
    kdf: _Kdf
    nonce: bytes
    chunk: int = CHUNK


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes) -> object: ...


class Writer:
    """Encrypts what is written to it. Call `finish` at the end, or the file is not whole."""

    def __init__(self, out: Sink, passphrase: str, kind: str, *, scrypt_n: int | None = None) -> None:
        self._out = out
        head = _Head(
            kind, _Kdf(os.urandom(16), SCRYPT_N if scrypt_n is None else scrypt_n), os.urandom(7), CHUNK
        )
        encoded = msgspec.json.encode(head)
        key, check = _keys(passphrase, head.kdf)
        self._cipher = AESGCM(key)
        self._bound = hashlib.sha256(encoded).digest()
        self._nonce = head.nonce
        self._pending = bytearray()
        self._count = 0
        self._hash = hashlib.sha256()
        self.size = 0
        self._emit(_MAGIC + struct.pack(">I", len(encoded)) + encoded + _mac(check, encoded))

    def write(self, data: bytes) -> int:
        self._pending += data
        # One chunk stays behind: only the end knows which is the last.
        while len(self._pending) > CHUNK:
            self._seal(bytes(self._pending[:CHUNK]), last=False)
            del self._pending[:CHUNK]
        return len(data)

    def finish(self) -> str:
        """Writes the last chunk; returns the SHA-256 of the whole file."""
        self._seal(bytes(self._pending), last=True)
        self._pending.clear()
        return self._hash.hexdigest()

    def _seal(self, plain: bytes, *, last: bool) -> None:
        self._emit(self._cipher.encrypt(_nonce(self._nonce, self._count, last=last), plain, self._bound))
        self._count += 1

    def _emit(self, data: bytes) -> None:
        self._hash.update(data)
        self.size += len(data)
        self._out.write(data)


class Reader:
    """Decrypts; every byte it gives has been authenticated, and the end only as the end.

    Raises `WrongPassphraseError` and `DamagedError`.
    """

    def __init__(self, source: BinaryIO, passphrase: str, kind: str) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        if self._take(len(_MAGIC)) != _MAGIC:
            raise DamagedError("this is no archive of Ringward")
        length = struct.unpack(">I", self._exactly(4))[0]
        if length > _MOST_HEAD:
            raise DamagedError("the head is too long")
        encoded, tag = self._exactly(length), self._exactly(32)
        try:
            head = msgspec.json.decode(encoded, type=_Head)
        except msgspec.MsgspecError:
            raise DamagedError("the head cannot be read") from None
        if not (1 < head.kdf.n <= _MOST_N and head.kdf.r == 8 and head.kdf.p == 1) or len(head.nonce) != 7:
            raise DamagedError("the head asks for what no archive of ours needs")
        if not 0 < head.chunk <= _MOST_CHUNK:
            raise DamagedError("the head asks for what no archive of ours needs")
        key, check = _keys(passphrase, head.kdf)
        if not hmac.compare_digest(tag, _mac(check, encoded)):
            raise WrongPassphraseError
        if head.kind != kind:
            raise DamagedError(f"this is a file of kind {head.kind}, not {kind}")
        self._cipher = AESGCM(key)
        self._bound = hashlib.sha256(encoded).digest()
        self._head = head
        self._count = 0
        self._plain = bytearray()
        self._sealed = self._take(head.chunk + _TAG)
        self._ended = False

    @property
    def sha256(self) -> str:
        """Of what was read so far; of the whole file at the end."""
        return self._hash.hexdigest()

    def read(self, count: int) -> bytes:
        """Exactly so many bytes, or fewer at the end of the content."""
        while len(self._plain) < count and not self._ended:
            self._open_next()
        given = bytes(self._plain[:count])
        del self._plain[:count]
        return given

    def _open_next(self) -> None:
        following = self._take(self._head.chunk + _TAG)
        last = not following
        try:
            self._plain += self._cipher.decrypt(
                _nonce(self._head.nonce, self._count, last=last), self._sealed, self._bound
            )
        except (InvalidTag, ValueError):
            raise DamagedError("the file was cut or altered", self._count) from None
        self._count += 1
        self._sealed = following
        self._ended = last

    def _exactly(self, count: int) -> bytes:
        data = self._take(count)
        if len(data) != count:
            raise DamagedError("the file ends in its head")
        return data

    def _take(self, count: int) -> bytes:
        data = self._source.read(count)
        self._hash.update(data)
        return data


def frames(reader: Reader) -> Iterator[Any]:
    """The values that `frame` wrote, in order. Raises `DamagedError`."""
    while True:
        length = reader.read(4)
        if not length:
            return
        body = reader.read(struct.unpack(">I", length)[0]) if len(length) == 4 else b""
        try:
            yield msgspec.msgpack.decode(body)
        except msgspec.MsgspecError:
            raise DamagedError("the content is not what an archive holds") from None


def frame(writer: Writer, value: Any) -> None:
    """Appends one value: anything of msgpack, 4 GB at most."""
    body = msgspec.msgpack.encode(value)
    writer.write(struct.pack(">I", len(body)))
    writer.write(body)


def write_file(
    path: Path, work: Callable[[BinaryIO], None], check: Callable[[Path], None] = lambda _: None
) -> None:
    """Makes a file of mode 0600 that has its name only once it is whole, on the disk and checked.

    Until then it ends in `.part`, which `check` gets to read; when either raises, that is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            work(file)
            file.flush()
            os.fsync(file.fileno())
        check(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _keys(passphrase: str, kdf: _Kdf) -> tuple[bytes, bytes]:
    """The key of the chunks, and the one that knows the right passphrase."""
    try:
        both = hashlib.scrypt(
            passphrase.encode(),
            salt=kdf.salt,
            n=kdf.n,
            r=kdf.r,
            p=kdf.p,
            maxmem=128 * kdf.r * (kdf.n + 64),
            dklen=64,
        )
    except ValueError:
        raise DamagedError("the head cannot be read") from None
    return both[:32], both[32:]


def _mac(key: bytes, encoded: bytes) -> bytes:
    return hmac.new(key, encoded, hashlib.sha256).digest()


def _nonce(prefix: bytes, count: int, *, last: bool) -> bytes:
    return prefix + struct.pack(">IB", count, _LAST if last else 0)
