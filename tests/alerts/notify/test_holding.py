"""Quiet hours, caps and pauses: pure, and on the engine."""

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from reaching import CHAT, PUSH, TAKEN, Reach
from sqlalchemy import update
from timeline import START

from alerts.duty.models import Responder
from alerts.notify.asking import withdraw
from alerts.notify.channels.channel import Outcome, Result
from alerts.notify.holding import CAP, COOL, QUIET, Before, Cap, Limits, Quiet, held, quiet_until
from alerts.notify.models import NotificationState, Purpose

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = dt.timedelta(minutes=1)
moments = st.datetimes(
    dt.datetime(2026, 1, 1),
    dt.datetime(2027, 12, 31),
    timezones=st.just(dt.UTC),
)
minutes = st.integers(0, 1439)


@given(moments, minutes, minutes, st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"]))
def test_quiet_hours_end_when_they_say_and_never_last_a_whole_day(
    now: dt.datetime, begins: int, ends: int, zone: str
) -> None:
    quiet = Quiet(begins, ends, ZoneInfo(zone))
    until = quiet_until(quiet, now)
    if until is None:
        return
    assert now < until <= now + dt.timedelta(hours=25)
    # Nothing is held a second time right after it.
    after = quiet_until(quiet, until)
    assert after is None or after <= until + dt.timedelta(hours=2)


def test_quiet_hours_over_midnight_by_the_compounds_own_clock() -> None:
    quiet = Quiet(22 * 60, 6 * 60 + 30, SHANGHAI)
    late = dt.datetime(2026, 11, 23, 23, 0, tzinfo=SHANGHAI)
    assert quiet_until(quiet, late) == dt.datetime(2026, 11, 24, 6, 30, tzinfo=SHANGHAI)
    early = dt.datetime(2026, 11, 24, 5, 0, tzinfo=SHANGHAI)
    assert quiet_until(quiet, early) == dt.datetime(2026, 11, 24, 6, 30, tzinfo=SHANGHAI)
    assert quiet_until(quiet, dt.datetime(2026, 11, 24, 6, 30, tzinfo=SHANGHAI)) is None
    assert quiet_until(quiet, dt.datetime(2026, 11, 24, 21, 59, tzinfo=SHANGHAI)) is None


befores = st.lists(
    st.builds(
        Before,
        st.integers(-5000, 5000).map(lambda s: START + dt.timedelta(seconds=s)),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=40,
)


@given(st.sampled_from(Purpose), st.integers(1, 2), befores)
def test_what_is_grave_is_held_by_nothing(purpose: Purpose, severity: int, before: list[Before]) -> None:
    limits = Limits({one: Cap(1, 3600.0) for one in range(1, 5)}, 600.0)
    assert held(purpose, severity, before, START, limits=limits, quiet=Quiet(0, 1439, SHANGHAI)) is None


@given(befores, st.integers(1, 10))
def test_lesser_ones_use_up_nothing_of_a_graver_ones_cap(before: list[Before], letters: int) -> None:
    limits = Limits({3: Cap(letters, 600.0), 4: Cap(letters, 600.0)}, 0.0)
    graver = [one for one in before if one.severity <= 3]
    assert held(Purpose.SHIFT, 3, before, START, limits=limits) == held(
        Purpose.SHIFT, 3, graver, START, limits=limits
    )


@given(befores, st.sampled_from([3, 4]))
def test_what_is_held_is_held_for_a_while_and_by_the_present_clock(
    before: list[Before], severity: int
) -> None:
    limits = Limits({3: Cap(2, 600.0), 4: Cap(2, 600.0)}, 30.0)
    wait = held(Purpose.SHIFT, severity, before, START, limits=limits)
    if wait is not None:
        assert START < wait.until <= START + dt.timedelta(seconds=600)
        ahead = [one for one in before if one.at > START]
        assert wait == held(
            Purpose.SHIFT, severity, [one for one in before if one not in ahead], START, limits=limits
        )


def at_night(reach: Reach) -> None:
    """Ten in the morning is the guard's night."""
    with reach.database.write() as session:
        session.execute(
            update(Responder).where(Responder.id == "qian").values(quiet_from=9 * 60, quiet_to=11 * 60)
        )


async def test_a_notice_waits_for_the_end_of_quiet_hours_and_a_warning_does_not(each_reach: Reach) -> None:
    each_reach.contact("qian", PUSH)
    at_night(each_reach)
    notice, warning = each_reach.tell(severity=4), each_reach.tell(severity=3)
    exercise = each_reach.tell(severity=4, drill=True)
    asked = each_reach.tell(severity=4, purpose=Purpose.OFFER)
    engine = each_reach.engine()
    await engine.turn()
    assert sorted(each_reach.sent(PUSH)) == sorted([warning, asked])
    assert each_reach.notification(notice).held_by == each_reach.notification(exercise).held_by == QUIET
    assert each_reach.notification(notice).due_at == START + dt.timedelta(hours=1)

    each_reach.clock.advance(3600)
    await engine.turn()
    assert each_reach.sent(PUSH)[2:] == [notice]


async def test_what_a_cap_holds_comes_in_one_letter_that_says_how_many(each_reach: Reach) -> None:
    each_reach.limits = Limits({3: Cap(3, 600.0), 4: Cap(3, 600.0)}, 0.0)
    each_reach.rule("qian", (each_reach.contact("qian", PUSH), 0))
    engine = each_reach.engine()
    keys = [each_reach.tell(severity=4) for _ in range(11)]
    await engine.turn()
    assert each_reach.sent(PUSH) == keys[:3]
    assert each_reach.notification(keys[5]).held_by == CAP

    # Graver ones are not held by it.
    warning, urgent = each_reach.tell(severity=3), each_reach.tell(severity=2, purpose=Purpose.INCIDENT)
    await engine.turn()
    assert each_reach.sent(PUSH)[3:] == [urgent, warning]

    each_reach.clock.advance(600)
    await engine.turn()
    assert each_reach.sent(PUSH)[5:] == [keys[3]]
    assert each_reach.channels[PUSH].sent[-1][1].body.startswith("more=7 ")
    assert {each_reach.state(key) for key in keys} == {NotificationState.TOLD}


async def test_what_was_to_come_with_one_that_is_withdrawn_comes_by_itself(reach: Reach) -> None:
    reach.limits = Limits({4: Cap(1, 600.0)}, 0.0)
    reach.rule("qian", (reach.contact("qian", PUSH), 0))
    engine = reach.engine()
    keys = [reach.tell(severity=4, incident=f"i{number}") for number in range(4)]
    await engine.turn()
    reach.channels[PUSH].behaviour = Outcome(Result.FAILED, "server_error")
    reach.clock.advance(600)
    await engine.turn()
    with reach.database.write() as session:
        assert withdraw(session, reach.clock.now(), incident="i1") == 1
    reach.channels[PUSH].behaviour = TAKEN
    for _ in range(4):
        reach.clock.advance(600)
        await engine.turn()
    assert reach.state(keys[1]) is NotificationState.WITHDRAWN
    assert {reach.state(key) for key in keys[2:]} == {NotificationState.TOLD}


async def test_the_same_matter_pauses_and_another_does_not(reach: Reach) -> None:
    reach.rule("qian", (reach.contact("qian", CHAT), 0))
    engine = reach.engine()
    first = reach.tell(incident="i1")
    await engine.turn()
    reach.clock.advance(1)
    again, other = reach.tell(incident="i1"), reach.tell(incident="i2")
    await engine.turn()
    assert reach.sent(CHAT) == [first, other]
    assert reach.notification(again).held_by == COOL
    reach.clock.advance(29)
    await engine.turn()
    assert reach.sent(CHAT) == [first, other, again]
