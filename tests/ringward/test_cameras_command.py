"""`ringward cameras` on a deployment."""

import datetime as dt
import json

import pytest

from recognition.cameras import CameraSettings, camera_of
from recognition.framing import View
from recognition.models import Policy
from ringward.foundation import Foundation
from tests.ringward.test_commands import Run, actions, alone, ground, run, several  # noqa: F401


def looked_at(ground: Foundation) -> CameraSettings:  # noqa: F811
    with ground.database.read() as session:
        return camera_of(session, "cam-1")


def test_a_camera_is_set_shown_and_reset(ground: Foundation, run: Run) -> None:  # noqa: F811
    run("cameras", "set", "cam-1", "--region", "0.1,0.2,0.9,1", "--smallest-face", "90", "--policy", "always",
        "--fpir", "1e-4")  # fmt: skip
    run("cameras", "set", "cam-1", "--low-score", "0.6", "--deadline-ms", "1500")
    assert looked_at(ground) == CameraSettings(
        View((0.1, 0.2, 0.9, 1.0), 90), Policy.ALWAYS, 1e-4, 0.0, 0.6, dt.timedelta(milliseconds=1500)
    )
    told = json.loads(run("cameras", "show", "--json").stdout)["cameras"]
    assert told == [
        {"device": "cam-1", "region": [0.1, 0.2, 0.9, 1.0], "smallest_face_px": 90, "policy": "always",
         "fpir": 1e-4, "low_score": 0.6, "deadline_ms": 1500, "threshold_shift": 0.0}
    ]  # fmt: skip
    assert "0.1,0.2,0.9,1" in run("cameras", "show", "cam-1").stdout
    run("cameras", "set", "cam-1", "--reset", "region", "--reset", "fpir", "--policy", "never")
    now = looked_at(ground)
    assert (now.view, now.fpir, now.policy) == (View(None, 90), None, Policy.NEVER)
    assert actions(ground) == ["device.view_changed"] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--region", "0.9,0,0.1,1"), "left,top,right,bottom"),
        (("--region", "left"), "left,top,right,bottom"),
        (("--smallest-face", "5"), "20 to 2000 pixels"),
        (("--fpir", "0.5"), "between 1e-06 and 0.1"),
        (("--low-score", "7"), "between 0 and 1"),
        (("--deadline-ms", "1"), "200 to 10000"),
        (("--reset", "colour"), "--reset is one of"),
        (("--reset", "fpir", "--fpir", "1e-4"), "set and reset at once"),
        ((), "say what is to change"),
    ],
)
def test_what_cannot_be_is_said_in_words(
    ground: Foundation,  # noqa: F811
    run: Run,  # noqa: F811
    words: tuple[str, ...],
    said: str,
) -> None:
    assert said in run("cameras", "set", "cam-1", *words, code=1).stdout
    assert looked_at(ground) == CameraSettings()
    assert actions(ground) == []


def test_a_camera_that_is_not_there_is_said_so(run: Run) -> None:  # noqa: F811
    assert "no device nobody" in run("cameras", "set", "nobody", "--fpir", "1e-4", code=1).stdout
    assert "no device nobody" in run("cameras", "show", "nobody", code=1).stdout
