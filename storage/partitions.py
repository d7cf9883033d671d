"""Event tables in pieces of a week, on PostgreSQL: made ahead, watched, and dropped whole.

An event's id begins with its device's time, so a range of ids is a range of time, and the id alone
stays the identity: the same event always falls into the same piece, where the primary key meets it.
Amendments lie in pieces of the same ranges.

Three kinds of pieces: `…_first` holds what is older than the table's division, and everything whose
device gave no time; `…_w20261130` the week that begins on that Monday, in UTC; `…_rest` what no week
was made for, as clocks say that run far ahead. SQLite has one table, as ever.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from storage.database import Database
from storage.patience import changing, is_in_the_way, online

log = structlog.get_logger(__name__)

TABLES: Final[tuple[tuple[str, str], ...]] = (("events", "id"), ("event_amendments", "event_id"))
"""Tables in pieces, each with the column that divides it; who is referred to comes first."""

REPLACED: Final = "fk_event_amendments_event_id_events"
"""The foreign key that a trigger stands for where the tables are in pieces."""

WEEK: Final = dt.timedelta(days=7)
AHEAD: Final = 5
"""Weeks after the running one for which there are pieces: a keeper may be away for a month."""

_MONDAY: Final = dt.datetime(1970, 1, 5, tzinfo=dt.UTC)
_LOCK_S: Final = 1.0
_BOUNDS: Final = re.compile(r"FROM \((?:'([0-9a-f]+)'|MINVALUE)\) TO \((?:'([0-9a-f]+)'|MAXVALUE)\)")
_CHECK: Final = re.compile(r"< '([0-9a-f]+)'")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of `events`. `start` and `end` are moments of ids, None where it is open on that side."""

    name: str
    start: dt.datetime | None
    end: dt.datetime | None

    @property
    def is_week(self) -> bool:
        return self.start is not None and self.end is not None

    @property
    def bounds(self) -> tuple[str, str]:
        """Ids from the first to before the second. Raises `ValueError` for a piece that is no week."""
        if self.start is None or self.end is None:
            raise ValueError(f"{self.name} is no week")
        return bound(self.start), bound(self.end)

    def of(self, table: str) -> str:
        """The name of the piece of another table that has the same range."""
        return table + self.name.removeprefix(TABLES[0][0])


@dataclass(frozen=True, slots=True)
class State:
    """Pieces after the running week without a gap, pieces at all, and events for which no week was made."""

    ahead: int
    pieces: int
    rest: int


def week_of(moment: dt.datetime) -> dt.datetime:
    """The Monday, 00:00 UTC, on or before a moment."""
    return moment - (moment - _MONDAY) % WEEK


def bound(moment: dt.datetime) -> str:
    """What every id of a moment or later is not less than: its milliseconds as twelve hex digits."""
    return f"{round(moment.timestamp() * 1000):012x}"


def is_divided(connection: Connection) -> bool:
    """Whether the event tables are in pieces here."""
    if connection.dialect.name != "postgresql":
        return False
    kind = connection.exec_driver_sql("SELECT relkind FROM pg_class WHERE oid = to_regclass('events')")
    return kind.scalar() == "p"


def pieces(connection: Connection) -> list[Piece]:
    """The pieces of `events`, oldest first; empty where it is in one. `…_rest` comes last."""
    if connection.dialect.name != "postgresql":
        return []
    rows = connection.exec_driver_sql(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass('events')"
    )
    found = []
    for name, expression in rows:
        match = _BOUNDS.search(expression)
        start, end = (None, None) if match is None else (_moment(match[1]), _moment(match[2]))
        found.append(Piece(name, start, end))
    far = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda one: (one.end or far, one.name))


def names(connection: Connection) -> set[str]:
    """The names of all pieces of all tables: no tables of their own to whoever compares schemas."""
    if connection.dialect.name != "postgresql":
        return set()
    rows = connection.exec_driver_sql(
        "SELECT relname FROM pg_class WHERE relispartition AND relnamespace = current_schema()::regnamespace"
    )
    return set(rows.scalars())


def state(session: Session, now: dt.datetime) -> State | None:
    """How the pieces stand; None where there are none."""
    connection = session.connection()
    if not is_divided(connection):
        return None
    there = pieces(connection)
    ahead = 0
    while not _is_free(there, week_of(now) + WEEK * (ahead + 1)):
        ahead += 1
    rest = connection.exec_driver_sql("SELECT count(*) FROM events_rest").scalar() or 0
    return State(ahead, len(there), rest)


