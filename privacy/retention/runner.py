"""Running retention: small batches, a pause after each, and nothing lost when it is killed.

Each batch deletes and proves in one transaction. On SQLite whoever deletes keeps everybody
else who writes waiting, so a batch is cut to a time, not to a number of rows, and the pause
after it is longer than it was.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.retention.classes import CLASSES
from privacy.retention.policy import RetentionPolicy
from privacy.retention.scope import DataClass, Ground, Run, Scope
from registry.models import Compound
from storage import Database, MediaStore, Vault

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a batch may write, in seconds, and the pause after it, in parts of that time."""

    held_s: float
    pause: float


# Whoever deletes keeps everybody else waiting: no longer than a commit of theirs takes, and most
# of the time not at all.
SQLITE: Final = Pace(0.006, 3.0)
# Writers do not wait for each other; the pause leaves them the disk.
POSTGRESQL: Final = Pace(0.05, 0.5)

_FOLD_AFTER_S: Final = 0.5
"""Seconds of writing after which SQLite's log is folded by us, before ingest has to."""

_SIZES: Final = (100, 5000)
_FIRST_SIZE: Final = 200


@dataclass(frozen=True, slots=True)
class Planned:
    """What a class of a compound (None: of the deployment) would let go now, and what is kept back."""

    retention_class: str
    compound: str | None
    cutoff: dt.datetime | None
    count: int
    held: int


@dataclass(slots=True)
class Outcome:
    """What a run did: rows by class and compound, and the classes that failed and go on next time."""

    run: str
    gone: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    failed: list[tuple[str, str | None]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.gone.total()


def plan(
    database: Database,
    policy: RetentionPolicy,
    at: dt.datetime,
    *,
    compounds: Sequence[str] | None = None,
    deployment: bool = True,
) -> list[Planned]:
    """What `run` would do now. Deletes nothing; `compounds` None is all of them."""
    with database.read() as session:
        run = Run(policy, at, _compounds(session))
        planned = []
        for kind, compound in _scopes(run.compounds if compounds is None else compounds, deployment):
            due = kind.due(session, Scope(run, compound))
            cutoff = policy.cutoff(kind.setting, at) if kind.setting else None
            planned.append(Planned(kind.name, compound, cutoff, due.count, due.held))
        return planned


def run(
    database: Database,
    media: MediaStore,
    vault: Vault,
    policy: RetentionPolicy,
    at: dt.datetime,
    *,
    compounds: Sequence[str] | None = None,
    deployment: bool = True,
    pace: Pace | None = None,
    sleep: Callable[[float], None] = time.sleep,
    seen: Callable[[str, int], None] = lambda _name, _count: None,
) -> Outcome:
    """Lets everything go whose time is over at `at`.

    A class that fails is left for the next run, and the others go on. `seen` is told of
    every batch.
    """
    ground = Ground(database, media, vault)
    with database.read() as session:
        running = Run(policy, at, _compounds(session))
    chosen = pace or (SQLITE if database.is_sqlite else POSTGRESQL)
    outcome = Outcome(running.id)
    for kind, compound in _scopes(running.compounds if compounds is None else compounds, deployment):
        scope = Scope(running, compound)
        try:
            _exhaust(kind, ground, scope, outcome, chosen, sleep, seen)
        except Exception as error:
            # Fail open: one table that is locked or broken must not keep the rest for longer.
            log.exception("retention.class_failed", retention_class=kind.name, error=type(error).__name__)
            outcome.failed.append((kind.name, compound))
    log.info("retention.ran", run=running.id, rows=outcome.total, failed=len(outcome.failed))
    return outcome


def _exhaust(
    kind: DataClass,
    ground: Ground,
    scope: Scope,
    outcome: Outcome,
    pace: Pace,
    sleep: Callable[[float], None],
    seen: Callable[[str, int], None],
) -> None:
    size = _FIRST_SIZE
    written = 0.0
    while True:
        batch = kind.step(ground, scope, size)
        for name, count in batch.gone.items():
            outcome.gone[name, scope.compound] += count
            seen(name, count)
        if not batch.more:
            return
        if batch.held_s:
            written += batch.held_s
            if written > _FOLD_AFTER_S:
                written = 0.0
                ground.database.fold_log()
            sleep(batch.held_s * pace.pause)
            # Towards the time that is allowed, at most twice as many as before.
            wished = size * min(2.0, max(0.5, pace.held_s / batch.held_s))
            size = round(min(_SIZES[1], max(_SIZES[0], wished)))


def _scopes(compounds: Iterable[str], deployment: bool) -> Iterable[tuple[DataClass, str | None]]:
    chosen = list(compounds)
    for kind in CLASSES:
        if not kind.whole_deployment:
            yield from ((kind, compound) for compound in chosen)
        elif deployment:
            yield kind, None


def _compounds(session: Session) -> tuple[str, ...]:
    return tuple(session.scalars(select(Compound.id).order_by(Compound.id)))
