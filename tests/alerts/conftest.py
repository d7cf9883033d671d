"""A small compound on a real database and a virtual clock; PostgreSQL beside SQLite where hands meet."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from shifts import Shift
from sqlalchemy.orm import Session
from timeline import World, found

from alerts import calendar
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
    """Of whatever the calendar says anything here, a look at all compounds names it, too."""
    between = calendar.between

    def asked(
        session: Session, compound: str, start: dt.datetime, end: dt.datetime, plans: calendar.Plans
    ) -> list[Observation]:
        found = between(session, compound, start, end, plans)
        if found and not (plans.patrols or plans.posts):
            assert compound in calendar.touched(session, start, end)
        return found

    monkeypatch.setattr(calendar, "between", asked)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def shift(database: Database) -> Shift:
    return Shift(database)
