"""`ringward models`: an owner brings a face model, sees it, checks it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recognition.engines import manifest as manifests
from recognition.models import EmbeddingPhoto, EmbeddingRun, RunState
from ringward.cli import app
from storage import Database, migrate
from tests.support import resident
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, settle_in
from tests.support.face_models import embedder_model, quarters, sha256, yunet_model

runner = CliRunner()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, its detector and its manifest, as an owner comes with it."""
    folder = tmp_path / "brought"
    folder.mkdir()
    (folder / "quarters.onnx").write_bytes(embedder_model())
    (folder / "squares.onnx").write_bytes(yunet_model())
    (folder / "quarters.toml").write_text(manifests.written(quarters(sha256=sha256(embedder_model()))))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def data(tmp_path: Path, vault) -> Path:
    return tmp_path / "data"


def run(data: Path, *words: str) -> tuple[int, str]:
    answer = runner.invoke(app, ["models", *words, "--data-dir", str(data)])
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    return answer.exit_code, " ".join(answer.output.split())


def add(data: Path, *words: str) -> tuple[int, str]:
    known = ("--detector", "squares.onnx", "--detector-sha256", sha256(yunet_model()))
    return run(data, "add", "quarters.onnx", "--manifest", "quarters.toml", *known, *words)


def listed(data: Path) -> dict[str, dict]:
    code, shown = run(data, "list", "--json")
    assert code == 0
    return {entry["name"]: entry for entry in json.loads(shown)}


@pytest.mark.usefixtures("files")
def test_a_model_is_added_listed_and_checked(data: Path) -> None:
    code, shown = add(data)
    assert code == 0, shown
    assert "12 numbers a face" in shown
    assert "RINGWARD_FACE_ENGINE=quarters" in shown
    entry = listed(data)["quarters"]
    assert (entry["dimension"], entry["licence"], entry["in_use"], entry["problem"]) == (
        12,
        "CC0",
        False,
        None,
    )
    code, shown = run(data, "check", "quarters", "--json")
    assert code == 0
    (checked,) = json.loads(shown)
    assert (checked["version"], checked["dimension"], checked["problem"]) == (entry["version"], 12, None)
    assert checked["detect_ms"] > 0
    assert checked["face_ms"] > 0
    assert f"version {entry['version']}, 12 numbers" in run(data, "check", "quarters")[1]


