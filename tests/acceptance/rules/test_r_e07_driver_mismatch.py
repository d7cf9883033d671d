"""R-E07: somebody drives a guarded vehicle who is none of those who may."""

import dataclasses

import pytest
from telling import (
    NIGHT,
    EveryRule,
    Happens,
    Seen,
    amended,
    at,
    face_of,
    face_unknown,
    granted,
    offline,
    plate,
    raised,
    seen,
    tell,
)

from alerts.rules import VehicleFacts

PLATE = "云M7K2P5"
CAR = VehicleFacts("car-1", "h-1", guarded=True, drivers=frozenset({"p-owner", "p-wife"}))


def car(direction: str | None = "out", vehicle: VehicleFacts = CAR, **facts: object) -> Seen:
    return plate(PLATE, direction=direction, vehicle_id=vehicle.id, vehicle=vehicle, **facts)


def driver(person: str, direction: str | None = "out", **facts: object) -> Seen:
    return face_of(person, "drive", direction, **facts)


def other_car(text: str = "云M22222") -> Seen:
    return plate(text, direction="out", vehicle_id="car-2", vehicle=VehicleFacts("car-2", "h-2"))


def owner_says_no(text: str = PLATE) -> Seen:
    return seen("report.created", "drive", device="", plate=text, cause="owner_no")


