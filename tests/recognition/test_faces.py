import cv2
import numpy as np
import pytest

from recognition.engines import DlibEngine
from recognition.quality import FacePoints, assess

SAME, OTHER = 0.4, 0.5


def only_face(engine, image):
    (face,) = engine.detect(image)
    return face


@pytest.fixture(scope="module")
def vectors(engine, portrait):
    names = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")
    images = {name: portrait(name) for name in names}
    return {name: engine.embed(image, only_face(engine, image)) for name, image in images.items()}


def test_the_face_is_found_where_it_is(engine, portrait):
    face = only_face(engine, portrait("astronaut.png"))
    assert 150 < face.box.left < face.box.right < 300
    assert 50 < face.box.top < face.box.bottom < 200
    assert 70 < face.size_px < 110
    right_eye, left_eye, nose = face.landmarks[0], face.landmarks[2], face.landmarks[4]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert nose[1] > max(left_eye[1], right_eye[1])
    assert face.quality.usable
    assert 0.5 < face.quality.score <= 1.0


def test_photos_of_one_person_are_near_and_others_far(vectors):
    def distance(a, b):
        return float(np.linalg.norm(vectors[a] - vectors[b]))

    assert distance("obama.jpg", "obama2.jpg") < SAME
    assert distance("obama.jpg", "obama3.jpg") < SAME
    for stranger in ("biden.jpg", "astronaut.png"):
        for name in ("obama.jpg", "obama2.jpg", "obama3.jpg"):
            assert distance(name, stranger) > OTHER


def test_an_embedding_is_128_floats(vectors, engine):
    for vector in vectors.values():
        assert vector.shape == (engine.dimension,) == (128,)
        assert vector.dtype == np.float32


def test_a_large_frame_gives_the_same_person(engine, portrait, vectors):
    large = cv2.resize(portrait("obama.jpg"), None, fx=2.5, fy=2.5)
    vector = engine.embed(large, only_face(engine, large))
    assert np.linalg.norm(vector - vectors["obama.jpg"]) < 0.2


def test_a_small_face_in_a_small_frame_is_found_on_the_second_look(engine, portrait):
    half = cv2.resize(portrait("astronaut.png"), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    face = only_face(engine, half)
    assert face.size_px < 60
    assert "face_too_small" in face.quality.reasons


def test_no_face_is_an_empty_list(engine):
    assert engine.detect(np.full((480, 640, 3), 120, np.uint8)) == []
    assert engine.detect(np.zeros((1, 1, 3), np.uint8)) == []


def test_the_largest_face_comes_first(engine, portrait):
    big = portrait("obama.jpg")[:600]
    small = cv2.resize(portrait("biden.jpg")[:900], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    scene = np.zeros((600, big.shape[1] + small.shape[1], 3), np.uint8)
    scene[:, : big.shape[1]] = big
    scene[: small.shape[0], big.shape[1] :] = small
    first, second = engine.detect(scene)
    assert first.size_px > second.size_px
    assert first.box.right <= big.shape[1] < second.box.right


def test_the_version_is_that_of_the_weights(engine):
    assert DlibEngine().version == engine.version
    assert len(engine.version) == 12
    assert (engine.name, engine.metric) == ("dlib", "l2")


def test_a_blurred_face_is_poor(engine, portrait):
    image = portrait("obama.jpg")
    face = only_face(engine, image)
    blurred = cv2.GaussianBlur(image, (51, 51), 0)
    box = face.box
    report = assess(blurred[box.top : box.bottom, box.left : box.right], face.points)
    assert "blurred" in report.reasons
    assert report.score < face.quality.score


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda crop: crop // 6, "too_dark"),
        (lambda crop: 255 - (255 - crop) // 8, "too_bright"),
        (lambda crop: crop // 12 + 110, "low_contrast"),
    ],
)
def test_bad_light_is_named(engine, portrait, change, reason):
    image = portrait("obama.jpg")
    box = only_face(engine, image).box
    crop = change(image[box.top : box.bottom, box.left : box.right])
    assert reason in assess(crop, only_face(engine, image).points).reasons


def test_pose_is_measured_from_five_points():
    crop = np.random.default_rng(0).integers(0, 255, (150, 150, 3), np.uint8)
    left, right, nose = (50.0, 60.0), (100.0, 60.0), (75.0, 95.0)
    frontal = FacePoints(left, right, nose)
    turned = FacePoints(left, right, (108.0, 95.0))
    tilted = FacePoints(
        *(
            (75 + (x - 75) * 0.7 - (y - 75) * 0.7, 75 + (x - 75) * 0.7 + (y - 75) * 0.7)
            for x, y in (left, right, nose)
        )
    )
    assert assess(crop, frontal).reasons == ()
    assert assess(crop, frontal).roll_deg == 0
    assert assess(crop, turned).reasons == ("face_turned",)
    assert assess(crop, tilted).reasons == ("head_tilted",)
    assert assess(crop, tilted).roll_deg == pytest.approx(45)


def test_half_a_face_at_the_edge_is_cut_off(engine, portrait):
    face = only_face(engine, portrait("obama_partial_face.jpg"))
    assert face.box.left < 0
    assert face.quality.reasons == ("face_cut_off",)


def test_a_crop_of_nothing_is_too_small():
    report = assess(np.zeros((0, 5, 3), np.uint8), FacePoints((0, 0), (0, 0), (0, 0)))
    assert (report.score, report.reasons) == (0.0, ("face_too_small",))
