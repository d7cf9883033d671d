"""A checker that cannot fail proves nothing: each promise is broken once."""

import pytest

from tests.chaos.history import (
    DELAY_S,
    EFFECT_S,
    Door,
    Fault,
    History,
    RaisedIncident,
    Written,
    check,
    single,
)
from tests.chaos.phones import Letter

DESK = {"op-1": "phone-1", "op-2": "phone-2"}


class Run:
    """A small history in which all is well: ten records of a camera, and doors that were forced."""

    def __init__(self, doors: int = 3) -> None:
        self.history, self.written = History(), Written()
        self.letters: list[Letter] = []
        self.faults: list[Fault] = []
        for number in range(10):
            self.history.acknowledge("cam-1", number)
            self.written.stored["cam-1"][f"n-{number}"] += 1
        for number in range(doors):
            self.force(number, 1000.0 + number)

    def force(self, number: int, at: float, took: float = 0.5, *, late: bool = False) -> None:
        door, record = f"door-{number}", f"n-{number}"
        self.history.acknowledge(door, number)
        self.history.doors[door, record] = Door(door, record, at, acknowledged=True)
        self.written.stored[door][record] += 1
        self.written.doors[f"e-{number}"] = door, record, late
        if late:
            return
        self.written.incidents.append(RaisedIncident(f"i-{number}", 2, (f"e-{number}",)))
        for who, phone in DESK.items():
            self.written.notifications[f"m-{number}-{who}"] = f"i-{number}", who, "incident"
            self.try_letter(number, who, phone, at + took)

    def try_letter(self, number: int, who: str, phone: str, at: float, again: int = 0) -> None:
        self.written.attempts[f"t-{number}-{who}-{again}"] = f"m-{number}-{who}"
        self.letters.append(Letter(at, phone, f"t-{number}-{who}-{again}"))


@pytest.fixture
def run() -> Run:
    return Run()


def test_what_is_well_is_clean(run: Run) -> None:
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert found.clean, found
    assert (found.said, found.acknowledged, found.stored) == (13, 13, 13)
    assert (found.doors, found.incidents, found.notifications_due) == (3, 3, 6)
    assert found.usual_s == pytest.approx(0.5)
    assert found.differences == []


def test_acknowledged_record_that_is_not_stored_is_lost(run: Run) -> None:
    del run.written.stored["cam-1"]["n-7"]
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.lost, found.clean) == (1, False)
    assert found.differences == ["lost: cam-1 7"]


def test_record_that_nobody_acknowledged_may_be_missing(run: Run) -> None:
    run.history.tell("cam-1", 10)
    assert check(run.history, run.written, run.letters, run.faults, DESK).clean


def test_record_that_is_stored_twice_is_doubled(run: Run) -> None:
    run.written.stored["cam-1"]["n-7"] += 1
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.doubled, found.clean) == (1, False)


def test_record_that_is_stored_under_two_names_is_doubled(run: Run) -> None:
    run.written.stored["cam-1"]["face:7"] += 1
    assert check(run.history, run.written, run.letters, run.faults, DESK).doubled == 1


def test_record_that_nobody_said_is_invented(run: Run) -> None:
    run.written.stored["cam-2"]["n-1"] += 1
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.invented, found.clean) == (1, False)


def test_broken_message_that_was_answered_lies_among_the_dead_letters(run: Run) -> None:
    run.history.broken_acknowledged.add("d-1")
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.refusals_lost, found.clean) == (1, False)


def test_door_without_an_incident_is_missing(run: Run) -> None:
    run.written.incidents.pop()
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.incidents_missing, found.clean) == (1, False)


def test_door_with_two_incidents_is_doubled(run: Run) -> None:
    run.written.incidents.append(RaisedIncident("i-x", 2, ("e-1",)))
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.incidents_doubled, found.clean) == (1, False)


def test_two_doors_in_one_incident_are_one_too_few(run: Run) -> None:
    run.written.incidents[0] = RaisedIncident("i-0", 2, ("e-0", "e-1"))
    del run.written.incidents[1]
    assert check(run.history, run.written, run.letters, run.faults, DESK).incidents_missing == 1


def test_late_door_raises_nothing(run: Run) -> None:
    run.force(8, 1010.0, late=True)
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert found.clean
    assert found.doors_late == 1
    run.written.incidents.append(RaisedIncident("i-8", 2, ("e-8",)))
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.incidents_invented, found.clean) == (1, False)


def test_whoever_hears_nothing_is_missing(run: Run) -> None:
    run.letters.pop()
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.notifications_missing, found.clean) == (1, False)


def test_second_letter_needs_a_fault(run: Run) -> None:
    run.try_letter(1, "op-1", "phone-1", 1030.0, again=1)
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.letters_extra, found.letters_beyond_faults, found.clean) == (1, 1, False)
    run.faults.append(Fault("kill", "notify", 1001.4, 1001.4))
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.letters_extra, found.letters_beyond_faults, found.clean) == (1, 0, True)
    run.try_letter(1, "op-1", "phone-1", 1031.0, again=2)
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.letters_extra, found.letters_beyond_faults, found.clean) == (2, 1, False)


def test_letter_of_a_try_that_was_never_written_is_invented(run: Run) -> None:
    run.letters.append(Letter(1000.0, "phone-1", "nobody's"))
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.letters_invented, found.clean) == (1, False)


def test_single_fault_that_delays_a_door_for_too_long_is_named_with_it(run: Run) -> None:
    run.faults.append(Fault("kill", "alerts-a", 1100.0, 1100.0))
    run.force(7, 1100.5, took=0.5 + DELAY_S - 0.1)
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert found.too_late == 0
    assert found.felt["kill alerts-a"].worst_s == pytest.approx(DELAY_S - 0.1)
    run.force(8, 1101.0, took=0.5 + DELAY_S + 0.1)
    found = check(run.history, run.written, run.letters, run.faults, DESK)
    assert (found.too_late, found.felt["kill alerts-a"].doors) == (1, 2)
    assert "door-8" in found.differences[0]
    # The delay is told beside the others, and decided on by whoever asks for it.
    assert found.clean


def test_door_that_a_single_fault_made_late_was_told_too_late(run: Run) -> None:
    run.faults.append(Fault("pause", "ingest", 1100.0, 1105.0))
    run.force(7, 1100.5, late=True)
    assert check(run.history, run.written, run.letters, run.faults, DESK).too_late == 1


def test_fault_beside_another_is_not_single() -> None:
    kill = Fault("kill", "relay", 100.0, 100.0)
    pause = Fault("pause", "ingest", 100.0 + EFFECT_S - 1, 115.0)
    calm = Fault("cut", "notify", 300.0, 303.0)
    assert single([calm, pause, kill]) == [calm]
    assert single([kill]) == [kill]


def test_long_fault_shadows_the_one_that_comes_within_it() -> None:
    long = Fault("full", "disk", 100.0, 200.0)
    assert single([long, Fault("kill", "relay", 110.0, 110.0), Fault("kill", "relay", 205.0, 205.0)]) == []
