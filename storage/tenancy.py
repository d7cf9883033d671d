"""One deployment, many compounds, and no way from one into another.

A session of `Database.within(compound)` sees that compound's rows alone, whatever a query
forgets to say, and can write no other's. This is the one place where it is enforced. Only
Core on a connection passes it by: that is for work across compounds, and names its rows.
"""

from collections.abc import Mapping
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
    if compound is None:
        return
    if state.is_insert:
        _insert_only_own_rows(state, compound)
        return
    if not (state.is_select or state.is_update or state.is_delete):
        return
    state.statement = state.statement.options(
        with_loader_criteria(
            OwnedByCompound,
            lambda owned: owned.compound == compound,
            include_aliases=True,
        )
    )


def _insert_only_own_rows(state: ORMExecuteState, compound: str) -> None:
    """An INSERT of many rows passes no flush, so what it brings is looked at here."""
    mapper = state.bind_mapper
    if mapper is None or not issubclass(mapper.class_, OwnedByCompound):
        return
    brought = state.parameters or {}
    compounds = [row.get(_KEY) for row in ([brought] if isinstance(brought, Mapping) else brought)]
    # SQLAlchemy has no public way to read a statement's own VALUES; tests hold these two names.
    statement: Any = state.statement
    one = statement._values or {}  # noqa: SLF001
    for values in (one, *(row for rows in statement._multi_values for row in rows)):  # noqa: SLF001
        compounds += [getattr(v, "value", v) for column, v in values.items() if column.key == _KEY]
    if any(value not in {None, compound} for value in compounds):
        raise OtherCompoundError(mapper.class_.__name__, compound)


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
