"""R-C08: somebody lies on the ground, or calls for help."""

import pytest
from telling import NIGHT, EveryRule, amended, at, offline, raised, seen, tell

from alerts.rules import Mode, PersonFacts, RuleBook


def falls(zone: str = "square", **attributes: object):
    return seen("video.fall", zone, attributes=attributes)


def sos(zone: str = "lift-9", **facts: object):
    return seen("alarm.sos", zone, device=f"{zone}-button", **facts)


class TestFall(EveryRule):
    rule = "R-C08"
    safety = True
    story = (at(0, falls()), at(4, falls()), raised(15, severity=1))

    def test_what_the_camera_saw_for_long_enough_is_told_at_once(self) -> None:
        told = tell(self.rule, at(0, falls(dwell_s=12)), raised(0, severity=1))
        assert told.only.reason_args["lying_s"] == 12

    def test_a_part_of_the_time_counts(self) -> None:
        tell(self.rule, at(0, falls(dwell_s=4)), raised(11, severity=1))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, falls()), at(6, falls(ended=True))], id="up_again"),
            pytest.param([at(0, falls()), at(9, falls(ended=True), arrives=13)], id="told_a_little_late"),
            pytest.param([at(0, falls(**{"class": "animal"}))], id="a_dog_lies_down"),
            pytest.param([at(0, falls(ended=True))], id="only_an_end"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(("ends", "lying_s", "speaks"), [(9, 10, False), (10, 10, True), (10, 11, False)])
    def test_boundary_of_the_time(self, ends: int, lying_s: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(0, falls()),
            at(ends, falls(ended=True)),
            *([raised(15, severity=1)] if speaks else []),
            values={"lying_s": lying_s},
        )

    @pytest.mark.parametrize(("dwell_s", "when"), [(10, 0), (9, 6)])
    def test_boundary_of_the_cameras_own_time(self, dwell_s: int, when: int) -> None:
        tell(self.rule, at(0, falls(dwell_s=dwell_s)), raised(when, severity=1))

    def test_that_somebody_gets_up_later_ends_nothing(self) -> None:
        tell(self.rule, at(0, falls()), at(60, falls(ended=True)), raised(15, severity=1))

    def test_a_second_fall_minutes_later_is_another(self) -> None:
        tell(
            self.rule,
            at(0, falls()),
            at(200, falls()),
            at(600, falls()),
            raised(15, severity=1),
            amended(215, severity=1),
            raised(615, severity=1),
        )

    def test_a_face_on_the_ground_is_not_looked_up(self) -> None:
        who = PersonFacts("p-1", "h-1", belongs=True, cared_for=True)
        what = seen("video.fall", "square", person_id="p-1", person=who)
        told = tell(self.rule, at(0, what), raised(15, severity=1))
        assert told.only.reason == "fall"
        assert (told.only.subject_kind, told.only.subject) == (None, None)

    def test_blind_camera_saw_a_fall_all_the_same(self) -> None:
        told = tell(
            self.rule, at(0, falls()), at(5, offline("square-camera", "square")), raised(15, severity=1)
        )
        assert [one.device for one in told.only.blind] == ["square-camera"]


class TestCallForHelp(EveryRule):
    rule = "R-C08"
    safety = True
    story = (at(0, sos()), at(3, sos()), raised(0, severity=1), amended(3, severity=1))

    @pytest.mark.parametrize("zone", ["gate", "garage", "hall-3"])
    def test_at_once_in_every_ring_by_day_and_by_night(self, zone: str) -> None:
        tell(self.rule, at(0, sos(zone)), raised(0, severity=1))
        tell(self.rule, at(0, sos(zone)), raised(0, severity=1), begins=NIGHT)

    @pytest.mark.parametrize("mode", list(Mode))
    def test_critical_in_every_mode(self, mode: Mode) -> None:
        tell(self.rule, at(0, sos()), raised(0, severity=1), book=RuleBook(mode=mode))

    def test_a_button_on_a_wall_is_nobodys(self) -> None:
        told = tell(self.rule, at(0, sos()), raised(0, severity=1))
        assert (told.only.subject_kind, told.only.subject) == (None, None)
        assert told.only.reason == "sos"
        assert told.only.reason_args == {"night": False, "cared_for": False}

    @pytest.mark.parametrize("cared_for", [True, False])
    def test_whose_button_it_is_and_whether_their_people_may_be_told(self, *, cared_for: bool) -> None:
        who = PersonFacts("p-1", "h-1", belongs=True, cared_for=cared_for)
        told = tell(self.rule, at(0, sos(person_id="p-1", person=who)), raised(0, severity=1))
        assert (told.only.subject_kind, told.only.subject) == ("person", "p-1")
        assert told.only.reason_args["cared_for"] is cared_for

    def test_silent_when_a_device_says_that_it_is_over(self) -> None:
        tell(self.rule, at(0, sos(attributes={"ended": True})))

    @pytest.mark.parametrize(("again", "change"), [(300, amended), (301, raised)])
    def test_boundary_of_one_incident(self, again: int, change) -> None:
        tell(self.rule, at(0, sos()), at(again, sos()), raised(0, severity=1), change(again, severity=1))

    def test_blind_cameras_around_it_do_not_matter(self) -> None:
        tell(self.rule, at(-9, offline("lift-9-camera", "lift-9")), at(0, sos()), raised(0, severity=1))
