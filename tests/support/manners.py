"""Whether whoever changes a schema is polite: how long each statement may wait and work, and who waits meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from sqlalchemy import event, make_url

from storage import Database

# What takes its time and keeps nobody from reading or writing.
_PATIENT: Final = ("CREATE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY", "SET ", "RESET ", "SELECT ")


@dataclass
class Manners:
    """What was seen of a schema's change. Times in seconds; `statements` are (text, lock limit, own limit)."""

    statements: list[tuple[str, float, float]] = field(default_factory=list)
    longest_wait_s: float = 0.0
    written: int = 0
    failed: list[Exception] = field(default_factory=list)

    @property
    def unbounded(self) -> list[str]:
        """Statements that might have kept others waiting for longer than they may."""
        return [
            said
            for said, lock_s, own_s in self.statements
            if not (0 < lock_s <= 4) or not (0 < own_s <= 5 or _is_patient(said))
        ]


@contextmanager
def watching(database: Database) -> Iterator[Manners]:
    """Notes each statement that a database's own sessions say, and how long anybody at all waits for a lock."""
    seen, stop = Manners(), threading.Event()

    def note(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        limits = cursor.connection.execute(
            "SELECT extract(epoch FROM current_setting('lock_timeout')::interval), "
            "extract(epoch FROM current_setting('statement_timeout')::interval)"
        ).fetchone()
        said = " ".join(statement.split())
        # The limits themselves, and what is asked before there are any.
        if not said.startswith(("SET LOCAL", "SET lock_timeout", "SET statement_timeout", "SELECT", "RESET")):
            seen.statements.append((said, float(limits[0]), float(limits[1])))

    def look() -> None:
        asked = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(asked, autocommit=True) as connection:
            while not stop.is_set():
                row = connection.execute(
                    "SELECT extract(epoch FROM max(clock_timestamp() - waitstart)) FROM pg_locks "
                    "WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                ).fetchone()
                if row is not None and row[0] is not None:
                    seen.longest_wait_s = max(seen.longest_wait_s, float(row[0]))
                stop.wait(0.02)

    watcher = threading.Thread(target=look)
    event.listen(database.engine, "before_cursor_execute", note)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
        event.remove(database.engine, "before_cursor_execute", note)


@contextmanager
def writers(seen: Manners, write: Callable[[int], None], count: int = 2) -> Iterator[None]:
    """Calls `write` with rising numbers from several threads; an exception ends its thread and is noted."""
    stop, taken, lock = threading.Event(), iter(range(1_000_000)), threading.Lock()

    def go_on() -> None:
        while not stop.is_set():
            with lock:
                number = next(taken)
            try:
                write(number)
            except Exception as error:  # noqa: BLE001 - what it is is what the test is about
                seen.failed.append(error)
                return
            with lock:
                seen.written += 1

    threads = [threading.Thread(target=go_on) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _is_patient(said: str) -> bool:
    return said.startswith(_PATIENT) or "VALIDATE CONSTRAINT" in said
