"""Writes a plan in short transactions, each with the record of what it did.

Ingest writes to the same file: no transaction here holds it longer than a batch takes,
and what is slow (sealing, keys) is done between two of them.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import groupby, islice
from typing import Any, Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from registry import lookups
from registry.faces import revisions
from registry.imports import history
from registry.imports.models import ImportChange
from registry.imports.plan import Draft, Plan, Row
from storage import Database
from storage.bulk import BulkInsert
from storage.vault import current_vault, seal_for

# A draft makes two rows: itself and the record of it. With 1,000 a batch ingest waits 100 ms at
# the 99th percentile, with 250 a quarter of that, and the whole takes a tenth longer.
BATCH: Final = 250
_CHUNK: Final = 500
_CHANGES: Final = BulkInsert(
    ImportChange.__table__, ("compound", "job", "table", "row_id", "before", "version")
)
# Job, table, row, what was before, and the version that was left.
_Record = tuple[str, str, str, bytes | None, int | None]
_SEALED: Final = ("name", "phone", "id_number")
# What the galleries know of a person besides the template.
_IN_GALLERY: Final = ("household", "under_14")


class RegistryChangedError(Exception):
    """Somebody edited a row between the check and the writing; nothing of the batch is written."""


def apply(database: Database, plan: Plan, job: str, written: Callable[[int], None]) -> None:
    """Writes all drafts; `written` is told how many are done after each batch.

    Raises `RegistryChangedError`, and `IntegrityError` where somebody added the same at the
    same time. Batches before the one that failed stay, with their record.
    """
    drafts = iter(plan.in_order())
    done = 0
    galleries = False
    while batch := list(islice(drafts, BATCH)):
        current_vault().create([draft.id for draft in batch if draft.table == "people" and not draft.held])
        current_vault().load(_subjects(batch))
        prepared = [(draft, _sealed(draft)) for draft in batch]
        with database.write() as session:
            records = []
            for made, pairs in groupby(prepared, key=lambda pair: pair[0].held is None):
                records += (_insert if made else _overwrite)(session, job, list(pairs))
            _CHANGES.execute(session, [(plan.compound, *record) for record in records])
        done += len(batch)
        written(done)
        galleries |= any(draft.held and draft.table == "people" and _in_gallery(draft) for draft in batch)
    if galleries:
        with database.write() as session:
            revisions.tell(session, plan.compound)


def _in_gallery(draft: Draft) -> bool:
    return any(name in draft.values for name in _IN_GALLERY)


def _subjects(batch: Sequence[Draft]) -> set[str]:
    """Whose keys the batch needs."""
    found = {draft.id for draft in batch if draft.table == "people"}
    for draft in batch:
        row = draft.held or draft.values
        found |= {row[name] for name in ("person", "owner") if row.get(name) is not None}
    return found


def _sealed(draft: Draft) -> Row:
    """The columns to write, what is personal in them sealed."""
    values = dict(draft.values)
    if draft.table == "people":
        if draft.held is None:
            compound = values["compound"]
            return values | lookups.identity(
                compound, draft.id, **{name: values[name] for name in _SEALED if values[name] is not None}
            )
        for name in _SEALED:
            if name in values:
                values[name] = seal_for(draft.id, name, values[name])
    elif draft.table == "credentials" and "ref" in values:
        values["ref"] = seal_for(values["person"], "credential", values["ref"])
    return values


def _insert(session: Session, job: str, prepared: Sequence[tuple[Draft, Row]]) -> list[_Record]:
    """Inserts rows; returns the records."""
    # In the order of the plan, so that what is referred to comes first.
    for (name, columns), pairs in groupby(prepared, key=lambda pair: (pair[0].table, tuple(pair[1]))):
        insert = _statement(name, columns)
        insert.execute(session, [tuple(values.values()) for _, values in pairs])
    return [_record(job, draft, None, 1) for draft, _ in prepared]


@functools.cache
def _statement(name: str, columns: tuple[str, ...]) -> BulkInsert:
    return BulkInsert(history.table(name), columns)


def _overwrite(session: Session, job: str, prepared: Sequence[tuple[Draft, Row]]) -> list[_Record]:
    """Updates rows that are still as they were read; returns the records."""
    records = []
    groups: defaultdict[tuple[str, tuple[str, ...]], list[tuple[Draft, Row]]] = defaultdict(list)
    for draft, values in prepared:
        groups[draft.table, tuple(sorted(values))].append((draft, values))
    for (name, columns), pairs in groups.items():
        table = history.table(name)
        versioned = "version" in table.c
        now = _present(session, name, [draft.id for draft, _ in pairs])
        rows: list[dict[str, Any]] = []
        for draft, values in pairs:
            held, found = draft.held, now.get(draft.id)
            assert held is not None
            watched = ("version",) if versioned else columns
            if found is None or any(found[column] != held[column] for column in watched):
                raise RegistryChangedError
            version = found["version"] + 1 if versioned else None
            before = history.seal(name, found, {column: found[column] for column in columns})
            records.append(_record(job, draft, before, version))
            rows.append({f"to_{column}": values[column] for column in columns} | {"row_id": draft.id})
            if versioned:
                rows[-1]["to_version"] = version
        written = [*columns, "version"] if versioned else list(columns)
        statement = (
            update(table)
            .where(table.c.id == bindparam("row_id"))
            .values({column: bindparam(f"to_{column}", type_=table.c[column].type) for column in written})
        )
        session.connection().execute(statement, rows)
    return records


def _present(session: Session, name: str, ids: Sequence[str]) -> dict[str, Row]:
    """Rows as they are now, held until the transaction ends."""
    table = history.table(name)
    found: dict[str, Row] = {}
    for start in range(0, len(ids), _CHUNK):
        query = select(*table.c).where(table.c.id.in_(ids[start : start + _CHUNK])).with_for_update()
        for row in session.connection().execute(query).mappings():
            found[row["id"]] = dict(row)
    return found


def _record(job: str, draft: Draft, before: bytes | None, version: int | None) -> _Record:
    version = version if "version" in history.table(draft.table).c else None
    return job, draft.table, draft.id, before, version
