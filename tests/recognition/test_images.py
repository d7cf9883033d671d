import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.images import MAX_PIXELS, Broken, BrokenPicture, Picture, decode

rng = np.random.default_rng(7)
SCENE = cv2.resize(rng.integers(0, 255, (30, 40, 3), np.uint8), (320, 240))


def encoded(extension: str, image=SCENE, *params: int) -> bytes:
    return cv2.imencode(extension, image, list(params))[1].tobytes()


JPEG = encoded(".jpg")
PNG = encoded(".png")


def reason(data: bytes, claimed: str | None = None) -> Broken:
    result = decode(data, claimed)
    assert isinstance(result, BrokenPicture)
    return result.reason


@pytest.mark.parametrize("data", [JPEG, PNG, encoded(".jpg", SCENE, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)])
def test_a_good_picture_is_rgb_and_contiguous(data):
    picture = decode(data)
    assert isinstance(picture, Picture)
    assert picture.rgb.shape == (240, 320, 3)
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.flags.c_contiguous
    assert np.abs(picture.rgb.astype(int) - SCENE[:, :, ::-1]).mean() < 12


@pytest.mark.parametrize("claimed", ["face.jpg", "image/jpeg", "JPEG"])
def test_a_png_named_jpeg_is_decoded_and_noted(claimed):
    picture = decode(PNG, claimed)
    assert isinstance(picture, Picture)
    assert picture.kind == "png"
    assert picture.notes == ("png_named_jpeg",)


@pytest.mark.parametrize("claimed", [None, "", "a.png", "image/png", "application/octet-stream"])
def test_a_right_or_absent_name_is_not_noted(claimed):
    assert decode(PNG, claimed).notes == ()


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("data", [JPEG, PNG])
def test_a_cut_picture_is_truncated(data, share):
    assert reason(data[: int(len(data) * share)]) is Broken.TRUNCATED


def test_a_cut_picture_closed_with_an_end_marker_is_still_truncated():
    assert reason(JPEG[: len(JPEG) // 2] + b"\xff\xd9") is Broken.TRUNCATED


def test_a_thumbnail_in_the_header_does_not_hide_a_cut():
    segment = b"Exif\x00\x00" + encoded(".jpg", SCENE[:60, :80])
    header = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    whole = JPEG[:2] + header + JPEG[2:]
    assert isinstance(decode(whole), Picture)
    assert reason(whole[: len(whole) - len(JPEG) // 2]) is Broken.TRUNCATED


def test_bytes_after_the_end_are_harmless():
    assert isinstance(decode(JPEG + b"\x00" * 512), Picture)


def test_a_grey_picture_is_a_picture():
    assert isinstance(decode(encoded(".jpg", np.full((64, 64, 3), 128, np.uint8))), Picture)


def test_a_pixel_bomb_is_refused_from_its_header():
    side = int(MAX_PIXELS**0.5) + 1
    bomb = PNG[:16] + side.to_bytes(4, "big") * 2 + PNG[24:]
    assert reason(bomb) is Broken.TOO_MANY_PIXELS
    frame = JPEG.index(b"\xff\xc0")
    bomb = JPEG[: frame + 5] + side.to_bytes(2, "big") * 2 + JPEG[frame + 9 :]
    assert reason(bomb) is Broken.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", Broken.EMPTY),
        (b"<html>login</html>", Broken.NOT_AN_IMAGE),
        (b"\x00" * 100, Broken.NOT_AN_IMAGE),
        (b"GIF89a" + b"\x00" * 50, Broken.UNSUPPORTED),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", Broken.UNSUPPORTED),
        (b"\x00\x00\x00\x18ftypheic", Broken.UNSUPPORTED),
        (b"\xff\xd8\xff\xd9", Broken.DAMAGED),
    ],
)
def test_what_is_no_usable_picture_has_its_reason(data, expected):
    assert reason(data) is expected


@settings(max_examples=150)
@given(st.integers(0, len(JPEG) - 1), st.binary(max_size=64), st.sampled_from([JPEG, PNG]))
def test_no_damage_raises(at, junk, data):
    result = decode(data[:at] + junk + data[at + len(junk) :])
    assert isinstance(result, Picture | BrokenPicture)
