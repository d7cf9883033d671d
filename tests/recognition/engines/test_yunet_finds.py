"""What becomes of YuNet's rows, and the way through OpenCV with a made-up detector."""

import numpy as np
import pytest

from recognition.engines.errors import UnfitModelError
from recognition.engines.graphs import Graph
from recognition.engines.yunet import Found, YuNet, faces_of, moved, overlap
from tests.support.face_models import FACE_PX, embedder_model, face_at, yunet_model

ROW = [100, 50, 40, 60, 110, 70, 130, 71, 120, 85, 112, 100, 128, 101, 0.93]


@pytest.fixture(scope="module")
def detector():
    return YuNet(yunet_model(), 0.7)


def test_a_row_is_box_points_and_score():
    (face,) = faces_of(np.float32([ROW]))
    assert face.box.tolist() == [100, 50, 40, 60]
    assert face.points.tolist() == [[110, 70], [130, 71], [120, 85], [112, 100], [128, 101]]
    assert face.score == pytest.approx(0.93)


def test_no_rows_are_no_faces():
    assert faces_of(None) == []
    assert faces_of(np.empty((0, 15), np.float32)) == []


@pytest.mark.parametrize(
    "change",
    [{2: 0.5}, {3: -4}, {4: np.nan}, {0: np.inf}, dict.fromkeys(range(4, 14), 80)],
    ids=["thin", "upside down", "nowhere", "infinite", "points in one place"],
)
def test_a_row_that_no_face_can_have_is_left_out(change):
    bad = np.float32(ROW)
    for column, value in change.items():
        bad[column] = value
    (only,) = faces_of(np.stack([bad, np.float32(ROW)]))
    assert only.box.tolist() == ROW[:4]


def test_a_face_of_a_part_is_put_into_the_whole():
    (face,) = faces_of(np.float32([ROW]))
    whole = moved(face, 0.5, np.array((30, 40)))
    assert whole.box.tolist() == [230, 140, 80, 120]
    assert whole.points[0].tolist() == [250, 180]


@pytest.mark.parametrize(
    ("other", "share"), [((0, 0, 10, 10), 1), ((5, 0, 10, 10), 1 / 3), ((10, 0, 5, 5), 0)]
)
def test_overlap_is_intersection_over_union(other, share):
    assert overlap(np.array((0, 0, 10, 10)), np.array(other)) == pytest.approx(share)


@pytest.mark.parametrize("size", [(480, 640), (97, 211), (1080, 1920)])
def test_pictures_of_any_size_are_looked_at(detector, size):
    (face,) = detector.find(face_at(60, 50, size))
    assert np.allclose(face.box[:2] + face.box[2:] / 2, (60, 50), atol=9)
    assert face.box[2:] == pytest.approx(FACE_PX)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (31, 33)])
def test_a_sliver_holds_no_face(detector, shape):
    assert detector.find(np.zeros((*shape, 3), np.uint8)) == []


def test_the_second_look_places_a_face_that_was_found_roughly(detector):
    image = face_at(324, 204)
    points = np.array([(300, 180), (340, 180), (320, 200), (305, 230), (335, 230)], np.float64)
    rough = Found(np.array((300.0, 170.0, 100.0, 100.0)), points, 0.8)
    exact = detector.look_again(image, rough)
    assert np.allclose(exact.box[:2] + exact.box[2:] / 2, (324, 204), atol=5)
    assert exact.points[2] == pytest.approx((324, 204), abs=5)


def test_a_face_that_the_second_look_does_not_see_stays_as_it_was(detector):
    (face,) = detector.find(face_at(324, 204))
    assert detector.look_again(face_at(600, 400), face) is face


def test_a_neighbour_is_not_taken_for_the_face(detector):
    """The only face in the square is another one, at its edge."""
    (face,) = detector.find(face_at(324, 204))
    assert detector.look_again(face_at(324 + 66, 204), face) is face


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (embedder_model(), "not a YuNet"),
        (yunet_model(outputs=("cls", "obj", "bbox")), "not a YuNet"),
        (b"", "no ONNX graph"),
        (b"GIF89a" * 100, "no ONNX graph"),
        (yunet_model()[:900], "no ONNX graph"),
    ],
)
def test_what_is_no_yunet_is_refused(model, why):
    with pytest.raises(UnfitModelError, match=why):
        YuNet(model, 0.7)


def test_a_graph_that_only_has_a_yunets_names_is_refused():
    graph = Graph("odd")
    value = graph.input("input", (1, 3, 8, 8))
    for kind in ("cls", "obj", "bbox", "kps"):
        for stride in (8, 16, 32):
            graph.node("Celu", value, output=f"{kind}_{stride}", alpha=0.5)
            graph.output(f"{kind}_{stride}", (1, 3, 8, 8))
    with pytest.raises(UnfitModelError, match="not a YuNet"):
        YuNet(graph.model(), 0.7)
