"""What one class of one compound is asked to let go, and what came of a batch of it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Connection, String, bindparam, func, select, text
from sqlalchemy.orm import Session

from privacy.retention.policy import RetentionPolicy
from privacy.retention.protection import Protection, protection
from storage import Database, MediaStore, Vault, new_id


@dataclass(frozen=True, slots=True)
class Ground:
    """Where things lie that go."""

    database: Database
    media: MediaStore
    vault: Vault


@dataclass(slots=True)
class Run:
    """One run over everything: by which policy, at which moment, and what it has learnt."""

    policy: RetentionPolicy
    at: dt.datetime
    compounds: tuple[str, ...] = ()
    id: str = field(default_factory=new_id)
    # What may not go, by compound; emptied whenever it may have changed.
    guards: dict[str, Protection] = field(default_factory=dict)
    # Which pictures are still needed (`privacy.retention.references`), read when first asked for.
    references: Any = None
    # Classes of compounds that are through, for those that may only come after them.
    finished: set[tuple[str, str]] = field(default_factory=set)

    def guard(self, session: Session, compound: str) -> Protection:
        """What may not go of a compound, as it was when this run last looked."""
        known = self.guards.get(compound)
        if known is None:
            known = self.guards[compound] = protection(session, compound, self.policy, self.at)
        return known

    def forget(self) -> None:
        """Drops what this run knows of what may not go: it has changed."""
        self.guards.clear()
        self.references = None


@dataclass(slots=True)
class Scope:
    """One class in one run. `compound` is None where a class belongs to the whole deployment."""

    run: Run
    compound: str | None
    # Where the last batch ended, for classes that go in order; None at the beginning.
    position: Any = None

    @property
    def at(self) -> dt.datetime:
        return self.run.at

    @property
    def of_compound(self) -> str:
        """The compound of a class that has one."""
        if self.compound is None:
            raise ValueError("the class belongs to a compound")
        return self.compound

    def cutoff(self, setting: str) -> dt.datetime:
        """What is older than this may go."""
        return self.run.policy.cutoff(setting, self.run.at)

    def guard(self, session: Session) -> Protection:
        return self.run.guard(session, self.of_compound)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch did: rows or pictures gone by class, whether there is more, and how long it wrote."""

    gone: Mapping[str, int] = field(default_factory=dict)
    more: bool = False
    # Seconds for which the batch may have kept other writers waiting.
    held_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Due:
    """What would go and what is kept back now."""

    count: int
    held: int = 0


class DataClass(Protocol):
    """A class of data with a time of its own. Stateless: everything lies in the scope."""

    @property
    def name(self) -> str: ...
    @property
    def setting(self) -> str | None:
        """The policy's field; None where the rows carry their own end."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables that the class empties."""
        ...

    @property
    def whole_deployment(self) -> bool: ...
    def due(self, session: Session, scope: Scope) -> Due: ...
    def step(self, ground: Ground, scope: Scope, size: int) -> Batch:
        """Lets at most about `size` rows go, in a short transaction of its own."""
        ...


def among(where: Session | Connection, column: Any, ids: list[str]) -> ColumnElement[bool]:
    """`column IN ids` with one parameter however many there are: the statement stays the same."""
    dialect = (where if isinstance(where, Connection) else where.get_bind()).dialect
    if dialect.name == "sqlite":
        listed = bindparam(None, msgspec.json.encode(ids).decode(), type_=String)
        return cast(
            "ColumnElement[bool]", column.in_(select(text("value")).select_from(func.json_each(listed)))
        )
    return cast("ColumnElement[bool]", column == func.any(bindparam(None, ids, type_=_IDS)))


_IDS: Final = ARRAY(String)
