import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.plates.decoding import Steps, characters, decode, fuse
from recognition.plates.grammar import ALPHABET, INDEX, SHAPES, shapes_on
from recognition.plates.text import as_read
from registry.plates import PlateClass, classify, normalise

GLYPHS = len(ALPHABET)


def line(*told: str | dict[str, float]) -> Steps:
    """A line as the recogniser tells it: a step with a glyph (or chances of several), then a pause."""
    steps = Steps(np.ones(2 * len(told)), np.zeros((2 * len(told), GLYPHS)))
    for number, one in enumerate(told):
        chances = {one: 0.98} if isinstance(one, str) else one
        steps.blank[2 * number] = max(0.0, 1 - sum(chances.values()))
        for glyph, chance in chances.items():
            steps.glyphs[2 * number, INDEX[glyph]] = chance
    return steps


def best(steps: Steps, colour: str | None = "blue", *, double_row: bool = False) -> str | None:
    readings = decode(steps, shapes_on(colour, double_row=double_row))
    return readings[0].text if readings else None


@st.composite
def plates(draw):
    shape = draw(st.sampled_from(SHAPES))
    return shape, "".join(draw(st.sampled_from(glyphs)) for glyphs in shape.positions)


@given(plates())
def test_every_shape_is_a_plate_of_its_class_in_the_registrys_spelling(drawn):
    shape, text = drawn
    assert normalise(text) == text
    assert classify(text) is shape.kind


@given(plates())
def test_what_is_told_clearly_is_read_as_it_is(drawn):
    shape, text = drawn
    colour = "white" if shape.kind in {PlateClass.MILITARY, PlateClass.ARMED_POLICE} else "green"
    assert best(line(*text), colour) == text


@given(st.lists(st.dictionaries(st.sampled_from(ALPHABET), st.floats(0, 0.3), max_size=3), max_size=12))
def test_whatever_is_told_only_plates_come_out(told):
    readings = decode(line(*told), shapes_on("white", double_row=False))
    assert all(classify(reading.text) is not PlateClass.UNKNOWN for reading in readings)
    assert [r.score for r in readings] == sorted((r.score for r in readings), reverse=True)
    assert all(reading.score <= 0 and math.isfinite(reading.score) for reading in readings)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (("云", "M", "I", "2", "O", "4", "5"), "云M12045"),
        (("云", "8", "1", "2", "3", "4", "5"), "云B12345"),
        (("云", "M", "1", "1", "1", "4", "4"), "云M11144"),
        (("云", {"0": 0.5, "O": 0.1, "Q": 0.4}, "1", "2", "3", "4", "5"), "云Q12345"),
        (({"M": 0.9, "川": 0.02}, "R", "3", "5", "7", "7", "0"), "川R35770"),
        (("云", {"E": 0.4, "F": 0.1}, "7", "0", "6", "4", "6"), "云E70646"),
        (("沪", "A", "0", "0", "2", "3", {"领": 0.3}), "沪A0023领"),
        (("云", "M", "云", "1", "2", "3", "4", "5"), "云M12345"),
    ],
)
def test_each_position_takes_only_what_a_plate_holds_there(told, text):
    assert best(line(*told)) == text


def test_a_glyph_over_two_steps_is_one_and_with_a_pause_between_two():
    steps = line("云", "M", "1", "1", "3", "4", "5")
    steps.glyphs[1], steps.blank[1] = steps.glyphs[0], 0.02
    assert best(steps) == "云M11345"


def test_two_letters_are_a_military_plate_only_on_white_ground():
    assert best(line(*"KA12345"), "white") == "KA12345"
    assert best(line(*"KA12345"), "blue") != "KA12345"
    assert best(line({"K": 0.6, "云": 0.3}, *"M12345"), "white") == "云M12345"


def test_damage_is_never_read_as_a_plate_that_every_barrier_opens_for():
    assert best(line(*"XKA12345"), "white") != "KA12345"
    assert as_read("KA12345") == "?A12345"


def test_plates_of_eight_are_green_and_of_one_row():
    eight = line(*"云MD12345")
    assert best(eight, "green") == "云MD12345"
    assert len(best(eight, "blue") or "") == 7
    assert len(best(eight, "green", double_row=True) or "") == 7


@pytest.mark.parametrize("told", [(), ("停",), ("京",), ("A", "B")])
def test_a_line_with_nothing_like_a_plate_gives_nothing(told):
    steps = line(*(glyph if glyph in INDEX else {} for glyph in told))
    assert decode(steps, shapes_on(None, double_row=False)) == ()


@pytest.mark.parametrize(
    ("raw", "text"),
    [("MR35770", "?R35770"), ("R35770", "?R35770"), ("停车场", "停车场"), ("", None), ("··", None)],
)
def test_what_is_no_plate_is_told_as_it_was_read(raw, text):
    assert as_read(raw) == text


ANY = shapes_on(None, double_row=False)


def test_each_character_has_its_probability_and_a_rival():
    steps = line("云", "M", "1", {"B": 0.7, "8": 0.2}, "3", "4", "5")
    told = characters("云M1B345", [steps], ANY)
    assert "".join(one.char for one in told) == "云M1B345"
    assert (told[3].char, told[3].runner_up) == ("B", "8")
    assert told[3].probability == pytest.approx(0.77, abs=0.01)
    assert told[0].probability > 0.99
    assert told[0].runner_up is None


def test_a_letter_that_cannot_stand_first_is_no_rival_of_a_province():
    steps = line({"Z": 0.7, "云": 0.25}, *"M12345")
    assert characters("云M12345", [steps], ANY)[0].probability > 0.8
    white = shapes_on("white", double_row=False)
    assert characters("云M12345", [steps], white)[0].probability < 0.3


def test_what_only_the_grammar_demands_has_no_probability():
    told = characters("云M12345", [line({}, *"M12345")], ANY)
    assert told[0].probability == 0.0
    assert min(one.probability for one in told[1:]) > 0.9
    faint = characters("云M12345", [line({"云": 0.005}, *"M12345")], ANY)
    assert faint[0].probability < 0.1


@given(plates(), st.floats(0, 1))
def test_probabilities_are_probabilities(drawn, chance):
    shape, text = drawn
    told = characters(text, [line(*({glyph: chance} for glyph in text))], 1 << SHAPES.index(shape))
    assert len(told) == len(text)
    assert all(0 <= one.probability <= 1 and one.runner_up != one.char for one in told)


def test_looks_are_weighed_together_and_their_order_does_not_matter():
    one, other = line(*"云", {"E": 0.5, "F": 0.3}, *"70646"), line(*"云", {"E": 0.1, "F": 0.8}, *"70646")
    shapes = shapes_on("yellow", double_row=False)
    looks = [decode(one, shapes), decode(other, shapes)]
    assert looks[0][0].text == "云E70646"
    assert fuse(looks)[0].text == "云F70646"
    assert fuse(looks) == fuse(looks[::-1])
    assert characters("云F70646", [one, other], shapes)[1].runner_up == "E"


def test_a_look_that_saw_nothing_takes_no_plate_away():
    look = decode(line(*"云M12345"), shapes_on("blue", double_row=False))
    fused = fuse([look, ()])
    assert fused[0].text == "云M12345"
    assert fused[0].score < look[0].score
    assert fuse([(), ()]) == ()
