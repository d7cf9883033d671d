"""Classes that are rows of a table with a time of their own, and what hangs on them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, not_, select
from sqlalchemy.orm import Session

from privacy.retention.proofs import prove
from privacy.retention.scope import Batch, Due, Ground, Scope


@dataclass(frozen=True, slots=True)
class Rows:
    """`over` selects the keys whose time is over, `kept` says which of them stay all the same,
    `forget` deletes keys with all that hangs on them.
    """

    name: str
    setting: str | None
    tables: tuple[str, ...]
    over: Callable[[Scope], Select[Any]]
    forget: Callable[[Session, Ground, Scope, list[Any]], None]
    kept: Callable[[Session, Scope], ColumnElement[bool] | None] = lambda _session, _scope: None
    whole_deployment: bool = False
    # Rows a batch at most: they have others hanging on them, and some carry megabytes.
    most: int = 500

    def due(self, session: Session, scope: Scope) -> Due:
        total = count(session, self.over(scope))
        stays = self.kept(session, scope)
        held = 0 if stays is None else count(session, self.over(scope).where(stays))
        return Due(total - held, held)

    def step(self, ground: Ground, scope: Scope, size: int) -> Batch:
        with ground.database.read() as session:
            if not self._next(session, scope, 1):
                return Batch()
        started = time.monotonic()
        with ground.database.write() as session:
            # Chosen under the lock: what is held now stays, whoever asked a moment ago.
            keys = self._next(session, scope, min(size, self.most))
            if not keys:
                return Batch()
            self.forget(session, ground, scope, keys)
            cutoff = scope.cutoff(self.setting) if self.setting else scope.at
            prove(session, scope.run.id, self.name, scope.compound, cutoff, map(str, keys), scope.at)
        return Batch({self.name: len(keys)}, more=True, held_s=time.monotonic() - started)

    def _next(self, session: Session, scope: Scope, limit: int) -> list[Any]:
        query = self.over(scope)
        stays = self.kept(session, scope)
        if stays is not None:
            query = query.where(not_(stays))
        return list(session.scalars(query.limit(limit)))


def count(session: Session, query: Select[Any]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0
