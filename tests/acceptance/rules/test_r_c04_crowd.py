"""R-C04: more people stand together than the place can take, and not only for a moment."""

import datetime as dt

import pytest
from telling import EveryRule, amended, at, cleared, local, offline, online, raised, seen, tell

from alerts.rules import Entry, Hours, RuleBook

CROWD = "R-C04"


def count(people: int, zone: str = "square", device: str | None = None):
    return seen("video.person_count", zone, device=device, attributes={"count": people})


def crowd(zone: str = "square", **attributes: object):
    return seen("video.crowd", zone, attributes=attributes)


def counts(*people: int, every: float = 20, start: float = 0) -> list:
    return [at(start + every * number, count(many)) for number, many in enumerate(people)]


class TestCrowd(EveryRule):
    rule = CROWD
    story = (
        *counts(12, 31, 35, 40, 38, 36, 33),
        raised(85, severity=3),
        *counts(29, 28, 25, 20, start=140),
        cleared(205, severity=3),
    )

    def test_a_camera_that_says_crowd_has_a_limit_of_its_own(self) -> None:
        told = tell(self.rule, at(0, crowd()), at(30, crowd()), at(60, crowd()), raised(65, severity=3))
        assert "count" not in told.only.reason_args

    def test_a_crowd_that_stays_is_said_again_now_and_then(self) -> None:
        # By the clock's five minutes, so that it is one incident as long as it lasts.
        tell(
            self.rule,
            *[at(second, count(50)) for second in range(0, 1200, 30)],
            raised(65, severity=3),
            amended(305, severity=3),
            amended(605, severity=3),
            amended(905, severity=3),
        )

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param(counts(31, 35, 40), id="too_short"),
            pytest.param(counts(31, 35, 29, 40, 38, 36), id="one_count_below"),
            pytest.param([at(0, count(80))], id="one_count"),
            pytest.param([at(0, crowd())], id="one_word"),
            pytest.param([at(0, count(80)), at(130, count(80))], id="two_far_apart"),
            pytest.param(
                [
                    at(0, count(40)),
                    at(30, count(40, device="square-face")),
                    at(60, count(29)),
                    at(90, count(40)),
                ],
                id="two_cameras",
            ),
            pytest.param(
                [at(0, crowd()), at(30, crowd(ended=True)), at(60, crowd()), at(90, crowd())], id="ended"
            ),
            pytest.param([at(0, seen("video.person_count", "square")), at(60, crowd())], id="no_number"),
            pytest.param([at(0, crowd(count=12)), at(60, crowd(count=14))], id="its_own_number_counts"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(self.rule, *steps)

    @pytest.mark.parametrize(("limit", "speaks"), [(40, True), (41, False), (39, True)])
    def test_boundary_of_the_limit(self, limit: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            *counts(40, 40, 40, 40),
            *([raised(65, severity=3)] if speaks else []),
            values={"limit": limit},
        )

    @pytest.mark.parametrize(("last", "hold_s", "speaks"), [(60, 60, True), (59, 60, False), (60, 61, False)])
    def test_boundary_of_the_time(self, last: int, hold_s: int, *, speaks: bool) -> None:
        tell(
            self.rule,
            at(0, count(40)),
            at(30, count(40)),
            at(last, count(40)),
            *([raised(last + 5, severity=3)] if speaks else []),
            values={"hold_s": hold_s},
        )

    def test_a_short_dip_ends_nothing(self) -> None:
        tell(
            self.rule,
            *counts(40, 40, 40, 40),
            at(70, count(28)),
            at(100, count(40)),
            raised(65, severity=3),
        )

    @pytest.mark.parametrize(("again", "ends"), [(131, True), (130, False)])
    def test_boundary_of_the_end(self, again: int, *, ends: bool) -> None:
        tell(
            self.rule,
            *counts(40, 40, 40, 40),
            at(70, count(28)),
            at(again, count(40)),
            raised(65, severity=3),
            *([cleared(135, severity=3)] if ends else []),
        )

    @pytest.mark.parametrize(("again", "speaks"), [(120, True), (121, False)])
    def test_boundary_of_two_counts_far_apart(self, again: int, *, speaks: bool) -> None:
        told = [raised(again + 5, severity=3)] if speaks else []
        tell(self.rule, at(0, count(80)), at(again, count(80)), *told)

    def test_the_view_of_another_camera_ends_nothing(self) -> None:
        other = "square-face"
        tell(
            self.rule,
            *counts(40, 40, 40, 40),
            at(65, count(35, device=other)),
            at(75, count(10, device=other)),
            at(80, count(10, device=other)),
            raised(65, severity=3),
        )

    def test_a_report_without_a_number_is_no_word_of_an_end(self) -> None:
        other = "square-face"
        tell(
            self.rule,
            *counts(40, 40, 40, 40),
            at(65, count(35, device=other)),
            at(66, seen("video.person_count", "square", device=other)),
            at(75, count(10)),
            raised(65, severity=3),
        )

    def test_it_is_over_when_no_camera_sees_too_many(self) -> None:
        other = "square-face"
        tell(
            self.rule,
            *counts(40, 40, 40, 40),
            at(65, count(35, device=other)),
            at(70, count(12)),
            at(75, count(12, device=other)),
            raised(65, severity=3),
            cleared(140, severity=3),
        )

    def test_a_low_count_that_is_overtaken_is_none_in_the_middle(self) -> None:
        tell(
            self.rule,
            at(0, count(40)),
            at(20, count(40)),
            at(58, count(10), arrives=62.5),
            at(60, count(40)),
            at(80, count(40)),
        )

    def test_blind_before_and_after_it_is_what_was_seen_that_counts(self) -> None:
        tell(
            self.rule,
            at(-60, offline("square-camera", "square")),
            at(-1, online("square-camera", "square")),
            *counts(40, 40, 40, 40),
            at(70, offline("square-camera", "square")),
            raised(65, severity=3),
        )


def dancing(**how: object) -> RuleBook:
    """The square belongs to the dancers from seven to half past eight."""
    hours = Hours(
        "square dancing", frozenset(range(7)), dt.time(19), dt.time(20, 30), frozenset({"square"}), **how
    )
    return RuleBook(entries={CROWD: Entry(hours=(hours,))})


def test_dance_hours_are_exempt_where_they_dance() -> None:
    tell(CROWD, *counts(80, 80, 80, 80, 80), begins=local(19, 30), book=dancing(enabled=False))


def test_dance_hours_exempt_no_other_place() -> None:
    tell(
        CROWD,
        *[at(20 * n, count(80, "playground")) for n in range(4)],
        raised(65, severity=3),
        begins=local(19, 30),
        book=dancing(enabled=False),
    )


def test_who_goes_on_dancing_is_told_of_when_the_hours_are_over() -> None:
    tell(
        CROWD,
        *[at(second, count(80)) for second in range(0, 241, 30)],
        raised(125, severity=3),
        begins=local(20, 28),
        book=dancing(enabled=False),
    )


@pytest.mark.parametrize(("people", "speaks"), [(200, True), (199, False)])
def test_dance_hours_may_have_a_limit_of_their_own(people: int, *, speaks: bool) -> None:
    tell(
        CROWD,
        *counts(people, people, people, people),
        *([raised(65, severity=3)] if speaks else []),
        begins=local(19, 30),
        book=dancing(values={"limit": 200}),
    )
