"""What holds of every rule's surroundings: the hours of its book, the mode, mutes, and what is live at all.

Told with R-B05, whose word on a forced door is said at once: 2 by day and 1 by night.
"""

import datetime as dt

import pytest
from telling import MORNING, at, face_of, local, raised, seen, tell

from alerts.rules import Entry, Hours, Mode, Mute, RuleBook, WatchHit

FORCED = seen("door.forced", "hall-9")
SECOND = dt.timedelta(seconds=1)


# ── what is live ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arrives", "speaks"),
    [
        pytest.param(15, True, id="a_quarter_of_a_minute_old"),
        pytest.param(15.001, False, id="older_is_history"),
        pytest.param(-60, True, id="a_minute_ahead"),
        pytest.param(-60.001, False, id="further_ahead_is_no_time_at_all"),
    ],
)
def test_boundary_of_what_is_live(arrives: float, *, speaks: bool) -> None:
    changes = [raised(arrives, severity=2)] if speaks else []
    tell("R-B05", at(0, FORCED, arrives=arrives), *changes)


# ── modes ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("mode", "level"), [(Mode.NORMAL, 2), (Mode.HEIGHTENED, 1), (Mode.EMERGENCY, 1)])
def test_in_a_heightened_mode_it_is_night_all_day(mode: Mode, level: int) -> None:
    tell("R-B05", at(0, FORCED), raised(0, severity=level), book=RuleBook(mode=mode))


@pytest.mark.parametrize(("mode", "level"), [(Mode.NORMAL, 3), (Mode.HEIGHTENED, 3), (Mode.EMERGENCY, 2)])
def test_what_has_no_night_is_graver_in_an_emergency_only(mode: Mode, level: int) -> None:
    uncertain = seen("command.uncertain", "gate")
    tell("R-D07", at(0, uncertain), raised(0, severity=level), book=RuleBook(mode=mode))


def test_emergency_makes_nothing_critical_that_is_not_in_the_table() -> None:
    tell(
        "R-B10",
        at(0, seen("door.forced", "roof-9")),
        raised(0, severity=2),
        book=RuleBook(mode=Mode.EMERGENCY),
    )


# ── hours ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "hour", "minute", "speaks"),
    [
        pytest.param(23, 21, 59, True, id="before_they_begin"),
        pytest.param(23, 22, 0, False, id="as_they_begin"),
        pytest.param(24, 1, 59, False, id="after_midnight_it_is_still_mondays"),
        pytest.param(24, 2, 0, True, id="as_they_end"),
        pytest.param(23, 1, 0, True, id="early_on_monday_was_sundays"),
        pytest.param(24, 23, 0, True, id="tuesday_has_none"),
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(
    day: int, hour: int, minute: int, *, speaks: bool
) -> None:
    works = Hours("works", frozenset({0}), dt.time(22), dt.time(2), enabled=False)
    book = RuleBook(entries={"R-B05": Entry(hours=(works,))})
    begins = local(hour, minute, day=day)
    level = 1 if hour >= 23 or hour < 5 else 2
    tell("R-B05", at(0, FORCED), *([raised(0, severity=level)] if speaks else []), begins=begins, book=book)


def test_hours_that_begin_on_a_sunday_end_on_a_monday() -> None:
    works = Hours("works", frozenset({6}), dt.time(22), dt.time(2), enabled=False)
    book = RuleBook(entries={"R-B05": Entry(hours=(works,))})
    tell("R-B05", at(0, FORCED), begins=local(1, day=23), book=book)
    tell("R-B05", at(0, FORCED), raised(0, severity=1), begins=local(2, day=23), book=book)


# ── mutes ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("starts", "ends", "muted"),
    [
        pytest.param(0, 1, True, id="from_its_beginning_on"),
        pytest.param(-5, 0, False, id="no_longer_at_its_end"),
        pytest.param(1, 5, False, id="not_before_it"),
    ],
)
def test_boundary_of_a_mute(starts: int, ends: int, *, muted: bool) -> None:
    mute = Mute("R-B05", None, MORNING + starts * SECOND, MORNING + ends * SECOND)
    tell("R-B05", at(0, FORCED), *([] if muted else [raised(0, severity=2)]), mutes=[mute])


@pytest.mark.parametrize(
    ("place", "muted"),
    [
        pytest.param("hall-9", True, id="zone"),
        pytest.param("north-stairs", True, id="lane"),
        pytest.param("north-door", True, id="device"),
        pytest.param("hall-3", False, id="elsewhere"),
        pytest.param("door.forced", False, id="a_type_is_no_place"),
    ],
)
def test_mute_of_a_place_is_of_its_zone_lane_or_device(place: str, *, muted: bool) -> None:
    forced = seen("door.forced", "hall-9", lane="north-stairs", device="north-door")
    mute = Mute("R-B05", place, MORNING, MORNING + SECOND)
    tell("R-B05", at(0, forced), *([] if muted else [raised(0, severity=2)]), mutes=[mute])


@pytest.mark.parametrize(("whom", "muted"), [(None, True), ("person", True), ("plate", False)])
def test_mute_of_a_kind_of_subject_is_of_no_other(whom: str | None, *, muted: bool) -> None:
    hit = WatchHit("w-1", frozenset({"entrance"}), priority=2)
    told = tell("R-E09", at(0, face_of("wanted", watch=(hit,))), raised(0, severity=2))
    assert told.only.subject_kind == "person"
    mute = Mute("R-E09", None, MORNING, MORNING + SECOND, whom)
    changes = [] if muted else [raised(0, severity=2)]
    tell("R-E09", at(0, face_of("wanted", watch=(hit,))), *changes, mutes=[mute])


def test_mute_of_people_leaves_what_is_about_nobody() -> None:
    mute = Mute("R-B05", None, MORNING, MORNING + SECOND, "person")
    tell("R-B05", at(0, FORCED), raised(0, severity=2), mutes=[mute])
