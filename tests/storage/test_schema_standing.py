"""Which version may work in which schema."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from ringward import schemagate
from storage import Database, migrate


def newer(database: Database, floor: str) -> None:
    """As a version after this one leaves it."""
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        session.execute(text("UPDATE schema_floor SET floor = :floor"), {"floor": floor})


def test_schema_of_this_version_fits(either_database: Database) -> None:
    found = migrate.require(either_database)
    assert found.at == found.head
    assert not found.is_behind
    assert not found.is_beyond


def test_role_does_not_start_before_the_schema(tmp_path: Path) -> None:
    database = Database.at(tmp_path / "old.db")
    with pytest.raises(migrate.SchemaTooOldError) as nothing:
        schemagate.pass_through(database)
    assert nothing.value.at is None
    migrate.upgrade(database, "0020")
    with pytest.raises(migrate.SchemaTooOldError, match="ringward migrate"):
        schemagate.pass_through(database)
    migrate.upgrade(database)
    schemagate.pass_through(database)
    database.close()


def test_newer_schema_that_lets_this_version_work_is_left_alone(either_database: Database) -> None:
    newer(either_database, floor="0001")
    schemagate.pass_through(either_database)
    migrate.upgrade(either_database)
    assert migrate.standing(either_database).at == "9999"


def test_newer_schema_that_does_not_is_refused(either_database: Database) -> None:
    newer(either_database, floor="9998")
    for refused in (schemagate.pass_through, migrate.upgrade):
        with pytest.raises(migrate.SchemaTooNewError) as error:
            refused(either_database)
        assert (error.value.at, error.value.floor) == ("9999", "9998")


def test_migration_says_what_is_the_oldest_that_may_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = migrate._script()
    for one in script.walk_revisions():
        if one.revision == "0020":
            monkeypatch.setattr(one.module, "floor", "0019", raising=False)
    monkeypatch.setattr(migrate, "_script", lambda: script)
    database = Database.at(tmp_path / "floor.db")
    migrate.upgrade(database, "0019")
    assert migrate.standing(database).floor == ""
    migrate.upgrade(database)
    assert migrate.standing(database).floor == "0019"
    database.close()


def test_database_that_is_away_is_waited_for(
    either_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter([OperationalError("", None, Exception()), OperationalError("", None, Exception())])
    known = migrate.require

    def require(database: Database) -> migrate.Standing:
        for error in asked:
            raise error
        return known(database)

    monkeypatch.setattr(migrate, "require", require)
    waited: list[float] = []
    schemagate.pass_through(either_database, sleep=waited.append)
    assert len(waited) == 2
