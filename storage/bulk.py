"""Bulk inserts at the driver's speed, for the one path that is hot.

SQLAlchemy compiles the statement and supplies the columns' conversions once; the values
then go straight to the driver. On SQLite many rows share one statement: the driver gives
the interpreter lock away at every step, and a step a row would hand it to the network
thread a thousand times a batch.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

from sqlalchemy import Dialect, Table, insert
from sqlalchemy.orm import Session

# Rows a statement, largest first; SQLite takes 32,766 values at once.
_CHUNKS = (256, 64, 16, 4, 1)


class BulkInsert:
    """An INSERT of fixed columns into one table. Keeps a compiled form for each dialect.

    A column that is not named and has a default gets it, as it would anywhere else.
    """

    def __init__(self, table: Any, columns: Sequence[str]) -> None:
        self._table: Table = table
        # A compiled INSERT names columns in the table's order, whatever order they were given in.
        places = {name: place for place, name in enumerate(columns)}
        wanted = [column for column in self._table.c if column.name in places or column.default is not None]
        self._columns = [column.name for column in wanted]
        self._defaults = [cast("Any", column.default).arg for column in wanted if column.name not in places]
        behind = iter(range(len(columns), len(wanted)))
        order = [places[name] if name in places else next(behind) for name in self._columns]
        # None where rows are as the statement wants them, which the hot path's are.
        self._order = None if order == list(range(len(order))) else order
        self._processors: dict[str, list[tuple[int, Callable[[Any], Any]]]] = {}
        self._statements: dict[tuple[str, int], str] = {}

    def execute(self, session: Session, rows: Sequence[Sequence[Any]]) -> None:
        """Inserts rows, each with its values in the order of `columns`."""
        if not rows:
            return
        connection = session.connection()
        prepared = self._prepare(connection.dialect, rows)
        if connection.dialect.name != "sqlite":
            # psycopg sends a batch through one pipeline by itself.
            connection.exec_driver_sql(self._statement(connection.dialect, 1), prepared)
            return
        for chunk in _chunks(prepared):
            statement = self._statement(connection.dialect, len(chunk))
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(chunk)))

    def _prepare(self, dialect: Dialect, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        processors = self._processors.get(dialect.name)
        if processors is None:
            processors = []
            for position, name in enumerate(self._columns):
                convert = self._table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
                if convert is not None:
                    processors.append((position, convert))
            self._processors[dialect.name] = processors
        prepared = []
        for row in rows:
            # SQLAlchemy gives every function that makes a default the context, which there is none of here.
            values = [*row, *(made(None) if callable(made) else made for made in self._defaults)]
            if self._order is not None:
                values = [values[place] for place in self._order]
            for position, process in processors:
                values[position] = process(values[position])
            prepared.append(tuple(values))
        return prepared

    def _statement(self, dialect: Dialect, count: int) -> str:
        known = self._statements.get((dialect.name, count))
        if known is None:
            # Drivers take tuples for positional statements; psycopg's own style is named.
            style = "qmark" if dialect.name == "sqlite" else "format"
            positional: Dialect = cast("Any", type(dialect))(paramstyle=style)
            one = str(insert(self._table).compile(dialect=positional, column_keys=self._columns))
            head, values = one.rsplit(" VALUES ", 1)
            known = f"{head} VALUES {', '.join([values] * count)}"
            self._statements[dialect.name, count] = known
        return known


def _chunks(rows: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size
