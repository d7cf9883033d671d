import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.framing import EVERYTHING, Box, Frame, View, frame_of

SMALLEST = 120
shares = st.floats(0.0, 1.0, allow_nan=False)


@st.composite
def regions(draw: st.DrawFn) -> tuple[float, float, float, float] | None:
    if draw(st.booleans()):
        return None
    left, top = draw(st.floats(0.0, 0.9)), draw(st.floats(0.0, 0.9))
    return left, top, draw(st.floats(left + 0.05, 1.0)), draw(st.floats(top + 0.05, 1.0))


pictures = st.tuples(st.integers(40, 400), st.integers(40, 600))
views = st.builds(View, regions(), st.none() | st.integers(20, 400))
detectors = st.integers(10, 120)


def coordinates(height: int, width: int) -> np.ndarray:
    """A picture whose red grows from left to right and whose green grows downwards, 0..250."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, :, 0] = np.linspace(0, 250, width)[None, :]
    picture[:, :, 1] = np.linspace(0, 250, height)[:, None]
    return picture


def framed(size: tuple[int, int], view: View, found_from_px: int) -> Frame:
    return frame_of(
        np.zeros((*size, 3), np.uint8), view, found_from_px=found_from_px, smallest_face_px=SMALLEST
    )


@given(pictures, views, detectors)
def test_a_frame_is_never_enlarged(size, view, found_from_px):
    height, width = framed(size, view, found_from_px).pixels.shape[:2]
    assert height <= size[0]
    assert width <= size[1]


@given(pictures, views, detectors)
def test_the_frame_spans_the_region_and_nothing_else(size, view, found_from_px):
    frame = framed(size, view, found_from_px)
    left, top, right, bottom = view.region or (0.0, 0.0, 1.0, 1.0)
    high, wide = frame.pixels.shape[:2]
    begin, end = frame.in_picture(0, 0), frame.in_picture(wide, high)
    edges = zip((*begin, *end), (left, top, right, bottom), (size[1], size[0]) * 2, strict=True)
    assert all(abs(seen - share * side) <= 1 for seen, share, side in edges)
    assert 0 <= begin[0] < end[0] < size[1] + 1e-6
    assert 0 <= begin[1] < end[1] < size[0] + 1e-6


@settings(max_examples=60)
@given(pictures, views, detectors, shares, shares)
def test_a_point_of_the_frame_lies_where_it_was_in_the_picture(size, view, found_from_px, across, down):
    picture = coordinates(*size)
    frame = frame_of(picture, view, found_from_px=found_from_px, smallest_face_px=SMALLEST)
    high, wide = frame.pixels.shape[:2]
    column, row = min(int(across * wide), wide - 1), min(int(down * high), high - 1)
    x, y = frame.in_picture(column + 0.5, row + 0.5)
    red, green = frame.pixels[row, column, :2].astype(float)
    # One pixel of the picture, and what is lost where 256 steps of grey tell positions apart.
    assert abs(red / 250 * (size[1] - 1) + 0.5 - x) <= 1 + size[1] / 250
    assert abs(green / 250 * (size[0] - 1) + 0.5 - y) <= 1 + size[0] / 250


@given(pictures, views, detectors)
def test_the_smallest_wanted_face_arrives_as_the_detector_finds_it(size, view, found_from_px):
    frame = framed(size, view, found_from_px)
    wanted = view.smallest_face_px or SMALLEST
    arrives = wanted * frame.scale
    if wanted <= found_from_px:
        assert frame.scale == 1.0
    else:
        assert arrives == pytest.approx(found_from_px)
        # Its width is a whole number of pixels, so it is off by less than one over the region's width.
        region = frame.across * frame.pixels.shape[1]
        assert wanted / frame.across == pytest.approx(found_from_px, abs=wanted / region)


def test_a_whole_picture_of_the_right_size_is_not_touched():
    picture = coordinates(48, 64)
    frame = frame_of(picture, EVERYTHING, found_from_px=80, smallest_face_px=80)
    assert (frame.scale, frame.left, frame.top) == (1.0, 0, 0)
    assert np.array_equal(frame.pixels, picture)


def test_an_odd_width_is_mapped_back_to_its_last_pixel():
    frame = framed((90, 1279), View(smallest_face_px=400), 40)
    assert frame.pixels.shape[:2] == (9, 128)
    assert frame.in_picture(128, 9) == (pytest.approx(1279), pytest.approx(90))


@pytest.mark.parametrize(
    "region",
    [(0.5, 0.0, 0.5, 1.0), (0.6, 0.0, 0.5, 1.0), (0.0, 0.9, 1.0, 0.1), (-0.1, 0.0, 1.0, 1.0), (0.0, 0.0, 1.01, 1.0),
     (float("nan"), 0.0, 1.0, 1.0)],
)  # fmt: skip
def test_a_region_outside_the_picture_or_inside_out_is_an_error(region):
    with pytest.raises(ValueError, match="region"):
        View(region)


def test_a_face_of_no_pixels_is_an_error():
    with pytest.raises(ValueError, match="smallest face"):
        View(None, 0)


def test_a_box_has_its_size_without_its_right_and_bottom_pixel():
    assert (Box(2, 3, 10, 30).width, Box(2, 3, 10, 30).height) == (8, 27)
