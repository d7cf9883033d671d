"""After a rotation of the ring: everything that an older key seals is sealed with the newest.

Three places know the ring: columns sealed with it, the vault whose keys it wraps, and
pictures that belong to no person. Rows about people from before there was a vault are
sealed with their person's own key on the way, so that they can be forgotten one by one.

It works in batches, each its own transaction. Nothing notes how far it came: what is still
sealed with an older key is what is left to do, after a kill as after a day.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Mapper, Session

from storage.base import Base
from storage.columns import Encrypted, EncryptedText
from storage.database import Database
from storage.keys import KeyRing
from storage.media import MediaNotFoundError, MediaStore
from storage.vault import SUBJECT_MARK, ShreddedError, Vault

log = structlog.get_logger(__name__)

# How the attribute of a column is called whose plain value is sealed with a person's key;
# the plain one is a property of the same name without it (`Person.sealed_name`, `Person.name`).
SEALED_PREFIX: Final = "sealed_"
VAULT: Final = "vault"
MEDIA: Final = "media"
_BATCH: Final = 500

# Called with the place and how many things have been sealed again there so far.
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column with sealed bytes in it; `attribute` where a person's key seals."""

    table: Table
    column: Column[Any]
    mapper: Mapper[Any] | None = None
    attribute: str | None = None

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column.name}"

    @property
    def key(self) -> Column[Any]:
        """The one column that the table's rows are told apart by."""
        (key,) = self.table.primary_key.columns
        return key


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What a key of the ring still seals, by place; empty places are left out."""

    number: int
    places: Mapping[str, int]
    seals: bool
    finds: bool

    @property
    def needed(self) -> bool:
        return self.seals or self.finds or bool(self.places)


def sealed_columns(metadata: MetaData) -> list[SealedColumn]:
    """Every column that the ring seals or once has sealed.

    Bytes are taken for sealed unless their column's `info` says "plain": a forgotten column
    then fails loudly here, and not years later when its key is gone.
    """
    owners = {
        column: (mapper, attribute.key)
        for mapper in Base.registry.mappers
        for attribute in mapper.column_attrs
        if attribute.key.startswith(SEALED_PREFIX)
        for column in attribute.columns
    }
    return [
        SealedColumn(table, column, *owners.get(column, (None, None)))
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Encrypted | EncryptedText | LargeBinary)
        and not column.info.get("plain", False)
    ]


def usage(database: Database, vault: Vault, media: MediaStore, metadata: MetaData) -> list[KeyUse]:
    """What each key of the ring still seals, oldest key first. Looks at every row and picture."""
    ring = vault.ring
    places: dict[int, dict[str, int]] = {number: {} for number in ring.numbers}

    def count(number: int, place: str, many: int) -> None:
        if number != SUBJECT_MARK:
            found = places.setdefault(number, {})
            found[place] = found.get(place, 0) + many

    with database.read() as session:
        for sealed in sealed_columns(metadata):
            first = _first_byte(sealed)
            rows = session.execute(
                select(first, func.count()).where(sealed.column.is_not(None)).group_by(first)
            )
            for mark, many in rows:
                count(bytes(mark)[0], sealed.name, many)
    for number, many in vault.wrapped_by().items():
        count(number, VAULT, many)
    for media_id in media.list():
        try:
            count(media.sealed_by(media_id), MEDIA, 1)
        except MediaNotFoundError:
            continue
    return [
        KeyUse(number, used, seals=number == ring.newest, finds=number == min(ring.numbers))
        for number, used in sorted(places.items())
    ]


def reseal(
    database: Database,
    vault: Vault,
    media: MediaStore,
    metadata: MetaData,
    *,
    batch: int = _BATCH,
    progress: Progress = lambda _place, _count: None,
    pause: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Seals with the newest key what an older one seals; returns how many things, by place.

    Call it `storage.keys.STALE_S` after the rotation, when every process has followed.
    `pause` runs between batches, for whoever shares the database.
    """
    done: dict[str, int] = {}
    for sealed in sealed_columns(metadata):
        for changed in _column(database, vault, sealed, batch):
            done[sealed.name] = done.get(sealed.name, 0) + changed
            progress(sealed.name, done[sealed.name])
            pause()
    wrapped = vault.rewrap()
    if wrapped:
        done[VAULT] = wrapped
        progress(VAULT, wrapped)
    for media_id in media.list():
        try:
            if not media.reseal(media_id):
                continue
        except MediaNotFoundError:
            continue
        done[MEDIA] = done.get(MEDIA, 0) + 1
        progress(MEDIA, done[MEDIA])
        pause()
    log.info("keys.resealed", key=vault.ring.newest, things=sum(done.values()))
    return done


