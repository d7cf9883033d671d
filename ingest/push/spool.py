"""The spool: what was pushed to us lies on the disk before the device is told so.

A message is one file, sealed like a picture in the media store: a push may hold a face. Its
name is the moment of receipt, so that names sort in the order in which messages came. It
appears by a rename and is promised only after the folder's fsync; a piece that never got its
name was promised to nobody, and goes at the next start.
"""

import contextlib
import errno
import fcntl
import hashlib
import math
import os
import re
import shutil
import threading
from bisect import insort
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec
import structlog
from cryptography.exceptions import InvalidTag

from ingest.arrival import Arrival
from storage import Clock, KeyRing
from storage.columns import from_microseconds, to_microseconds
from storage.secretfile import sync_folder

log = structlog.get_logger(__name__)

# What a file begins with; after it 32 bytes of BLAKE2b over the rest, which is sealed.
MAGIC: Final = b"RWSPOOL1"
_HEAD: Final = len(MAGIC) + 32
_BOUND: Final = b"ringward spool"
# Generous: name, topic and content type of a message, the seal, and a block of the disk.
OVERHEAD: Final = 8192
_NAME: Final = re.compile(r"\d{20}\.msg")
_PART: Final = ".part"
_LOCK: Final = "lock"
_ASIDE: Final = "aside"
# The disk says that this very file cannot be read; other errors pass.
_UNREADABLE: Final = frozenset([errno.EIO, errno.EISDIR, errno.ELOOP, errno.EUCLEAN])

_decoder = msgspec.msgpack.Decoder(Arrival)


class SpoolFullError(Exception):
    """There is no room for `size` more bytes: the sender has to keep them."""

    def __init__(self, size: int, why: str) -> None:
        super().__init__(f"no room for {size} bytes: {why}")
        self.size = size
        self.why = why


class SpoolBusyError(OSError):
    """Another process takes in pushes for this data directory."""


