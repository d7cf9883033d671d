"""R-B07: an electric bicycle in a lift."""

import pytest
from telling import EveryRule, amended, at, offline, raised, seen, tell


def ebike(zone: str = "lift-9", **attributes: object):
    return seen("video.ebike_in_lift", zone, attributes=attributes)


class TestEbikeInLift(EveryRule):
    rule = "R-B07"
    story = (at(0, ebike()), raised(5, severity=3))

    def test_one_ride_that_is_seen_many_times_is_one_incident(self) -> None:
        tell(
            self.rule,
            at(0, ebike()),
            at(20, ebike()),
            raised(5, severity=3),
            amended(25, severity=3),
        )

    def test_two_lifts_are_two(self) -> None:
        tell(
            self.rule,
            at(0, ebike()),
            at(1, ebike("garage")),
            raised(5, severity=3),
            raised(6, severity=3),
        )

    @pytest.mark.parametrize(
        "step",
        [
            pytest.param(ebike(**{"class": "wheelchair"}), id="wheelchair"),
            pytest.param(ebike(**{"class": "pram"}), id="pram"),
            pytest.param(ebike(ended=True), id="is_out_again"),
            pytest.param(seen("video.loitering", "lift-9"), id="somebody_waits"),
        ],
    )
    def test_silent(self, step) -> None:
        tell(self.rule, at(0, step))

    @pytest.mark.parametrize(
        ("wanted", "sure", "speaks"),
        [(0.6, 0.6, True), (0.6, 0.59, False), (0.59, 0.59, True), (0.6, None, True)],
    )
    def test_boundary_of_the_confidence(self, wanted: float, sure: float | None, *, speaks: bool) -> None:
        step = ebike() if sure is None else ebike(confidence=sure)
        tell(
            self.rule,
            at(0, step),
            *([raised(5, severity=3)] if speaks else []),
            values={"confidence": wanted},
        )

    @pytest.mark.parametrize(
        ("window", "again", "same"), [(600, 600, True), (600, 601, False), (601, 601, True)]
    )
    def test_boundary_of_the_ride(self, window: int, again: int, *, same: bool) -> None:
        change = amended if same else raised
        tell(
            self.rule,
            at(0, ebike()),
            at(again, ebike()),
            raised(5, severity=3),
            change(again + 5, severity=3),
            values={"dedupe_s": window},
        )

    def test_blind_devices_take_nothing_from_what_was_seen(self) -> None:
        tell(self.rule, at(-9, offline("lift-9-camera", "lift-9")), at(0, ebike()), raised(5, severity=3))
