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
from collections.abc import Callable, Collection
from typing import Final

import structlog

from recognition.engines.contract import TemplateKind
from recognition.gallery import memoryfs, snapshotfile
from recognition.gallery.image import Image
from recognition.gallery.snapshotfile import NoSnapshotError
from recognition.gallery.sweeping import SUFFIX, alone, files, sweep
from storage import Database, content_id

log = structlog.get_logger()

LEAST: Final = 2_000
"""Templates from which on a snapshot is worth it; fewer are opened in half a second."""


class _File:
    """An open file in the folder, locked against the sweep for as long as it is open."""

    __slots__ = ("checked", "descriptor", "inode")

    def __init__(self, descriptor: int, *, checked: bool) -> None:
        self.descriptor = descriptor
        self.inode = os.fstat(descriptor).st_ino
        # Whether everybody in it was seen to be in the registry since it was written.
        self.checked = checked


class Snapshots:
    """The snapshots that one process reads, writes and holds. Not safe for threads.

    ``folder`` is a descriptor of a folder of our own that lies in memory, see `memoryfs`;
    ``deployment`` tells two deployments on one machine apart.
    """

    def __init__(self, folder: int, deployment: str, *, least: int = LEAST) -> None:
        self._folder = folder
        self._deployment = deployment
        self.least = least
        # By name: the file that lies there now, and the one whose memory this process uses, which may
        # have been taken away since and is still shared with others.
        self._held: dict[str, _File] = {}
        self._mapped: dict[str, _File] = {}

    @classmethod
    def of_this_machine(cls, database: Database) -> "Snapshots | None":
        """None where the machine has no folder in memory for us: then galleries are opened each time."""
        folder = memoryfs.open_folder()
        if folder is None:
            log.info("recognition.no_snapshots")
            return None
        sweep(folder)
        return cls(folder, database.url)

    def read(self, compound: str, engine: TemplateKind) -> Image | None:
        """What another process has laid down; None where there is nothing that can be used.

        Whoever reads it has to see who of it is in the registry no more, and `forget` them.
        """
        name = self._name(compound, engine)
        file = self._hold(name)
        if file is None:
            return None
        try:
            image = snapshotfile.read(file.descriptor, name)
        except (NoSnapshotError, OSError, ValueError) as error:
            log.warning("recognition.snapshot_ignored", why=str(error))
            self._unlink(name)
            return None
        if (image.dimension, image.unit) != (engine.dimension, engine.unit):
            return None
        file.checked = True
        self._mapped[name] = file
        return image

    def write(self, compound: str, engine: TemplateKind, image: Image) -> bool:
        """Lays a gallery down in the place of what lay there; False where memory has no room for it."""
        name = self._name(compound, engine)
        # A dot: nobody takes what is half written for a snapshot, and the sweep knows it.
        draft = f".{secrets.token_hex(8)}{SUFFIX}"
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
        self._put(name, _File(descriptor, checked=True))
        return True

    def forget(self, compound: str, templates: Collection[str]) -> None:
        """Overwrites templates in every snapshot of the compound, of whichever engine.

        Those that had them are taken away. Others may go on with what they have mapped: what is left
        of it stands.
        """
        prefix = self._prefix(compound)
        for name in {*files(self._folder), *self._mapped}:
            if not name.startswith(prefix):
                continue
            mine = [file for file in (self._held.get(name), self._mapped.get(name)) if file is not None]
            inode = self._inode(name)
            passing = None
            if inode is not None and all(file.inode != inode for file in mine):
                passing = self._open(name)
            for file in mine if passing is None else [*mine, passing]:
                if _scrubbed(file.descriptor, templates) and file.inode == inode:
                    self._unlink(name)
            if passing is not None:
                # What is no gallery of this process's is not held up by it.
                os.close(passing.descriptor)

    def there(
        self, compound: str, engine: TemplateKind, gone: Callable[[frozenset[str]], Collection[str]]
    ) -> bool:
        """Whether a snapshot of this gallery lies there now; it is held from now on.

        Called now and then, it also tells the sweep that somebody is still here. Another process may
        have written it just before it heard of an erasure, and have died: of one that is new here
        ``gone`` is asked which of its templates are in the registry no more.
        """
        name = self._name(compound, engine)
        file = self._hold(name)
        if file is None:
            return False
        if not file.checked:
            try:
                erased = gone(snapshotfile.templates(file.descriptor))
            except (NoSnapshotError, OSError):
                self._unlink(name)
                return False
            file.checked = True
            if erased:
                self.forget(compound, erased)
                return False
        os.utime(file.descriptor)
        return True

    def leave(self, compound: str, engine: TemplateKind) -> None:
        """Lets go of one gallery's; what nobody else holds is taken away."""
        self._leave(self._name(compound, engine))

    def close(self) -> None:
        """Lets go of everything; what nobody else holds is taken away."""
        for name in {*self._held, *self._mapped}:
            self._leave(name)

    def _leave(self, name: str) -> None:
        for file in {self._held.pop(name, None), self._mapped.pop(name, None)} - {None}:
            assert file is not None
            if alone(file.descriptor) and self._inode(name) == file.inode:
                self._unlink(name)
            os.close(file.descriptor)

    def _hold(self, name: str) -> _File | None:
        """The file of a name, held against the sweep; None where there is none of ours."""
        known = self._held.get(name)
        if known is not None and self._inode(name) == known.inode:
            return known
        file = self._open(name)
        if file is not None:
            self._put(name, file)
        return file

    def _put(self, name: str, file: _File) -> None:
        before = self._held.get(name)
        self._held[name] = file
        if before is not None and before is not self._mapped.get(name):
            os.close(before.descriptor)

    def _open(self, name: str) -> _File | None:
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
        return _File(descriptor, checked=False)

    def _prefix(self, compound: str) -> str:
        return content_id(self._deployment, compound) + "."

    def _name(self, compound: str, engine: TemplateKind) -> str:
        # Nothing of it can be read from the name.
        return self._prefix(compound) + content_id(engine.name, engine.version) + SUFFIX

    def _inode(self, name: str) -> int | None:
        try:
            return os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_ino
        except OSError:
            return None

    def _unlink(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=self._folder)


def _scrubbed(descriptor: int, templates: Collection[str]) -> bool:
    """Whether a file had any of these templates, or cannot be said not to have had."""
    try:
        return snapshotfile.scrub(descriptor, templates)
    except (NoSnapshotError, OSError):
        return True


def _write_all(descriptor: int, part: bytes | memoryview) -> None:
    rest = memoryview(part)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
