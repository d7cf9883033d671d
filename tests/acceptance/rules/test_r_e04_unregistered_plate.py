"""R-E04: a plate nobody knows came in, and no guard wrote it down within a minute."""

import pytest
from telling import (
    NIGHT,
    EveryRule,
    Seen,
    amended,
    at,
    barrier_closed,
    barrier_opened,
    offline,
    plate,
    raised,
    seen,
    tell,
)

PLATE = "云M7K2P5"
RESIDENT = "云M11111"


def registered(zone: str = "drive", **facts: object) -> Seen:
    return seen("visitor.registered", zone, **facts)


def resident(text: str = RESIDENT) -> Seen:
    return plate(text, vehicle_id="car-1")


class TestUnregisteredPlate(EveryRule):
    rule = "R-E04"
    story = (at(0, plate(PLATE)), at(3, barrier_opened()), at(8, barrier_closed()), raised(65, severity=4))

    def test_by_night_it_is_a_warning(self) -> None:
        tell(self.rule, at(0, plate(PLATE)), at(3, barrier_opened()), raised(65, severity=3), begins=NIGHT)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, plate(PLATE)), at(30, barrier_opened())], id="barrier_after_half_a_minute"),
            pytest.param([at(-5, barrier_opened()), at(0, plate(PLATE))], id="picture_that_came_late"),
            pytest.param(
                [at(0, plate(PLATE)), at(2, resident()), at(3, barrier_opened())], id="another_waits_behind"
            ),
            pytest.param(
                [at(0, plate(PLATE)), at(3, barrier_opened()), at(20, registered(plate="云M22222"))],
                id="guard_writes_another_one_down",
            ),
            pytest.param(
                [at(0, plate(PLATE)), at(3, barrier_opened()), at(20, registered(), late=True)],
                id="guard_as_a_late_record_says",
            ),
            pytest.param(
                [at(0, plate(PLATE)), at(3, barrier_opened()), at(40, seen("vehicle.turned_back", "drive"))],
                id="another_turned_back_later",
            ),
        ],
    )
    def test_raises(self, steps: list) -> None:
        tell(self.rule, *steps, raised(65, severity=4))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, resident()), at(3, barrier_opened())], id="registered"),
            pytest.param([at(0, plate(PLATE, plate_welcome=True)), at(3, barrier_opened())], id="expected"),
            pytest.param(
                [at(0, plate("云M1234警", plate_welcome=True)), at(1, barrier_opened())], id="emergency"
            ),
            pytest.param(
                [
                    at(0, seen("plate.uncertain", "drive", direction="in", plate=PLATE)),
                    at(3, barrier_opened()),
                ],
                id="near_match_is_the_guards",
            ),
            pytest.param([at(0, plate(PLATE))], id="barrier_stayed_shut"),
            pytest.param([at(0, plate(PLATE, direction="out")), at(3, barrier_opened())], id="drives_out"),
            pytest.param([at(0, plate(PLATE)), at(31, barrier_opened())], id="opened_for_somebody_later"),
            pytest.param(
                [at(0, plate(PLATE)), at(3, barrier_opened()), at(20, registered())], id="guard_registers"
            ),
            pytest.param(
                [at(0, plate(PLATE)), at(3, barrier_opened()), at(59.5, registered(), arrives=64.4)],
                id="guards_entry_that_comes_late",
            ),
            pytest.param(
                [at(0, plate(PLATE)), at(3, barrier_opened()), at(20, registered(plate="云M7K2P6"))],
                id="guard_mistypes_a_character",
            ),
            pytest.param(
                [at(0, resident()), at(1, barrier_opened()), at(4, plate(PLATE)), at(7, barrier_closed())],
                id="waits_while_the_one_before_it_goes_through",
            ),
            pytest.param(
                [at(0, plate(PLATE)), at(10, seen("vehicle.turned_back", "drive")), at(25, barrier_opened())],
                id="turned_back",
            ),
            pytest.param(
                [at(0, plate("云M11117")), at(1, resident()), at(2, barrier_opened())],
                id="resident_misread_at_first",
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_vehicle_that_is_read_twice_is_one_incident(self) -> None:
        """The camera is triggered twice: the surer reading speaks, whichever comes first."""
        for first, second in ((0.99, 0.81), (0.81, 0.99)):
            said = [raised(65 if first > second else 66, severity=4)]
            story = [
                at(0, plate(PLATE, score=first)),
                at(1, plate("云M7K2P6", score=second)),
                at(3, barrier_opened()),
            ]
            tell(self.rule, *story, *said)
        tell(
            self.rule,
            at(0, plate(PLATE)),
            at(1, plate(PLATE)),
            at(3, barrier_opened()),
            raised(65, severity=4),
            amended(66, severity=4),
        )

    @pytest.mark.parametrize(
        ("window_s", "guard", "speaks"), [(60, 60, False), (60, 61, True), (61, 61, False), (59, 60, True)]
    )
    def test_boundary_of_the_window(self, window_s: int, guard: int, *, speaks: bool) -> None:
        said = [raised(window_s + 5, severity=4)] if speaks else []
        tell(
            self.rule,
            at(0, plate(PLATE)),
            at(3, barrier_opened()),
            at(guard, registered()),
            *said,
            values={"window_s": window_s},
        )

    def test_blind_barrier_tells_of_no_passage(self) -> None:
        tell(self.rule, at(-1, offline("drive-barrier", "drive")), at(0, plate(PLATE)))

    def test_blind_reader_for_people_excuses_no_vehicle(self) -> None:
        """The guard's entry is made at the desk: no device of the lane could have told of it."""
        tell(
            self.rule,
            at(-1, offline("drive-reader", "drive")),
            at(0, plate(PLATE)),
            at(3, barrier_opened()),
            raised(65, severity=4),
        )
