"""R-C11: a patrol was due at a checkpoint and has not been there."""

import pytest
from telling import EveryRule, amended, at, cleared, offline, online, raised, seen, tell

PATROL = "R-C11"


def due(zone: str = "fence", device: str | None = "fence-reader", number: int = 1):
    """At a reader, or anywhere in the zone where the checkpoint has none."""
    return seen("patrol.due", zone, device=device or zone, attributes={"round": "night", "due": number})


def checks_in(zone: str = "fence", device: str = "fence-reader"):
    return seen("patrol.checkin", zone, device=device)


class TestPatrolMissed(EveryRule):
    rule = PATROL
    story = (
        at(0, due()),
        raised(605, severity=4),
        at(3600, due()),
        amended(4205, severity=3),
        at(5000, checks_in()),
        cleared(5005, severity=3),
    )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, due()), at(0, checks_in())], id="in_time"),
            pytest.param([at(0, due()), at(420, checks_in())], id="a_little_late"),
            pytest.param([at(-600, checks_in()), at(0, due())], id="a_little_early"),
            pytest.param([at(0, due()), at(598, checks_in(), arrives=603)], id="told_a_little_late"),
            pytest.param([at(0, due()), at(60, checks_in(device="phone-3"))], id="with_the_phone"),
            pytest.param(
                [at(0, due(device=None)), at(60, checks_in(device="fence-face"))], id="a_zone_is_enough"
            ),
            pytest.param([at(0, checks_in())], id="nobody_was_due"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(PATROL, *steps)

    @pytest.mark.parametrize(
        "elsewhere",
        [
            pytest.param(checks_in("bike-shed", "bike-shed-reader"), id="another_zone"),
            pytest.param(checks_in(device="fence-face"), id="another_reader_of_the_zone"),
            pytest.param(checks_in("bike-shed", "phone-3"), id="a_phone_elsewhere"),
        ],
    )
    def test_a_check_in_elsewhere_is_none(self, elsewhere) -> None:
        tell(PATROL, at(0, due()), at(60, elsewhere), raised(605, severity=4))

    @pytest.mark.parametrize(
        ("comes", "values", "missed"),
        [
            (600, {}, None), (601, {}, 605), (600, {"grace_min": 9}, 545), (601, {"grace_min": 11}, None),
            (-900, {}, None), (-901, {}, 605), (-900, {"early_min": 14}, 605), (-901, {"early_min": 16}, None),
        ],
    )  # fmt: skip
    def test_boundary_of_early_and_late(self, comes: int, values: dict, missed: int | None) -> None:
        told = [raised(missed, severity=4)] if missed else []
        if missed and comes > 0:
            told.append(cleared(comes + 5, severity=4))
        tell(PATROL, at(0, due()), at(comes, checks_in()), *told, values=values)

    def test_who_comes_too_late_ends_it_and_has_not_missed_two(self) -> None:
        tell(
            PATROL,
            at(0, due()),
            at(900, checks_in()),
            at(3600, due()),
            raised(605, severity=4),
            cleared(905, severity=4),
            raised(4205, severity=4),
        )

    def test_one_that_was_walked_in_between_breaks_the_row(self) -> None:
        tell(
            PATROL,
            at(0, due()),
            at(3600, due()),
            at(3660, checks_in()),
            at(7200, due()),
            raised(605, severity=4),
            cleared(3665, severity=4),
            raised(7805, severity=4),
        )

    def test_two_checkpoints_of_one_round_are_two_and_not_two_in_a_row(self) -> None:
        tell(
            PATROL,
            at(0, due()),
            at(0, due("bike-shed", "bike-shed-reader")),
            raised(605, severity=4),
            raised(605, severity=4),
        )

    def test_two_checkpoints_one_after_the_other_are_not_two_in_a_row(self) -> None:
        tell(
            PATROL,
            at(0, due("bike-shed", "bike-shed-reader")),
            at(60, due()),
            raised(605, severity=4),
            raised(665, severity=4),
        )

    def test_what_is_said_of_one_and_of_two(self) -> None:
        told = tell(PATROL, *self.story)
        once, twice = told.cases[0].signals
        assert (once.reason, twice.reason) == ("patrol_missed", "patrol_missed_again")
        assert [len(once.evidence), len(twice.evidence)] == [1, 2]
        assert twice.evidence == (once.anchor, twice.anchor)
        assert once.dedupe_key == "R-C11:fence-reader"
        assert [moment.timestamp() - once.anchor.at.timestamp() for moment in once.window] == [-900, 600]

    @pytest.mark.parametrize("device", [None, "a-reader-of-no-plan"])
    def test_a_checkpoint_without_a_known_reader_is_its_zone(self, device: str | None) -> None:
        told = tell(PATROL, at(0, due(device=device)), raised(605, severity=4))
        assert told.only.dedupe_key == "R-C11:fence"

    @pytest.mark.parametrize(("back", "silent"), [(-901, False), (-899, True)])
    def test_boundary_of_a_reader_that_was_blind(self, back: int, *, silent: bool) -> None:
        tell(
            PATROL,
            at(-2000, offline("fence-reader", "fence")),
            at(back, online("fence-reader", "fence")),
            at(0, due()),
            *([] if silent else [raised(605, severity=4)]),
        )

    @pytest.mark.parametrize("device", ["fence-reader", None])
    def test_blind_reader_is_no_proof_that_nobody_came(self, device: str | None) -> None:
        tell(PATROL, at(-60, offline("fence-reader", "fence")), at(0, due(device=device)))
        tell(PATROL, at(0, due(device=device)), at(599, offline("fence-reader", "fence")))

    def test_blind_camera_takes_no_check_ins(self) -> None:
        tell(
            PATROL,
            at(-60, offline("fence-camera", "fence")),
            at(0, due(device=None)),
            raised(605, severity=4),
        )

    def test_one_that_nobody_could_see_is_not_the_first_of_two(self) -> None:
        tell(
            PATROL,
            at(-60, offline("fence-reader", "fence")),
            at(0, due()),
            at(1200, online("fence-reader", "fence")),
            at(3600, due()),
            raised(4205, severity=4),
        )


def walk_due(point: str = "p1", *, walk: str = "w1", early: int = 40, grace: int = 10, device: str = "none"):
    """A point of a round of the tables: due when the round's time ends, come by from its beginning on."""
    attributes = {"point": point, "walk": walk, "early_min": early, "grace_min": grace}
    return seen("patrol.due", "fence", device=device, attributes=attributes)


def walks_by(point: str = "p1", *, walk: str = "w1", zone: str = "fence", device: str = "none"):
    return seen("patrol.checkin", zone, device=device, attributes={"point": point, "walk": walk})


class TestPatrolMissedOfTheTables:
    @pytest.mark.parametrize(
        ("comes", "missed"), [(-2400, None), (-2401, 605), (0, None), (600, None), (601, 605)]
    )
    def test_the_round_says_itself_how_early_and_how_late(self, comes: int, missed: int | None) -> None:
        told = [raised(missed, severity=4)] if missed else []
        if missed and comes > 0:
            told.append(cleared(comes + 5, severity=4))
        tell(PATROL, at(0, walk_due()), at(comes, walks_by()), *told)

    @pytest.mark.parametrize(
        "elsewhere",
        [
            pytest.param(walks_by("p2"), id="another_point_of_the_same_yard"),
            pytest.param(walks_by(walk="w2"), id="of_another_round"),
            pytest.param(checks_in(), id="a_reader_of_the_yard"),
            pytest.param(checks_in(device="phone-3"), id="a_phone_that_names_no_point"),
        ],
    )
    def test_only_its_own_visits_count(self, elsewhere) -> None:
        tell(PATROL, at(0, walk_due()), at(60, elsewhere), raised(605, severity=4))

    def test_a_point_with_a_reader_is_come_by_at_the_reader_and_with_the_phone(self) -> None:
        due = walk_due(device="fence-reader")
        tell(PATROL, at(0, due), at(60, checks_in()))
        tell(PATROL, at(0, due), at(60, walks_by(device="fence-reader")))
        told = tell(PATROL, at(0, due), raised(605, severity=4))
        assert told.only.dedupe_key == "R-C11:fence-reader"

    def test_the_file_and_the_tables_that_name_one_reader_are_one_incident(self) -> None:
        told = tell(
            PATROL,
            at(0, due()),
            at(0, walk_due(device="fence-reader")),
            raised(605, severity=4),
            amended(605, severity=4),
        )
        assert len(told.cases) == 1

    def test_two_points_of_one_yard_are_two(self) -> None:
        tell(
            PATROL,
            at(0, walk_due("p1")),
            at(0, walk_due("p2")),
            raised(605, severity=4),
            raised(605, severity=4),
        )

    def test_missed_by_two_rounds_in_a_row_is_a_warning(self) -> None:
        tell(
            PATROL,
            at(0, walk_due()),
            at(3600, walk_due(walk="w2")),
            raised(605, severity=4),
            amended(4205, severity=3),
        )

    def test_a_code_on_the_wall_is_not_blind_when_a_reader_is(self) -> None:
        tell(PATROL, at(-60, offline("fence-reader", "fence")), at(0, walk_due()), raised(605, severity=4))

    def test_the_incident_says_how_late_the_round_may_be(self) -> None:
        told = tell(PATROL, at(0, walk_due(grace=4)), raised(245, severity=4))
        assert told.only.reason_args == {"minutes": 4}
