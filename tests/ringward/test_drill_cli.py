"""`ringward drill`, from its beginning to its report."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from registry.models import Compound, Zone
from ringward.cli import app
from ringward.foundation import lay
from ringward.settings import Settings
from storage import migrate

RUNNER = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGWARD_DATA_DIR", str(tmp_path / "data"))
    settings = Settings()
    ground = lay(settings)
    migrate.upgrade(ground.database)
    with ground.database.write() as session:
        session.add(Compound(id=settings.compound, name="柳荫", time_zone="Asia/Shanghai"))
        session.flush()
        session.add(
            Zone(
                id="hall",
                compound=settings.compound,
                name="3幢",
                ring="building",
                kind="hall",
                outline=[[0, 0]],
            )
        )
    ground.database.close()
    return tmp_path


def run(*arguments: str) -> str:
    made = RUNNER.invoke(app, ["drill", *arguments])
    assert made.exit_code == 0, made.output
    return made.output


def test_a_drill_is_begun_listed_ended_and_shown(home: Path) -> None:
    assert "runs until" in run("start", "forced_door", "--minutes", "5")
    [drill] = json.loads(run("list", "--json"))
    assert (drill["scenario"], drill["ended_at"]) == ("forced_door", None)
    refused = RUNNER.invoke(app, ["drill", "start", "forced_door"])
    assert refused.exit_code == 1
    assert "running already" in refused.output
    run("end")
    made = json.loads(run("show", drill["id"], "--json"))
    assert [row["kind"] for row in made["incidents"]] == ["door.forced"]
    assert made["ended_at"] is not None
    assert "asked and silent: nobody" in run("show", drill["id"])


@pytest.mark.parametrize("arguments", [["end"], ["show", "none"], ["start", "flood"]])
def test_what_is_not_there_is_said_in_words(home: Path, arguments: list[str]) -> None:
    made = RUNNER.invoke(app, ["drill", *arguments])
    assert made.exit_code == 1
    assert "There is no such" in made.output
