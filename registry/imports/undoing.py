"""Takes an import back: what it changed is put back, what it made is deleted, unless it is in use.

Each batch forgets its own record in the same transaction, so an undo that was cut off is
simply done again.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Column, Table, delete, select, update
from sqlalchemy.orm import Session

from registry.faces import revisions
from registry.faces.models import FaceTemplate
from registry.imports import history
from registry.imports.models import ImportChange
from registry.imports.plan import ORDER, Row
from storage import Base, Database
from storage.vault import current_vault

_BATCH: Final = 400
# Photos are the one thing that an import makes besides rows of the registry.
_TEMPLATES: Final = "face_templates"


@dataclass(slots=True)
class Undone:
    """What became of an import's rows; `left` are those that stay, with the code of why."""

    restored: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)
    left: list[tuple[str, str, str]] = field(default_factory=list)
    # Pictures that templates had; the caller owns the store that they lie in.
    pictures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Change:
    """A row of the record."""

    id: int
    table: str
    row_id: str
    before: bytes | None
    version: int | None


Protected = Callable[[Session, str], bool]


def nobody_protected(_session: Session, _person: str) -> bool:
    """Nobody is under a legal hold."""
    return False


def take_back(
    database: Database,
    compound: str,
    job: str,
    at: dt.datetime,
    *,
    protected: Protected = nobody_protected,
    progress: Callable[[int], None] = lambda _: None,
) -> Undone:
    """Undoes what is recorded of a job. `protected` says of a person whether nothing may be deleted.

    A row that somebody edited since stays (`edited_since`), so does one that others refer to
    (`still_in_use`), a forgotten person (`left_erased`) and one under a hold (`legal_hold`).
    """
    undone = Undone()
    done = 0
    for batch in _records(database, job, changed=True):
        with database.write() as session:
            for change in batch:
                _restore(session, compound, change, undone)
            _forget(session, batch)
        done += len(batch)
        progress(done)
    if undone.restored["people"]:
        with database.write() as session:
            # Households and ages may be among what was put back.
            revisions.tell(session, compound)
    people = False
    for name in (_TEMPLATES, *reversed(ORDER)):
        for batch in _records(database, job, changed=False, table=name):
            with database.write() as session:
                gone = _delete(session, compound, name, batch, undone, protected)
                _forget(session, batch)
                if name == _TEMPLATES and gone:
                    revisions.tell(session, compound, removed=gone)
            if name == "people" and gone:
                people = True
                # After the commit: a key that is gone does not come back with a rollback.
                current_vault().shred(gone, at)
            done += len(batch)
            progress(done)
    if people:
        _clear_heads(database, compound)
    return undone


def _records(
    database: Database, job: str, *, changed: bool, table: str | None = None
) -> Iterator[Sequence[_Change]]:
    """What is recorded of a job, in batches. Read at once: each batch forgets its own rows."""
    query = select(
        ImportChange.id, ImportChange.table, ImportChange.row_id, ImportChange.before, ImportChange.version
    ).where(ImportChange.job == job)
    query = query.where(ImportChange.before.is_not(None) if changed else ImportChange.before.is_(None))
    if table is not None:
        query = query.where(ImportChange.table == table)
    # What was changed last is put back first.
    order = ImportChange.id.desc() if changed else ImportChange.id
    with database.read() as session:
        found = [_Change(*row) for row in session.execute(query.order_by(order))]
    for start in range(0, len(found), _BATCH):
        yield found[start : start + _BATCH]


def _forget(session: Session, batch: Iterable[_Change]) -> None:
    ids = [change.id for change in batch]
    session.execute(delete(ImportChange).where(ImportChange.id.in_(ids)))


