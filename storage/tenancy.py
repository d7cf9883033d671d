"""One deployment, many compounds, and no way from one into another.

A session of `Database.within(compound)` sees that compound's rows alone, whatever a query
forgets to say, and can write no other's. This is the one place where it is enforced.
"""

from typing import Any, cast

from sqlalchemy import String, event, inspect
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria

_KEY = "compound"


class OwnedByCompound:
    """Mixin of every table whose rows belong to one compound."""

    # Tables declare it once more where it is a foreign key, an index or part of a key.
    compound: Mapped[str] = mapped_column(String(64))


class OtherCompoundError(Exception):
    """A row of another compound was about to be written by a session bound to one."""

    def __init__(self, table: str, compound: str) -> None:
        super().__init__(f"a row of {table} does not belong to {compound}")
        self.table = table
        self.compound = compound


def bind(session: Session, compound: str | None) -> None:
    """Binds a new session to a compound; None leaves it unbound, for work across compounds."""
    if compound is not None:
        session.info[_KEY] = compound


def bound_to(session: Session) -> str | None:
    """The compound that a session is bound to."""
    return cast("str | None", session.info.get(_KEY))


@event.listens_for(Session, "do_orm_execute")
def _only_own_rows(state: ORMExecuteState) -> None:
    compound = state.session.info.get(_KEY)
    if compound is None or not (state.is_select or state.is_update or state.is_delete):
        return
    state.statement = state.statement.options(
        with_loader_criteria(
            OwnedByCompound,
            lambda owned: owned.compound == compound,
            include_aliases=True,
        )
    )


@event.listens_for(Session, "before_flush")
def _write_only_own_rows(session: Session, _context: object, _instances: object) -> None:
    compound = session.info.get(_KEY)
    if compound is None:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(row, OwnedByCompound):
            continue
        if getattr(row, "compound", None) is None:
            row.compound = compound
        # What it was loaded with counts as much as what it is to become.
        before = inspect(cast("Any", row)).attrs.compound.history.deleted
        if row.compound != compound or any(value != compound for value in before or ()):
            raise OtherCompoundError(type(row).__name__, compound)