@pytest.mark.usefixtures("files")
def test_the_engine_that_settings_name_is_in_use(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(data)
    assert listed(data)["dlib"]["in_use"]
    monkeypatch.setenv("RINGWARD_FACE_ENGINE", "quarters")
    assert [name for name, entry in listed(data).items() if entry["in_use"]] == ["quarters"]
    monkeypatch.setenv("RINGWARD_FACE_ENGINE", "absent")
    assert listed(data)["absent"]["problem"] == "no model absent on the shelf"


@pytest.mark.usefixtures("files")
def test_how_far_a_compounds_photos_are_is_shown_beside_the_engine(data: Path) -> None:
    add(data)
    database = Database.at(data / "ringward.db")
    migrate.upgrade(database)
    settle_in(database)
    with database.write() as session:
        run_of = EmbeddingRun(
            id="run-1",
            compound=COMPOUND,
            engine="quarters",
            engine_version=listed(data)["quarters"]["version"],
            total=40,
            done=25,
            refused=2,
            state=RunState.RUNNING,
            started_at=NOON,
            moved_at=NOON,
        )
        session.add(run_of)
    database.close()
    assert f"{COMPOUND} running 25 of 40 photos embedded, 2 refused" in run(data, "check", "quarters")[1]
    (checked,) = json.loads(run(data, "check", "quarters", "--json")[1])
    assert checked["runs"] == [
        {"compound": COMPOUND, "state": "running", "embedded": 25, "refused": 2, "total": 40}
    ]


def test_whose_photos_have_to_be_taken_again_is_listed(data: Path) -> None:
    database = Database.at(data / "ringward.db")
    migrate.upgrade(database)
    settle_in(database)
    with database.write() as session:
        resident.person(session, "ann", "某某")
        former = resident.agree(session, "ann").id
        run_of = EmbeddingRun(
            id="run-1",
            compound=COMPOUND,
            engine="quarters",
            engine_version="1",
            total=1,
            state=RunState.DONE,
            started_at=NOON,
            moved_at=NOON,
        )
        session.add(run_of)
        session.flush()
        session.add(
            EmbeddingPhoto(
                run="run-1", template=former, compound=COMPOUND, tries=1, begun_at=NOON, reason="no_face"
            )
        )
    database.close()
    assert run(data, "retake") == (0, f"{COMPOUND} ann no_face")
    assert json.loads(run(data, "retake", "--json")[1]) == [
        {"compound": COMPOUND, "person": "ann", "reason": "no_face"}
    ]


def test_a_file_nobody_confirms_is_printed_with_its_hash_and_added_only_on_trust(
    data: Path, files: Path
) -> None:
    (files / "quarters.toml").write_text(manifests.written(quarters()))
    code, shown = add(data)
    assert code == 1
    assert sha256(embedder_model()) in shown
    assert "--trust-this-file" in shown
    assert "quarters" not in listed(data)
    assert add(data, "--sha256", "0" * 64)[0] == 1
    assert add(data, "--sha256", sha256(embedder_model()).upper())[0] == 0
    assert add(data, "--name", "again", "--trust-this-file")[0] == 0
    assert {"quarters", "again"} <= set(listed(data))


@pytest.mark.usefixtures("files")
def test_the_detector_of_a_model_that_is_there_serves_the_next(data: Path) -> None:
    words = ("add", "quarters.onnx", "--manifest", "quarters.toml")
    code, shown = run(data, *words)
    assert (code, "--detector" in shown) == (1, True)
    assert add(data)[0] == 0
    assert run(data, *words, "--name", "second")[0] == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("quarters.onnx",), "no model that is known here"),
        (("quarters.onnx", "--manifest", "absent"), "those shipped are arcface-w600k-mbf"),
        (("quarters.onnx", "--manifest", "absent.toml"), "manifest absent.toml: No such file"),
        (("quarters.onnx", "--manifest", "sface"), "SHA-256 is"),
        (("absent.onnx",), "absent.onnx"),
        (("squares.onnx", "--manifest", "quarters.toml"), "SHA-256 is"),
        (("quarters.onnx", "--manifest", "quarters.toml", "--name", "../up"), "regex"),
        (("quarters.onnx", "--manifest", "quarters.toml", "--name", "dlib"), "dlib is the name"),
    ],
)
@pytest.mark.usefixtures("files")
def test_what_cannot_be_added_says_why_and_leaves_the_shelf_empty(data: Path, words, why: str) -> None:
    code, shown = run(data, "add", *words, "--detector", "squares.onnx", "--trust-this-file")
    assert code == 1
    assert why in shown
    assert list(listed(data)) == ["dlib"]


@pytest.mark.usefixtures("files")
def test_a_damaged_file_is_listed_as_such_and_fails_the_check(data: Path) -> None:
    add(data)
    model = data / "models" / "quarters" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1])
    assert "SHA-256 is" in listed(data)["quarters"]["problem"]
    assert "SHA-256 is" in run(data, "list")[1]
    code, shown = run(data, "check")
    assert code == 1
    assert "dlib version" in shown
    assert "SHA-256 is" in shown


@pytest.mark.usefixtures("files")
def test_an_engine_that_is_not_there_fails_the_check(data: Path) -> None:
    code, shown = run(data, "check", "absent")
    assert (code, "no model absent on the shelf" in shown) == (1, True)


@pytest.mark.parametrize("command", ["add", "list", "check"])
def test_help_gives_an_example(command: str) -> None:
    shown = " ".join(runner.invoke(app, ["models", command, "--help"]).output.split())
    assert f"ringward models {command}" in shown
