import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recognition.decisions import PlateOutcome, PlateText, decide_plate
from recognition.decisions.plate_vote import vote
from registry.plates import is_well_formed, normalise

REGISTERED = frozenset({"云M12345", "云M8B000", "云MD12345", "云M1234B", "云M12348"})

texts = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "云M12345",
            "云M1234S",
            "川M12345",
            "云M99999",
            "_无_",
            "云M123",
            "云MD12345",
            "云M1234B",
            "云M12348",
        ]
    ),
    st.text("云川MABD0158?", max_size=9),
)
chances = st.floats(0, 1)


@st.composite
def scored(draw):
    """A reading with, or without, a probability and a rival for each character."""
    text = draw(texts)
    plate = normalise(text)
    if plate is None or draw(st.booleans()):
        return PlateText(text, draw(st.none() | chances))
    rivals = st.none() | st.sampled_from("云川MABD0158")
    characters = tuple(
        (glyph, draw(chances), rival if rival != glyph else None)
        for glyph, rival in ((glyph, draw(rivals)) for glyph in plate)
    )
    return PlateText(plate, draw(chances), characters)


reads = st.lists(scored(), max_size=5)


def told(text: str, least: float = 0.99, rivals: str = "") -> PlateText:
    """A reading of ours: the last character has probability ``least``, ``rivals`` fit from the end."""
    others = [None] * (len(text) - len(rivals)) + list(rivals)
    chance = [0.99] * (len(text) - 1) + [least]
    return PlateText(text, 0.95, tuple(zip(text, chance, others, strict=True)))


def plate(*found, stated=()):
    return decide_plate(
        [read if isinstance(read, PlateText) else PlateText(read) for read in found],
        REGISTERED,
        stated=[read if isinstance(read, PlateText) else PlateText(read) for read in stated],
    )


def test_an_exact_plate_is_identified_in_any_spelling():
    decision = plate(PlateText("云 m·12345", 0.93))
    assert (decision.outcome, decision.text) == (PlateOutcome.IDENTIFIED, "云M12345")
    assert (decision.confidence, decision.reasons) == (0.93, ("registered",))


@pytest.mark.parametrize("text", ["云M1234S", "川M12345", "云M1?345", "云M88000", "?M12345"])
def test_a_near_plate_is_uncertain_and_names_its_neighbour(text):
    decision = plate(text)
    assert decision.outcome is PlateOutcome.UNCERTAIN
    assert "near_match" in decision.reasons
    assert decision.candidates[0][0] in REGISTERED
    assert decision.candidates[0][1] > 0


def test_a_well_formed_stranger_is_unknown():
    decision = plate("云M99999")
    assert (decision.outcome, decision.candidates, decision.confidence) == (PlateOutcome.UNKNOWN, (), None)


def test_what_is_no_plate_is_uncertain():
    assert plate("云M123").reasons == ("malformed",)
    assert plate("云M123").outcome is PlateOutcome.UNCERTAIN


@pytest.mark.parametrize("found", [(), (None,), ("_无_", "")])
def test_no_reading_is_none(found):
    assert plate(*found).outcome is PlateOutcome.NONE


def test_readings_that_disagree_decide_nothing():
    decision = plate("云M12345", "云M99999")
    assert (decision.outcome, decision.reasons) == (PlateOutcome.UNCERTAIN, ("readings_disagree",))
    assert decision.candidates == (("云M12345", 0.0),)
    assert plate("云M12345", "云M99999", "云M12345").outcome is PlateOutcome.IDENTIFIED


def test_readings_of_one_vehicle_are_put_together_position_by_position():
    decision = plate(told("云M1234S", 0.4, "5"), told("云M12345", 0.97), told("云M12345", 0.95))
    assert (decision.outcome, decision.text) == (PlateOutcome.IDENTIFIED, "云M12345")


def test_a_sure_frame_outweighs_two_poor_ones_in_the_text_but_opens_nothing():
    decision = plate(told("云M1234S", 0.3, "5"), told("云M1234S", 0.3, "5"), told("云M12345", 0.99))
    assert (decision.outcome, decision.text) == (PlateOutcome.UNCERTAIN, "云M12345")
    assert decision.reasons == ("low_confidence",)


def test_two_registered_look_alikes_are_never_made_one():
    decision = plate(told("云M1234B"), told("云M1234B"), told("云M12348"))
    assert (decision.outcome, decision.reasons) == (PlateOutcome.UNCERTAIN, ("readings_disagree",))
    assert {candidate for candidate, cost in decision.candidates if cost == 0} == {"云M1234B", "云M12348"}


