"""Rows under their promises: of this compound, at the version that was read, unique by the database."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from sqlalchemy import inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError, StaleEditError
from storage import OwnedByCompound

Row = TypeVar("Row", bound=OwnedByCompound)


class _Counted(Protocol):
    version: int


def find(session: Session, model: type[Row], compound: str, row_id: str, noun: str) -> Row:
    """Raises `MissingError(noun)`, also for what belongs to another compound."""
    row = session.get(model, row_id)
    if row is None or row.compound != compound:
        raise MissingError(noun)
    return row


def lock(session: Session, model: type[Row], compound: str, row_ids: Iterable[str], noun: str) -> None:
    """Holds rows, as they are now, until the transaction ends.

    Whoever checks several rows before changing one of them takes this first: of two who
    do so at once, the second sees what the first has done. In the order of the ids, so
    that the two never wait for each other. On SQLite a writer is alone anyway.
    """
    ids = set(row_ids)
    key = inspect(model).primary_key[0]
    mine = (key.in_(ids), model.compound == compound)
    held = session.execute(select(key).where(*mine).order_by(key).with_for_update()).all()
    if len(held) != len(ids):
        raise MissingError(noun)
    # What this session had read before it waited is read again.
    session.scalars(select(model).where(*mine).execution_options(populate_existing=True)).all()


def at_version(row: _Counted, version: int) -> None:
    """Raises `StaleEditError` where somebody has edited the row since it was read."""
    if row.version != version:
        raise StaleEditError(row.version)


def refuse_taken(session: Session, model: type[Row], compound: str, external_id: str | None) -> None:
    """Raises `external_id_taken` where a row has this reference already.

    For rows with another unique index, of which the database does not say which was hit;
    of two who come at once the second hears of that other one.
    """
    if external_id is None:
        return
    known = inspect(model).columns["external_id"]
    if session.execute(select(known).where(model.compound == compound, known == external_id)).first():
        raise RefusedError("external_id_taken")


def write_unique(session: Session, code: str, *added: OwnedByCompound) -> None:
    """Flushes changes that a unique index may refuse; then raises `RefusedError(code)`."""
    try:
        with session.begin_nested():
            session.add_all(added)
            session.flush()
    except IntegrityError as error:
        raise RefusedError(code) from error