def make_ahead(database: Database, now: dt.datetime, ahead: int = AHEAD) -> int:
    """Makes the pieces of the running week and of those after it that are missing; returns how many.

    Each is a transaction of its own. Whoever is in the way is left alone: there are weeks left for it.
    An event that was on its way into the rest at that very moment is refused by PostgreSQL; its batch
    comes again and finds the week.
    """
    made = 0
    if database.is_sqlite:
        return made
    with database.read() as session:
        connection = session.connection()
        if not is_divided(connection):
            return made
        there = pieces(connection)
    for number in range(ahead + 1):
        start = week_of(now) + WEEK * number
        # Weeks from before the division lie in the first piece.
        if not _is_free(there, start):
            continue
        try:
            with changing(database, lock_s=_LOCK_S) as connection:
                make(connection, start)
        except IntegrityError:
            # An event for that week came into the rest meanwhile: it is moved at the next round.
            log.info("pieces.missed", week=start.date().isoformat())
        except DBAPIError as error:
            if not is_in_the_way(error):
                raise
            log.info("pieces.waits", week=start.date().isoformat())
        else:
            made += 1
    if made:
        log.info("pieces.made", weeks=made)
    return made


def make(connection: Connection, start: dt.datetime) -> None:
    """Makes the pieces of one week, and moves what lies in the rest into them.

    Attached, not created in place: for that nobody who writes has to wait.
    """
    piece = Piece(f"{TABLES[0][0]}_w{start:%Y%m%d}", start, start + WEEK)
    low, high = piece.bounds
    # Amendments first: an event that is deleted takes its own along.
    for table, key in reversed(TABLES):
        name = piece.of(table)
        connection.exec_driver_sql(
            f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
        within = f"{key} >= '{low}' AND {key} < '{high}'"
        connection.exec_driver_sql(
            f"WITH moved AS (DELETE FROM {table}_rest WHERE {within} RETURNING *) "  # noqa: S608 - our names
            f"INSERT INTO {name} SELECT * FROM moved"
        )
    for table, _ in TABLES:
        name = piece.of(table)
        connection.exec_driver_sql(
            f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"
        )


def refresh_statistics(database: Database) -> None:
    """Counts the tables as wholes: PostgreSQL's own daemon looks at pieces alone, its planner at both."""
    if database.is_sqlite:
        return
    with online(database) as connection:
        if is_divided(connection):
            for table, _ in TABLES:
                connection.exec_driver_sql(f"ANALYZE {table}")


def drop(connection: Connection, piece: Piece) -> None:
    """Drops a week with everything in it, in the connection's transaction.

    Who reads or writes events waits until it ends: nothing else should follow in it.
    """
    if not piece.is_week:
        raise ValueError(f"{piece.name} is no week")
    for table, _ in reversed(TABLES):
        connection.exec_driver_sql(f"ALTER TABLE {table} DETACH PARTITION {piece.of(table)}")
        connection.exec_driver_sql(f"DROP TABLE {piece.of(table)}")


def prepare(database: Database) -> None:
    """What division needs beforehand where the tables are large; keeps nobody waiting.

    The old table becomes the first piece as it is. PostgreSQL reads it through, with everybody locked
    out, unless a constraint already says that all in it lies before the first week. From its addition
    until the division a record of a clock that runs weeks ahead is refused: its batch comes again.
    """
    with changing(database) as connection:
        if is_divided(connection) or not _is_large(connection):
            return
        at = _division(connection)
        known = _checked(connection)
        if known is None:
            for table, _ in TABLES:
                connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            _set_aside(connection, at)
            for table, key in TABLES:
                connection.exec_driver_sql(
                    f"ALTER TABLE {table} ADD CONSTRAINT {table}_before CHECK ({key} < '{at}') NOT VALID"
                )
    with online(database) as connection:
        for table, _ in TABLES:
            connection.exec_driver_sql(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_before")


def divide(connection: Connection) -> None:
    """Makes the tables ones in pieces: what is there becomes the first of them, not a row of it copied."""
    for table, _ in TABLES:
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    at = _checked(connection)
    if at is None:
        at = _division(connection)
        _set_aside(connection, at)
    connection.exec_driver_sql(f"ALTER TABLE event_amendments DROP CONSTRAINT {REPLACED}")
    start = _moment(at)
    assert start is not None
    for table, key in TABLES:
        _divide(connection, table, key, at)
    for number in range(AHEAD + 1):
        make(connection, start + WEEK * number)
    for table, _ in TABLES:
        connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {table}_aside")  # noqa: S608 - our names
        connection.exec_driver_sql(f"DROP TABLE {table}_aside")
    for statement in _FOLLOWS:
        connection.exec_driver_sql(statement)


# What the foreign key did before, for events that are deleted by rows. A key from pieces to pieces would
# have to be looked through with everybody locked out, at the division and whenever a piece is dropped.
_FOLLOWS: Final[Sequence[str]] = (
    """
    CREATE FUNCTION event_amendments_follow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM event_amendments WHERE event_id IN (SELECT id FROM gone WHERE revision IS NOT NULL);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER events_take_amendments AFTER DELETE ON events REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION event_amendments_follow()
    """,
)


def _divide(connection: Connection, table: str, key: str, at: str) -> None:
    first = f"{table}_first"
    connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {first}")
    # Names of indices are the schema's: the old ones make room, and are found by what they are.
    rows = connection.exec_driver_sql(
        "SELECT c.relname, i.indisprimary, pg_get_indexdef(i.indexrelid) FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass(%s)",
        (first,),
    ).all()
    for name, _, _ in rows:
        connection.exec_driver_sql(f"ALTER INDEX {name} RENAME TO {name}_first")
    connection.exec_driver_sql(
        f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS) PARTITION BY RANGE ({key})"
    )
    for name, is_primary, definition in rows:
        if is_primary:
            columns = definition[definition.rindex("(") :]
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} PRIMARY KEY {columns}")
        else:
            said = definition.replace(f".{first} ", f".{table} ", 1)
            connection.exec_driver_sql(said)
    connection.exec_driver_sql(
        f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{at}')"
    )
    connection.exec_driver_sql(f"ALTER TABLE {first} DROP CONSTRAINT IF EXISTS {table}_before")
    connection.exec_driver_sql(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")


def _set_aside(connection: Connection, at: str) -> None:
    """What lies after the first division: a handful, of clocks that run ahead."""
    for table, key in reversed(TABLES):
        aside = f"{table}_aside"
        connection.exec_driver_sql(f"CREATE TABLE {aside} (LIKE {table})")
        connection.exec_driver_sql(
            f"INSERT INTO {aside} SELECT * FROM {table} WHERE {key} >= '{at}'"  # noqa: S608 - our names
        )
    # The foreign key takes the amendments along.
    connection.exec_driver_sql(f"DELETE FROM events WHERE id >= '{at}'")  # noqa: S608 - a number of ours


def _division(connection: Connection) -> str:
    """Where the first week begins.

    In a table that is filled no clock that is nearly right may be beyond it until the division is done.
    """
    now: dt.datetime = connection.exec_driver_sql("SELECT now()").scalar_one().astimezone(dt.UTC)
    if connection.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM events)").scalar():
        return bound(week_of(now + dt.timedelta(days=3)) + WEEK)
    return bound(week_of(now))


def _checked(connection: Connection) -> str | None:
    """Where the first week begins as a constraint says that was added before."""
    said = connection.exec_driver_sql(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = to_regclass('events') AND conname = 'events_before'"
    ).scalar()
    match = _CHECK.search(said or "")
    return match[1] if match else None


_LARGE_BYTES: Final = 256 * 2**20
"""What can be read through in a moment needs no constraint beforehand."""


def _is_large(connection: Connection) -> bool:
    size: Any = connection.exec_driver_sql(
        "SELECT pg_table_size('events') + pg_table_size('event_amendments')"
    ).scalar()
    return bool(size > _LARGE_BYTES)


def _is_free(there: Sequence[Piece], start: dt.datetime) -> bool:
    """Whether no piece covers a week."""
    return not any(
        (one.start is None or one.start <= start) and (one.end is not None and start < one.end)
        for one in there
    )


def _moment(digits: str | None) -> dt.datetime | None:
    if digits is None:
        return None
    return dt.datetime.fromtimestamp(int(digits, 16) / 1000, dt.UTC)
