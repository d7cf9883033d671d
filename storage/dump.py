"""The whole database as a stream of plain values, and back into either kind of database.

Columns go out as they lie in the table: what is sealed stays sealed. Only times and dates
are spelt alike whichever database they come from. The stream says of each table which
columns it has and of what kind, so that reading it back needs no code of that time.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    select,
    text,
    type_coerce,
)

from storage.archive import DamagedError
from storage.columns import Encrypted, EncryptedText, JsonText, UtcTime, from_microseconds, to_microseconds

_ROWS: Final = 1000

# Frames of the stream.
TABLE: Final = "table"
ROWS: Final = "rows"


def revision_of(connection: Connection) -> str:
    """The schema's revision that a database is at."""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def dump(connection: Connection, metadata: MetaData) -> Iterator[list[Any]]:
    """Frames `["table", name, [[column, kind], …]]`, each followed by `["rows", [[…], …]]`.

    The connection's transaction is what makes them fit together; tables come before those
    that refer to them.
    """
    for table in metadata.sorted_tables:
        columns = list(table.columns)
        kinds = [_kind(column) for column in columns]
        # Plain texts: SQLAlchemy's own are marked as quoted or not.
        named = [[str(column.name), kind] for column, kind in zip(columns, kinds, strict=True)]
        yield [TABLE, str(table.name), named]
        plain = _plain(connection, kinds)
        result = connection.execute(
            select(
                *(_as_stored(connection, column, kind) for column, kind in zip(columns, kinds, strict=True))
            )
            .select_from(table)
            .execution_options(yield_per=_ROWS)
        )
        for part in result.partitions():
            yield [ROWS, [plain(row) for row in part]]


@dataclass
class Loader:
    """Takes the frames of `dump` into an empty database of the same revision.

    Call `close` at the end. Rows that point to each other inside a table are no trouble:
    PostgreSQL looks at the end of a table, SQLite at the end of the transaction, which has
    to be one of `storage.migrate.unhindered`.
    """

    connection: Connection
    counts: dict[str, int] = field(default_factory=dict)
    _table: str = ""
    _names: Sequence[str] = ()
    _kinds: Sequence[str] = ()
    _put: Callable[[Sequence[Sequence[Any]]], None] | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    def take(self, frame: list[Any]) -> None:
        """One frame. Raises `DamagedError` for what is none, or does not fit the schema."""
        match frame:
            case ["table", str(name), list(columns)]:
                self._open.close()
                self._begin(name, columns)
            case ["rows", list(rows)] if self._put is not None:
                self._put(rows)
                self.counts[self._table] += len(rows)
            case _:
                raise DamagedError("a frame that is neither a table nor its rows")

    def close(self) -> None:
        """Ends the last table, and lets counters go on where the rows end."""
        self._open.close()
        self._put = None
        if self.connection.dialect.name == "postgresql":
            for table in self.counts:
                self._reset_sequence(table)

    def _begin(self, name: str, columns: Sequence[tuple[str, str]]) -> None:
        quote = self.connection.dialect.identifier_preparer.quote
        if name in self.counts or not name.isidentifier():
            raise DamagedError(f"table {name!r} comes twice, or is none")
        self._table, self.counts[name] = name, 0
        self._names = [column for column, _ in columns]
        self._kinds = [kind for _, kind in columns]
        listed = ", ".join(quote(column) for column in self._names)
        if self.connection.dialect.name == "postgresql":
            driver: Any = self.connection.connection.dbapi_connection
            cursor = self._open.enter_context(driver.cursor())
            copy = self._open.enter_context(cursor.copy(f"COPY {quote(name)} ({listed}) FROM STDIN"))
            convert = _from_plain(self._kinds)

            def put(rows: Sequence[Sequence[Any]]) -> None:
                for row in rows:
                    copy.write_row(convert(row))

            self._put = put
            return
        marks = ", ".join("?" * len(self._names))
        statement = f"INSERT INTO {quote(name)} ({listed}) VALUES ({marks})"  # noqa: S608 - quoted names

        def insert(rows: Sequence[Sequence[Any]]) -> None:
            self.connection.exec_driver_sql(statement, [tuple(row) for row in rows])

        self._put = insert

    def _reset_sequence(self, name: str) -> None:
        for column in _integer_keys(self.connection, name):
            sequence = self.connection.scalar(
                text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": name, "column": column}
            )
            if sequence is not None:
                quoted = self.connection.dialect.identifier_preparer.quote
                self.connection.execute(
                    text(
                        f"SELECT setval('{sequence}', coalesce(max({quoted(column)}), 0) + 1, false)"  # noqa: S608
                        f" FROM {quoted(name)}"
                    )
                )


def counts(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: connection.scalar(select(func.count()).select_from(Table(name, MetaData()))) or 0
        for name in names
    }


def _integer_keys(connection: Connection, name: str) -> list[str]:
    rows = connection.execute(
        text(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND table_name = :table "
            "AND data_type IN ('integer', 'bigint')"
        ),
        {"table": name},
    )
    return list(rows.scalars())


def _kind(column: Column[Any]) -> str:
    kinds: tuple[tuple[Any, str], ...] = (
        (UtcTime, "time"),
        ((Encrypted, EncryptedText, LargeBinary), "bytes"),
        ((JsonText, String, Text), "text"),
        (Boolean, "bool"),
        (Date, "date"),
        ((Integer, BigInteger), "int"),
        (Float, "float"),
    )
    for types, kind in kinds:
        if isinstance(column.type, types):
            return kind
    raise TypeError(f"{column} is of a kind that an archive does not know")


def _as_stored(connection: Connection, column: Column[Any], kind: str) -> Any:
    """The column without the conversions that would open or decode it."""
    sqlite = connection.dialect.name == "sqlite"
    if kind == "bytes":
        return type_coerce(column, LargeBinary)
    if kind == "text":
        return type_coerce(column, Text)
    if kind == "time" and sqlite:
        return type_coerce(column, BigInteger)
    if kind == "date" and sqlite:
        return type_coerce(column, Text)
    return column


def _plain(connection: Connection, kinds: Sequence[str]) -> Callable[[Any], list[Any]]:
    """Makes a stored row one of numbers, texts, bytes and truths."""
    if connection.dialect.name == "sqlite":
        return list
    times = [at for at, kind in enumerate(kinds) if kind == "time"]
    dates = [at for at, kind in enumerate(kinds) if kind == "date"]

    def convert(row: Any) -> list[Any]:
        values = list(row)
        for at in times:
            if values[at] is not None:
                values[at] = to_microseconds(values[at])
        for at in dates:
            if values[at] is not None:
                values[at] = values[at].isoformat()
        return values

    return convert


def _from_plain(kinds: Sequence[str]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The values that PostgreSQL's driver wants; SQLite stores the plain ones."""
    times = [at for at, kind in enumerate(kinds) if kind == "time"]
    dates = [at for at, kind in enumerate(kinds) if kind == "date"]
    truths = [at for at, kind in enumerate(kinds) if kind == "bool"]

    def convert(row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for at in times:
            if values[at] is not None:
                values[at] = from_microseconds(values[at])
        for at in dates:
            if values[at] is not None:
                values[at] = dt.date.fromisoformat(values[at])
        for at in truths:
            if values[at] is not None:
                values[at] = bool(values[at])
        return values

    return convert
