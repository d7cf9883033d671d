"""`ringward device opens`: no camera opens anything until somebody says so, and who said it is known."""

from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from ringward.cli import app
from storage import Database, migrate
from storage.audit import AuditRow
from tests.support.compound import device, settle_in

runner = CliRunner()


@pytest.fixture
def data(tmp_path: Path, vault) -> Path:
    folder = tmp_path / "data"
    database = Database.at(folder / "ringward.db")
    migrate.upgrade(database)
    settle_in(database)
    with database.write() as session:
        session.add(device("meter", "sensor", adapter="chirpstack", external_id="m1"))
    database.close()
    return folder


def opens(data: Path, *words: str) -> tuple[int, str]:
    answer = runner.invoke(app, ["device", "opens", *words, "--data-dir", str(data)])
    return answer.exit_code, " ".join(answer.output.split())


def test_camera_opens_what_somebody_said_until_they_say_never(data: Path) -> None:
    assert opens(data, "cam-1") == (0, "cam-1 opens nothing")
    assert opens(data, "cam-1", "door-1", "--door", "1") == (0, "cam-1 opens door-1 door 1")
    assert opens(data, "cam-1", "door-1") == (0, "cam-1 opens door-1 door 0")
    assert opens(data, "cam-1") == (0, "cam-1 opens door-1 door 0")
    assert opens(data, "cam-1", "--never") == (0, "cam-1 opens nothing")
    database = Database.at(data / "ringward.db")
    with database.read() as session:
        said = session.scalars(select(AuditRow.detail).where(AuditRow.action == "device.opens")).all()
    database.close()
    assert said == ["door-1 door 1", "door-1 door 0", "nothing"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("nobody", "door-1"), "no device nobody"),
        (("cam-1", "nobody"), "no device nobody"),
        (("cam-1", "meter"), "opening_unsupported"),
        (("meter", "door-1"), "opening_no_camera"),
        (("cam-1", "door-1", "--door", "4"), "less than or equal to 3"),
    ],
)
def test_what_cannot_open_is_refused(data: Path, words: tuple[str, ...], text: str) -> None:
    code, said = opens(data, *words)
    assert code != 0
    assert text in said
    assert opens(data, "cam-1") == (0, "cam-1 opens nothing")
