"""The galleries that one process holds, one a compound: each follows its registry within a second."""

import datetime as dt
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.orm import Session

from recognition.engines.contract import TemplateKind
from recognition.gallery import following
from recognition.gallery.index import Gallery
from recognition.gallery.snapshots import Snapshots
from registry.days import local_date
from registry.faces import galleries, reading, revisions
from storage import Clock, Database

log = structlog.get_logger()

REFRESH_S: Final = 1.0
"""Whoever holds a keeper calls ``refresh`` at least this often, in seconds, also when nothing happens."""

_REPORT_EVERY: Final = galleries.GONE_AFTER / 6
_LAY_DOWN_EVERY: Final = dt.timedelta(seconds=30)
# Newcomers that a snapshot may lack, as a share of it: a starting process opens them itself.
_BEHIND: Final = 0.1


@dataclass(slots=True)
class _Held:
    """A gallery, of which engine, as of which revision, and of which day, since children grow up."""

    gallery: Gallery
    engine: TemplateKind
    revision: int
    day: dt.date
    # Templates in the snapshot when this process last read or wrote it, and when it last tried to.
    laid_down: int = 0
    tried_at: dt.datetime | None = None


class GalleryKeeper:
    """Galleries by compound, read when first asked for and changed in place from then on.

    ``name`` is who this process is among the holders of galleries: an erasure waits for its word.
    May be called from several threads; a gallery that was handed out changes in place while a
    later call runs, between two searches and never within one.
    """

    def __init__(
        self, database: Database, clock: Clock, name: str, *, snapshots: Snapshots | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._snapshots = snapshots
        self._held: dict[str, _Held] = {}
        self._reported: dict[str, tuple[int, dt.datetime]] = {}
        self._lock = threading.RLock()

    def gallery(self, compound: str, engine: TemplateKind) -> Gallery:
        """The compound's gallery of this engine, as the registry has it now.

        One engine's at a time: asking for another's forgets the former. Errors of the database
        are raised: without it nobody knows whether somebody was erased.
        """
        with self._lock:
            held = self._held.get(compound)
            if held is None or (held.engine.name, held.engine.version) != (engine.name, engine.version):
                if held is not None and self._snapshots is not None:
                    self._snapshots.leave(compound, held.engine)
                held = self._held[compound] = self._read(compound, engine)
            else:
                with self._database.read() as session:
                    self._follow(session, compound, held)
            return held.gallery

    def revision(self, compound: str) -> int:
        """The revision of the registry that the compound's gallery stands at; -1 where none is held."""
        held = self._held.get(compound)
        return -1 if held is None else held.revision

    def refresh(self) -> None:
        """Follows what has changed, and says what is held now: nobody erased stays in memory."""
        with self._lock:
            if not self._held:
                return
            with self._database.read() as session:
                for compound, held in self._held.items():
                    self._follow(session, compound, held)
            self._report()
            for compound, held in self._held.items():
                self._lay_down(compound, held)

    def close(self) -> None:
        """Forgets every gallery and says so."""
        with self._lock:
            self._held.clear()
            self._reported.clear()
            if self._snapshots is not None:
                self._snapshots.close()
            with self._database.write() as session:
                galleries.leave(session, self._name)

    def _read(self, compound: str, engine: TemplateKind) -> _Held:
        # Entered before it is read: an erasure in between must know that somebody holds one.
        now = self._clock.now()
        with self._database.write() as session:
            galleries.clear_away(session, now)
            galleries.report(session, self._name, compound, -1, now)
        self._reported[compound] = (-1, now)
        image = None if self._snapshots is None else self._snapshots.read(compound, engine)
        gallery = Gallery(engine.dimension, unit=engine.unit) if image is None else Gallery.of(image)
        warm = len(gallery)
        with self._database.read() as session:
            # The revision is read first: a change in between makes the copy look old, never new.
            revision = revisions.current(session, compound)
            day = local_date(session, compound, self._clock.now())
            gone = following.read_anew(session, gallery, compound, engine, day)
        self._forget(compound, gone)
        log.info(
            "recognition.gallery_loaded",
            revision=revision,
            templates=len(gallery),
            people=gallery.people,
            warm=warm,
        )
        held = _Held(gallery, engine, revision, day, warm)
        self._lay_down(compound, held)
        return held

    def _follow(self, session: Session, compound: str, held: _Held) -> None:
        revision = revisions.current(session, compound)
        day = local_date(session, compound, self._clock.now())
        if (held.revision, held.day) == (revision, day):
            return
        changes = revisions.since(session, compound, held.revision, revision)
        if changes is None or day != held.day:
            gone = following.read_anew(session, held.gallery, compound, held.engine, day)
        else:
            following.follow(session, held.gallery, compound, held.engine, day, changes)
            # Also of templates that are not held here: a snapshot of the former engine has them.
            gone = changes.removed
        self._forget(compound, gone)
        # Only now: what broke off half-way is done again.
        held.revision, held.day = revision, day
        log.info("recognition.gallery_followed", revision=revision, templates=len(held.gallery))

    def _forget(self, compound: str, templates: Collection[str]) -> None:
        if templates and self._snapshots is not None:
            self._snapshots.forget(compound, templates)

    def _lay_down(self, compound: str, held: _Held) -> None:
        """Sees to it that a starting process finds a snapshot, and that it lacks few."""
        now = self._clock.now()
        if self._snapshots is None or len(held.gallery) < self._snapshots.least:
            return

        def gone(templates: frozenset[str]) -> frozenset[str]:
            with self._database.read() as session:
                # Whom it has beyond us came since, or was erased before.
                unknown = templates - held.gallery.templates
                return unknown - reading.existing(session, unknown)

        there = self._snapshots.there(compound, held.engine, gone)
        if there and len(held.gallery) <= held.laid_down * (1 + _BEHIND):
            return
        if held.tried_at is not None and dt.timedelta() <= now - held.tried_at < _LAY_DOWN_EVERY:
            return
        held.tried_at = now
        self._snapshots.write(compound, held.engine, held.gallery.image())
        held.laid_down = len(held.gallery)

    def _report(self) -> None:
        """Says what is held: at once when it has moved, else often enough to count as being there."""
        now = self._clock.now()
        due = {
            compound: held.revision
            for compound, held in self._held.items()
            if (said := self._reported.get(compound)) is None
            or said[0] != held.revision
            or not dt.timedelta() <= now - said[1] < _REPORT_EVERY
        }
        if not due:
            return
        with self._database.write() as session:
            for compound, revision in due.items():
                galleries.report(session, self._name, compound, revision, now)
        self._reported |= {compound: (revision, now) for compound, revision in due.items()}
