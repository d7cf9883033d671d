"""Changing a PostgreSQL database while others work in it: never in the way for long, and again when it was.

A statement that waits for a lock makes everybody wait who comes after it. So whoever changes tables
waits for three seconds at most, lets everybody pass, and tries again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from storage.database import Database

log = structlog.get_logger(__name__)

LOCK_S: Final = 3.0
"""How long a statement may wait for a lock, and so keep others waiting behind it."""

STATEMENT_S: Final = 5.0
"""How long a statement may hold what it has locked."""

TRIES_S: Final = 300.0
"""How long somebody may be in the way before a change is given up."""

# lock_not_available, deadlock_detected, and idle_in_transaction_session_timeout: we were asleep ourselves.
_IN_THE_WAY: Final = frozenset({"55P03", "40P01", "25P03"})
_PAUSES_S: Final = (0.1, 2.0)

_T = TypeVar("_T")


@contextmanager
def changing(
    database: Database, *, lock_s: float = LOCK_S, statement_s: float = STATEMENT_S
) -> Iterator[Connection]:
    """A transaction that neither waits for a lock nor works at one statement for longer than it may."""
    with database.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(lock_s * 1000)}")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {round(statement_s * 1000)}")
        yield connection


@contextmanager
def online(database: Database, *, lock_s: float = LOCK_S) -> Iterator[Connection]:
    """A connection without transactions, for what takes its time and keeps nobody from reading or writing.

    That is `CREATE INDEX CONCURRENTLY`, `VALIDATE CONSTRAINT` and their like.
    """
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT", ringward_read=True)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SET lock_timeout = {round(lock_s * 1000)}")
        connection.exec_driver_sql("SET statement_timeout = 0")
        try:
            yield connection
        finally:
            connection.exec_driver_sql("RESET lock_timeout")
            connection.exec_driver_sql("RESET statement_timeout")


def again(
    do: Callable[[], _T],
    *,
    for_s: float = TRIES_S,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> _T:
    """Does what fails when somebody is in the way until nobody is; after `for_s` seconds it fails."""
    end, pause = clock() + for_s, _PAUSES_S[0]
    while True:
        try:
            return do()
        except DBAPIError as error:
            if not is_in_the_way(error) or clock() > end:
                raise
            log.info("schema.waits", code=_code(error))
            sleep(pause)
            pause = min(pause * 2, _PAUSES_S[1])


def is_in_the_way(error: DBAPIError) -> bool:
    """Whether a statement failed since somebody else held a lock."""
    return _code(error) in _IN_THE_WAY


def _code(error: DBAPIError) -> str | None:
    driver: Any = error.orig
    return getattr(driver, "sqlstate", None)


def build_index(
    connection: Connection, name: str, table: str, columns: str, where: str | None = None
) -> None:
    """Makes an index while others write; `connection` is one of `online`.

    Nothing where it is there and whole. PostgreSQL leaves one that was broken off invalid: it goes first.
    """
    whole = connection.exec_driver_sql(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", (name,)
    ).scalar()
    if whole:
        return
    if whole is False:
        connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY {name}")
    condition = f" WHERE {where}" if where else ""
    connection.exec_driver_sql(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({columns}){condition}")
