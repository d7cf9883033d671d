"""Snapshots of galleries in memory, shared by the recognition processes of one machine.

Opening 100,000 sealed templates takes a starting process many seconds; mapping what another has
opened takes one. So the first to open a large gallery lays it into a file that is memory, and
the others map it. The registry stays the truth: what a snapshot has too much or too little is
put right before the gallery is used.

Nobody erased may stay in it. Whoever hears of an erasure first overwrites the rows, under the
others' eyes as well, and takes the file away; the last one to leave takes it away; and one whose
holders were all killed is swept after a minute.
"""

import contextlib
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Collection, Iterator
from typing import Final

import structlog

from recognition.engines import FaceEngine
from recognition.gallery import memoryfs, snapshotfile
from recognition.gallery.image import Image
from recognition.gallery.snapshotfile import NoSnapshotError
from storage import Database, content_id

log = structlog.get_logger()

LEAST: Final = 2_000
"""Templates from which on a snapshot is worth it; fewer are opened in half a second."""

ABANDONED_AFTER_S: Final = 60.0
"""A file that nobody holds is left lying this long, so that a worker that was killed starts warm."""

_SUFFIX: Final = ".gallery"


class Snapshots:
    """The snapshots that one process reads, writes and holds. Not safe for threads.

    ``folder`` is a descriptor of a folder of our own that lies in memory, see `memoryfs`;
    ``deployment`` tells two deployments on one machine apart.
    """

    def __init__(self, folder: int, deployment: str, *, least: int = LEAST) -> None:
        self._folder = folder
        self._deployment = deployment
        self.least = least
        # What this process has mapped or written, also after it was taken away: by name and inode.
        self._held: dict[tuple[str, int], int] = {}

    @classmethod
    def of_this_machine(cls, database: Database) -> "Snapshots | None":
        """None where the machine has no folder in memory for us: then galleries are opened each time."""
        folder = memoryfs.open_folder()
        if folder is None:
            log.info("recognition.no_snapshots")
            return None
        sweep(folder)
        return cls(folder, database.url)

    def read(self, compound: str, engine: FaceEngine) -> Image | None:
        """What another process has laid down; None where there is nothing that can be used."""
        name = self._name(compound, engine)
        descriptor = self._hold(name)
        if descriptor is None:
            return None
        try:
            image = snapshotfile.read(descriptor, name)
        except (NoSnapshotError, OSError, ValueError) as error:
            log.warning("recognition.snapshot_ignored", why=str(error))
            self._unlink(name)
            return None
        if (image.dimension, image.unit) == (engine.dimension, engine.unit):
            return image
        return None

    def write(self, compound: str, engine: FaceEngine, image: Image) -> bool:
        """Lays a gallery down in the place of what lay there; False where memory has no room for it."""
        name = self._name(compound, engine)
        # A dot: nobody takes what is half written for a snapshot, and the sweep knows it.
        draft = f".{secrets.token_hex(8)}{_SUFFIX}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(draft, flags, 0o600, dir_fd=self._folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if not memoryfs.lies_in_memory(descriptor):
                raise OSError("not in memory")  # noqa: TRY301 - ends like a full one
            for part in snapshotfile.parts(name, image):
                _write_all(descriptor, part)
            os.rename(draft, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError as error:
            log.warning("recognition.snapshot_not_written", error=error.errno)
            os.close(descriptor)
            self._unlink(draft)
            return False
        self._held[name, os.fstat(descriptor).st_ino] = descriptor
        return True

    def forget(self, compound: str, templates: Collection[str]) -> None:
        """Overwrites templates in every snapshot of the compound, of whichever engine, and takes those
        away that had them. Others may go on with what they have mapped: the rest stands.
        """
        for name in self._names(compound):
            self._hold(name)
        prefix = self._prefix(compound)
        for (name, inode), descriptor in self._held.items():
            if not name.startswith(prefix):
                continue
            try:
                had = snapshotfile.scrub(descriptor, templates)
            except (NoSnapshotError, OSError):
                had = True
            if had and self._inode(name) == inode:
                self._unlink(name)

    def there(self, compound: str, engine: FaceEngine) -> bool:
        """Whether a snapshot of this gallery lies there now; it is held from now on.

        Called now and then, it also tells the sweep that somebody is still here.
        """
        descriptor = self._hold(self._name(compound, engine))
        if descriptor is None:
            return False
        os.utime(descriptor)
        return True

    def leave(self, compound: str, engine: FaceEngine) -> None:
        """Lets go of one gallery's; what nobody else holds is taken away."""
        self._leave(self._name(compound, engine))

    def close(self) -> None:
        """Lets go of everything; what nobody else holds is taken away."""
        for name in {name for name, _ in self._held}:
            self._leave(name)

    def _leave(self, name: str) -> None:
        for key in [key for key in self._held if key[0] == name]:
            descriptor = self._held.pop(key)
            if _alone(descriptor) and self._inode(name) == key[1]:
                self._unlink(name)
            os.close(descriptor)

    def _hold(self, name: str) -> int | None:
        """A descriptor of the file of a name, held against the sweep; None where there is no file of ours."""
        inode = self._inode(name)
        if inode is None:
            return None
        if (known := self._held.get((name, inode))) is not None:
            return known
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
        except OSError:
            return None
        try:
            found = os.fstat(descriptor)
            if not (
                stat.S_ISREG(found.st_mode)
                and memoryfs.is_ours(found)
                and memoryfs.lies_in_memory(descriptor)
            ):
                raise OSError("not ours")  # noqa: TRY301 - ends like one that is locked
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            if self._inode(name) != found.st_ino:
                raise OSError("gone meanwhile")  # noqa: TRY301
        except OSError:
            os.close(descriptor)
            return None
        self._held[name, found.st_ino] = descriptor
        return descriptor

    def _names(self, compound: str) -> list[str]:
        prefix = self._prefix(compound)
        return [name for name in _files(self._folder) if name.startswith(prefix)]

    def _prefix(self, compound: str) -> str:
        return content_id(self._deployment, compound) + "."

    def _name(self, compound: str, engine: FaceEngine) -> str:
        # Nothing of it can be read from the name.
        return self._prefix(compound) + content_id(engine.name, engine.version) + _SUFFIX

    def _inode(self, name: str) -> int | None:
        try:
            return os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_ino
        except OSError:
            return None

    def _unlink(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self._folder)


def sweep(folder: int | None = None) -> int:
    """Takes away what processes that were killed have left; returns how many files.

    Without a folder it is this machine's own, which the keeper sweeps too.
    """
    own = memoryfs.open_folder() if folder is None else None
    folder = own if folder is None else folder
    if folder is None:
        return 0
    try:
        return sum(1 for name in _abandoned(folder) if _taken(name, folder))
    finally:
        if own is not None:
            os.close(own)


def _files(folder: int) -> list[str]:
    # By descriptor: the folder that was checked, whatever its path has become.
    return [name for name in os.listdir(folder) if name.endswith(_SUFFIX)]


def _abandoned(folder: int) -> Iterator[str]:
    for name in _files(folder):
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            continue
        try:
            idle = time.time() - os.fstat(descriptor).st_mtime
            if idle > ABANDONED_AFTER_S and _alone(descriptor):
                yield name
        finally:
            os.close(descriptor)


def _taken(name: str, folder: int) -> bool:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return False
    return True


def _alone(descriptor: int) -> bool:
    """Whether nobody else holds an open file. Takes it from whoever comes now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_all(descriptor: int, part: bytes | memoryview) -> None:
    rest = memoryview(part)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
