import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.framing import Box
from recognition.points import FacePoints, pose_of
from recognition.quality import (
    MAX_PITCH,
    MAX_ROLL_DEG,
    MAX_YAW,
    MIN_SIZE_PX,
    MIN_VISIBLE,
    assess,
    judge,
)

GREY = np.random.default_rng(5).integers(0, 255, (50, 50, 1), np.uint8).repeat(8, 0).repeat(8, 1).repeat(3, 2)
"""Sharp, evenly lit and without colour: nothing is wrong with it, and nobody is masked in it."""


def points(*, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, mouth: bool = True) -> FacePoints:
    """A face of 60 px between the eyes at (200, 180), turned in the picture by ``roll`` degrees."""
    angle = np.radians(roll)
    along = np.array((np.cos(angle), np.sin(angle)))
    down = np.array((-along[1], along[0]))

    def at(across: float, below: float) -> tuple[float, float]:
        x, y = np.array((200.0, 180.0)) + 60 * across * along + 60 * below * down
        return float(x), float(y)

    corners = (at(yaw / 2 - 0.4, 1.15), at(yaw / 2 + 0.4, 1.15))
    return FacePoints(at(-0.5, 0), at(0.5, 0), at(yaw, 1.15 * (0.58 + pitch)), corners if mouth else None)


@given(st.floats(-0.8, 0.8), st.floats(-0.5, 0.5), st.floats(-80, 80), st.booleans())
def test_pose_is_what_the_points_were_turned_by(yaw, pitch, roll, mouth):
    pose = pose_of(points(yaw=yaw, pitch=pitch, roll=roll, mouth=mouth))
    assert pose.roll_deg == pytest.approx(roll, abs=1e-6)
    assert pose.yaw == pytest.approx(yaw, abs=1e-6)
    assert pose.pitch == (pytest.approx(pitch, abs=1e-6) if mouth else None)


def test_eyes_that_coincide_are_a_profile():
    assert pose_of(FacePoints((5, 5), (5.5, 5), (9, 9), ((4, 12), (6, 12)))).yaw == 1.0


def test_a_mouth_at_the_eyes_is_no_level_head():
    assert pose_of(FacePoints((0, 0), (60, 0), (30, 5), ((10, 8), (50, 8)))).pitch == 1.0


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"yaw": MAX_YAW * 1.05}, "face_turned"),
        ({"yaw": -MAX_YAW * 1.05}, "face_turned"),
        ({"pitch": MAX_PITCH * 1.05}, "face_up_or_down"),
        ({"pitch": -MAX_PITCH * 1.05}, "face_up_or_down"),
        ({"roll": MAX_ROLL_DEG * 1.05}, "head_tilted"),
    ],
)
def test_a_head_that_is_held_otherwise_is_named(how, reason):
    assert assess(GREY, points(**how)).reasons == (reason,)
    (name, value) = next(iter(how.items()))
    assert assess(GREY, points(**{name: value * 0.9})).reasons == ()


def test_pitch_is_not_judged_without_a_mouth():
    report = assess(GREY, points(pitch=0.4, mouth=False))
    assert (report.pitch, report.reasons) == (None, ())


def test_a_small_face_is_too_small_by_a_pixel():
    def at(side: int) -> tuple[str, ...]:
        return judge(GREY, Box(150, 150, 150 + side, 150 + side + 20), points()).reasons

    assert at(MIN_SIZE_PX) == ()
    assert at(MIN_SIZE_PX - 1) == ("face_too_small",)


def test_a_box_that_overhangs_the_picture_is_cut_off():
    outside = round(200 * (1 - MIN_VISIBLE))
    assert judge(GREY, Box(-outside + 1, 100, 201 - outside, 300), points()).reasons == ()
    assert judge(GREY, Box(-outside - 2, 100, 198 - outside, 300), points()).reasons == ("face_cut_off",)


@pytest.mark.parametrize("box", [Box(500, 500, 700, 700), Box(-90, -90, -5, -5), Box(30, 30, 30, 90)])
def test_a_box_that_holds_no_picture_is_too_small(box):
    report = judge(GREY, box, points())
    assert (report.score, report.reasons) == (0.0, ("face_too_small",))


def test_what_is_hidden_is_covered_and_nothing_else():
    assert assess(GREY, points(), hidden=True).reasons == ("face_covered",)
    assert assess(GREY, points(), hidden=False).usable


@settings(max_examples=60)
@given(
    st.integers(0, 90),
    st.integers(0, 90),
    st.integers(0, 255),
    st.floats(-3, 3),
    st.floats(-90, 90),
    st.floats(0, 1),
)
def test_a_score_is_a_share_whatever_the_crop(height, width, level, yaw, roll, visible):
    crop = np.full((height, width, 3), level, np.uint8)
    report = assess(crop, points(yaw=yaw, roll=roll), visible)
    assert 0.0 <= report.score <= 1.0
    # One colour all over is no picture of anybody.
    assert not report.usable


def test_worse_is_never_scored_higher():
    good = assess(GREY, points()).score
    for worse in (points(yaw=0.3), points(pitch=0.2), points(roll=30)):
        assert assess(GREY, worse).score < good
    assert assess(GREY, points(), 0.9).score < good
    assert assess(GREY[:80, :80], points()).score < good
