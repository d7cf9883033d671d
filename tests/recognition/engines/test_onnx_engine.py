"""The whole way of a made-up engine: found, aligned, turned into numbers."""

import msgspec
import numpy as np
import pytest

from recognition.engines.onnx import OnnxEngine, version_of
from recognition.framing import View
from tests.support.face_models import DIMENSION, FACE_PX, embedder_model, face_at, quarters, yunet_model


@pytest.fixture(scope="module")
def made():
    return OnnxEngine(quarters(), embedder_model(), yunet_model(), "0" * 12)


def test_it_says_what_it_is(made):
    assert (made.name, made.version, made.metric) == ("quarters", "0" * 12, "l2")
    assert (made.dimension, made.unit) == (DIMENSION, True)


def test_a_face_is_found_in_the_pictures_own_pixels(made):
    (face,) = made.detect(face_at(324, 204), View(smallest_face_px=40))
    assert abs(face.size_px - FACE_PX) <= 1
    middle = ((face.box.left + face.box.right) / 2, (face.box.top + face.box.bottom) / 2)
    assert middle == pytest.approx((324, 204), abs=9)
    left, right = face.points.mouth
    assert face.points.left_eye[0] < face.points.nose[0] < face.points.right_eye[0]
    assert left[0] < face.points.nose[0] < right[0]
    assert left[1] > face.points.nose[1] > face.points.left_eye[1]
    assert face.landmarks[2] == face.points.nose


def test_a_frame_is_shrunk_to_what_the_smallest_wanted_face_allows(made):
    """The made-up detector's face is always 100 px of what it is shown."""
    for shape, px, times in (
        ((480, 640), 40, 1),
        ((480, 640), None, 1.5),
        ((720, 1280), 80, 2),
        ((720, 1280), None, 3),
    ):
        (face,) = made.detect(face_at(324, 204, shape, square=round(24 * times)), View(smallest_face_px=px))
        assert face.size_px == pytest.approx(FACE_PX * times, abs=2)


def test_only_the_cameras_view_is_looked_at(made):
    image = face_at(324, 204, (480, 960))
    assert made.detect(image, View(region=(0.5, 0, 1, 1))) == []
    (face,) = made.detect(image, View(region=(0.25, 0, 1, 1), smallest_face_px=40))
    assert face.points.nose == pytest.approx((324, 204), abs=9)


def test_a_face_at_the_edge_is_cut_off(made):
    (face,) = made.detect(face_at(12, 204))
    assert face.box.left < 0
    assert "face_cut_off" in face.quality.reasons


def test_an_embedding_is_that_of_the_aligned_face(made):
    image = face_at(324, 204)
    (face,) = made.detect(image)
    vector = made.embed(image, face)
    assert vector.shape == (DIMENSION,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)
    plain = made.embed_aligned(np.full((112, 112, 3), 30, np.uint8))
    assert np.linalg.norm(vector - plain) > 0.01


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (480, 640), (720, 1280)])
def test_no_face_is_an_empty_list(made, shape):
    assert made.detect(np.full((*shape, 3), 120, np.uint8)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "1" * 64},
        {"colour": "bgr"},
        {"layout": "nhwc"},
        {"mean": 1.0},
        {"divisor": 2.0},
        {"output": "other"},
        {"normalise": False, "metric": "l2"},
    ],
)
def test_the_version_is_that_of_the_files_and_of_what_is_done_with_them(change):
    assert len(version_of(quarters())) == 12
    assert version_of(quarters(**change)) != version_of(quarters())


def test_the_version_is_also_the_detectors_and_not_the_titles():
    manifest = quarters()
    other = msgspec.structs.replace(manifest.detector, sha256="2" * 64)
    assert version_of(msgspec.structs.replace(manifest, detector=other)) != version_of(manifest)
    assert version_of(msgspec.structs.replace(manifest, title="Another")) == version_of(manifest)


def test_an_engine_without_a_detector_is_a_mistake():
    with pytest.raises(ValueError, match="detector"):
        OnnxEngine(msgspec.structs.replace(quarters(), detector=None), embedder_model(), b"", "0")
