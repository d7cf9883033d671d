"""R-C01: somebody stays where nobody has anything to stay for."""

import pytest
from telling import (
    NIGHT,
    EveryRule,
    amended,
    at,
    cleared,
    offline,
    raised,
    seen,
    tell,
)

from alerts.rules import PersonFacts

GUARD = PersonFacts("p-guard", belongs=True, staff=True)


def loiters(zone: str = "bike-shed", dwell_s: float | None = 200, **more: object):
    attributes = {} if dwell_s is None else {"dwell_s": dwell_s}
    return seen("video.loitering", zone, attributes=attributes | more)


def face(person_id: str, person: PersonFacts):
    return seen("face.identified", "bike-shed", person_id=person_id, person=person)


def checks_in(zone: str = "bike-shed"):
    return seen("patrol.checkin", zone, device=f"{zone}-reader")


class TestLoitering(EveryRule):
    rule = "R-C01"
    story = (
        at(0, loiters(dwell_s=60)),
        at(120, loiters(dwell_s=180)),
        at(240, loiters(dwell_s=300)),
        at(320, loiters(dwell_s=380)),
        raised(125, severity=4),
        # Once more in the next five minutes, not with every word of the camera.
        amended(325, severity=4),
    )

    def test_by_night_it_is_a_warning_and_half_the_time_is_enough(self) -> None:
        tell(self.rule, at(0, loiters(dwell_s=90)), raised(5, severity=3), begins=NIGHT)

    @pytest.mark.parametrize("zone", ["bike-shed", "garage", "fence"])
    def test_what_a_camera_calls_loitering_is_believed(self, zone: str) -> None:
        told = tell(self.rule, at(0, loiters(zone, None)), raised(5, severity=4))
        assert "dwell_s" not in told.only.reason_args

    def test_an_intrusion_that_lasts_is_loitering_and_one_that_does_not_say_so_is_not(self) -> None:
        tell(
            self.rule,
            at(0, seen("video.intrusion", "garage", attributes={"dwell_s": 180})),
            at(600, seen("video.intrusion", "fence")),
            raised(5, severity=4),
        )

    @pytest.mark.parametrize(
        ("zone", "begins_at_night"),
        [("square", False), ("bench", False), ("square", True), ("playground", False), ("gate", True)],
    )
    def test_silent_where_one_may_stay(self, zone: str, *, begins_at_night: bool) -> None:
        tell(self.rule, at(0, loiters(zone, 900)), **({"begins": NIGHT} if begins_at_night else {}))

    def test_a_playground_by_night_is_no_place_to_stay(self) -> None:
        tell(self.rule, at(0, loiters("playground", 120)), raised(5, severity=3), begins=NIGHT)

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(-100, checks_in()), at(0, loiters())], id="patrol"),
            pytest.param([at(0, loiters()), at(0, checks_in(), arrives=4)], id="patrol_told_later"),
            pytest.param([at(-60, face("p-guard", GUARD)), at(0, loiters())], id="staff"),
            pytest.param(
                [at(0, seen("video.loitering", "bike-shed", person_id="p-guard", person=GUARD))],
                id="staff_named",
            ),
            pytest.param([at(0, loiters(**{"class": "animal"}))], id="a_cat"),
            pytest.param([at(0, loiters("garage", 4000, **{"class": "vehicle"}))], id="a_parked_car"),
            pytest.param([at(0, loiters(ended=True))], id="gone_by_now"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_a_resident_nearby_does_not_excuse(self) -> None:
        resident = PersonFacts("p-1", "h-1", belongs=True)
        tell(
            self.rule,
            at(-60, face("p-1", resident)),
            at(0, loiters()),
            raised(5, severity=4),
        )

    def test_a_resident_who_is_known_is_treated_like_one_who_is_not(self) -> None:
        resident = PersonFacts("p-1", "h-1", belongs=True)
        what = seen(
            "video.loitering", "bike-shed", attributes={"dwell_s": 200}, person_id="p-1", person=resident
        )
        tell(self.rule, at(0, what), raised(5, severity=4))

    def test_a_guard_who_had_left_before_is_no_excuse(self) -> None:
        # The stay began 200 s ago.
        tell(self.rule, at(-201, face("p-guard", GUARD)), at(0, loiters()), raised(5, severity=4))
        tell(self.rule, at(-200, face("p-guard", GUARD)), at(0, loiters()))

    def test_evidence_is_of_this_stay(self) -> None:
        bag = seen("video.object_left", "bike-shed", attributes={"dwell_s": 400})
        told = tell(
            self.rule,
            at(-100, loiters()),
            at(310, bag),
            at(340, loiters()),
            at(380, loiters()),
            raised(-95, severity=4),
            amended(345, severity=4),
        )
        assert [len(signal.evidence) for signal in told.cases[0].signals] == [1, 1]

    @pytest.mark.parametrize(
        ("dwell_s", "limit", "speaks"), [(180, 180, True), (179, 180, False), (180, 181, False)]
    )
    def test_boundary_of_the_stay(self, dwell_s: int, limit: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(0, loiters(dwell_s=dwell_s)),
            *([raised(5, severity=4)] if speaks else []),
            values={"dwell_s": limit},
        )

    @pytest.mark.parametrize(("dwell_s", "speaks"), [(90, True), (89, False)])
    def test_boundary_by_night(self, dwell_s: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(0, loiters(dwell_s=dwell_s)),
            *([raised(5, severity=3)] if speaks else []),
            begins=NIGHT,
        )

    @pytest.mark.parametrize(("before", "speaks"), [(480, False), (501, True)])
    def test_boundary_of_the_patrol(self, before: int, *, speaks: bool) -> None:
        # The stay began 200 s ago; a patrol may have come 300 s before that.
        tell(
            self.rule,
            at(-before, checks_in()),
            at(0, loiters()),
            *([raised(5, severity=4)] if speaks else []),
        )

    def test_a_patrol_that_comes_afterwards_ends_it(self) -> None:
        tell(
            self.rule,
            at(0, loiters()),
            at(60, checks_in("garage")),
            at(90, checks_in()),
            raised(5, severity=4),
            cleared(95, severity=4),
        )

    def test_blind_reader_is_named_and_the_camera_is_believed(self) -> None:
        told = tell(
            self.rule,
            at(-300, offline("bike-shed-reader", "bike-shed")),
            at(0, loiters()),
            raised(5, severity=4),
        )
        assert [(one.device, one.why) for one in told.only.blind] == [("bike-shed-reader", "offline")]
