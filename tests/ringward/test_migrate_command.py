from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from ringward.cli import app
from storage import Database, migrate


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGWARD_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_schema_is_checked_brought_forward_and_checked_again(folder: Path) -> None:
    run = CliRunner()
    assert run.invoke(app, ["migrate", "--check"]).exit_code == 1
    database = Database.at(folder / "ringward.db")
    migrate.upgrade(database, "0020")
    assert run.invoke(app, ["migrate", "--check"]).exit_code == 1
    moved = run.invoke(app, ["migrate"])
    assert moved.exit_code == 0
    assert "0020 → " in moved.output
    said = run.invoke(app, ["migrate", "--check", "--json"])
    assert said.exit_code == 0
    assert '"fits": true' in said.output
    database.close()


def test_role_that_finds_an_old_schema_says_what_to_do(folder: Path) -> None:
    database = Database.at(folder / "ringward.db")
    migrate.upgrade(database, "0020")
    refused = CliRunner().invoke(app, ["run", "keeper"])
    assert refused.exit_code == 1
    assert "ringward migrate" in " ".join(refused.output.split())
    database.close()


def test_version_that_a_newer_schema_shuts_out_does_nothing(folder: Path) -> None:
    database = Database.at(folder / "ringward.db")
    migrate.upgrade(database)
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        session.execute(text("UPDATE schema_floor SET floor = '9999'"))
    for command in (["migrate"], ["run", "keeper"], ["care", "list"]):
        refused = CliRunner().invoke(app, command)
        assert refused.exit_code == 1
        assert "newer version" in " ".join(refused.output.split())
    database.close()
