"""A mask from the nose down is seen as such; beards, sunglasses, tones of skin and lamps are not."""

import cv2
import numpy as np
import pytest

from recognition.covered import THRESHOLD, cover_score, covered
from recognition.points import FacePoints
from recognition.quality import NO_USABLE_FACE, judge

PEOPLE = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


@pytest.fixture(params=PEOPLE, scope="module")
def person(request, engine, portrait):
    image = portrait(request.param)
    (face,) = engine.detect(image)
    box = face.box
    room = box.width
    near = np.ascontiguousarray(
        image[max(0, box.top - room) : box.bottom + room, max(0, box.left - room) : box.right + room]
    )
    shrink = 160 / box.width
    near = cv2.resize(near, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    (face,) = engine.detect(near)
    return near, face


def on(image, points: FacePoints, shape, colour, *, texture: float = 0.0) -> np.ndarray:
    """The picture with a polygon painted on the face, its corners in eye distances from the eyes' middle."""
    left, right = np.asarray(points.left_eye), np.asarray(points.right_eye)
    across = right - left
    down = np.array((-across[1], across[0]))
    corners = np.array([(left + right) / 2 + x * across + y * down for x, y in shape])
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [corners.round().astype(np.int32)], 255)
    mask = cv2.GaussianBlur(mask, (0, 0), 1.5)[:, :, None] / 255
    noise = np.random.default_rng(3).normal(0, texture, image.shape) if texture else 0.0
    return np.clip(image * (1 - mask) + mask * (np.asarray(colour) + noise), 0, 255).astype(np.uint8)


MASK = [(-1.0, 0.55), (0, 0.38), (1.0, 0.55), (0.85, 1.5), (0, 2.0), (-0.85, 1.5)]
BEARD = [(-0.95, 0.9), (-0.5, 1.45), (0, 1.4), (0.5, 1.45), (0.95, 0.9), (0.8, 1.7), (0, 2.2), (-0.8, 1.7)]
SUNGLASSES = [(-1.0, -0.25), (1.0, -0.25), (0.9, 0.25), (0.12, 0.2), (-0.12, 0.2), (-0.9, 0.25)]


@pytest.mark.parametrize(
    "colour",
    [(150, 195, 225), (245, 245, 245), (25, 25, 28), (130, 190, 160)],
    ids=["blue", "white", "black", "green"],
)
def test_a_mask_is_seen(person, colour):
    image, face = person
    masked = on(image, face.points, MASK, colour, texture=3)
    assert covered(masked, face.points)
    assert "face_covered" in judge(masked, face.box, face.points).reasons


def test_a_bare_face_is_not_covered(person):
    image, face = person
    assert not covered(image, face.points)
    assert face.quality.reasons == ()


def test_a_beard_is_no_mask(person):
    image, face = person
    assert not covered(on(image, face.points, BEARD, (45, 35, 30), texture=8), face.points)


def test_sunglasses_are_no_mask(person):
    image, face = person
    assert not covered(on(image, face.points, SUNGLASSES, (15, 15, 18)), face.points)


@pytest.mark.parametrize("gains", [(1.2, 1.0, 0.8), (0.75, 1.0, 1.25), (0.9, 1.1, 0.9), (0.45, 0.45, 0.45)])
def test_a_lamp_covers_nobody_and_uncovers_nobody(person, gains):
    image, face = person
    masked = on(image, face.points, MASK, (150, 195, 225), texture=3)
    assert not covered((image * np.array(gains)).clip(0, 255).astype(np.uint8), face.points)
    score = cover_score((masked * np.array(gains)).clip(0, 255).astype(np.uint8), face.points)
    # In light that makes skin grey nothing is said.
    assert score is None or score > THRESHOLD


def test_darker_skin_is_compared_with_itself(person):
    image, face = person
    darker = (255 * (image / 255) ** 1.8).astype(np.uint8)
    assert not covered(darker, face.points)


@pytest.mark.parametrize("mask", [True, False])
def test_a_picture_without_colour_says_nothing(person, mask):
    image, face = person
    if mask:
        image = on(image, face.points, MASK, (245, 245, 245))
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert cover_score(grey, face.points) is None
    assert not covered(grey, face.points)


def test_eyes_that_coincide_or_lie_outside_say_nothing(person):
    image, face = person
    eye = face.points.left_eye
    assert cover_score(image, FacePoints(eye, eye, face.points.nose)) is None
    assert cover_score(image, FacePoints((-900.0, -900.0), (-850.0, -900.0), (-875.0, -870.0))) is None


@pytest.mark.parametrize("scale", [0.5, 2.0])
@pytest.mark.parametrize("angle", [-30, 25])
def test_size_and_lean_of_the_head_change_little(person, scale, angle):
    image, face = person
    wide = round(max(image.shape[:2]) * 1.5 * scale)
    turn = cv2.getRotationMatrix2D(face.points.nose, angle, scale)
    turn[:, 2] += wide / 2 - np.asarray(face.points.nose)
    turned = cv2.warpAffine(image, turn, (wide, wide), borderMode=cv2.BORDER_REPLICATE)

    def there(point):
        return tuple(float(v) for v in turn @ (*point, 1.0))

    points = FacePoints(*(there(p) for p in (face.points.left_eye, face.points.right_eye, face.points.nose)))
    assert not covered(turned, points)
    masked = on(turned, points, MASK, (150, 195, 225), texture=3)
    assert covered(masked, points)


def test_the_picture_stays_as_it_is(person):
    image, face = person
    before = image.copy()
    score = cover_score(image, face.points)
    assert score is not None
    assert score < THRESHOLD
    assert np.array_equal(image, before)


def test_what_leaves_nothing_to_compare_is_a_reason_that_is_given():
    assert {"face_covered", "face_too_small"} == NO_USABLE_FACE
