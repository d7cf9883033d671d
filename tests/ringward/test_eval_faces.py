"""`ringward eval faces`, from a folder of pictures to the calibration that a worker finds."""

import json
import re

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from recognition.calibration import Calibrations
from recognition.engines import DlibEngine
from ringward.cli import app

PEOPLE = 104


def picture(rng, pattern):
    noisy = pattern + rng.normal(0, 14, (112, 112, 3))
    return cv2.imencode(".png", np.clip(noisy, 0, 255).astype(np.uint8))[1].tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Patterns for faces: the encoder gives numbers for any crop, and the same pattern gives near ones."""
    folder, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(4)
    rows = ["file,identity,source,group,kind"]
    for person in range(PEOPLE):
        coarse = rng.uniform(0, 255, (6, 6, 3)).astype(np.float32)
        pattern = cv2.resize(coarse, (112, 112), interpolation=cv2.INTER_CUBIC)
        for number in range(6 if person < 20 else 2):
            name = f"{person}-{number}.png"
            (folder / name).write_bytes(picture(rng, pattern))
            rows.append(
                f"{name},<b>person {person}</b>,made & drawn,{'some' if person % 2 else ''},aligned 112x112"
            )
    (folder / "plain.png").write_bytes(picture(rng, np.full((112, 112, 3), 90.0)))
    rows.append("plain.png,nobody,made & drawn,some,masked")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["eval", "faces", *map(str, arguments)])


@pytest.fixture(scope="module")
def outcome(folder, tmp_path_factory):
    """One run of the command: what it printed, and the folder it wrote into."""
    out = tmp_path_factory.mktemp("out")
    (out / "aliases.csv").write_text("identity,same_as\n<b>person 1</b>,<b>person 2</b>\n")
    done = run(
        folder,
        "--json",
        *("--report", out / "out.html"),
        *("--calibration", out / "dlib.json"),
        *("--aliases", out / "aliases.csv"),
        *("--cache", out),
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), out


def test_figures_come_as_one_object_with_corrected_ones_beside(outcome):
    found, _ = outcome
    assert set(found) >= {"name", "at", "revision", "machine", "settings", "figures", "ceilings", "ratios"}
    assert found["figures"]["people"] == PEOPLE
    assert found["corrected"]["figures"]["people"] == PEOPLE - 1
    assert found["detection"] == [{"group": "some", "kind": "masked", "pictures": 1, "no_face_share": 1.0}]


def test_operating_points_that_too_few_people_carry_are_null_with_the_reason(outcome):
    points = outcome[0]["operating_points"]
    wanted = {"engine", "group", "gallery_people", "enrol_photos", "fused_frames", "fpir_target", "fpir"}
    assert all(set(one) >= wanted | {"tpir", "tpir_low", "tpir_high", "threshold"} for one in points)
    assert {one["group"] for one in points} == {"whole", "some"}
    assert {(one["enrol_photos"], one["fused_frames"]) for one in points} >= {(1, 1), (3, 3), (5, 5)}
    measured = [one for one in points if one["threshold_source"] == "measured"]
    assert {one["fpir_target"] for one in measured} == {1e-1, 1e-2, 1e-3, 1e-4}
    # A hundred strangers carry one rate of these four: nothing is invented.
    rare = [one for one in measured if one["fpir_target"] < 1e-1]
    assert all(one["tpir"] is None and one["fpir"] is None and one["fpir_reason"] for one in rare)
    assert any(one["tpir"] is not None for one in measured)
    assert "1 fused: 104 strangers; a rate of 0.0001 needs 30000 to expect 3" in {
        one["fpir_reason"] for one in rare
    }


def test_the_calibration_is_the_one_that_a_worker_finds(outcome):
    engine = DlibEngine()
    made = Calibrations(outcome[1]).of(engine)
    assert (made.file.engine_version, made.file.groups[0].people) == (engine.version, PEOPLE)
    assert made.distance(200, 1e-3) < made.distance(200, 1e-1)


def test_the_page_needs_nothing_else_runs_nothing_and_escapes_every_text(outcome):
    page = (outcome[1] / "out.html").read_text(encoding="utf-8")
    assert "<b>person" not in page
    assert "made &amp; drawn" in page
    assert "<script" not in page
    assert page.count("<svg") >= 5
    assert not re.search(r"(?:src|href)=[\"']?https?://", page)


def test_the_same_pictures_and_seed_give_the_same_figures(folder, outcome):
    again = json.loads(run(folder, "--json", "--cache", outcome[1]).stdout)
    assert again["figures"] == outcome[0]["figures"]
    assert again["operating_points"] == outcome[0]["operating_points"]


@pytest.mark.parametrize("arguments", [("--engine", "nowhere"), ("--aliases", "gone.csv"), ("--corrected",)])
def test_what_cannot_be_used_is_said_and_nothing_is_written(folder, tmp_path, arguments):
    done = run(folder, "--calibration", tmp_path / "out.json", "--shelf", tmp_path, *arguments)
    assert done.exit_code == 2
    assert arguments[-1].strip("-") in done.output
    assert not (tmp_path / "out.json").exists()


def test_a_folder_without_labels_and_one_of_too_few_people_are_refused(tmp_path, folder):
    assert "labels.csv" in run(tmp_path).output
    rows = (folder / "labels.csv").read_text().splitlines()[:150]
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    for row in rows[1:]:
        name = row.split(",")[0]
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    done = run(tmp_path, "--calibration", tmp_path / "out.json")
    assert done.exit_code == 2
    assert "too few to calibrate" in done.output
    assert not (tmp_path / "out.json").exists()
