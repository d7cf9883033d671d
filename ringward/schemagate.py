"""Nobody works in a schema that is not made for him: what a role looks at before it starts."""

import time
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError

from storage import Database, migrate

log = structlog.get_logger(__name__)

PAUSE_S: Final = 1.0


def pass_through(database: Database, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Waits for the database, and for nothing else: one that is away comes back.

    Raises `storage.migrate.SchemaTooOldError` before the schema was brought forward, and
    `SchemaTooNewError` where it has gone on without this version. A newer schema that still lets
    it work is no hindrance: so two versions run side by side.
    """
    while True:
        try:
            found = migrate.require(database)
        except OperationalError as error:
            log.warning("schema.no_database", error=type(error).__name__)
            sleep(PAUSE_S)
        else:
            if not found.known:
                log.warning("schema.newer", at=found.at, floor=found.floor, own=found.head)
            return
