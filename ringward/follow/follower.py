"""One turn after another: what has changed is sealed, put on the disk of the copy, and only then let go.

The order in a turn is what makes it whole. First it is read what was committed; then the keys
are copied, so that every row of the copy opens; then the pictures, which are stored before
the rows that name them; last the increment gets its name.
"""

import datetime as dt
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import structlog
from sqlalchemy import func, select, update

from privacy.models import ErasureStep, StepState
from ringward.backup import alone, note, place
from ringward.follow import layout
from ringward.follow.layout import Head, Series
from ringward.follow.pictures import Pictures
from ringward.follow.source import Source
from ringward.foundation import Foundation
from ringward.keysfile import copy_keys
from storage import new_id
from storage.archive import ArchiveError, Writer, frame, write_file
from storage.backups import BackupRun
from storage.vault import KEYS, SHREDDED
from storage.walfile import GapError

log = structlog.get_logger(__name__)

# How long an erasure that wants SQLite's log emptied has the database for itself.
ERASURE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn has written. `number` is 0 for a base; None: nothing had changed."""

    at: dt.datetime
    series: str
    number: int | None
    size: int = 0
    pictures: int = 0
    keys_copied: bool = False


class Follower:
    """Follows one deployment into one folder; one process at a time.

    Raises `BlockingIOError` where another follows into it. `base_every` bounds how much a
    restore has to put together, `keep` how far back one can go.
    """

    def __init__(
        self,
        ground: Foundation,
        destination: Path,
        passphrase: str,
        source: Source,
        *,
        base_every: dt.timedelta = dt.timedelta(days=1),
        keep: dt.timedelta = dt.timedelta(days=7),
        label: str | None = None,
    ) -> None:
        self._ground = ground
        self._destination = destination
        self._passphrase = passphrase
        self._source = source
        self._base_every = base_every
        self._keep = keep
        self._label = (label or destination.resolve().name or "backup")[:64]
        root = destination / layout.FOLDER
        root.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(root, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise
        self._pictures = Pictures(root / layout.PICTURES)
        self._series: Path | None = None
        self._base: Head | None = None
        self._last: Head | None = None
        self._previous = ""
        self._keys: tuple[Any, ...] | None = None
        self._keys_at: dt.datetime | None = None
        self._let_in: dict[str, dt.datetime] = {}

    def turn(self) -> Turn:
        """Writes what has changed, or a base where one is due. Raises `ArchiveError` and `OSError`.

        After an exception nothing is lost: the next turn writes it, or a new base.
        """
        if self._makes_way():
            return Turn(self._ground.clock.now(), "", None)
        if self._series is None:
            self._go_on()
        if self._base is None or self._ground.clock.now() - self._base.at >= self._base_every:
            return self._begin()
        try:
            return self._step()
        except GapError as gap:
            log.warning("follow.gap", reason=str(gap))
            return self._begin()

    def close(self) -> None:
        self._source.close()
        os.close(self._lock)

    def _begin(self) -> Turn:
        """A new series: a whole copy."""
        ground = self._ground
        self._forget_series()
        position, whole = self._source.begin()
        # Nothing in it was committed later: the copy is of a state that stands.
        at = ground.clock.now()
        name = layout.series_name(at)
        folder = self._destination / layout.FOLDER / name
        if folder.exists() and not (folder / layout.BASE).exists():
            shutil.rmtree(folder)
        head = Head(0, at, self._source.name, position, secret=secrets.token_hex(32))
        copied = self._copy_keys()
        path = folder / layout.BASE
        if path.exists():
            raise FileExistsError(f"{name} is there already")
        pictures = 0

        def content() -> Iterator[list[Any]]:
            nonlocal pictures
            yield from whole
            for batch in self._pictures.all(ground.media):
                pictures += len(batch)
                yield ["pictures", batch]

        try:
            digest, size = self._write(path, self._passphrase, layout.BASE_KIND, head, content, None)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._series, self._base, self._last, self._previous = folder, head, head, digest
        run = BackupRun(
            id=new_id(),
            destination=place(ground, self._destination),
            label=self._label,
            started_at=at,
            verified_at=ground.clock.now(),
            size=size,
            archive_hash=digest,
            keys_copied_at=self._keys_at,
        )
        note(ground, run, f"followed from here, {pictures} pictures", "backup.followed")
        self._thin_out()
        log.info("follow.base", series=name, size=size, pictures=pictures)
        return Turn(at, name, 0, size, pictures, copied)

    def _step(self) -> Turn:
        assert self._series is not None
        assert self._base is not None
        assert self._last is not None
        found = self._source.changes()
        at = self._ground.clock.now()
        copied = self._copy_keys()
        if copied:
            # The receipt of an erasure waits for this. It is a change itself, which comes with the next turn.
            self._note_keys()
        listed = list(self._pictures.new(self._ground.media))
        pictures = sum(map(len, listed))
        if found is None and not pictures:
            return Turn(at, self._series.name, None, keys_copied=copied)
        position, changed = found or (self._last.position, iter(()))
        number = self._last.number + 1
        head = Head(number, at, self._source.name, position, previous=self._previous)

        def content() -> Iterator[list[Any]]:
            yield from changed
            for batch in listed:
                yield ["pictures", batch]

        path = self._series / f"{number:08d}{layout.SUFFIX}"
        try:
            digest, size = self._write(
                path, self._base.secret, layout.STEP_KIND, head, content, layout.SECRET_N
            )
        except BaseException:
            # What was copied but is listed nowhere is listed by the next.
            self._pictures.forget(listed)
            raise
        self._last, self._previous = head, digest
        self._source.accept()
        return Turn(at, self._series.name, number, size, pictures, copied)

    def _write(
        self,
        path: Path,
        secret: str,
        kind: str,
        head: Head,
        content: Callable[[], Iterator[list[Any]]],
        scrypt_n: int | None,
    ) -> tuple[str, int]:
        """A file, read back whole before it has its name; its SHA-256 and size."""
        size = 0
        digest = ""

        def write(file: BinaryIO) -> None:
            nonlocal size, digest
            writer = Writer(file, secret, kind, scrypt_n=scrypt_n)
            frame(writer, ["head", msgspec.to_builtins(head)])
            count = 0
            for value in content():
                frame(writer, value)
                count += 1
            frame(writer, ["end", count])
            digest = writer.finish()
            size = writer.size

        def check(partial: Path) -> None:
            _, found = layout.read(partial, secret, kind, lambda _: None)
            if found != digest:
                raise ArchiveError(f"{path.name} was read back as something else")

        write_file(path, write, check)
        return digest, size

    def _go_on(self) -> None:
        """Where an earlier process stopped, if nothing can have been missed since."""
        series = layout.all_series(self._destination)
        if not series:
            return
        newest = series[-1]
        try:
            base = layout.head_of(newest.base, self._passphrase, layout.BASE_KIND)
            last, digest = self._walk(newest, base)
        except ArchiveError as error:
            log.warning("follow.begins_anew", reason=str(error))
            return
        if base.source != self._source.name or not self._source.resume(last.position):
            return
        self._series, self._base, self._last, self._previous = newest.path, base, last, digest

    def _walk(self, series: Series, base: Head) -> tuple[Head, str]:
        """The last head of a series, and the SHA-256 of its file; what was copied is remembered."""

        def take(value: list[Any]) -> None:
            if value[0] == "pictures":
                self._pictures.remember(value[1])

        head, digest = layout.read(series.base, self._passphrase, layout.BASE_KIND, take)
        for path in series.steps:
            following, found = layout.read(path, base.secret, layout.STEP_KIND, take)
            if following.previous != digest or following.number != head.number + 1:
                raise ArchiveError(f"{path.name} does not follow the one before it")
            head, digest = following, found
        return head, digest

    def _forget_series(self) -> None:
        self._series = self._base = self._last = None
        self._previous = ""

    def _copy_keys(self) -> bool:
        """Replaces the copy of the keys when there is another key, or one less."""
        state = self._state_of_keys()
        if state == self._keys:
            return False
        with alone(self._destination):
            self._keys_at = copy_keys(self._ground, self._destination, self._passphrase).taken_at
        self._keys = state
        return True

    def _state_of_keys(self) -> tuple[Any, ...]:
        ring = hashlib.sha256(self._ground.settings.key_file.read_bytes()).hexdigest()
        with self._ground.vault.engine.connect() as connection:
            keys = connection.execute(select(func.count(), func.sum(KEYS.c.ring_key)).select_from(KEYS)).one()
            gone = connection.scalar(select(func.max(SHREDDED.c.seq)))
        return ring, *keys, gone

    def _note_keys(self) -> None:
        with self._ground.database.write() as session:
            session.execute(
                update(BackupRun)
                .where(BackupRun.destination == place(self._ground, self._destination))
                .values(keys_copied_at=self._keys_at)
            )

    def _makes_way(self) -> bool:
        """Whether an erasure waits until nobody reads SQLite's log: it must lose its old pages."""
        if not self._ground.database.is_sqlite:
            return False
        now = self._ground.clock.now()
        with self._ground.database.read() as session:
            waiting = set(
                session.scalars(
                    select(ErasureStep.erasure).where(
                        ErasureStep.place == "database", ErasureStep.state == StepState.PENDING
                    )
                )
            )
        for erasure in waiting - self._let_in.keys():
            self._let_in[erasure] = now
        self._let_in = {each: since for each, since in self._let_in.items() if each in waiting}
        if not any((now - since).total_seconds() < ERASURE_S for since in self._let_in.values()):
            return False
        if self._series is not None:
            log.info("follow.makes_way")
        self._source.let_go()
        self._forget_series()
        return True

    def _thin_out(self) -> None:
        """Removes series that nobody can want any more, and pictures that only they knew."""
        series = layout.all_series(self._destination)
        horizon = self._ground.clock.now() - self._keep
        kept: list[Series] = []
        for each, following in zip(series, [*series[1:], None], strict=True):
            # A series reaches until the next one begins.
            if following is not None and following.name <= layout.series_name(horizon):
                shutil.rmtree(each.path)
                log.info("follow.let_go", series=each.name)
            else:
                kept.append(each)
        named: set[str] = set()

        def take(value: list[Any]) -> None:
            if value[0] == "pictures":
                named.update(media_id for media_id, _ in value[1])

        try:
            for each in kept:
                base, _ = layout.read(each.base, self._passphrase, layout.BASE_KIND, take)
                for path in each.steps:
                    layout.read(path, base.secret, layout.STEP_KIND, take)
        except ArchiveError as error:
            # Who cannot say what is named must not remove anything.
            log.warning("follow.not_thinned_out", reason=str(error))
            return
        self._pictures.thin_out(self._ground.media, named)
