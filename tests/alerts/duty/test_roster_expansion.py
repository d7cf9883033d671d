"""What follows from a roster: each duty once, no hole, whatever the spans that are asked for."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.duty import china
from alerts.duty.days import WORKDAYS, DayKind, DutyCalendar
from alerts.duty.limits import Limits, fault
from alerts.duty.localtime import moment
from alerts.duty.patterns import eight_x, five_two, three_shifts
from alerts.duty.roster import DutyRoster, Override, Rotation, Slot, Unit, expand, overlay

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
CHINA = DutyCalendar(china.published(), china.years())
FOUR = (("a",), ("b",), ("c",), ("d",))
JANUARY = dt.date(2026, 1, 1)
HOUR = dt.timedelta(hours=1)


def at(zone: ZoneInfo, *when: int) -> dt.datetime:
    return dt.datetime(*when, tzinfo=zone).astimezone(dt.UTC)


def roster(*slots: Slot, zone: ZoneInfo = SHANGHAI, **more: object) -> DutyRoster:
    return DutyRoster("r", "team", zone, slots, **({"starts_on": JANUARY} | more))


def duties(of: DutyRoster, start: dt.datetime, end: dt.datetime, calendar: DutyCalendar = CHINA):
    return expand(of, calendar, start, end).duties


def shifts_in(zone: ZoneInfo) -> DutyRoster:
    return roster(*three_shifts(FOUR, JANUARY), zone=zone)


# ── patterns ──────────────────────────────────────────────────────────────────


def test_five_two_goes_by_make_up_days_and_holidays():
    staff, volunteers = Rotation((("clerk",),), JANUARY), Rotation((("v1", "v2"),), JANUARY)
    of = roster(*five_two(staff, volunteers))
    spring = duties(of, at(SHANGHAI, 2026, 2, 13), at(SHANGHAI, 2026, 2, 25))
    who = {}
    for duty in spring:
        who.setdefault(duty.starts_at.astimezone(SHANGHAI).day, set()).add(duty.responder)
    # Saturday the 14th is worked; the festival is the 15th to the 23rd.
    assert [day for day, one in who.items() if one == {"clerk"}] == [13, 14, 24]
    assert [day for day, one in who.items() if one == {"v1", "v2"}] == list(range(15, 24))


def test_eight_x_leaves_no_minute_without_office_or_call():
    office, after = Rotation((("clerk",),), JANUARY), Rotation((("x", "y", "z"),), JANUARY)
    found = duties(roster(*eight_x(office, after)), at(SHANGHAI, 2026, 9, 18), at(SHANGHAI, 2026, 10, 12))
    _tiled(found)
    assert {duty.on_call for duty in found if duty.responder == "clerk"} == {False}
    assert {duty.on_call for duty in found if duty.responder != "clerk"} == {True}
    days = {duty.starts_at.astimezone(SHANGHAI).date() for duty in found if duty.responder == "clerk"}
    assert dt.date(2026, 9, 20) in days  # a Sunday that is worked
    assert not days & {dt.date(2026, 10, day) for day in range(1, 8)}


def test_people_of_a_group_take_turns():
    rotation = Rotation((("x", "y", "z"),), JANUARY)
    of = roster(Slot("night", dt.time(20), dt.time(6), rotation, people=2))
    found = duties(of, at(SHANGHAI, 2026, 1, 1), at(SHANGHAI, 2026, 1, 4))
    assert [duty.responder for duty in found] == ["x", "y", "z", "x", "y", "z"]


def test_shift_over_midnight_belongs_to_the_date_it_starts_on():
    rotation = Rotation((("x",),), JANUARY)
    of = roster(Slot("night", dt.time(22), dt.time(6), rotation, WORKDAYS))
    # Friday the 27th is a workday, and its night ends on the Saturday.
    found = duties(of, at(SHANGHAI, 2026, 11, 27), at(SHANGHAI, 2026, 11, 30))
    assert [(one.place, one.ends_at) for one in found] == [
        ("2026-11-27/night/0", at(SHANGHAI, 2026, 11, 28, 6))
    ]


def test_rotation_hands_over_at_its_hour_and_relieves_nobody_in_the_middle():
    rotation = Rotation(FOUR, dt.date(2026, 11, 23), 1, Unit.WEEKS, dt.time(9))
    early = Slot("early", dt.time(6), dt.time(14), rotation)
    late = Slot("late", dt.time(14), dt.time(22), rotation)
    # Monday the 30th: the turn ends at nine, the early shift that began before it goes on.
    found = duties(roster(early, late), at(SHANGHAI, 2026, 11, 29, 12), at(SHANGHAI, 2026, 11, 30, 23))
    assert [(one.place, one.responder) for one in found] == [
        ("2026-11-29/late/0", "a"),
        ("2026-11-30/early/0", "a"),
        ("2026-11-30/late/0", "b"),
    ]


def test_three_shifts_of_four_groups_leave_everybody_their_rest():
    found = duties(shifts_in(SHANGHAI), at(SHANGHAI, 2026, 3, 1), at(SHANGHAI, 2026, 4, 1))
    for group in "abcd":
        mine = [duty for duty in found if duty.responder == group]
        for place, duty in enumerate(mine):
            assert fault(mine[:place], duty, Limits(), None, SHANGHAI) is None


def test_smaller_group_than_asked_for_leaves_the_seat_empty():
    rotation = Rotation((("only",),), JANUARY)
    of = roster(Slot("day", dt.time(8), dt.time(16), rotation, people=2))
    assert len(duties(of, at(SHANGHAI, 2026, 1, 5), at(SHANGHAI, 2026, 1, 6))) == 1


def test_temporary_roster_suspends_the_other_on_its_days():
    slot = Slot("day", dt.time(8), dt.time(16), Rotation((("x",),), JANUARY))
    of = roster(slot, suspended=((dt.date(2026, 1, 10), dt.date(2026, 1, 12)),), ends_on=dt.date(2026, 1, 14))
    found = duties(of, at(SHANGHAI, 2026, 1, 8), at(SHANGHAI, 2026, 1, 20))
    assert [one.starts_at.astimezone(SHANGHAI).day for one in found] == [8, 9, 13, 14]


def test_unknown_year_stops_what_goes_by_its_days_and_nothing_else():
    beyond = max(china.years()) + 1
    everyday = Slot("night", dt.time(22), dt.time(6), Rotation((("x",),), JANUARY))
    workday = Slot("day", dt.time(8), dt.time(16), Rotation((("y",),), JANUARY), frozenset({DayKind.WEEKDAY}))
    found = expand(
        roster(everyday, workday), CHINA, at(SHANGHAI, beyond - 1, 12, 31), at(SHANGHAI, beyond, 1, 3)
    )
    assert found.unknown_years == {beyond}
    assert {one.responder for one in found.duties if one.starts_at > at(SHANGHAI, beyond, 1, 1)} == {"x"}


# ── the two odd nights ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("day", "hours"), [(dt.date(2026, 3, 29), 23), (dt.date(2026, 10, 25), 25), (dt.date(2026, 11, 1), 24)]
)
def test_three_shifts_fill_a_day_of_23_24_or_25_hours(day, hours):
    start, end = moment(day, dt.time(), BERLIN), moment(day + dt.timedelta(days=1), dt.time(), BERLIN)
    found = duties(shifts_in(BERLIN), start, end)
    _tiled(found)
    assert sum(((one.ends_at - one.starts_at) for one in found), dt.timedelta()) == hours * HOUR


def test_what_begins_in_the_hour_that_is_leapt_over_begins_at_the_leap():
    leap = dt.datetime(2026, 3, 29, 1, 0, tzinfo=dt.UTC)
    assert moment(dt.date(2026, 3, 29), dt.time(2, 0), BERLIN) == leap
    assert moment(dt.date(2026, 3, 29), dt.time(2, 37), BERLIN) == leap
    assert moment(dt.date(2026, 3, 29), dt.time(3, 0), BERLIN) == leap
    rotation = Rotation((("x",),), JANUARY)
    slots = [Slot(str(n), dt.time(n), dt.time(n + 1), rotation) for n in range(5)]
    found = duties(roster(*slots, zone=BERLIN), at(BERLIN, 2026, 3, 29), at(BERLIN, 2026, 3, 29, 12))
    _tiled(found)
    assert [one.place.split("/")[1] for one in found] == ["0", "1", "3", "4"]


def test_weekly_turn_changes_at_the_same_wall_time_in_summer_and_winter():
    rotation = Rotation(FOUR, dt.date(2026, 3, 23), 1, Unit.WEEKS, dt.time(8))
    of = roster(Slot("all", dt.time(8), dt.time(8), rotation), zone=BERLIN)
    found = duties(of, at(BERLIN, 2026, 3, 23), at(BERLIN, 2026, 4, 20))
    _tiled(found)
    first = {}
    for one in found:
        first.setdefault(one.responder, one.starts_at.astimezone(BERLIN))
    assert {one.hour for one in first.values()} == {8}
    assert [one.day for one in first.values()] == [23, 30, 6, 13]


# ── properties ────────────────────────────────────────────────────────────────

_ZONES = st.sampled_from([SHANGHAI, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")])
_MOMENTS = st.datetimes(dt.datetime(2026, 1, 2), dt.datetime(2026, 12, 1), timezones=st.just(dt.UTC))
_TIMES = st.times(dt.time(0, 0), dt.time(23, 59)).map(lambda one: one.replace(second=0, microsecond=0))


@st.composite
def _rosters(draw):
    """A day cut into slots at any minutes, by groups of any size, on a rotation of any length."""
    cuts = sorted(draw(st.sets(_TIMES, min_size=1, max_size=5)))
    groups = draw(
        st.lists(
            st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3, unique=True), min_size=1, max_size=4
        )
    )
    rotation = Rotation(
        tuple(map(tuple, groups)),
        JANUARY,
        draw(st.integers(1, 5)),
        draw(st.sampled_from(Unit)),
        draw(_TIMES),
    )
    slots = [Slot(str(n), one, cuts[(n + 1) % len(cuts)], rotation, people=1) for n, one in enumerate(cuts)]
    return roster(*slots, zone=draw(_ZONES))


@given(_rosters(), _MOMENTS, st.lists(st.integers(1, 90), min_size=1, max_size=8))
def test_same_duties_whatever_the_chunking(of, start, hours):
    edges = [start]
    for length in hours:
        edges.append(edges[-1] + length * HOUR)
    whole = duties(of, edges[0], edges[-1])
    chunks = [one for a, b in itertools.pairwise(edges) for one in duties(of, a, b)]
    assert chunks == list(whole)


@given(_rosters(), _MOMENTS)
def test_slots_that_fill_the_day_leave_no_hole_and_no_double(of, start):
    _tiled(duties(of, start, start + 10 * 24 * HOUR))


@given(_rosters(), _MOMENTS)
def test_no_duty_has_the_place_of_another(of, start):
    found = duties(of, start, start + 10 * 24 * HOUR)
    assert len({one.place for one in found}) == len(found)
    assert all(one.starts_at < one.ends_at for one in found)


@given(_rosters(), _MOMENTS, st.data())
def test_changes_move_time_between_people_and_lose_none(of, start, data):
    before = duties(of, start, start + 5 * 24 * HOUR)
    changes = data.draw(
        st.lists(
            st.builds(
                lambda one, other, after, length: Override(
                    one, other, start + after * HOUR, start + (after + length) * HOUR
                ),
                st.sampled_from("abcdefgh"),
                st.sampled_from("abcdefghz"),
                st.integers(0, 100),
                st.integers(1, 40),
            ),
            max_size=4,
        )
    )
    after = overlay(before, changes)
    assert _time(after) == _time(before)
    assert len({(one.roster, one.place) for one in after}) == len(after)


# ── changes ───────────────────────────────────────────────────────────────────


def _one_day(who: str = "x"):
    slot = Slot("day", dt.time(8), dt.time(16), Rotation(((who,),), JANUARY))
    return duties(roster(slot), at(SHANGHAI, 2026, 1, 5), at(SHANGHAI, 2026, 1, 6))


def test_override_in_the_middle_leaves_both_ends_to_whom_they_belong():
    change = Override("x", "y", at(SHANGHAI, 2026, 1, 5, 10), at(SHANGHAI, 2026, 1, 5, 12))
    found = overlay(_one_day(), [change])
    assert [(one.responder, one.starts_at.astimezone(SHANGHAI).hour) for one in found] == [
        ("x", 8),
        ("y", 10),
        ("x", 12),
    ]


def test_absence_takes_the_time_away_and_a_later_stand_in_of_a_stand_in_holds():
    start, end = at(SHANGHAI, 2026, 1, 5), at(SHANGHAI, 2026, 1, 6)
    assert overlay(_one_day(), [Override("x", None, start, end)]) == ()
    chain = [Override("x", "y", start, end), Override("y", "z", start, end)]
    assert [one.responder for one in overlay(_one_day(), chain)] == ["z"]
    # An absence that was said before somebody stood in does not take it from the one who stands in.
    assert [one.responder for one in overlay(_one_day(), [Override("y", None, start, end), *chain[:1]])] == [
        "y"
    ]


def _tiled(found):
    for one, following in itertools.pairwise(found):
        assert one.ends_at == following.starts_at


def _time(found):
    return sum(((one.ends_at - one.starts_at) for one in found), dt.timedelta())