def _column(database: Database, vault: Vault, sealed: SealedColumn, batch: int) -> Iterator[int]:
    """Works through one column in the order of its key; yields how many rows each batch changed."""
    raw = type_coerce(sealed.column, LargeBinary)
    first = _first_byte(sealed)
    last: Any = None
    while True:
        query = (
            select(sealed.key, raw)
            .where(sealed.column.is_not(None), first.not_in([bytes([SUBJECT_MARK]), _mark(vault.ring)]))
            .order_by(sealed.key)
            .limit(batch)
        )
        if last is not None:
            query = query.where(sealed.key > last)
        with database.read() as session:
            rows = session.execute(query).all()
        if not rows:
            return
        last = rows[-1][0]
        fresh = _again(database, vault, sealed, rows)
        # A row that somebody has changed since it was read is left as they made it.
        statement = (
            update(sealed.table)
            .where(sealed.key == bindparam("of"), raw == bindparam("before", type_=LargeBinary))
            .values({sealed.column.name: bindparam("after", type_=LargeBinary)})
        )
        changed = 0
        if fresh:
            with database.write() as session:
                changed = session.connection().execute(statement, fresh).rowcount
        yield changed


def _again(
    database: Database, vault: Vault, sealed: SealedColumn, rows: Sequence[tuple[Any, bytes]]
) -> list[dict[str, Any]]:
    if sealed.attribute is None:
        ring = vault.ring
        return [{"of": key, "before": old, "after": ring.seal(ring.open(old))} for key, old in rows]
    with database.read() as session:
        return list(_for_their_people(session, vault, sealed, rows))


def _for_their_people(
    session: Session, vault: Vault, sealed: SealedColumn, rows: Sequence[tuple[Any, bytes]]
) -> Iterator[dict[str, Any]]:
    """The mapped class knows whose key it is and what is bound in: its own property seals."""
    assert sealed.mapper is not None
    assert sealed.attribute is not None
    plain = sealed.attribute.removeprefix(SEALED_PREFIX)
    for key, old in rows:
        row = session.get(sealed.mapper.class_, key)
        if row is None:
            continue
        # Apart from the session: setting it must not write, nor count up a version.
        session.expunge(row)
        try:
            setattr(row, plain, getattr(row, plain))
        except ShreddedError:
            # Forgotten, and sealed with the ring before that: no key may read it any more.
            yield {"of": key, "before": old, "after": _unreadable(vault, old)}
            continue
        yield {"of": key, "before": old, "after": getattr(row, sealed.attribute)}


def _unreadable(vault: Vault, old: bytes) -> bytes:
    """Bytes that look like a person's and that nobody has a key for."""
    return bytes([SUBJECT_MARK]) + vault.ring.seal(old[:1])[1:]


def _first_byte(sealed: SealedColumn) -> ColumnElement[bytes]:
    """The number of the key that seals, or `SUBJECT_MARK`."""
    return func.substr(type_coerce(sealed.column, LargeBinary), 1, 1, type_=LargeBinary)


def _mark(ring: KeyRing) -> bytes:
    return bytes([ring.newest])
