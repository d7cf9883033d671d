"""Who should be on a terminal, decided over values."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.lists.wanted import (
    AHEAD,
    Card,
    Resident,
    Visitor,
    Window,
    entry_of,
    label_of,
    visit_of,
    window_of,
)
from registry.entry.decision import EntryFacts, EntryZone, Key, Right, RightKind, may_enter
from registry.models import CredentialKind, CredentialStatus, Ring

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
GATE = EntryZone("gate", Ring.ENTRANCE)
DOOR = EntryZone("b1", Ring.BUILDING)
OTHER_DOOR = EntryZone("b2", Ring.BUILDING)
HOME = Right(RightKind.RESIDENCE, frozenset({"b1"}), NOON - 100 * DAY, None)
ANY_FACE = Key(CredentialKind.FACE, CredentialStatus.ACTIVE)


def card(number: str = "A1", status: CredentialStatus = CredentialStatus.ACTIVE, **bounds: object) -> Card:
    return Card(f"c-{number}", number, Key(CredentialKind.CARD, status, **bounds))


def resident(*cards: Card, picture: str | None = "m1", rights=(HOME,), faces=(ANY_FACE,)) -> Resident:
    return Resident("p1", "欧阳测试", rights, cards, picture, faces)


def wanted(who: Resident, zone: EntryZone = GATE, *, faces: bool = True):
    return entry_of(who, zone, NOON, faces=faces)


def test_resident_is_there_with_card_and_face_and_one_character_of_the_name() -> None:
    entry = wanted(resident(card()))
    assert (entry.label, entry.card, entry.picture) == ("欧*", "A1", "m1")
    assert (entry.starts_at, entry.ends_at, entry.uses) == (None, None, None)


@pytest.mark.parametrize(("name", "shown"), [("张三", "张*"), (" Li", "L*"), ("", "*")])
def test_screen_shows_no_name(name: str, shown: str) -> None:
    assert label_of(name) == shown


def test_list_of_cards_has_no_face() -> None:
    assert wanted(resident(card()), faces=False).picture is None
    assert wanted(resident(), faces=False) is None


def test_refuser_is_there_by_card_like_anybody() -> None:
    entry = wanted(resident(card(), picture=None))
    assert (entry.card, entry.picture) == ("A1", None)


def test_nobody_is_there_with_nothing_to_show() -> None:
    assert wanted(resident(picture=None)) is None


@pytest.mark.parametrize(
    "status", [CredentialStatus.SUSPENDED, CredentialStatus.LOST, CredentialStatus.ENDED]
)
def test_card_that_opens_nothing_is_not_there(status: CredentialStatus) -> None:
    assert wanted(resident(card(status=status), picture=None)) is None


def test_face_that_was_suspended_is_not_there() -> None:
    suspended = Key(CredentialKind.FACE, CredentialStatus.SUSPENDED)
    assert wanted(resident(card(), faces=(suspended,))).picture is None


def test_door_of_another_building_knows_only_its_own() -> None:
    assert wanted(resident(card()), DOOR) is not None
    assert wanted(resident(card()), OTHER_DOOR) is None
    assert wanted(resident(card(zones=frozenset({"b9"}))), DOOR).card is None


def test_right_that_begins_within_a_day_is_there_with_its_beginning() -> None:
    soon = Right(RightKind.WORK, frozenset(), NOON + DAY / 2, NOON + 10 * DAY)
    entry = wanted(resident(card(), rights=(soon,)))
    assert (entry.starts_at, entry.ends_at) == (NOON + DAY / 2, NOON + 10 * DAY)
    later = Right(RightKind.WORK, frozenset(), NOON + AHEAD + dt.timedelta(seconds=1), None)
    assert wanted(resident(card(), rights=(later,))) is None


def test_work_ends_at_the_terminal_by_itself() -> None:
    work = Right(RightKind.WORK, frozenset(), NOON - DAY, NOON + DAY)
    assert wanted(resident(card(), rights=(work,))).ends_at == NOON + DAY


def test_ended_tenancy_closes_nothing_by_itself() -> None:
    tenancy = Right(RightKind.RESIDENCE, frozenset({"b1"}), NOON - DAY, NOON + DAY)
    assert wanted(resident(card(), rights=(tenancy,))).ends_at is None


def test_one_right_goes_on_where_another_ends() -> None:
    first = Right(RightKind.WORK, frozenset(), NOON - DAY, NOON + DAY)
    second = Right(RightKind.WORK, frozenset(), NOON + DAY, NOON + 3 * DAY)
    assert wanted(resident(card(), rights=(first, second))).ends_at == NOON + 3 * DAY


def test_l03_card_comes_first_and_the_face_goes_where_it_does_not_last_as_long() -> None:
    short = Key(CredentialKind.FACE, CredentialStatus.ACTIVE, ends_at=NOON + DAY)
    entry = wanted(resident(card(), faces=(short,)))
    assert (entry.card, entry.picture, entry.ends_at) == ("A1", None, None)
    entry = wanted(resident(card(ends_at=NOON + DAY)))
    assert (entry.card, entry.picture, entry.ends_at) == ("A1", "m1", NOON + DAY)


def test_of_several_cards_the_one_that_lasts_longest_is_there() -> None:
    assert wanted(resident(card("A1", ends_at=NOON + DAY), card("B2"), card("C3", ends_at=NOON))).card == "B2"


def test_visitor_is_there_by_card_until_the_pass_ends_and_without_a_name() -> None:
    entry = visit_of(Visitor("v1", "D4", NOON + DAY, 2))
    assert (entry.label, entry.card, entry.picture) == ("访客", "D4", None)
    assert (entry.ends_at, entry.uses) == (NOON + DAY, 2)


moments = st.integers(-48, 48).map(lambda hours: NOON + dt.timedelta(hours=hours))
ends = st.none() | moments
rights = st.builds(
    Right, st.sampled_from(RightKind), st.sampled_from([frozenset({"b1"}), frozenset()]), moments, ends
)
keys = st.builds(
    Key,
    st.sampled_from([CredentialKind.CARD, CredentialKind.FACE]),
    st.sampled_from(CredentialStatus),
    st.sampled_from([frozenset(), frozenset({"gate"}), frozenset({"b1"})]),
    ends,
    ends,
)


@given(st.lists(rights, max_size=4), keys, st.sampled_from([GATE, DOOR]), st.integers(0, 96))
def test_terminal_opens_by_itself_only_where_the_gate_would_let_in(held, key, zone, hours) -> None:
    window = window_of(tuple(held), key, zone, NOON)
    if window is None:
        return
    at = NOON + dt.timedelta(hours=hours)
    if (window.starts_at or NOON) <= at and (window.ends_at is None or at < window.ends_at):
        facts = EntryFacts(tuple(held), (key,))
        assert may_enter(facts, zone, at).allowed


@given(ends, ends, ends, ends)
def test_window_that_covers_another_is_open_whenever_that_one_is(a, b, c, d) -> None:
    outer, inner = Window(a, b), Window(c, d)
    if outer.covers(inner):
        for hours in range(-49, 50):
            at = NOON + dt.timedelta(hours=hours)
            assert _open(outer, at) or not _open(inner, at)


def _open(window: Window, at: dt.datetime) -> bool:
    begun = window.starts_at is None or window.starts_at <= at
    return begun and (window.ends_at is None or at < window.ends_at)
