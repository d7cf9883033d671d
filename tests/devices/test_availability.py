"""Spells of a device being there, from its words and its state."""

import datetime as dt
import itertools

from devices.availability import Presence, spells, summary

START = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
END = START + dt.timedelta(hours=10)


def hour(number: float) -> dt.datetime:
    return START + dt.timedelta(hours=number)


def seen(words: list[tuple[float, bool]], now: bool | None, since: float | None) -> list[tuple[str, float]]:
    told = [(hour(at), online) for at, online in words]
    found = spells(told, now, None if since is None else hour(since), START, END)
    assert found[0].start == START
    assert found[-1].end == END
    assert all(one.end == after.start for one, after in itertools.pairwise(found))
    return [(str(one.presence), one.length / dt.timedelta(hours=1)) for one in found]


def test_words_change_it_and_the_last_one_before_the_span_counts() -> None:
    assert seen([(-5, False), (2, True), (6, False)], False, 6) == [("off", 2), ("on", 4), ("off", 4)]


def test_before_its_first_word_it_was_what_that_word_changed() -> None:
    assert seen([(4, False), (5, True)], True, 5) == [("on", 4), ("off", 1), ("on", 5)]


def test_without_words_it_is_what_it_is_since_then_and_unknown_before() -> None:
    assert seen([], True, -3) == [("on", 10)]
    assert seen([], True, 4) == [("unknown", 4), ("on", 6)]
    assert seen([], None, None) == [("unknown", 10)]


def test_word_that_says_nothing_new_ends_no_spell() -> None:
    assert seen([(1, True), (3, True), (4, True)], True, 1) == [("off", 1), ("on", 9)]


def test_state_that_no_word_told_of_counts_from_when_it_holds() -> None:
    assert seen([(-1, True)], False, 8) == [("on", 8), ("off", 2)]


def test_share_is_of_the_time_that_is_known() -> None:
    told = summary(spells([(hour(4), True), (hour(8), False)], False, hour(8), START, END))
    assert (told.share, told.absences, told.longest) == (0.4, 2, dt.timedelta(hours=4))
    assert summary(spells([], None, None, START, END)).share is None
    assert {str(one) for one in Presence} == {"on", "off", "unknown"}