class SpoolFileError(Exception):
    """A file of the spool that cannot be read as one; `why` is for the operator."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """Bytes: the most that waits, and what must stay free on the disk for the database."""

    most: int
    keep_free: int


@dataclass(frozen=True, slots=True)
class SpoolState:
    """What waits: messages, bytes, the age of the oldest in seconds (0 with none), files set aside."""

    messages: int
    size: int
    oldest_s: float
    aside: int


class Spool:
    """Safe to use from several threads; one process a folder."""

    def __init__(self, folder: Path, ring: KeyRing, clock: Clock, limits: SpoolLimits) -> None:
        self.folder = folder
        # Set whenever a message has come.
        self.news = threading.Event()
        self._ring = ring
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._held: IO[str] | None = None
        # Names of what waits, in order, and the size of each file; `_writing` is not promised yet.
        self._waiting: list[int] = []
        self._sizes: dict[int, int] = {}
        self._writing: dict[int, int] = {}
        self._total = 0
        self._last = 0

    def open(self) -> list[str]:
        """Takes the folder over; returns the names of strange files that were set aside.

        Raises `SpoolBusyError` and `OSError`.
        """
        (self.folder / _ASIDE).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        sync_folder(self.folder.parent)
        self._held = _hold(self.folder / _LOCK)
        try:
            found, strange = self._look_through()
        except OSError:
            self.close()
            raise
        with self._lock:
            self._sizes = found
            self._waiting = sorted(found)
            self._total = sum(found.values())
            self._last = max(found, default=0)
        if found:
            log.info("spool.found", messages=len(found), size=sum(found.values()))
            self.news.set()
        return strange

    def _look_through(self) -> tuple[dict[int, int], list[str]]:
        """(sizes of what waits, strange files that were moved aside)."""
        found: dict[int, int] = {}
        strange: list[str] = []
        for entry in os.scandir(self.folder):
            if entry.name == _LOCK or entry.is_dir(follow_symlinks=False):
                continue
            if entry.name.endswith(_PART):
                # Was being written when the process ended: nobody was told that we have it.
                Path(entry.path).unlink()
            elif _NAME.fullmatch(entry.name) and not entry.is_symlink():
                found[int(entry.name[:20])] = entry.stat().st_size
            else:
                self._move_aside(entry.name)
                strange.append(entry.name)
        return found, strange

    def close(self) -> None:
        """Gives the folder back."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def admit(self, size: int) -> None:
        """Raises `SpoolFullError` when there is no room for a message of so many bytes."""
        with self._lock:
            self._check_room(size + OVERHEAD)

    def put(self, device_id: str, topic: str, payload: bytes, content_type: str | None) -> Arrival:
        """Stores a message durably and says when it was received.

        Raises `SpoolFullError` and `OSError`; then nothing of it is left, and nothing may be
        promised.
        """
        with self._lock:
            self._check_room(len(payload) + OVERHEAD)
            received_at = self._clock.now()
            # A clock that was set back must not bring a message before those that came earlier.
            number = max(self._last + 1, to_microseconds(received_at))
            self._last = number
            self._writing[number] = len(payload) + OVERHEAD
        arrival = Arrival(topic, payload, received_at, signed_in=device_id, content_type=content_type)
        try:
            size = self._write(number, arrival)
        except BaseException:
            with self._lock:
                del self._writing[number]
            raise
        with self._lock:
            del self._writing[number]
            self._sizes[number] = size
            self._total += size
            insort(self._waiting, number)
        self.news.set()
        return arrival

    def waiting(self, messages: int, size: float = math.inf) -> list[int]:
        """The oldest messages that wait: at most so many, of about so many bytes, at least one.

        None that is younger than one which is still being written.
        """
        taken: list[int] = []
        total = 0
        with self._lock:
            horizon = min(self._writing, default=math.inf)
            for number in self._waiting[:messages]:
                total += self._sizes[number]
                if number >= horizon or (taken and total > size):
                    break
                taken.append(number)
        return taken

    def read(self, number: int) -> Arrival | None:
        """A message that waits; None when its file has gone. Raises `SpoolFileError` and `OSError`."""
        try:
            content = self._path(number).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _UNREADABLE:
                raise SpoolFileError(error.strerror or "unreadable") from error
            raise
        if content[: len(MAGIC)] != MAGIC:
            raise SpoolFileError("not a file of the spool")
        sealed = content[_HEAD:]
        if content[len(MAGIC) : _HEAD] != _checksum(sealed):
            raise SpoolFileError("the checksum does not agree")
        try:
            return _decoder.decode(self._ring.open(sealed, _BOUND))
        except KeyError:
            raise SpoolFileError(f"sealed with key {sealed[0]}, which the ring does not have") from None
        except (InvalidTag, IndexError, ValueError) as error:
            raise SpoolFileError(f"cannot be opened: {type(error).__name__}") from error

    def done(self, number: int) -> None:
        """Forgets a message that is committed. Should its file come back, it is a repeat."""
        with contextlib.suppress(FileNotFoundError):
            self._path(number).unlink()
        self._forget(number)

    def set_aside(self, number: int) -> str:
        """Moves a file out of the way of the others; returns its name. Raises `OSError`."""
        name = self._path(number).name
        self._move_aside(name)
        self._forget(number)
        return name

    def sweep_aside(self, days: int) -> int:
        """Deletes what was set aside so long ago; returns how many files."""
        limit = self._clock.now().timestamp() - days * 86400
        old = [entry for entry in os.scandir(self.folder / _ASIDE) if entry.stat().st_mtime < limit]
        for entry in old:
            Path(entry.path).unlink()
        return len(old)

    def state(self) -> SpoolState:
        """What waits now."""
        with self._lock:
            waiting, total = len(self._waiting), self._total
            oldest = self._waiting[0] if self._waiting else None
        return _state(self.folder, self._clock, waiting, total, oldest)

    def _check_room(self, size: int) -> None:
        if self._total + sum(self._writing.values()) + size > self._limits.most:
            raise SpoolFullError(size, "the spool is full")
        if shutil.disk_usage(self.folder).free - size < self._limits.keep_free:
            raise SpoolFullError(size, "the disk is nearly full")

    def _write(self, number: int, arrival: Arrival) -> int:
        sealed = self._ring.seal(msgspec.msgpack.encode(arrival), _BOUND)
        path = self._path(number)
        partial = path.with_suffix(_PART)
        try:
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + _checksum(sealed))
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
            sync_folder(self.folder)
        except BaseException:
            # The sender is told no. Where even this fails the message may still be taken in:
            # then what the sender sends again is a repeat. The other way round it were lost.
            for left in (partial, path):
                with contextlib.suppress(OSError):
                    left.unlink()
            raise
        return _HEAD + len(sealed)

    def _move_aside(self, name: str) -> None:
        path = self.folder / name
        now = self._clock.now().timestamp()
        with contextlib.suppress(OSError):
            os.utime(path, (now, now), follow_symlinks=False)
        path.rename(self.folder / _ASIDE / name)

    def _forget(self, number: int) -> None:
        with self._lock:
            self._total -= self._sizes.pop(number)
            self._waiting.remove(number)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:020d}.msg"


def look_at(folder: Path, clock: Clock) -> SpoolState:
    """What waits in a folder that another process may be using; for `ringward doctor`."""
    sizes = {
        int(entry.name[:20]): entry.stat().st_size
        for entry in os.scandir(folder)
        if _NAME.fullmatch(entry.name)
    }
    return _state(folder, clock, len(sizes), sum(sizes.values()), min(sizes, default=None))


def sealed_by(folder: Path) -> Counter[int]:
    """How many files each key of the ring seals, those set aside too."""
    found: Counter[int] = Counter()
    for place in (folder, folder / _ASIDE):
        for path in place.glob("*.msg"):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                head = file.read(_HEAD + 1)
                if head.startswith(MAGIC) and len(head) > _HEAD:
                    found[head[_HEAD]] += 1
    return found


def _state(folder: Path, clock: Clock, messages: int, size: int, oldest: int | None) -> SpoolState:
    age = 0.0
    if oldest is not None:
        age = max(0.0, (clock.now() - from_microseconds(oldest)).total_seconds())
    return SpoolState(messages, size, age, len(list((folder / _ASIDE).glob("*"))))


def _checksum(sealed: bytes) -> bytes:
    return hashlib.blake2b(sealed, digest_size=32).digest()


def _hold(path: Path) -> IO[str]:
    """Two processes would give one name to two messages."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise SpoolBusyError(f"{path.parent.name} is in use by another process") from None
    return file
