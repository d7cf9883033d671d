import cv2
import numpy as np
import pytest

from recognition.modelfiles import ModelFileMissingError, model_file
from recognition.plates import aspect, straighten
from recognition.plates.colour import guess_colour
from recognition.plates.straightening import raised
from registry.plates import PlateClass

BLUE, GREEN, YELLOW = (20, 60, 170), (80, 190, 110), (235, 180, 20)


@pytest.mark.parametrize("text", ["云M12345", "云MA123B", "京H99999", "沪B7K382"])
@pytest.mark.parametrize("tilt", [0.0, 15.0])
def test_a_plate_in_a_scene_is_read(reader, plate_scene, text, tilt):
    (read,) = reader.read(plate_scene(text, tilt=tilt))
    assert read.text == text
    assert read.plate_class is PlateClass.ORDINARY
    assert read.confidence > 0.8
    assert "".join(one.char for one in read.characters) == text
    assert read.least == min(one.probability for one in read.characters) > 0.5
    assert read.colour == "blue"
    assert not read.double_row
    (left, top), _, (right, bottom), _ = read.corners
    assert 520 < left < 560
    assert 410 < top < 450
    assert 720 < right < 760
    assert 480 < bottom < 530


def test_a_new_energy_plate_keeps_its_eight_characters(reader, plate_scene):
    (read,) = reader.read(plate_scene("云MD12345", GREEN))
    assert read.text == "云MD12345"
    assert read.plate_class is PlateClass.NEW_ENERGY_SMALL
    assert read.colour == "green"


def test_two_rows_are_read_as_one_plate(reader, plate_scene):
    (read,) = reader.read(plate_scene("云M\n51234", YELLOW))
    assert read.text == "云M51234"
    assert read.double_row
    assert read.colour == "yellow"


@pytest.mark.parametrize(
    ("text", "colour", "kind"),
    [
        ("云MF12345", "green", PlateClass.NEW_ENERGY_SMALL),
        ("云M12345D", "yellow_green", PlateClass.NEW_ENERGY_LARGE),
        ("云M1234学", "yellow", PlateClass.COACH),
        ("粤ZF023港", "black", PlateClass.CROSS_BORDER),
        ("KA12345", "white", PlateClass.MILITARY),
    ],
)
def test_every_ground_is_read_and_never_misnamed(reader, drawn_scene, text, colour, kind):
    (read,) = reader.read(drawn_scene(text, colour))
    assert (read.text, read.plate_class) == (text, kind)
    # Black on a dark car may be left unsure.
    assert read.colour in ({"black", None} if colour == "black" else {colour})


@pytest.mark.parametrize("text", ["皖N\nJNCFJ", "闽W\nB5750", "贵B\nXRF79"])
@pytest.mark.parametrize("tilt", [0.0, 15.0])
def test_two_rows_are_read_also_where_the_upper_was_half_found(reader, drawn_scene, text, tilt):
    (read,) = reader.read(drawn_scene(text, "yellow", tilt=tilt))
    assert read.text == text.replace("\n", "")
    assert read.double_row


def test_a_plate_that_was_cut_out_is_read_as_a_whole(reader, plate_scene):
    cut = plate_scene("云M12345")[428:506, 534:746]
    (read,) = reader.read(cv2.resize(cut, (120, 44), interpolation=cv2.INTER_AREA))
    assert read.text == "云M12345"
    assert read.corners == ((0.0, 0.0), (120.0, 0.0), (120.0, 44.0), (0.0, 44.0))


def test_a_well_formed_plate_comes_before_a_larger_sign(reader, plate_scene, drawn_scene):
    scene = plate_scene("云M12345")
    sign = cv2.resize(drawn_scene("停车场", "blue")[425:510, 530:750], (330, 120))
    scene[30:150, 60:390] = sign
    assert reader.read(scene)[0].text == "云M12345"


def test_a_scene_without_a_plate_gives_nothing(reader):
    assert reader.read(np.full((360, 640, 3), 90, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 4000, 3), (2000, 20, 3)])
def test_odd_sizes_give_nothing(reader, shape):
    assert reader.read(np.zeros(shape, np.uint8)) == []


def test_straightening_undoes_perspective():
    picture = np.zeros((200, 300, 3), np.uint8)
    corners = ((50.0, 60.0), (218.0, 60.0), (218.0, 108.0), (50.0, 108.0))
    picture[60:108, 50:134] = 255
    flat = straighten(picture, corners, (168, 48), margin=0.0)
    assert flat.shape == (48, 168, 3)
    assert flat[:, :80].min() == 255
    assert flat[:, 90:].max() == 0
    assert aspect(corners) == pytest.approx(3.5)
    assert raised(corners, 0.5)[:2] == ((50.0, 36.0), (218.0, 36.0))
    assert raised(corners, 0.5)[2:] == corners[2:]


@pytest.mark.parametrize(
    ("ground", "colour"),
    [
        (BLUE, "blue"),
        (GREEN, "green"),
        (YELLOW, "yellow"),
        ((240, 240, 240), "white"),
        ((25, 25, 25), "black"),
    ],
)
def test_colours_are_told_apart(ground, colour):
    plate = np.full((48, 168, 3), ground, np.uint8)
    plate[16:32, 20:60] = 128
    assert guess_colour(plate) == colour


def test_yellow_before_green_is_a_large_new_energy_plate():
    plate = np.full((48, 168, 3), GREEN, np.uint8)
    plate[:, :46] = YELLOW
    assert guess_colour(plate) == "yellow_green"


def test_glare_leaves_a_hue_and_darkness_none():
    assert guess_colour(np.full((48, 168, 3), (190, 200, 240), np.uint8)) == "blue"
    assert guess_colour(np.full((48, 168, 3), (30, 32, 38), np.uint8)) == "black"


def test_a_colour_between_white_and_black_is_not_guessed():
    assert guess_colour(np.full((48, 168, 3), 110, np.uint8)) is None


def test_a_missing_model_names_its_package():
    with pytest.raises(ModelFileMissingError) as error:
        model_file("no_such_package", "a.onnx")
    assert error.value.package == "no_such_package"
