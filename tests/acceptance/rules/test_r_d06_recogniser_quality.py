"""R-D06: too much of what a camera shows cannot be told."""

import pytest
from telling import EveryRule, amended, at, face_of, face_unknown, offline, plate, raised, seen, tell


def uncertain(zone: str = "gate", kind: str = "face.uncertain"):
    return seen(kind, zone)


def hour(unsure: int, sure: int, start: float = 0, every: float = 60) -> list:
    """So many sure sightings, then so many uncertain ones."""
    steps = [at(start + every * number, face_of("p-1")) for number in range(sure)]
    return steps + [at(start + every * (sure + number), uncertain()) for number in range(unsure)]


class TestRecogniserQuality(EveryRule):
    rule = "R-D06"
    # 11 + 8: at the eighth uncertain one they are 8 of 19, too few to say; 9 of 20 are 45 %.
    story = (*hour(9, 11), raised(60 * 19 + 5, severity=4))

    def test_says_how_many_of_how_many(self) -> None:
        told = tell(self.rule, *self.story)
        assert told.only.reason_args == {"percent": 45, "count": 20}

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param(hour(8, 12), id="forty_percent"),
            pytest.param(hour(19, 0), id="too_few_to_say"),
            pytest.param([at(60 * n, face_unknown()) for n in range(40)], id="strangers_are_certain"),
            pytest.param([at(60 * n, seen("plate.none", "drive")) for n in range(40)], id="no_plates"),
            pytest.param(
                [*hour(5, 5), *(at(60 * n, uncertain("hall-9")) for n in range(10))], id="two_cameras"
            ),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    def test_plates_are_judged_like_faces(self) -> None:
        steps = [at(60 * n, plate("云M12345")) for n in range(11)]
        steps += [at(60 * (11 + n), uncertain("drive", "plate.uncertain")) for n in range(9)]
        tell(self.rule, *steps, raised(60 * 19 + 5, severity=4))

    @pytest.mark.parametrize(("share", "speaks"), [(0.44, True), (0.45, False)])
    def test_boundary_of_the_share(self, share: float, *, speaks: bool) -> None:
        changes = [raised(60 * 19 + 5, severity=4)] if speaks else []
        tell(self.rule, *hour(9, 11), *changes, values={"uncertain_share": share})

    @pytest.mark.parametrize(("least", "speaks"), [(20, True), (21, False)])
    def test_boundary_of_the_number(self, least: int, *, speaks: bool) -> None:
        changes = [raised(60 * 19 + 5, severity=4)] if speaks else []
        tell(self.rule, *hour(9, 11), *changes, values={"least": least})

    def test_boundary_of_the_hour(self) -> None:
        """What lies a whole hour back is not of this hour any more: then there are only 19."""
        inside, outside = ([at(s, face_of("p-1")), *hour(9, 10, start=3600 - 60 * 18)] for s in (1, 0))
        tell(self.rule, *inside, raised(3605, severity=4))
        tell(self.rule, *outside)

    def test_what_else_the_device_says_is_no_sighting(self) -> None:
        others = [at(1 + n, seen("access.granted", "gate", device="gate-face")) for n in range(11)]
        tell(self.rule, *(at(60 * n, uncertain()) for n in range(9)), *others)

    def test_goes_on_and_is_said_once(self) -> None:
        tell(self.rule, *hour(60, 11), raised(60 * 19 + 5, severity=4))

    def test_comes_back_the_same_day_and_is_the_same_incident(self) -> None:
        steps = [*hour(9, 11), *hour(9, 11, start=7200)]
        tell(self.rule, *steps, raised(1145, severity=4), amended(7200 + 1145, severity=4))

    def test_blind_camera_beside_it_changes_nothing(self) -> None:
        tell(self.rule, at(-5, offline("gate-camera", "gate")), *self.story)
