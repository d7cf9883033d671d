import numpy as np
import pytest

from recognition.engines.embedder import OnnxEmbedder
from recognition.engines.errors import UnfitModelError
from recognition.engines.vectors import UselessEmbeddingError, mean_of
from tests.support.face_models import embedder_model, quarters


def face():
    """Four quarters, each with a colour of its own; values 0..255."""
    image = np.zeros((112, 112, 3), np.uint8)
    image[:56, :56], image[:56, 56:] = (200, 10, 20), (30, 220, 40)
    image[56:, :56], image[56:, 56:] = (50, 60, 240), (250, 250, 10)
    return image


def embedder(model=None, **wanted):
    return OnnxEmbedder(model or embedder_model(), quarters(**wanted).embedder)


def quarters_of(image, *, colours=(0, 1, 2), mean=0.0, divisor=255.0):
    corners = image[28::56, 28::56].astype(np.float64)[..., list(colours)]
    return ((corners - mean) / divisor).transpose(2, 0, 1).ravel()


def expected(image, **fed):
    both = (quarters_of(image, **fed) + quarters_of(image[:, ::-1], **fed)) / 2
    return both / np.linalg.norm(both)


def test_an_embedding_is_the_unit_mean_of_the_face_and_its_mirror_image():
    vector = embedder().embed(face())
    assert vector.dtype == np.float32
    assert vector == pytest.approx(expected(face()), abs=1e-5)
    assert embedder().embed(face()[:, ::-1]) == pytest.approx(vector, abs=1e-6)


@pytest.mark.parametrize(
    ("model", "wanted", "fed"),
    [
        ({}, {"colour": "bgr"}, {"colours": (2, 1, 0)}),
        ({"layout": "nhwc"}, {"layout": "nhwc"}, {}),
        ({}, {"mean": 127.5, "divisor": 128.0}, {"mean": 127.5, "divisor": 128.0}),
        ({}, {"mean": 0.0, "divisor": 1.0}, {"divisor": 1.0}),
        ({"batch": 1}, {"batch": 1}, {}),
        ({"batch": 2}, {"batch": 2}, {}),
        ({"outputs": ("other", "vector")}, {"output": "vector", "input": "face"}, {}),
    ],
)
def test_a_network_is_fed_as_its_manifest_says(model, wanted, fed):
    found = embedder(embedder_model(**model), **wanted)
    found.check()
    assert found.embed(face()) == pytest.approx(expected(face(), **fed), abs=1e-5)


def test_lengths_are_kept_where_the_manifest_does_not_normalise():
    vector = embedder(metric="l2", normalise=False).embed(face())
    assert np.linalg.norm(vector) == pytest.approx(
        np.linalg.norm(quarters_of(face()) + quarters_of(face()[:, ::-1])) / 2, abs=1e-4
    )


@pytest.mark.parametrize(
    ("model", "wanted", "why"),
    [
        ({"dimension": 3}, {}, r"shape \(2, 3\), not \(2, 12\)"),
        ({}, {"dimension": 512}, r"shape \(2, 12\), not \(2, 512\)"),
        ({"spoil": np.nan}, {}, "not finite"),
        ({"spoil": np.inf}, {}, "not finite"),
        ({"spoil": 0.0}, {}, "no length"),
        ({"spoil": 3.0}, {}, "the same of two different pictures"),
        ({"layout": "nhwc"}, {}, "does not take such faces"),
        ({"batch": 1}, {"batch": 2}, "does not take such faces"),
        ({"batch": 2}, {"batch": 1}, "does not take such faces"),
    ],
)
def test_a_network_that_does_something_else_is_refused(model, wanted, why):
    with pytest.raises(UnfitModelError, match=why):
        embedder(embedder_model(**model), **wanted).check()


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"output": "fc1"}, "its outputs are vector; the manifest says fc1"),
        ({"input": "data"}, "its inputs are face; the manifest says data"),
    ],
)
def test_names_that_the_graph_does_not_have_are_refused(wanted, why):
    with pytest.raises(UnfitModelError, match=why):
        embedder(**wanted)


def test_one_of_several_outputs_has_to_be_named():
    with pytest.raises(UnfitModelError, match="the manifest says none"):
        embedder(embedder_model(outputs=("one", "other")))


@pytest.mark.parametrize("model", [b"", b"not a model", embedder_model()[:100]])
def test_what_is_no_graph_is_refused(model):
    with pytest.raises(UnfitModelError, match="onnxruntime does not open it"):
        OnnxEmbedder(model, quarters().embedder)


def test_numbers_that_mean_nothing_are_never_an_embedding():
    spoilt = embedder(embedder_model(spoil=np.nan))
    with pytest.raises(UselessEmbeddingError):
        spoilt.embed(face())
    with pytest.raises(UselessEmbeddingError):
        mean_of(np.float32([[1, 2], [-1, -2]]), unit=True)
