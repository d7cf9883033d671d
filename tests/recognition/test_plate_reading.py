import numpy as np
import pytest

from recognition.modelfiles import ModelFileMissingError, model_file
from recognition.plates import aspect, straighten
from recognition.plates.colour import guess_colour
from recognition.plates.text import Line, by_position
from registry.plates import PlateClass

BLUE, GREEN, YELLOW = (20, 60, 170), (80, 190, 110), (235, 180, 20)


@pytest.mark.parametrize("text", ["云M12345", "云MA123B", "京H99999", "沪B7K382"])
@pytest.mark.parametrize("tilt", [0.0, 15.0])
def test_a_plate_in_a_scene_is_read(reader, plate_scene, text, tilt):
    (read,) = reader.read(plate_scene(text, tilt=tilt))
    assert read.text == text
    assert read.plate_class is PlateClass.ORDINARY
    assert read.confidence > 0.8
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


def test_a_scene_without_a_plate_gives_nothing(reader):
    assert reader.read(np.full((360, 640, 3), 90, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 4000, 3), (2000, 20, 3)])
def test_odd_sizes_give_nothing(reader, shape):
    assert reader.read(np.zeros(shape, np.uint8)) == []


@pytest.mark.parametrize(
    ("raw", "province", "text"),
    [
        ("云M·12345", None, "云M12345"),
        ("云MI2O45", None, "云M12045"),
        ("云812345", None, "云B12345"),
        ("沪A0023锁", None, "沪A0023领"),
        ("223012便", None, "223012使"),
        ("WU云1234X", None, "WJ云1234X"),
        ("-云M12345", None, "云M12345"),
        ("一云M12345", None, "云M12345"),
        ("M R35779", "川", "川R35779"),
        ("R35779", "川", "川R35779"),
        ("MR35779", None, "?R35779"),
        ("R35779", None, "?R35779"),
        ("WJD44011", None, "?JD44011"),
        ("停车场", None, "停车场"),
        ("", None, None),
        ("··", None, None),
    ],
)
def test_positions_correct_what_the_recogniser_cannot_know(raw, province, text):
    assert by_position(Line(raw, 0.9, province)) == text


def test_damage_is_never_corrected_into_a_plate_every_barrier_opens_for():
    # Dropping the first character would leave a well-formed military plate.
    assert by_position(Line("XKA12345", 0.9, None), white=True) != "KA12345"


def test_two_letters_are_a_military_plate_only_on_white_ground():
    assert by_position(Line("KA12345", 0.9, None), white=True) == "KA12345"
    assert by_position(Line("ZM12345", 0.9, None)) == "?M12345"
    assert by_position(Line("ZM12345", 0.9, "云"), white=True) == "云M12345"


def test_straightening_undoes_perspective():
    picture = np.zeros((200, 300, 3), np.uint8)
    corners = ((50.0, 60.0), (218.0, 60.0), (218.0, 108.0), (50.0, 108.0))
    picture[60:108, 50:134] = 255
    flat = straighten(picture, corners, (168, 48), margin=0.0)
    assert flat.shape == (48, 168, 3)
    assert flat[:, :80].min() == 255
    assert flat[:, 90:].max() == 0
    assert aspect(corners) == pytest.approx(3.5)


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


def test_a_colour_between_white_and_black_is_not_guessed():
    assert guess_colour(np.full((48, 168, 3), 110, np.uint8)) is None


def test_a_missing_model_names_its_package():
    with pytest.raises(ModelFileMissingError) as error:
        model_file("no_such_package", "a.onnx")
    assert error.value.package == "no_such_package"
