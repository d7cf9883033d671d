"""Embeds a gallery anew from its photos, one at a time while nothing happens at the gates."""

import contextlib
import datetime as dt
from collections import deque
from typing import Final

import structlog

from recognition.engines import FaceEngine
from recognition.enrolment import RefusedPortrait, embed_portrait
from recognition.models import EmbeddingRun
from recognition.reembedding import photos, runs
from recognition.reembedding.choice import EngineKey
from registry.faces import revisions, templates
from registry.faces.templates import ConsentMissingError, Embedding
from registry.models import FaceTemplate
from storage import Clock, Database, MediaStore
from storage.media import MediaNotFoundError
from storage.vault import ShreddedError

log = structlog.get_logger()

LOOK_EVERY: Final = dt.timedelta(seconds=20)
"""How long nothing is looked for after there was nothing to do."""

_AHEAD: Final = 64


class Reembedder:
    """Brings every compound to the configured engine, and takes the former templates away later.

    Any number of processes may do it at once: each photo is begun by one of them. What was begun
    is written down first, so a process that dies of a photo does not do so for ever. ``engine`` is
    used within ``step`` alone: whoever else uses it must not do so meanwhile.
    """

    def __init__(self, database: Database, media: MediaStore, engine: FaceEngine, clock: Clock) -> None:
        self._database = database
        self._media = media
        self._engine = engine
        self._key = EngineKey.of(engine)
        self._clock = clock
        # What is to be embedded next; another process may have the same ahead.
        self._ahead: deque[tuple[EmbeddingRun, str]] = deque()
        self._looked: dt.datetime | None = None
        # Compounds that were done with: at which revision of theirs, and until when.
        self._settled: dict[str, tuple[int, dt.datetime | None]] = {}

    def step(self) -> bool:
        """Does one thing; False where there is nothing to do for now.

        That is embedding one photo, or looking for photos, which takes less. Errors of the database
        and of the media store are raised, and what was begun is begun again later.
        """
        if self._next():
            return True
        now = self._clock.now()
        if self._looked is not None and dt.timedelta() <= now - self._looked < LOOK_EVERY:
            return False
        if self._look(now):
            return True
        self._looked = now
        return False

    def _next(self) -> bool:
        """Embeds the next photo that nobody else is at; False where there is none ahead."""
        while self._ahead:
            if self._embed(*self._ahead.popleft()):
                return True
        return False

    def _look(self, now: dt.datetime) -> bool:
        """Looks for work in each compound; whether some was done."""
        with self._database.read() as session:
            found = runs.compounds(session, self._key)
            moved = {compound: revisions.current(session, compound) for compound in found}
        for compound in found:
            revision, until = self._settled.get(compound, (None, None))
            if revision == moved[compound] and (until is None or now < until):
                continue
            with self._database.write() as session:
                run = runs.of(session, compound, self._key, now)
                waiting = session.scalars(photos.waiting(run).limit(_AHEAD)).all()
                session.expunge(run)
            self._ahead.extend((run, template) for template in waiting)
            if self._next() or (not waiting and self._round_off(run, now)):
                return True
            if run.finished_at is not None and not waiting:
                over = run.finished_at + runs.GRACE
                self._settled[compound] = (moved[compound], over if now < over else None)
        return False

    def _round_off(self, run: EmbeddingRun, now: dt.datetime) -> bool:
        """What there is to do when no photo waits; whether there was anything."""
        with self._database.write() as session:
            changed = runs.finish(session, run.id, now)
            cleared = 0 if changed else runs.clear_former(session, run, now)
        if changed:
            log.info("recognition.engine_changed", engine=self._key.name, version=self._key.version)
        if cleared:
            log.info("recognition.former_templates_cleared", templates=cleared)
        return changed or cleared > 0

    def _embed(self, run: EmbeddingRun, template: str) -> bool:
        """Embeds a photo, or finds out that nothing can be made of it; False where it was not our turn."""
        now = self._clock.now()
        with self._database.write() as session:
            former = session.get(FaceTemplate, template)
            # Another process has had it ahead as well.
            if former is None or templates.has_photo(session, former.person, former.media_id, *self._key):
                return False
            tries = photos.begin(session, run, template, now)
        if tries is None:
            return False
        if tries > photos.TRIES:
            self._end(run, template, "engine_crashed")
            return True
        try:
            outcome = self._made_of(template)
        except OSError:
            # The store is away, which is no fault of the photo's.
            with self._database.write() as session:
                photos.give_back(session, run, template)
            raise
        self._end(run, template, outcome)
        return True

    def _made_of(self, template: str) -> Embedding | str | None:
        """What the engine makes of a photo, or why it is nothing; None where the photo is gone."""
        with self._database.write() as session:
            # Consent before anything is computed: not even a passing embedding without it.
            try:
                former = templates.still_consented(session, template, self._clock.now())
            except ConsentMissingError:
                return "consent_missing"
            if former is None:
                return None
            media_id = former.media_id
        if media_id is None:
            return "no_photo"
        try:
            photo = self._media.get(media_id)
        except MediaNotFoundError:
            return "no_photo"
        embedding = embed_portrait(self._engine, photo)
        return embedding.reasons[0] if isinstance(embedding, RefusedPortrait) else embedding

    def _end(self, run: EmbeddingRun, template: str, outcome: Embedding | str | None) -> None:
        now = self._clock.now()
        reason = outcome if isinstance(outcome, str) else None
        with self._database.write() as session:
            made = None
            if isinstance(outcome, Embedding):
                with contextlib.suppress(ConsentMissingError, ShreddedError):
                    made = templates.enrol_again(session, template, outcome, at=now)
            if made is None and reason is None:
                # It went while it was looked at, or somebody was faster: nothing to be counted.
                photos.give_back(session, run, template)
            else:
                photos.end(session, run, template, now, reason)
