"""Which engine decides in a compound: the configured one, or the former until the gallery is ready."""

import threading
from collections.abc import Callable
from typing import NamedTuple

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from recognition.engines import FaceEngine
from recognition.models import EmbeddingRun, RunState
from registry.models import FaceTemplate
from storage import Database

log = structlog.get_logger()


class EngineKey(NamedTuple):
    """What templates are told apart by."""

    name: str
    version: str

    @classmethod
    def of(cls, engine: FaceEngine) -> "EngineKey":
        return cls(engine.name, engine.version)


FormerEngines = Callable[[EngineKey], FaceEngine | None]
"""Opens an engine that was configured once; None where its model is not there any more."""


def in_force(session: Session, compound: str, configured: EngineKey) -> EngineKey:
    """The engine whose templates of a compound are complete, so that it decides there.

    That is the one whose run was done last. Where none ever was, it is the one with most templates:
    a console that was started with a new setting may have enrolled a few by the new engine before
    anything else knows of it. A run that is under way, or was left, makes templates of an
    engine that does not decide yet, or never did.
    """
    done: EngineKey | None = None
    begun = set()
    for run in session.scalars(
        select(EmbeddingRun).where(EmbeddingRun.compound == compound).order_by(EmbeddingRun.finished_at)
    ):
        key = EngineKey(run.engine, run.engine_version)
        begun.add(key)
        if run.state == RunState.DONE:
            done = key
    if done is not None:
        return done
    counts = session.execute(
        select(FaceTemplate.engine, FaceTemplate.engine_version, func.count())
        .where(FaceTemplate.compound == compound)
        .group_by(FaceTemplate.engine, FaceTemplate.engine_version)
    )
    ready = [
        (count, key == configured, key)
        for name, version, count in counts
        if (key := EngineKey(name, version)) not in begun
    ]
    return max(ready)[2] if ready else configured


class ChosenEngines:
    """The engine of each compound, as `recognition.engines.Engines` has it. Safe for threads;
    the engines themselves are not.

    A former engine that cannot be opened any more decides nothing: then the configured one does,
    with the part of the gallery that it has, which is not ``complete``.
    """

    def __init__(self, configured: FaceEngine, former: FormerEngines, database: Database) -> None:
        self._configured = configured
        self._former = former
        self._database = database
        self._chosen: dict[str, FaceEngine] = {}
        # Where the configured engine decides before its time.
        self._partial: set[str] = set()
        self._opened: dict[EngineKey, FaceEngine | None] = {}
        self._lock = threading.Lock()

    def of(self, compound: str) -> FaceEngine:
        """The engine that decides in a compound now."""
        with self._lock:
            chosen = self._chosen.get(compound)
            if chosen is None:
                chosen = self._chosen[compound] = self._choose(compound)
            return chosen

    def complete(self, compound: str) -> bool:
        """Whether everybody enrolled has a template by the engine that decides."""
        self.of(compound)
        return compound not in self._partial

    def refresh(self) -> None:
        """Looks again whether a compound has changed over; who has does not go back."""
        with self._lock:
            for compound, chosen in self._chosen.items():
                if chosen is not self._configured or compound in self._partial:
                    self._chosen[compound] = self._choose(compound)
            used = {EngineKey.of(chosen) for chosen in self._chosen.values()}
            # A model is large; what cannot be opened is not tried every second.
            self._opened = {key: one for key, one in self._opened.items() if one is None or key in used}

    def beside(self, compound: str) -> tuple[FaceEngine, ...]:
        """Which engines a new photo is embedded by besides the configured one, as of now."""
        with self._lock:
            chosen = self._chosen[compound] = self._choose(compound)
            return () if chosen is self._configured else (chosen,)

    def _choose(self, compound: str) -> FaceEngine:
        configured = EngineKey.of(self._configured)
        with self._database.read() as session:
            key = in_force(session, compound, configured)
        self._partial.discard(compound)
        if key == configured:
            return self._configured
        if key not in self._opened:
            self._opened[key] = self._open(key)
        former = self._opened[key]
        if former is None:
            self._partial.add(compound)
            return self._configured
        return former

    def _open(self, key: EngineKey) -> FaceEngine | None:
        engine = self._former(key)
        if engine is None or EngineKey.of(engine) != key:
            log.warning("recognition.former_engine_missing", engine=key.name, version=key.version)
            return None
        return engine
