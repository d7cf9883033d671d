"""Deployments that are backed up and restored, on either kind of database."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import storage.keys
import storage.vault
from ringward import schema
from ringward.foundation import Foundation, lay
from ringward.restore import NOT_OURS
from ringward.settings import Settings
from storage import Base, Clock, Database, migrate
from storage.keys import install_ring
from storage.vault import install_vault

PHRASE = "correct horse battery staple"


@dataclass
class Deployments:
    """Makes deployments side by side; the keys of the latest one are installed."""

    folder: Path
    clock: Clock
    opened: list[Foundation]

    def new(self, name: str, **changes: object) -> Foundation:
        """An empty one, migrated."""
        ground = self.open(self.settings(name, **changes))
        migrate.upgrade(ground.database)
        return ground

    def settings(self, name: str, **changes: object) -> Settings:
        return Settings(data_dir=self.folder / name, **changes)

    def open(self, settings: Settings) -> Foundation:
        ground = replace(lay(settings), clock=self.clock)
        self.opened.append(ground)
        return ground

    @staticmethod
    def enter(ground: Foundation) -> Foundation:
        """Installs the keys of one among several."""
        install_ring(ground.ring)
        install_vault(ground.vault)
        return ground


@contextmanager
def deployments(folder: Path, clock: Clock) -> Iterator[Deployments]:
    before = storage.keys._ring, storage.vault._vault
    made = Deployments(folder, clock, [])
    yield made
    for ground in made.opened:
        ground.database.close()
        ground.vault.close()
    storage.keys._ring, storage.vault._vault = before


def everything(database: Database, *, without: tuple[str, ...] = ()) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table as the program sees it, opened and decoded, except what a restore ends."""
    with database.read() as session:
        return {
            table.name: _rows(session, table)
            for table in schema.metadata.sorted_tables
            if table.name not in (*NOT_OURS, *without)
        }


def _rows(session: Session, table: Any) -> list[dict[str, Any]]:
    keys = list(table.primary_key.columns)
    mapped = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    rows = []
    for row in session.scalars(select(mapped[table]).order_by(*keys)):
        values = {name.key: getattr(row, name.key) for name in mapped[table].__mapper__.column_attrs}
        for name in [name for name in values if name.startswith("sealed_")]:
            values[name.removeprefix("sealed_")] = getattr(row, name.removeprefix("sealed_"))
        rows.append(values)
    return rows


def bytes_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


def day(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)
