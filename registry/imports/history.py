"""What a row was before an import changed it: sealed, and unreadable once its person is forgotten."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Date, Table

from registry.imports.plan import Row
from storage import Base
from storage.keys import current_ring
from storage.vault import SUBJECT_MARK, ShreddedError, current_vault

_FIELD: Final = "import"
# Of whom a row is, by table: what was there before is that person's as much as what is there now.
_SUBJECTS: Final = {
    "people": "id",
    "residences": "person",
    "credentials": "person",
    "staff": "person",
    "authorised_drivers": "person",
    "vehicles": "owner",
}


def table(name: str) -> Table:
    """A table of the registry by its name."""
    return Base.metadata.tables[name]


def seal(name: str, row: Mapping[str, Any], columns: Mapping[str, Any]) -> bytes:
    """Columns of a row as they were. `row` is the whole of it, to know whose it is.

    With a person's own key where it belongs to one (mark · length · person · sealed), so that
    an erasure reaches it; else with the ring.
    """
    content = msgspec.msgpack.encode(dict(columns))
    subject = row.get(_SUBJECTS.get(name, ""))
    if subject is None:
        return bytes(current_ring().seal(content))
    plain: bytes = subject.encode()
    sealed: bytes = current_vault().seal(subject, _FIELD, content)
    return bytes([SUBJECT_MARK, len(plain)]) + plain + sealed


def subject_of(sealed: bytes | None) -> str | None:
    """Whose key opens it, None where it is the ring."""
    if sealed is None or sealed[0] != SUBJECT_MARK:
        return None
    return sealed[2 : 2 + sealed[1]].decode()


def unseal(name: str, sealed: bytes) -> Row | None:
    """The columns again, None once the person's key is gone."""
    subject = subject_of(sealed)
    try:
        if subject is None:
            content = current_ring().open(sealed)
        else:
            content = current_vault().open(subject, _FIELD, sealed[2 + sealed[1] :])
    except ShreddedError:
        return None
    row: Row = msgspec.msgpack.decode(content)
    for column in table(name).c:
        if isinstance(column.type, Date) and isinstance(row.get(column.name), str):
            row[column.name] = dt.date.fromisoformat(row[column.name])
    return row
