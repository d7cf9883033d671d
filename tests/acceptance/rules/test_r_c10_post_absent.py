"""R-C10: nobody is where somebody has to be."""

import datetime as dt

import pytest
from telling import MORNING, EveryRule, at, cleared, local, offline, raised, seen, tell

from alerts.rules import Entry, Hours, PersonFacts, RuleBook

POST = "R-C10"


def absent(zone: str = "gate", **facts: object):
    attributes = facts.pop("attributes", {})
    return seen("video.absence_from_post", zone, attributes=attributes, **facts)


def back(zone: str = "gate"):
    return absent(zone, attributes={"ended": True})


def shift(ends: float, zone: str = "gate"):
    """Of a post; it ends so many seconds after the story's beginning."""
    return seen("post.shift", zone, device=zone, until=MORNING + dt.timedelta(seconds=ends))


class TestPostAbsent(EveryRule):
    rule = POST
    story = (
        at(-3600, shift(7200), name="shift"),
        at(0, absent()),
        at(60, absent()),
        raised(305, severity=4),
        at(900, back()),
        cleared(905, severity=4),
    )

    def test_no_face_and_no_person_in_what_is_said(self) -> None:
        guard = PersonFacts("p-guard", belongs=True, staff=True)
        what = absent(person_id="p-guard", person=guard, sighting_id="s-1", score=0.2, household_id="h-1")
        told = tell(POST, at(0, what), raised(305, severity=4))
        said = told.only
        for one in (said.anchor, *said.evidence):
            assert one.subjects == ()
            assert (one.person, one.sighting_id, one.household_id, one.score) == (None,) * 4
        assert said.subject is None
        assert said.reason_args == {"minutes": 5}
        assert "p-guard" not in repr(said)

    def test_without_a_known_shift_the_post_is_kept_around_the_clock(self) -> None:
        tell(POST, at(0, absent()), raised(305, severity=4))

    @pytest.mark.parametrize(
        "steps",
        [
            pytest.param([at(0, absent()), at(200, back())], id="fetched_water"),
            pytest.param([at(0, absent()), at(297, back(), arrives=302)], id="told_a_little_late"),
            pytest.param([at(-7200, shift(-3600)), at(0, absent())], id="shift_is_over"),
            pytest.param([at(-7200, shift(200)), at(0, absent())], id="shift_ends_before"),
            pytest.param(
                [at(0, absent()), at(10, shift(7200)), at(200, back())], id="came_a_little_after_it_began"
            ),
            pytest.param(
                [at(-60, shift(7200)), at(0, absent()), at(30, absent()), at(40, back())], id="repeated"
            ),
            pytest.param([at(0, back())], id="only_an_end"),
            pytest.param([at(0, shift(7200))], id="a_shift_and_nothing_wrong"),
        ],
    )
    def test_silent(self, steps: list) -> None:
        tell(POST, *steps)

    def test_another_posts_shift_says_nothing_of_this_one(self) -> None:
        tell(POST, at(-7200, shift(-3600, "side-gate")), at(0, absent()), raised(305, severity=4))

    @pytest.mark.parametrize(
        ("ends", "minutes", "speaks"), [(299, 5, False), (300, 5, True), (300, 6, False)]
    )
    def test_boundary_of_the_time(self, ends: int, minutes: int, *, speaks: bool) -> None:
        told = [raised(305, severity=4), cleared(305, severity=4)] if speaks else []
        tell(POST, at(0, absent()), at(ends, back()), *told, values={"absent_min": minutes})

    @pytest.mark.parametrize(("ends", "speaks"), [(300, True), (299, False)])
    def test_boundary_of_the_shifts_end(self, ends: int, *, speaks: bool) -> None:
        tell(
            POST,
            at(-3600, shift(ends)),
            at(0, absent()),
            *([raised(305, severity=4)] if speaks else []),
        )

    def test_a_shift_that_is_over_while_another_posts_runs(self) -> None:
        steps = [at(-7200, shift(-3600)), at(-60, shift(7200, "side-gate")), at(0, absent())]
        tell(POST, *steps)
        over = at(-7200, shift(-3600, "side-gate"))
        tell(POST, over, at(-60, absent("side-gate")), at(0, shift(7200)))

    def test_a_shift_without_an_end_is_none(self) -> None:
        endless = seen("post.shift", "gate", device="gate")
        tell(POST, at(-600, absent()), at(-7200, shift(-3600)), at(0, endless))
        tell(POST, at(-7200, endless), at(0, absent()))

    @pytest.mark.parametrize("begins", [0, 100])
    def test_who_goes_in_the_shift_is_absent_from_then_on(self, begins: int) -> None:
        told = tell(POST, at(0, shift(7200)), at(begins, absent()), raised(begins + 305, severity=4))
        assert [(end - start).total_seconds() for start, end in [told.only.window]] == [300]

    @pytest.mark.parametrize(("ends", "speaks"), [(300, True), (299, False)])
    def test_boundary_of_a_short_shift_that_nobody_begins(self, ends: int, *, speaks: bool) -> None:
        tell(
            POST,
            at(-7200, shift(-3600)),
            at(-600, absent()),
            at(0, shift(ends)),
            *([raised(305, severity=4)] if speaks else []),
        )

    def test_a_handover_is_no_gap(self) -> None:
        tell(
            POST,
            at(-3600, shift(120)),
            at(0, absent()),
            at(120, shift(9000)),
            raised(305, severity=4),
        )

    def test_a_shift_that_nobody_begins(self) -> None:
        told = tell(
            POST,
            at(-7200, shift(-3600)),
            at(-600, absent()),
            at(0, shift(9000)),
            raised(305, severity=4),
            at(420, back()),
            cleared(425, severity=4),
        )
        assert [one.type for one in told.cases[0].first.evidence] == ["video.absence_from_post"]

    @pytest.mark.parametrize("came", [-30, 200])
    def test_a_shift_that_somebody_begins(self, came: int) -> None:
        tell(POST, at(-7200, shift(-3600)), at(-600, absent()), at(came, back()), at(0, shift(9000)))

    def test_blind_camera_does_not_see_who_comes_back(self) -> None:
        tell(POST, at(0, absent()), at(100, offline("gate-camera", "gate")))
        tell(
            POST,
            at(-7200, shift(-3600)),
            at(-600, absent()),
            at(-60, offline("gate-camera", "gate")),
            at(0, shift(9000)),
        )


@pytest.mark.parametrize(("hour", "speaks"), [(14, True), (3, False)])
def test_the_book_says_when_the_post_is_kept(hour: int, *, speaks: bool) -> None:
    closed = Hours("closed", frozenset(range(7)), dt.time(22), dt.time(6), enabled=False)
    tell(
        POST,
        at(0, absent()),
        *([raised(305, severity=4)] if speaks else []),
        begins=local(hour),
        book=RuleBook(entries={POST: Entry(hours=(closed,))}),
    )