def _restore(session: Session, compound: str, change: _Change, undone: Undone) -> None:
    table = history.table(change.table)
    assert change.before is not None
    row = _row(session, table, compound, change.row_id)
    if row is None:
        return
    before = history.unseal(change.table, change.before)
    if before is None or row.get("erased_at") is not None:
        undone.left.append((change.table, change.row_id, "left_erased"))
    elif change.version is not None and row["version"] != change.version:
        undone.left.append((change.table, change.row_id, "edited_since"))
    else:
        values = before | ({"version": row["version"] + 1} if change.version is not None else {})
        session.connection().execute(update(table).where(table.c.id == change.row_id).values(values))
        undone.restored[change.table] += 1


def _delete(
    session: Session,
    compound: str,
    name: str,
    batch: Sequence[_Change],
    undone: Undone,
    protected: Protected,
) -> list[str]:
    """Deletes the made rows of one table that nothing stands against; returns their ids."""
    table = history.table(name)
    ids = [change.row_id for change in batch]
    query = select(*table.c).where(table.c.id.in_(ids), table.c.compound == compound).with_for_update()
    rows = {row["id"]: dict(row) for row in session.connection().execute(query).mappings()}
    in_use = _in_use(session, table, list(rows))
    gone = []
    for change in batch:
        row = rows.get(change.row_id)
        if row is None:
            continue
        reason = _reason(session, name, change, row, in_use, protected)
        if reason is None:
            gone.append(change.row_id)
        else:
            undone.left.append((name, change.row_id, reason))
    if gone:
        session.connection().execute(delete(table).where(table.c.id.in_(gone)))
        undone.deleted[name] += len(gone)
        if name == _TEMPLATES:
            pictures = [rows[row_id]["media_id"] for row_id in gone if rows[row_id]["media_id"]]
            undone.pictures += pictures
            # What another engine has made of the same photo since goes with it.
            gone += session.scalars(
                delete(FaceTemplate).where(FaceTemplate.media_id.in_(pictures)).returning(FaceTemplate.id)
            )
    return gone


def _reason(
    session: Session, name: str, change: _Change, row: Row, in_use: set[str], protected: Protected
) -> str | None:
    if row.get("erased_at") is not None:
        return "left_erased"
    person = change.row_id if name == "people" else row.get("person")
    if person is not None and protected(session, person):
        return "legal_hold"
    if change.version is not None and row["version"] != change.version:
        return "edited_since"
    return "still_in_use" if change.row_id in in_use else None


def _in_use(session: Session, table: Table, ids: Sequence[str]) -> set[str]:
    """Which of these rows another row of any room refers to.

    A foreign key may cross a wall where an import may not: the metadata knows them all.
    """
    found: set[str] = set()
    for column in _references(table):
        query = select(column).where(column.in_(ids)).distinct()
        if column.table is table:
            # A ward that goes in the same batch holds nobody back.
            query = query.where(table.c.id.not_in(ids))
        found |= set(session.connection().scalars(query))
    return found


def _references(table: Table) -> list[Column[str]]:
    by_target: defaultdict[str, list[Column[str]]] = defaultdict(list)
    for other in Base.metadata.tables.values():
        for key in other.foreign_keys:
            if key.ondelete == "CASCADE":
                # It goes along and holds nothing back.
                continue
            by_target[key.column.table.name].append(key.parent)
    return by_target[table.name]


def _row(session: Session, table: Table, compound: str, row_id: str) -> Row | None:
    query = select(*table.c).where(table.c.id == row_id, table.c.compound == compound).with_for_update()
    found = session.connection().execute(query).mappings().first()
    return None if found is None else dict(found)


def _clear_heads(database: Database, compound: str) -> None:
    """A household that stays is not headed by somebody who went."""
    households, people = history.table("households"), history.table("people")
    with database.write() as session:
        session.connection().execute(
            update(households)
            .where(
                households.c.compound == compound,
                households.c.head_person_id.is_not(None),
                households.c.head_person_id.not_in(select(people.c.id).where(people.c.compound == compound)),
            )
            .values(head_person_id=None, version=households.c.version + 1)
        )
