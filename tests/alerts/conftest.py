"""A small compound on a real database and a virtual clock; PostgreSQL beside SQLite where hands meet."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from shifts import Shift
from sqlalchemy import union
from sqlalchemy.orm import Session
from timeline import World, found

from alerts.calendar import care, commands, duties, visits, walks
from alerts.calendar.places import Places
from alerts.rules import Observation
from storage import Database, KeyRing


@pytest.fixture(scope="session")
def founded_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compound in a migrated file, founded once and copied for every test."""
    path = tmp_path_factory.mktemp("founded") / "ringward.db"
    shutil.copy(migrated_file, path)
    database = Database.at(path)
    found(database)
    database.close()
    return path


@pytest.fixture
def database(founded_file: Path, tmp_path: Path, ring: KeyRing) -> Iterator[Database]:
    path = tmp_path / "ringward.db"
    shutil.copy(founded_file, path)
    database = Database.at(path)
    yield database
    database.close()


@pytest.fixture
def on_postgres(request: pytest.FixtureRequest, ring: KeyRing) -> Iterator[Database]:
    with request.getfixturevalue("postgres").database() as database:
        found(database)
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Database:
    """Both databases, for what only the database can decide."""
    return request.getfixturevalue("database" if request.param == "sqlite" else "on_postgres")


@pytest.fixture(autouse=True)
def _whoever_has_something_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whatever a part of the calendar says anything here, that part names it in a look at all compounds."""
    for source in (visits, care, commands, duties, walks):
        monkeypatch.setattr(source, "between", _watched(source.between, source.touched))


def _watched(
    between: Callable[..., Iterator[Observation]], touched: Callable[..., Any]
) -> Callable[..., Any]:
    def asked(
        session: Session, places: Places, start: dt.datetime, end: dt.datetime, *plans: Sequence[Any]
    ) -> list[Observation]:
        found = list(between(session, places, start, end, *plans))
        # What a rules file plans stands in no table.
        for seen in found if not any(plans) else ():
            # At its own moment: what else there is in a longer time does not stand for it.
            until = seen.received_at + dt.timedelta(microseconds=1)
            assert places.compound in set(session.scalars(union(*touched(seen.received_at, until))))
        return found

    return asked


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def shift(database: Database) -> Shift:
    return Shift(database)
