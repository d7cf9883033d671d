"""`ringward device lists`, `keep-list` and `resync`: what an installer sees and says."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from devices.enrolments import note
from registry.models import Person
from ringward.cli import app
from storage import Database, migrate
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, device, settle_in

runner = CliRunner()


@pytest.fixture
def data(tmp_path: Path, vault) -> Path:
    folder = tmp_path / "data"
    database = Database.at(folder / "ringward.db")
    migrate.upgrade(database)
    settle_in(database)
    with database.write() as session:
        session.add(device("term-1", "face_camera", adapter="facesluice", external_id="1007001"))
        session.add(device("plate-1", "plate_camera", adapter="zhenshi", external_id="z1"))
        session.add(Person(id="p1", compound=COMPOUND))
        session.flush()
        row = note(session, COMPOUND, "term-1", "p1", face=True, at=NOON)
        row.code, row.text, row.failures = "468", "no usable face in the picture", 3
    database.close()
    return folder


def run(data: Path, *words: str) -> tuple[int, str]:
    answer = runner.invoke(app, ["device", *words, "--data-dir", str(data)])
    return answer.exit_code, answer.output


def test_list_is_decided_shown_and_sent_again(data: Path) -> None:
    assert run(data, "keep-list", "term-1", "faces")[0] == 0
    code, shown = run(data, "lists")
    assert code == 0
    assert "term-1  faces" in shown
    assert "468 no usable face in the picture" in " ".join(shown.split())
    code, shown = run(data, "lists", "term-1", "--json")
    (one,) = json.loads(shown)
    assert (one["device"], one["carries"], one["wanted"], one["refused"][0]["code"]) == (
        "term-1",
        "faces",
        0,
        "468",
    )
    code, shown = run(data, "resync", "term-1")
    assert (code, "1 entries are sent again" in shown) == (0, True)


def test_device_that_keeps_no_list_or_is_none_is_refused(data: Path) -> None:
    assert run(data, "keep-list", "plate-1", "cards")[0] != 0
    assert run(data, "keep-list", "nowhere", "cards")[0] != 0
    assert run(data, "lists", "nowhere")[0] != 0


def test_without_a_list_it_says_how_to_begin_one(data: Path) -> None:
    assert "keep-list" in run(data, "lists")[1]
    assert json.loads(run(data, "lists", "--json")[1]) == []