class TestDriverMismatch(EveryRule):
    rule = "R-E07"
    story = (at(0, car()), at(1.5, driver("p-nephew")), raised(25, severity=3))

    def test_by_night_it_is_no_graver(self) -> None:
        tell(self.rule, *self.story, begins=NIGHT)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, car("in")), at(2, driver("p-nephew", "in"))], id="drives_in"),
            pytest.param([at(0, car(None)), at(2, driver("p-nephew", "in"))], id="lane_without_a_direction"),
            pytest.param([at(0, car()), at(-8, driver("p-nephew"))], id="face_before_the_plate"),
            pytest.param(
                [at(0, car()), at(2, driver("p-nephew")), at(3, driver("p-friend"))], id="nobody_in_it_may"
            ),
            pytest.param(
                [at(0, car()), at(2, driver("p-nephew", household_id="h-1"))],
                id="of_the_household_and_no_driver",
            ),
            pytest.param(
                [at(0, car()), at(2, driver("p-nephew")), at(9, other_car()), at(10, driver("p-owner"))],
                id="owner_sits_in_the_next_car",
            ),
            pytest.param(
                [at(0, car()), at(1, plate("云M7K2P6", direction="out")), at(2, driver("p-nephew"))],
                id="plate_that_is_misread_the_second_time",
            ),
        ],
    )
    def test_raises(self, steps: list) -> None:
        tell(self.rule, *steps, raised(25, severity=3))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, car()), at(2, driver("p-wife"))], id="may_drive_it"),
            pytest.param(
                [at(0, car()), at(2, driver("p-nephew")), at(3, driver("p-owner"))],
                id="owner_beside_the_nephew",
            ),
            pytest.param(
                [at(0, car()), at(2, driver("p-nephew")), at(9.9, driver("p-owner"), arrives=14.8)],
                id="owners_face_that_comes_late",
            ),
            pytest.param([at(0, car()), at(2, face_unknown("drive", "out"))], id="unknown_is_no_mismatch"),
            pytest.param(
                [at(0, car()), at(2, seen("face.uncertain", "drive", direction="out", person_id="p-nephew"))],
                id="uncertain_is_no_mismatch",
            ),
            pytest.param([at(0, car())], id="nobody_seen"),
            pytest.param(
                [at(0, car()), at(2, seen("face.identified", "drive", direction="out", household_id="h-1"))],
                id="one_of_the_household",
            ),
            pytest.param(
                [at(0, car()), at(2, seen("face.identified", "drive", direction="out", household_id="h-7"))],
                id="one_of_another_household_and_nobody_knows_who",
            ),
            pytest.param(
                [at(0, car(vehicle=dataclasses.replace(CAR, guarded=False))), at(2, driver("p-nephew"))],
                id="owner_does_not_want_to_be_asked",
            ),
            pytest.param(
                [
                    at(0, car(vehicle=dataclasses.replace(CAR, drivers=frozenset()))),
                    at(2, driver("p-nephew")),
                ],
                id="nobody_said_who_may",
            ),
            pytest.param([at(0, plate(PLATE)), at(2, driver("p-nephew"))], id="not_a_registered_vehicle"),
            pytest.param([at(0, car()), at(2, face_of("p-nephew", "gate", "out"))], id="at_another_gate"),
            pytest.param([at(0, car()), at(2, driver("p-nephew", "in"))], id="face_on_the_other_side"),
            pytest.param(
                [at(0, car()), at(7, driver("p-nephew")), at(8, other_car())], id="driver_of_the_next_car"
            ),
            pytest.param(
                [at(-4, other_car()), at(-3, driver("p-nephew")), at(0, car())], id="driver_of_the_car_before"
            ),
            pytest.param(
                [at(-5, other_car()), at(0, driver("p-nephew")), at(5, car())], id="nobody_knows_whose"
            ),
            pytest.param(
                [at(0, car()), at(1, car()), at(2, driver("p-owner"))], id="plate_that_is_read_twice"
            ),
            pytest.param(
                [at(0, car()), at(2, granted("drive", "out", person_id="p-nephew"))], id="card_is_no_face"
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(
        ("window_s", "taken", "speaks"), [(10, 10, True), (10, 11, False), (11, 11, True), (9, 10, False)]
    )
    def test_boundary_of_the_window(self, window_s: int, taken: int, *, speaks: bool) -> None:
        said = [raised(2 * window_s + 5, severity=3)] if speaks else []
        tell(self.rule, at(0, car()), at(taken, driver("p-nephew")), *said, values={"window_s": window_s})

    @pytest.mark.parametrize(("gap", "change"), [(600, amended), (601, raised)])
    def test_boundary_of_one_incident(self, gap: int, change) -> None:
        again = [at(gap, car("in")), at(gap + 1, driver("p-nephew", "in"))]
        tell(self.rule, *self.story, *again, change(gap + 25, severity=3))

    def test_person_compares_before_anybody_is_told(self) -> None:
        signal = tell(self.rule, *self.story).only
        assert signal.needs_comparison
        assert (signal.kind, signal.subject_kind, signal.subject) == (
            "vehicle.driver_mismatch",
            "plate",
            PLATE,
        )
        # Whose face it was stays with the evidence.
        assert "p-nephew" not in str(signal.reason_args)

    def test_blind_camera_is_named_and_what_was_seen_is_believed(self) -> None:
        told = tell(self.rule, at(-60, offline("drive-camera", "drive")), *self.story)
        assert [one.device for one in told.only.blind] == ["drive-camera"]

    def test_blind_face_camera_sees_no_driver_and_nothing_follows(self) -> None:
        tell(self.rule, at(-60, offline("drive-face", "drive")), at(0, car()))


class TestOwnersNo(EveryRule):
    """The owner is asked, and says no."""

    rule = "R-E07"
    story = (
        at(0, car()),
        at(1.5, driver("p-nephew")),
        raised(25, severity=3),
        at(900, owner_says_no()),
        amended(900, severity=2),
    )

    def test_word_of_the_owner_alone_is_urgent_and_nothing_to_compare(self) -> None:
        told = tell(self.rule, at(0, owner_says_no()), raised(0, severity=2))
        assert not told.only.needs_comparison
        assert told.only.reason == "driver_owner_no"

    def test_what_the_machine_saw_has_still_to_be_compared(self) -> None:
        (case,) = tell(self.rule, *self.story).cases
        assert [signal.needs_comparison for signal in case.signals] == [True, False]
        assert [one.type for one in case.signals[1].evidence] == ["plate.recognised", "report.created"]

    def test_no_of_another_owner_is_another_matter(self) -> None:
        steps = [step for step in self.story if isinstance(step, Happens)][:2]
        tell(
            self.rule,
            *steps,
            at(900, owner_says_no("云M22222")),
            raised(25, severity=3),
            raised(900, severity=2),
        )

    @pytest.mark.parametrize("cause", [None, "owner_yes", "stolen_bicycle"])
    def test_silent_on_other_reports(self, cause: str | None) -> None:
        tell(self.rule, at(0, seen("report.created", "drive", device="", plate=PLATE, cause=cause)))

    def test_silent_without_a_plate(self) -> None:
        tell(self.rule, at(0, seen("report.created", "drive", device="", cause="owner_no")))

    @pytest.mark.parametrize(("seconds", "change"), [(7200, amended), (7201, raised)])
    def test_boundary_of_how_long_an_answer_belongs_to_a_passage(self, seconds: float, change) -> None:
        steps = [step for step in self.story if isinstance(step, Happens)][:2]
        tell(
            self.rule,
            *steps,
            raised(25, severity=3),
            at(seconds, owner_says_no()),
            change(seconds, severity=2),
        )
