"""Our graph of dlib's encoder beside dlib itself."""

import dlib
import numpy as np
import pytest

from recognition.engines.dlib_net import BLOCKS, DIMENSION, SIDE_PX, DlibNet, graph_of
from recognition.engines.dlib_weights import Affine, Convolution, Dense, WeightsError, layers_of
from recognition.modelfiles import model_file

NAMES = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png", "obama_partial_face.jpg")
ENCODER = model_file("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat")
PREDICTOR = model_file("face_recognition_models", "models/shape_predictor_5_face_landmarks.dat")


@pytest.fixture(scope="module")
def layers():
    return layers_of(ENCODER.read_bytes())


def integer(value: int) -> bytes:
    """As dlib writes it: how many bytes, then the bytes."""
    size = (abs(value).bit_length() + 7) // 8
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def tensor(values: np.ndarray) -> bytes:
    head = b"".join(map(integer, (2, values.size, 1, 1, 1)))
    return head + values.astype("<f4").tobytes()


def convolution(filters: np.ndarray, bias: np.ndarray, stride: int, padding: int) -> bytes:
    count, _, height, width = filters.shape
    values = np.concatenate([filters.ravel(), bias])
    geometry = (count, height, width, stride, stride, padding, padding)
    return b"\x05con_4" + tensor(values) + b"".join(map(integer, geometry))


def test_it_agrees_with_dlib_on_every_portrait(portrait):
    net = DlibNet(ENCODER.read_bytes())
    theirs = dlib.face_recognition_model_v1(str(ENCODER))
    predictor = dlib.shape_predictor(str(PREDICTOR))
    detector = dlib.get_frontal_face_detector()
    for name in NAMES:
        image = portrait(name)
        shape = predictor(image, detector(image, 0)[0])
        expected = np.asarray(theirs.compute_face_descriptor(image, shape, 0, 0.25))
        chip = dlib.get_face_chip(image, shape, size=SIDE_PX, padding=0.25)
        (found,) = net.embed(chip[None])
        assert np.linalg.norm(found - expected) < 1e-3


def test_faces_of_one_batch_do_not_touch_each_other(portrait):
    net = DlibNet(ENCODER.read_bytes())
    crops = np.random.default_rng(4).integers(0, 256, (3, SIDE_PX, SIDE_PX, 3), np.uint8)
    alone = np.concatenate([net.embed(crop[None]) for crop in crops])
    assert alone.shape == (3, DIMENSION)
    assert np.allclose(net.embed(crops), alone, atol=1e-5)


def test_the_file_holds_29_layers_with_weights(layers):
    kinds = [type(layer) for layer in layers]
    assert kinds == [Convolution, Affine] * (1 + 2 * len(BLOCKS)) + [Dense]
    assert [one.stride for one in layers if isinstance(one, Convolution)].count(2) == 5
    assert layers[-1].weights.shape == (256, DIMENSION)


def test_a_layer_is_read_back_as_it_was_written():
    rng = np.random.default_rng(1)
    filters, bias = rng.normal(size=(5, 3, 2, 4)).astype(np.float32), np.arange(5, dtype=np.float32)
    affine = np.arange(10, dtype=np.float32)
    dense = rng.normal(size=(5, 300)).astype(np.float32)
    data = b"\x02ahead" + convolution(filters, bias, 3, 1)
    data += b"\x07affine_" + tensor(affine) + integer(-7)
    data += b"\x04fc_2" + integer(300) + integer(5) + tensor(dense)
    first, second, third = layers_of(data)
    assert np.array_equal(first.filters, filters)
    assert np.array_equal(first.bias, bias)
    assert (first.stride, first.padding) == (3, 1)
    assert np.array_equal(second.gamma, affine[:5])
    assert np.array_equal(second.beta, affine[5:])
    assert np.array_equal(third.weights, dense)


def test_a_tag_among_the_numbers_is_not_a_layer():
    filters = np.zeros((1, 3, 1, 3), np.float32)
    filters.ravel()[:] = np.frombuffer(b"\x05con_4\x05con_4\x07affine_\x04fc_2".ljust(36), "<f4")
    (only,) = layers_of(convolution(filters, np.zeros(1, np.float32), 1, 0))
    assert np.array_equal(only.filters, filters)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9999])
def test_a_file_that_ends_early_is_refused(share):
    data = ENCODER.read_bytes()
    with pytest.raises(WeightsError):
        DlibNet(data[: int(len(data) * share)])


def test_another_network_is_refused(layers):
    with pytest.raises(WeightsError, match="not dlib's face encoder"):
        graph_of([*layers[:2], layers[-1]])
    with pytest.raises(WeightsError, match="not dlib's face encoder"):
        graph_of(layers[:-1])
    filters = np.zeros((2, 3, 3, 3), np.float32)
    data = convolution(filters, np.zeros(2, np.float32), 1, 0)
    with pytest.raises(WeightsError, match="convolution"):
        layers_of(data.replace(integer(2) + integer(3) + integer(3), integer(2) + integer(3) + integer(4)))
    with pytest.raises(WeightsError, match="version"):
        layers_of(b"\x05con_4" + integer(1))
    with pytest.raises(WeightsError, match="affine"):
        layers_of(data + b"\x07affine_" + tensor(np.zeros(3)))
    with pytest.raises(WeightsError, match="dense"):
        layers_of(data + b"\x04fc_2" + integer(3) + integer(5) + tensor(np.zeros(15)))
