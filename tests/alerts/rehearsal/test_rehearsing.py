"""Two books on one past: what is new, gone, earlier, later, graver or milder."""

import dataclasses
import datetime as dt

from alerts.rehearsal import Kind, Trial, compare, rehearse
from alerts.rules import RULES, Entry, Mute, Observation, RuleBook, Site, SiteDevice, SiteZone, with_values
from alerts.rules.book import SHANGHAI

T0 = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
END = T0 + dt.timedelta(hours=4)
SITE = Site(
    {"gate": SiteZone("gate", "entrance", "gate"), "hall": SiteZone("hall", "building", "building")},
    {zone: SiteDevice(zone, zone, "door", zone, "in") for zone in ("gate", "hall")},
)
NOW = RuleBook()


def seen(name: str, kind: str, zone: str, seconds: float, **facts) -> Observation:
    at = T0 + dt.timedelta(seconds=seconds)
    return Observation(
        id=name,
        event_id=name,
        type=kind,
        at=at,
        received_at=at,
        device=zone,
        zone=zone,
        lane=zone,
        direction="in",
        ring="entrance" if zone == "gate" else "building",
        **facts,
    )


def stranger(at: float, *, card: float | None = None) -> list[Observation]:
    found = [seen(f"f{at}", "face.unknown", "gate", at), seen(f"d{at}", "door.opened", "gate", at + 2)]
    if card is not None:
        found.append(seen(f"c{at}", "access.granted", "gate", at + card))
    return found


def outcomes(past: list[Observation], *books: RuleBook, since: dt.datetime = T0, **how):
    past = sorted(past, key=lambda one: (one.received_at, one.id))
    return rehearse(past, RULES, [Trial(book, **how) for book in books], SITE, since, END)


def comparison(past: list[Observation], draft: RuleBook, current: RuleBook = NOW):
    first, second = outcomes(past, draft, current)
    return compare(first.incidents, second.incidents, SHANGHAI)


def test_same_book_changes_nothing() -> None:
    found = comparison([*stranger(0), *stranger(600), seen("x", "door.forced", "hall", 30)], NOW)
    assert [(change.kind, change.later_s, change.milder) for change in found.changes] == [
        (Kind.KEPT, 0.0, 0)
    ] * 3


def test_wider_window_silences_and_comes_later() -> None:
    past = [*stranger(0), *stranger(600, card=12)]
    found = comparison(past, with_values({"R-E01": {"window_s": 20}}))
    kept, gone = found.changes
    assert (kept.kind, kept.later_s, gone.kind) == (Kind.KEPT, 10.0, Kind.GONE)
    whole = found.whole
    assert (whole.current, whole.draft, whole.gone, whole.later, whole.new) == (2, 1, 1, 1, 0)
    # And the other way round.
    back = comparison(past, NOW, with_values({"R-E01": {"window_s": 20}}))
    assert (back.whole.new, back.whole.earlier, back.whole.gone) == (1, 1, 0)


def test_severity_is_compared_too() -> None:
    book = RuleBook(entries={"R-E01": Entry(severities={"day": 2})})
    found = comparison(stranger(0), book)
    assert [change.milder for change in found.changes] == [-2]
    assert (found.whole.graver, found.whole.milder) == (1, 0)


def test_counts_are_by_rule_ring_and_hour_of_the_compounds_clock() -> None:
    book = RuleBook(entries={"R-E01": Entry(enabled=False)})
    found = comparison([*stranger(0), seen("x", "door.forced", "hall", 3600)], book)
    assert {rule: (count.current, count.draft) for rule, count in found.by_rule().items()} == {
        "R-B05": (1, 1),
        "R-E01": (1, 0),
    }
    assert {ring: count.gone for ring, count in found.by_ring().items()} == {"building": 0, "entrance": 1}
    assert {hour: count.current for hour, count in found.by_hour().items()} == {10: 1, 11: 1}


def test_what_was_said_before_is_known_and_not_counted() -> None:
    past = [*stranger(0), *stranger(30)]
    (outcome,) = outcomes(past, NOW, since=T0 + dt.timedelta(seconds=60))
    assert outcome.incidents == []
    (outcome,) = outcomes(past, NOW)
    assert [one.signals for one in outcome.incidents] == [2]


def test_nothing_is_said_of_what_came_after_the_end() -> None:
    (outcome,) = outcomes(stranger((END - T0).total_seconds() - 5), NOW)
    assert outcome.incidents == []


def test_mutes_and_the_calendar_are_each_books_own() -> None:
    forever = (T0 - dt.timedelta(days=1), T0 + dt.timedelta(days=1))
    past = [seen("x", "door.forced", "hall", 30)]
    loud, quiet = (
        Trial(NOW, mutes, calendar)
        for mutes, calendar in (
            ((), [seen("y", "door.forced", "gate", 60), seen("z", "door.forced", "hall", 900)]),
            ((Mute("R-B05", None, *forever),), ()),
        )
    )
    first, second = rehearse(past, RULES, [loud, quiet], SITE, T0, END)
    assert [one.raised_at for one in first.incidents] == [T0 + dt.timedelta(seconds=s) for s in (30, 900)]
    assert (second.incidents, second.muted) == ([], 1)


def test_incidents_of_one_key_far_apart_are_not_one() -> None:
    draft, current = outcomes(
        [*stranger(0, card=12), *stranger(3600)],
        with_values({"R-E01": {"window_s": 20}}),
        NOW,
    )
    found = compare(draft.incidents, current.incidents, SHANGHAI)
    assert [(change.kind, change.one.happened_at) for change in found.changes] == [
        (Kind.GONE, T0),
        (Kind.KEPT, T0 + dt.timedelta(hours=1)),
    ]


def test_moment_at_which_it_became_as_grave_as_it_is() -> None:
    past = [seen("o", "door.opened", "hall", 0, cause="exit_button"), seen("c", "door.closed", "hall", 1000)]
    (outcome,) = outcomes(past, NOW)
    (held,) = [one for one in outcome.incidents if one.rule == "R-B06"]
    assert held.signals > 1
    assert held.graver_at > held.raised_at
    assert held.cleared_at == T0 + dt.timedelta(seconds=1000)


def told(key: str, minutes: float, *said: str):
    """An incident at some minutes, standing on nothing but what is given."""
    (outcome,) = outcomes(stranger(0), NOW)
    (one,) = outcome.incidents
    at = T0 + dt.timedelta(minutes=minutes)
    return dataclasses.replace(
        one,
        key=key,
        happened_at=at,
        raised_at=at,
        last_at=at,
        open_until=at + dt.timedelta(minutes=30),
        said=frozenset(("R-E01", name, "") for name in said),
    )


def kinds(draft: list, current: list) -> list[tuple[str, float]]:
    return [(str(change.kind), change.later_s) for change in compare(draft, current, SHANGHAI).changes]


def test_nearest_of_one_key_is_the_same() -> None:
    found = kinds([told("k", 10, "a")], [told("k", 0, "b"), told("k", 11, "c")])
    assert found == [("gone", 0.0), ("kept", -60.0)]


def test_what_stands_on_the_same_is_the_same_before_what_is_nearer_and_under_whatever_key() -> None:
    assert kinds([told("k", 10, "a")], [told("k", 0, "a"), told("k", 11, "c")]) == [
        ("kept", 600.0),
        ("gone", 0.0),
    ]
    assert kinds([told("k", 10, "a", "b")], [told("other", 10, "b")]) == [("kept", 0.0)]
    assert sorted(kinds([told("k", 10, "a")], [told("other", 10, "b")])) == [("gone", 0.0), ("new", 0.0)]
