"""R-C02: by night the same somebody is seen here and there where nobody has anything to do."""

from typing import ClassVar

import pytest
from telling import (
    MORNING,
    NIGHT,
    EveryRule,
    amended,
    at,
    face_unknown,
    granted,
    offline,
    plate,
    raised,
    seen,
    tell,
)

from alerts.rules import PassFacts, PersonFacts, VehicleFacts

GUEST = PersonFacts("p-guest", buildings=frozenset({"hall-9"}))
PASS = PassFacts("v-1", MORNING, NIGHT, zones=frozenset({"gate", "hall-9"}))


def shows_pass(zone: str):
    return granted(zone, None, visit=PASS)


def car(zone: str, **facts: object):
    return plate("云M1A234", zone, None, **facts)


def guest(zone: str, **facts: object):
    return seen("face.identified", zone, person_id="p-guest", score=0.31, **({"person": GUEST} | facts))


def three(what, first: str = "bike-shed", second: str = "garage", third: str = "fence") -> list:
    return [at(0, what(first)), at(300, what(second)), at(600, what(third))]


class TestLoiteringAcross(EveryRule):
    rule = "R-C02"
    how: ClassVar = {"begins": NIGHT}
    story = (
        at(0, car("bike-shed")),
        at(300, car("garage")),
        at(600, car("bike-shed")),
        raised(605, severity=3),
        at(700, car("square")),
        at(900, car("garage")),
        amended(905, severity=3),
    )

    @pytest.mark.parametrize(
        ("what", "kind", "subject", "compares"),
        [
            pytest.param(guest, "person", "p-guest", True, id="registered_but_not_resident"),
            pytest.param(shows_pass, "pass", "v-1", False, id="pass"),
            pytest.param(car, "plate", "云M1A234", False, id="plate"),
            pytest.param(
                lambda zone: face_unknown(zone, None, token="t-7"),
                "token",
                "t-7",
                True,
                id="token_where_allowed",
            ),
            pytest.param(
                lambda zone: seen("video.loitering", zone, token="d-7"),
                "token",
                "d-7",
                False,
                id="devices_own_id",
            ),
        ],
    )
    def test_subjects(self, what, kind: str, subject: str, *, compares: bool) -> None:
        told = tell(self.rule, *three(what), raised(605, severity=3), begins=NIGHT)
        assert (told.only.subject_kind, told.only.subject) == (kind, subject)
        assert told.only.needs_comparison is compares
        assert told.only.dedupe_key == f"R-C02:{kind}:{subject}"

    def test_a_playground_is_one_of_the_zones_by_night(self) -> None:
        tell(self.rule, *three(car, "playground", "square", "garage"), begins=NIGHT)
        tell(
            self.rule, *three(car, "playground", "bike-shed", "garage"), raised(605, severity=3), begins=NIGHT
        )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param(three(lambda zone: face_unknown(zone, None)), id="nobody_knows_whom"),
            pytest.param(
                three(lambda z: guest(z, person=PersonFacts("p-guest", belongs=True))), id="resident"
            ),
            pytest.param(three(lambda z: guest(z, person=PersonFacts("p-guest", staff=True))), id="staff"),
            pytest.param(three(lambda z: guest(z, person=None)), id="nothing_known_of_the_person"),
            pytest.param(
                three(lambda z: car(z, vehicle_id="car-1", vehicle=VehicleFacts("car-1", "h-1"))),
                id="residents_car",
            ),
            pytest.param(three(lambda z: car(z, plate_welcome=True)), id="ambulance"),
            pytest.param(
                three(lambda z: seen("face.identified", z, household_id="h-1", token="t-1")),
                id="member_of_a_household",
            ),
            pytest.param(
                [
                    *(at(0, car("garage")), at(300, car("bike-shed"))),
                    at(600, seen("parking.overstay", "garage", plate="云M1A234")),
                ],
                id="parked_is_not_seen_about",
            ),
            pytest.param(three(car, "square", "bench", "square"), id="squares"),
            pytest.param(three(car, "garage", "garage", "garage"), id="one_zone"),
            pytest.param([at(0, car("garage")), at(300, car("bike-shed"))], id="two_sightings"),
            pytest.param(
                [at(0, car("garage")), at(300, plate("云M9Z999", "fence", None)), at(600, car("bike-shed"))],
                id="two_cars",
            ),
            pytest.param([*three(shows_pass), at(450, shows_pass("hall-3"))], id="went_into_a_building"),
            pytest.param(
                [*three(shows_pass), at(599, shows_pass("hall-9"), arrives=603)], id="told_a_little_late"
            ),
            pytest.param(
                [at(0, car("garage")), at(20, car("garage")), at(40, car("bike-shed"))],
                id="one_passage_read_twice",
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps, begins=NIGHT)

    def test_silent_by_day(self) -> None:
        tell(self.rule, *three(car), begins=MORNING)

    def test_a_plate_that_is_welcome_by_its_pass_is_the_passs(self) -> None:
        told = tell(
            self.rule,
            *three(lambda zone: car(zone, plate_welcome=True, visit=PASS)),
            raised(605, severity=3),
            begins=NIGHT,
        )
        assert told.only.dedupe_key == "R-C02:pass:v-1"

    def test_two_zones_within_a_minute_are_two_sightings(self) -> None:
        steps = [at(0, car("garage")), at(30, car("bike-shed")), at(300, car("garage"))]
        tell(self.rule, *steps, raised(305, severity=3), begins=NIGHT)

    def test_a_building_before_the_first_sighting_is_where_it_came_from(self) -> None:
        tell(
            self.rule,
            at(-60, shows_pass("hall-9")),
            *three(shows_pass),
            raised(605, severity=3),
            begins=NIGHT,
        )

    @pytest.mark.parametrize(("last", "speaks"), [(1800, True), (1801, False)])
    def test_boundary_of_the_window(self, last: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(0, car("garage")),
            at(900, car("bike-shed")),
            at(last, car("garage")),
            *([raised(last + 5, severity=3)] if speaks else []),
            begins=NIGHT,
        )

    @pytest.mark.parametrize(("name", "value", "speaks"), [
        ("sightings", 3, True), ("sightings", 4, False), ("in_zones", 3, True), ("in_zones", 4, False),
    ])  # fmt: skip
    def test_boundary_of_the_counts(self, name: str, value: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            *three(car),
            *([raised(605, severity=3)] if speaks else []),
            begins=NIGHT,
            values={name: value},
        )

    @pytest.mark.parametrize(("again", "speaks"), [(60, True), (59, False)])
    def test_boundary_of_two_passages(self, again: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(0, car("garage")),
            at(again, car("garage")),
            at(300, car("bike-shed")),
            *([raised(305, severity=3)] if speaks else []),
            begins=NIGHT,
        )

    def test_blind_door_of_the_hosts_building_is_no_proof_that_nobody_went_in(self) -> None:
        gone = at(-60, offline("hall-9-reader", "hall-9"))
        tell(self.rule, gone, *three(shows_pass), begins=NIGHT)
        tell(self.rule, gone, *three(guest), begins=NIGHT)

    def test_other_blind_doors_nearby_are_named(self) -> None:
        told = tell(
            self.rule,
            at(-60, offline("hall-3-reader", "hall-3")),
            at(-60, offline("hall-9-reader", "hall-9")),
            *three(car),
            raised(605, severity=3),
            begins=NIGHT,
        )
        # Building 9 lies beside the sheds, building 3 beside none of the three.
        assert [one.device for one in told.only.blind] == ["hall-9-reader"]
