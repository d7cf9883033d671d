import cv2
import dlib
import numpy as np
import pytest

from recognition.engines import dlib as dlib_engine
from recognition.engines.dlib import PADDINGS
from recognition.framing import View
from recognition.modelfiles import version_of


@pytest.fixture(scope="module")
def theirs():
    encoder, _ = dlib_engine.model_files()
    return dlib.face_recognition_model_v1(str(encoder))


def test_an_embedding_is_the_unit_mean_of_three_margins_and_their_mirror_images(engine, portrait, theirs):
    image = portrait("obama2.jpg")
    (face,) = engine.detect(image)
    box = dlib.rectangle(face.box.left, face.box.top, face.box.right - 1, face.box.bottom - 1)
    shape = dlib.full_object_detection(box, [dlib.point(round(x), round(y)) for x, y in face.landmarks])
    chips = [dlib.get_face_chip(image, shape, size=150, padding=padding) for padding in PADDINGS]
    chips += [np.ascontiguousarray(chip[:, ::-1]) for chip in chips]
    mean = np.mean([np.asarray(theirs.compute_face_descriptor(chip)) for chip in chips], axis=0)
    assert engine.embed(image, face) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-4)
    assert np.linalg.norm(engine.embed(image, face)) == pytest.approx(1, abs=1e-6)
    assert engine.unit


def test_a_mirrored_picture_shows_the_same_person(engine, portrait):
    image = portrait("biden.jpg")
    mirrored = np.ascontiguousarray(image[:, ::-1])
    vectors = [engine.embed(one, engine.detect(one)[0]) for one in (image, mirrored)]
    assert np.linalg.norm(vectors[0] - vectors[1]) < 0.1


def test_an_aligned_face_is_the_same_person_as_the_whole_picture(engine, portrait):
    image = portrait("obama.jpg")
    (face,) = engine.detect(image)
    eyes = np.array([face.points.left_eye, face.points.right_eye])
    # ArcFace's eyes lie 35 px apart, 52 px below the crop's edge.
    side = round(float(np.hypot(*(eyes[1] - eyes[0]))) / 35.2 * 112)
    left, top = (eyes.mean(axis=0) - side * np.array([55.9, 51.6]) / 112).round().astype(int)
    cut = cv2.resize(image[top : top + side, left : left + side], (112, 112))
    assert np.linalg.norm(engine.embed_aligned(cut) - engine.embed(image, face)) < 0.3


def test_the_version_covers_what_is_done_with_the_numbers(engine):
    files = dlib_engine.model_files()
    assert engine.version == dlib_engine.version() == version_of(*files, recipe=dlib_engine.RECIPE)
    assert (
        len({engine.version, version_of(*files), version_of(*reversed(files), recipe=dlib_engine.RECIPE)})
        == 3
    )


def test_a_small_frame_is_not_looked_at_twice_where_only_large_faces_are_wanted(engine, portrait):
    half = cv2.resize(portrait("astronaut.png"), None, fx=0.6, fy=0.6)
    assert len(engine.detect(half)) == 1
    assert engine.detect(half, View(smallest_face_px=100)) == []