def test_neighbouring_numbers_are_two_vehicles():
    found = vote([PlateText("云M77771"), PlateText("云M77773")])
    assert (found.readings, found.others) == ({"云M77771"}, {"云M77773"})
    assert not found.agreed


def test_a_character_that_was_doubted_may_be_the_rival():
    found = vote([told("云K0Y790", 0.99), PlateText("云K0V790", 0.9)])
    assert not found.agreed
    doubting = PlateText("云K0Y790", 0.9, tuple(zip("云K0Y790", [0.9] * 7, [*"   V   "], strict=True)))
    assert vote([doubting, PlateText("云K0V790", 0.9)]).agreed


def test_a_plate_with_an_uncertain_character_opens_nothing():
    decision = plate(told("云M12345", 0.6))
    assert (decision.outcome, decision.reasons) == (PlateOutcome.UNCERTAIN, ("low_confidence",))
    assert decision.candidates == (("云M12345", 0.0),)
    assert plate(told("云M12345", 0.9)).outcome is PlateOutcome.IDENTIFIED


def test_the_devices_text_is_stated_and_ours_agrees():
    decision = plate(told("云M12345", 0.5), stated=[PlateText("云M12345", 0.71)])
    assert (decision.outcome, decision.confidence) == (PlateOutcome.IDENTIFIED, 0.71)
    assert decision.reasons == ("registered", "second_opinion_agrees")


def test_a_registered_plate_that_we_read_otherwise_is_uncertain():
    decision = plate(told("云M99999"), stated=["云M12345"])
    assert (decision.outcome, decision.text) == (PlateOutcome.UNCERTAIN, "云M12345")
    assert decision.reasons == ("second_opinion_differs",)


def test_a_device_that_reads_a_stranger_where_we_read_a_resident_is_uncertain():
    decision = plate(told("云M12345"), stated=["川K99999"])
    assert (decision.outcome, decision.text) == (PlateOutcome.UNCERTAIN, "川K99999")
    assert decision.reasons == ("second_opinion_differs",)
    assert [candidate for candidate, _ in decision.candidates] == ["云M12345"]


def test_strangers_that_are_read_in_two_ways_stay_unknown_and_it_is_recorded():
    decision = plate(told("云K77777"), stated=["云K99999"])
    assert (decision.outcome, decision.reasons) == (
        PlateOutcome.UNKNOWN,
        ("not_registered", "second_opinion_differs"),
    )


def test_what_we_could_not_read_does_not_speak_against_the_device():
    assert plate("?M12345", stated=["云M12345"]).outcome is PlateOutcome.IDENTIFIED
    assert plate("?M99999", stated=["云M12345"]).outcome is PlateOutcome.UNCERTAIN


def test_a_devices_own_doubt_is_heard_unless_we_agree():
    doubted = told("云M12345", 0.4)
    assert plate(stated=[doubted]).reasons == ("low_confidence",)
    assert plate(told("云M12345"), stated=[doubted]).outcome is PlateOutcome.IDENTIFIED


@given(reads, reads, st.randoms(use_true_random=False))
def test_every_passage_gets_one_answer_whatever_the_order(found, stated, chance: random.Random):
    decision = decide_plate(found, REGISTERED, stated=stated)
    assert decision.reasons
    if decision.outcome is PlateOutcome.IDENTIFIED:
        assert decision.text in REGISTERED
        assert decision.candidates == ()
    if decision.outcome is PlateOutcome.UNKNOWN:
        assert decision.text not in REGISTERED
        assert decision.candidates == ()
        assert is_well_formed(decision.text)
    shuffled, restated = list(found), list(stated)
    chance.shuffle(shuffled)
    chance.shuffle(restated)
    assert decide_plate(shuffled, REGISTERED, stated=restated) == decision


@given(reads)
def test_the_answer_was_read_or_is_a_plate(found):
    decided = vote(found)
    if decided is not None:
        assert decided.text in {normalise(read.text) for read in found} or is_well_formed(decided.text)
        assert decided.least is None or 0 <= decided.least <= 1


@given(reads)
def test_the_same_readings_twice_say_the_same(found):
    once, twice = vote(found), vote([*found, *found])
    assert (once is None) is (twice is None)
    if once is not None and twice is not None:
        assert (once.text, once.readings, once.agreed) == (twice.text, twice.readings, twice.agreed)


@given(reads, chances)
def test_one_more_that_agrees_never_lowers_the_certainty(found, least):
    before = vote(found)
    assume(before is not None and before.text in before.readings)
    again = vote([*found, told(before.text, max(least, 0.01))])
    assert again.text == before.text
    assert again.agreed >= before.agreed
    assert (1.0 if again.least is None else again.least) >= (
        1.0 if before.least is None else before.least
    ) - 1e-9
