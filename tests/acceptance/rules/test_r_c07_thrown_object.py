"""R-C07: something was thrown, or fell, out of a building."""

import pytest
from telling import NIGHT, EveryRule, amended, at, offline, online, raised, seen, tell

from alerts.rules import DwellingFacts

HOME = DwellingFacts("d-1203", "occupied", "hall-9")


def thrown(zone: str = "hall-9", device: str | None = None, **attributes: object):
    return seen("video.parabolic", zone, device=device, attributes=attributes)


class TestThrownObject(EveryRule):
    rule = "R-C07"
    story = (
        at(0, thrown(face="south", floor_low=7, floor_high=10)),
        raised(0, severity=2),
        at(40, thrown()),
        amended(40, severity=2),
    )

    def test_side_and_floors(self) -> None:
        told = tell(self.rule, *self.story)
        assert told.only.reason == "thrown_object_side_floors"
        assert told.only.reason_args == {"face": "south", "floor_low": 7, "floor_high": 10, "night": False}

    def test_by_night_it_is_as_grave(self) -> None:
        tell(self.rule, at(0, thrown()), raised(0, severity=2), begins=NIGHT)

    @pytest.mark.parametrize(
        ("told", "said"),
        [
            ({"floor_low": 8, "floor_high": 8}, (7, 9)),
            ({"floor_low": 8}, (7, 9)),
            ({"floor_high": 1}, (1, 3)),
            ({"floor_low": 9, "floor_high": 8}, (8, 10)),
            ({"floor_low": 4, "floor_high": 6}, (4, 6)),
            ({"floor_low": 12, "floor_high": 4}, (4, 12)),
        ],
    )
    def test_boundary_a_range_is_never_narrower_than_three_floors(self, told: dict, said: tuple) -> None:
        args = tell(self.rule, at(0, thrown(**told)), raised(0, severity=2)).only.reason_args
        assert (args["floor_low"], args["floor_high"]) == said

    @pytest.mark.parametrize(
        ("told", "reason"),
        [
            ({}, "thrown_object"),
            ({"face": "north_east"}, "thrown_object_side"),
            ({"face": ["south"]}, "thrown_object"),
            ({"floor_low": 4, "floor_high": 6}, "thrown_object_floors"),
            ({"floor_low": "four"}, "thrown_object"),
        ],
    )
    def test_the_reason_says_what_is_known(self, told: dict, reason: str) -> None:
        assert tell(self.rule, at(0, thrown(**told)), raised(0, severity=2)).only.reason == reason

    def test_never_a_dwelling(self) -> None:
        what = seen(
            "video.parabolic",
            "hall-9",
            attributes={
                "face": "1203",
                "room": "1203",
                "dwelling": "d-1203",
                "floor_low": 12,
                "floor_high": 12,
            },
            dwelling=HOME,
            household_id="h-1203",
        )
        told = tell(self.rule, at(0, what), raised(0, severity=2))
        assert told.only.reason == "thrown_object_floors"
        assert told.only.reason_args == {"floor_low": 11, "floor_high": 13, "night": False}
        assert told.only.subject is None
        assert told.only.subject_kind is None

    @pytest.mark.parametrize("attributes", [{"class": "animal"}, {"ended": True}])
    def test_silent(self, attributes: dict) -> None:
        tell(self.rule, at(0, thrown(**attributes)))

    @pytest.mark.parametrize(("again", "change"), [(300, amended), (301, raised)])
    def test_boundary_of_one_incident(self, again: int, change) -> None:
        tell(
            self.rule, at(0, thrown()), at(again, thrown()), raised(0, severity=2), change(again, severity=2)
        )

    def test_two_buildings_are_two_incidents(self) -> None:
        tell(
            self.rule, at(0, thrown()), at(9, thrown("hall-3")), raised(0, severity=2), raised(9, severity=2)
        )

    def test_blind_neighbour_would_have_seen_where_it_came_from(self) -> None:
        told = tell(
            self.rule,
            at(-500, offline("hall-9-plate", "hall-9")),
            at(-400, online("hall-9-plate", "hall-9")),
            at(-60, offline("hall-9-face", "hall-9")),
            at(-30, online("hall-9-face", "hall-9")),
            at(0, thrown()),
            raised(0, severity=2),
        )
        assert [one.device for one in told.only.blind] == ["hall-9-face"]
