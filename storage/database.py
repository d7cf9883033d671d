"""Engine and sessions: SQLite (WAL, synchronous=FULL) or PostgreSQL."""

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from storage import tenancy

BUSY_TIMEOUT_MS = 30_000
IDLE_WRITER_S = 15.0
"""How long a write transaction on PostgreSQL may stand still before its session is ended.

A process that sleeps inside one keeps its row locks, and whoever would go on waits behind them for
as long. Above what a busy machine puts between two statements, also where much is worked out between."""
IDLE_HOLDER_S = 3.0
"""The same for roles over which a standby takes: below the five seconds in which it is promised."""
_TURN = "ringward_turn"


def _configure_sqlite(engine: Engine) -> None:
    # SQLite's own queue is polling with growing pauses: a writer that misses its moment waits
    # for the next one. Writers of one process take turns here instead, and wake at once.
    turn = threading.Lock()

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself: BEGIN IMMEDIATE below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA page_size=16384")
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: an acknowledged event survives the power cut, not only the process.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What is erased must not stay readable in the file: some builds have this by default.
        cursor.execute("PRAGMA secure_delete=ON")
        # A checkpoint writes the whole index tree: rarer than the default, it costs a
        # quarter of the throughput less, and the log stays below 64 MB.
        cursor.execute("PRAGMA wal_autocheckpoint=16000")
        cursor.execute("PRAGMA cache_size=-65536")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer that starts as a reader fails with SQLITE_BUSY at once when another
        # writer came between; taking the lock first makes it wait instead.
        if connection.get_execution_options().get("ringward_read", False):
            connection.exec_driver_sql("BEGIN")
            return
        # Whoever does not get a turn in time asks the database all the same, and hears its answer.
        if turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            connection.info[_TURN] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def _end(_connection: Any, record: Any) -> None:
        # After the commit or rollback, whichever way the transaction went.
        if record.info.pop(_TURN, False):
            turn.release()


@dataclass(frozen=True, slots=True)
class Pool:
    """The connections of one process.

    `size` are kept open, `overflow` more are opened for a rush and closed after it: together the most
    that this process ever has. Whoever finds none free waits `wait_s` seconds. With `shared` a pooler
    (PgBouncer and its like) gives a server's session to whoever has a transaction, so nothing is left
    in one between two transactions: no prepared statements, no settings.
    """

    size: int = 10
    overflow: int = 10
    wait_s: float = 60.0
    shared: bool = False


_POOL: Final = Pool()


def _configure_postgresql(engine: Engine, idle_writer_s: float, *, shared: bool) -> None:
    # For this transaction alone: one that reads holds no rows, and may think between two answers.
    limit = f"SET LOCAL idle_in_transaction_session_timeout = {round(idle_writer_s * 1000)}"
    zone = "SET LOCAL TIME ZONE 'UTC'"
    reading, writing = (zone, f"{zone}; {limit}") if shared else (None, limit)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("ringward_read", False)
        said = reading if reads else writing
        if said is not None:
            connection.exec_driver_sql(said)


def _arguments(url: str, name: str, pool: Pool) -> dict[str, Any]:
    """What the driver of PostgreSQL is told beside the address, which may say more: of TLS, of its name."""
    said: dict[str, Any] = {}
    if "application_name" not in make_url(url).query:
        # So that who looks at `pg_stat_activity` sees whose sessions these are.
        said["application_name"] = name
    if pool.shared:
        said["prepare_threshold"] = None
    else:
        # The driver reads times in the session's zone, where the last day of year
        # 9999, which a broken clock may send, does not exist.
        said["options"] = "-c timezone=UTC"
    return said


class Database:
    """The one database of a deployment.

    `write()` is a transaction that commits on leaving; `read()` never takes a write lock. `name` is
    what the process is called in PostgreSQL's own list of sessions.
    """

    def __init__(
        self,
        url: str,
        *,
        pool: Pool = _POOL,
        name: str = "ringward",
        idle_writer_s: float = IDLE_WRITER_S,
    ) -> None:
        self.url = url
        self.compound: str | None = None
        # Statements in a log may not carry their values: those are names and plates.
        sized: dict[str, Any] = {
            "pool_size": pool.size,
            "max_overflow": pool.overflow,
            "pool_timeout": pool.wait_s,
        }
        self._most = pool.size + pool.overflow
        if url.startswith("sqlite"):
            self.engine = create_engine(url, **sized, hide_parameters=True)
            _configure_sqlite(self.engine)
        else:
            self.engine = create_engine(
                url,
                **sized,
                # A server that was restarted leaves dead connections: each is tried before it is given away.
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args=_arguments(url, name, pool),
            )
            _configure_postgresql(self.engine, idle_writer_s, shared=pool.shared)
        self._reader = self.engine.execution_options(ringward_read=True)
        self._write_session = sessionmaker(self.engine, expire_on_commit=False)
        self._read_session = sessionmaker(self._reader, expire_on_commit=False)

    @classmethod
    def at(cls, path: Path) -> "Database":
        """The SQLite database in a file; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(f"sqlite:///{path}")

    def within(self, compound: str) -> "Database":
        """The same database, whose sessions see and write this compound's rows alone."""
        bound = copy.copy(self)
        bound.compound = compound
        return bound

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def connections(self) -> tuple[int, int]:
        """How many connections are given away now, and how many there may be at most."""
        held = self.engine.pool
        return (held.checkedout() if isinstance(held, QueuePool) else 0), self._most

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed on leaving, rolled back on an exception."""
        with self._write_session() as session, session.begin():
            tenancy.bind(session, self.compound)
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for queries; what is changed in it is thrown away."""
        with self._read_session() as session:
            tenancy.bind(session, self.compound)
            try:
                yield session
            finally:
                session.rollback()

    def fold_log(self) -> None:
        """Copies what SQLite's log holds into the file, keeping nobody waiting; nothing elsewhere.

        For whoever writes much: otherwise the next commit does it, and that may be ingest's.
        """
        if self.is_sqlite:
            with self._reader.connect() as connection:
                driver: Any = connection.connection.driver_connection
                driver.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def keep_at_most(self, megabytes: int) -> None:
        """Bounds what SQLite keeps of its files in this process, over all connections together (2^20 bytes).

        For a process of many readers: each of their connections would keep pages of its own, up to what
        one writer needs. What is not kept is read from the system's cache. Nothing elsewhere; 0 lifts it.
        """
        if self.is_sqlite:
            with self._reader.connect() as connection:
                driver: Any = connection.connection.driver_connection
                driver.execute(f"PRAGMA soft_heap_limit={megabytes * 1024 * 1024}")

    def refresh_statistics(self) -> None:
        """Tells the query planner what the tables hold now; on PostgreSQL its own daemon does it.

        Without them SQLite takes an index of the compound, which holds for every row, over
        one that finds a few. Only as many rows are looked at as keep nobody waiting.
        """
        if self.is_sqlite:
            with self._reader.connect() as connection:
                driver: Any = connection.connection.driver_connection
                driver.execute("PRAGMA analysis_limit=400")
                driver.execute("ANALYZE")

    def ping(self) -> None:
        """Raises when the database does not answer."""
        with self._reader.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()
