import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.engines.alignment import TEMPLATE, align, similarity, spread

scales = st.floats(0.2, 40)
angles = st.floats(-math.pi, math.pi)
shifts = st.floats(-5000, 5000)


def placed(scale, angle, x, y):
    turn = np.array([(math.cos(angle), -math.sin(angle)), (math.sin(angle), math.cos(angle))])
    return TEMPLATE @ turn.T * scale + (x, y)


def umeyama(source, target):
    """The textbook's way, by singular values."""
    p, q = source - source.mean(axis=0), target - target.mean(axis=0)
    u, sizes, vt = np.linalg.svd(q.T @ p)
    signs = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    turn = u * signs @ vt
    scale = (sizes * signs).sum() / (p**2).sum()
    return np.column_stack([scale * turn, target.mean(axis=0) - scale * turn @ source.mean(axis=0)])


@given(scales, angles, shifts, shifts)
def test_points_of_any_size_turn_and_place_land_on_the_template(scale, angle, x, y):
    points = placed(scale, angle, x, y)
    found = similarity(points)
    assert np.allclose(points @ found[:, :2].T + found[:, 2], TEMPLATE, atol=1e-4)


@given(scales, angles, shifts, shifts, st.integers(0, 2**32 - 1))
def test_points_of_a_real_face_come_as_near_as_umeyama_brings_them(scale, angle, x, y, seed):
    points = placed(scale, angle, x, y) + np.random.default_rng(seed).normal(0, 4 * scale, (5, 2))
    found = similarity(points)
    assert np.allclose(found, umeyama(points, TEMPLATE), rtol=1e-4, atol=1e-4)


@given(scales, angles, shifts, shifts)
def test_a_face_is_never_mirrored(scale, angle, x, y):
    points = placed(scale, angle, x, y) * (-1, 1)
    assert np.linalg.det(similarity(points)[:, :2]) > 0


@pytest.mark.parametrize("points", [np.full((5, 2), 7.0), np.full((5, 2), np.nan)])
def test_points_in_one_place_are_refused(points):
    assert not spread(points) >= 1.0
    with pytest.raises(ValueError, match="direction"):
        similarity(points)


def test_what_lies_at_the_points_lies_at_the_template_afterwards():
    points = placed(2.5, 0.6, 300, 200)
    image = np.zeros((700, 900, 3), np.uint8)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]
    for (x, y), colour in zip(points, colours, strict=True):
        cv2.circle(image, (round(x), round(y)), 10, colour, -1)
    crop = align(image, points)
    assert crop.shape == (112, 112, 3)
    for (x, y), colour in zip(TEMPLATE, colours, strict=True):
        assert tuple(crop[round(y), round(x)]) == colour
