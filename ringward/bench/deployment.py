"""A database of its own for a benchmark, with keys that nobody needs afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage import Database, KeyRing, Vault, migrate
from storage.keys import install_ring
from storage.vault import install_vault


@contextmanager
def made_database() -> Iterator[Database]:
    """SQLite in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder:
        ring = KeyRing.load(Path(folder) / "ring.key")
        install_ring(ring)
        install_vault(Vault.at(Path(folder) / "vault.db", ring))
        database = Database.at(Path(folder) / "ringward.db")
        migrate.upgrade(database)
        try:
            yield database
        finally:
            database.close()
