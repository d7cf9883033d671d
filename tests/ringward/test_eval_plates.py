"""`ringward eval plates`, from a folder of drawn pictures to one JSON object and a page."""

import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from ringward.cli import app


@pytest.fixture
def folder(tmp_path):
    blank = np.full((360, 640, 3), 90, np.uint8)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "1.png").write_bytes(cv2.imencode(".png", blank)[1].tobytes())
    head = "file,plate,colour,box_xywh_rot,other_plates"
    (tmp_path / "labels.csv").write_text(f"{head}\nmade/1.png,云M12345,蓝牌,,\n", encoding="utf-8")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["eval", "plates", *map(str, arguments)])


def test_the_result_is_one_object_and_a_page(folder):
    done = run(folder, "--json", "--registry", "20", "--report", folder / "out.html")
    assert done.exit_code == 0, done.output
    result = json.loads(done.output)
    assert result["name"] == "eval plates"
    assert result["settings"]["register"] == 20
    assert (result["figures"]["pictures"], result["figures"]["source_made_exact_count"]) == (1, 0)
    assert result["figures"]["colour_blue_exact_of"] == 1
    assert result["figures"]["scene_cpu_p50_ms"] > 0
    assert "made/1.png" in (folder / "out.html").read_text(encoding="utf-8")


def test_figures_are_listed_for_people(folder):
    done = run(folder, "--registry", "20")
    assert done.exit_code == 0, done.output
    assert "exact_percent: 0" in done.output


def test_labels_that_cannot_be_used_end_it(tmp_path):
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "labels.csv" in done.output
