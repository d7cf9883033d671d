"""R-E10: refused again and again with one card or at one lane; worse where it did not stop there."""

import pytest
from telling import EveryRule, amended, at, denied, granted, offline, raised, rules_named, run, seen, tell


def refused(zone: str = "gate", card: str | None = "c-1", cause: str | None = "expired", **facts: object):
    return denied(zone, credential_id=card, cause=cause, **facts)


THREE = (at(0, refused()), at(30, refused()), at(60, refused()))


class TestDeniedRepeatedly(EveryRule):
    rule = "R-E10"
    story = (
        *THREE,
        at(100, seen("door.forced", "gate")),
        raised(65, severity=4),
        amended(105, severity=3),
    )

    def test_says_how_often_and_what_followed(self) -> None:
        told = tell(self.rule, *self.story)
        first, second = told.cases[0].signals
        assert (first.reason, first.reason_args["count"]) == ("denied_repeatedly", 3)
        assert (second.reason, second.reason_args["followed_by"]) == ("denied_then_followed", "door.forced")
        assert len(second.evidence) == 4

    def test_different_cards_at_one_lane_count_together(self) -> None:
        steps = [at(20 * number, refused(card=f"c-{number}")) for number in range(3)]
        told = tell(self.rule, *steps, raised(45, severity=4))
        assert told.only.dedupe_key == "R-E10:gate"

    def test_one_card_at_several_lanes_counts_together(self) -> None:
        zones = ("gate", "side-gate", "drive")
        steps = [at(20 * number, refused(zone)) for number, zone in enumerate(zones)]
        told = tell(self.rule, *steps, raised(45, severity=4))
        assert told.only.dedupe_key == "R-E10:credential:c-1"

    @pytest.mark.parametrize("kind", ["door.forced", "video.tailgating"])
    def test_what_follows_makes_it_a_warning(self, kind: str) -> None:
        tell(self.rule, *THREE, at(90, seen(kind, "gate")), raised(65, severity=4), amended(95, severity=3))

    def test_tailgating_that_was_counted_follows_as_well(self) -> None:
        """Two go in on one card, after three refusals: R-E05 says so, and this hears it."""
        steps = [
            *THREE,
            at(100, granted()),
            at(101, seen("door.opened", "gate")),
            at(102, seen("video.line_crossing", "gate", direction="in", attributes={"count": 2})),
            at(106, seen("door.closed", "gate")),
        ]
        told = run(rules_named("R-E05", self.rule), steps)
        assert sorted((case.rule, case.severity) for case in told.cases) == [("R-E05", 4), ("R-E10", 3)]

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param(THREE[:2], id="twice"),
            pytest.param([at(s, refused(cause="maintenance")) for s in (0, 30, 60)], id="maintenance"),
            pytest.param(
                [
                    at(s, refused(card=f"c-{s}", zone=z))
                    for s, z in ((0, "gate"), (9, "drive"), (18, "side-gate"))
                ],
                id="three_cards_at_three_lanes",
            ),
            pytest.param([at(s, refused(card=None, cause="face_mismatch")) for s in (0, 30, 60)], id="faces"),
            pytest.param(
                [at(s, refused(card=None, cause=None, attributes={"shown": "face"})) for s in (0, 30, 60)],
                id="faces_that_the_device_calls_so",
            ),
            pytest.param([at(s, refused("hall-9")) for s in (0, 30, 60)], id="inside_a_building"),
            pytest.param([*THREE[:2], at(40, seen("door.forced", "gate"))], id="forced_after_two"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_reason_that_only_the_device_names_counts_as_one(self) -> None:
        steps = [at(s, refused(cause=None, attributes={"reason": "maintenance"})) for s in (0, 30, 60)]
        tell(self.rule, *steps)

    @pytest.mark.parametrize(
        ("window_s", "third", "speaks"), [(120, 120, True), (120, 121, False), (121, 121, True)]
    )
    def test_boundary_of_the_window(self, window_s: int, third: int, *, speaks: bool) -> None:
        story = [at(0, refused()), at(30, refused()), at(third, refused())]
        tell(
            self.rule,
            *story,
            *([raised(third + 5, severity=4)] if speaks else []),
            values={"window_s": window_s},
        )

    @pytest.mark.parametrize(("times", "speaks"), [(3, True), (4, False)])
    def test_boundary_of_the_count(self, times: int, *, speaks: bool) -> None:
        tell(self.rule, *THREE, *([raised(65, severity=4)] if speaks else []), values={"times": times})

    @pytest.mark.parametrize(
        ("after_s", "forced", "speaks"), [(300, 360, True), (300, 361, False), (301, 361, True)]
    )
    def test_boundary_of_what_follows(self, after_s: int, forced: int, *, speaks: bool) -> None:
        story = [*THREE, at(forced, seen("door.forced", "gate")), raised(65, severity=4)]
        if speaks:
            story.append(amended(forced + 5, severity=3))
        tell(self.rule, *story, values={"after_s": after_s})

    def test_forced_door_elsewhere_belongs_to_somebody_else(self) -> None:
        tell(self.rule, *THREE, at(90, seen("door.forced", "side-gate")), raised(65, severity=4))

    def test_blind_camera_beside_it_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("gate-camera", "gate")), *THREE, raised(65, severity=4))
