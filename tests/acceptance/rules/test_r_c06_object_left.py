"""R-C06: something was put down in a lobby or a garage, and nobody has come back for it."""

import pytest
from telling import EveryRule, at, cleared, offline, raised, seen, tell


def left(zone: str = "lobby-9", **attributes: object):
    return seen("video.object_left", zone, attributes=attributes)


def removed(zone: str = "lobby-9", device: str | None = None):
    return seen("video.object_removed", zone, device=device)


class TestObjectLeft(EveryRule):
    rule = "R-C06"
    story = (
        at(0, left()),
        at(30, left()),
        raised(605, severity=4),
        at(700, removed()),
        cleared(705, severity=4),
    )

    @pytest.mark.parametrize("zone", ["lobby-9", "garage", "hall-3"])
    def test_lobbies_and_garages(self, zone: str) -> None:
        tell(self.rule, at(0, left(zone)), raised(605, severity=4))

    def test_a_camera_that_says_for_how_long(self) -> None:
        told = tell(self.rule, at(0, left(dwell_s=900)), raised(5, severity=4))
        assert told.only.reason_args == {"minutes": 15}

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, left()), at(300, removed())], id="taken_along"),
            pytest.param([at(0, left()), at(300, left(ended=True))], id="the_cameras_own_end"),
            pytest.param([at(0, left("square"))], id="a_ball_on_the_square"),
            pytest.param([at(0, left("bike-shed"))], id="a_shed_is_for_leaving_things"),
            pytest.param([at(0, left()), at(597, removed(), arrives=602)], id="told_a_little_late"),
            pytest.param(
                [at(0, left()), at(400, removed()), at(410, left()), at(800, removed())], id="two_parcels"
            ),
            pytest.param([at(0, removed())], id="removed_only"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(
        ("ends", "minutes", "speaks"), [(599, 10, False), (600, 10, True), (600, 11, False)]
    )
    def test_boundary_of_the_time(self, ends: int, minutes: int, *, speaks: bool) -> None:
        told = [raised(605, severity=4), cleared(605, severity=4)] if speaks else []
        tell(self.rule, at(0, left()), at(ends, removed()), *told, values={"left_min": minutes})

    def test_a_second_parcel_is_measured_from_its_own_beginning(self) -> None:
        tell(self.rule, at(0, left()), at(300, removed()), at(400, left()), raised(1005, severity=4))

    def test_the_cameras_own_end_ends_it(self) -> None:
        end = at(700, left(ended=True))
        tell(self.rule, at(0, left()), raised(605, severity=4), end, cleared(705, severity=4))

    def test_what_another_camera_sees_removed_is_another_thing(self) -> None:
        tell(self.rule, at(0, left()), at(300, removed(device="lobby-9-face")), raised(605, severity=4))

    def test_blind_camera_cannot_say_that_it_still_lies_there(self) -> None:
        tell(self.rule, at(0, left()), at(500, offline("lobby-9-camera", "lobby-9")))
