"""Who may enter where: the decision alone, over values."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.entry.decision import (
    Entry,
    EntryFacts,
    EntryReason,
    EntryZone,
    Key,
    Right,
    RightKind,
    best,
    may_enter,
)
from registry.models import CredentialKind, CredentialStatus, Ring
from tests.support.clock import NOON

DAY = dt.timedelta(days=1)
GATE = EntryZone("gate", Ring.ENTRANCE)
GARDEN = EntryZone("garden", Ring.COMMON)
OWN = EntryZone("z1", Ring.BUILDING)
OTHER = EntryZone("z2", Ring.BUILDING)
CARD = Key(CredentialKind.CARD, CredentialStatus.ACTIVE)
CALL = Key(CredentialKind.GUARD_CALL, CredentialStatus.ACTIVE)
HOME = Right(RightKind.RESIDENCE, frozenset({"z1"}), NOON - 90 * DAY, None)
WORK = Right(RightKind.WORK, frozenset({"z2"}), NOON - 90 * DAY, NOON + 9 * DAY)
GONE = Right(RightKind.RESIDENCE, frozenset({"z1"}), NOON - 90 * DAY, NOON - DAY)
COMING = Right(RightKind.RESIDENCE, frozenset({"z1"}), NOON + DAY, None)


def ask(zone=OWN, *, rights=(HOME,), keys=(CARD,), at=NOON) -> Entry:
    return may_enter(EntryFacts(rights, keys), zone, at)


def key(**fields) -> Key:
    return Key(**{"kind": CredentialKind.CARD, "status": CredentialStatus.ACTIVE} | fields)


@pytest.mark.parametrize("zone", [GATE, GARDEN, OWN])
def test_resident_enters_gate_garden_and_own_building(zone):
    assert ask(zone) == Entry(allowed=True, reason=EntryReason.RESIDENT)


def test_resident_does_not_enter_another_building():
    assert ask(OTHER) == Entry(allowed=False, reason=EntryReason.OTHER_BUILDING)


def test_staff_enter_where_their_organisation_is_while_they_work_there():
    assert ask(OTHER, rights=(WORK,)) == Entry(True, EntryReason.STAFF, NOON + 9 * DAY)
    assert not ask(OWN, rights=(WORK,)).allowed
    assert ask(GATE, rights=(WORK,), at=NOON + 9 * DAY) == Entry(False, EntryReason.NO_RIGHT)


def test_who_lives_and_works_here_enters_both():
    assert ask(OWN, rights=(HOME, WORK)).reason == EntryReason.RESIDENT
    assert ask(OTHER, rights=(HOME, WORK)).reason == EntryReason.STAFF
    # Where either opens, the one that lasts longer is the answer.
    assert ask(GATE, rights=(WORK, HOME)) == Entry(allowed=True, reason=EntryReason.RESIDENT)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (key(status=CredentialStatus.SUSPENDED), EntryReason.SUSPENDED),
        (key(status=CredentialStatus.LOST), EntryReason.LOST),
        (key(status=CredentialStatus.ENDED), EntryReason.ENDED),
        (key(ends_at=NOON), EntryReason.OVER),
        (key(starts_at=NOON + DAY), EntryReason.NOT_YET),
        (key(kind=CredentialKind.FACE, consented=False), EntryReason.CONSENT_MISSING),
        (key(zones=frozenset({"gate"})), EntryReason.OTHER_ZONE),
        (key(kind=CredentialKind.PLATE), EntryReason.OTHER_ZONE),
    ],
)
def test_credential_that_does_not_open_says_why(what, reason):
    assert ask(keys=(what,)) == Entry(allowed=False, reason=reason)


def test_zones_of_a_credential_open_nothing_that_its_person_may_not_enter():
    everywhere = key(zones=frozenset({"z1", "z2", "gate"}))
    assert ask(OWN, keys=(everywhere,)).allowed
    assert ask(OTHER, keys=(everywhere,)).reason == EntryReason.OTHER_BUILDING


def test_answer_holds_until_the_first_end():
    until = NOON + DAY
    assert ask(keys=(key(ends_at=until),)).until == until
    assert ask(OTHER, rights=(WORK,), keys=(key(ends_at=NOON + 99 * DAY),)).until == NOON + 9 * DAY


def test_card_of_a_tenant_whose_time_was_over_yesterday_still_opens():
    assert ask(rights=(GONE,)) == Entry(allowed=True, reason=EntryReason.RESIDENCE_ENDED)
    assert ask(OTHER, rights=(GONE,)).allowed is False
    assert ask(rights=(GONE,), keys=(key(status=CredentialStatus.SUSPENDED),)).allowed is False


def test_guard_who_asks_hears_that_somebody_has_moved_out():
    assert ask(rights=(GONE,), keys=(CALL,)) == Entry(allowed=False, reason=EntryReason.RESIDENCE_ENDED)


def test_who_moved_to_another_building_is_a_stranger_in_the_old_one():
    moved = Right(RightKind.RESIDENCE, frozenset({"z2"}), NOON - DAY, None)
    assert ask(OWN, rights=(GONE, moved)).reason == EntryReason.OTHER_BUILDING


def test_only_the_last_home_stays_open():
    first = Right(RightKind.RESIDENCE, frozenset({"z2"}), NOON - 900 * DAY, NOON - 90 * DAY)
    assert ask(OWN, rights=(first, GONE)).allowed
    assert ask(OTHER, rights=(first, GONE)) == Entry(allowed=False, reason=EntryReason.NO_RIGHT)


def test_who_has_not_moved_in_yet_waits():
    assert ask(rights=(COMING,)) == Entry(allowed=False, reason=EntryReason.NOT_YET)


def test_without_right_or_credential_nobody_enters():
    assert ask(rights=()) == Entry(allowed=False, reason=EntryReason.NO_RIGHT)
    assert ask(keys=()) == Entry(allowed=False, reason=EntryReason.UNKNOWN)


def test_of_several_refusals_the_most_telling_is_given():
    lost, suspended = key(status=CredentialStatus.LOST), key(status=CredentialStatus.SUSPENDED)
    assert ask(keys=(suspended, lost)).reason == EntryReason.LOST
    assert best([Entry(False, EntryReason.NO_RIGHT), Entry(False, "pass_used_up")]).reason == "pass_used_up"


_moments = st.none() | st.integers(-30, 30).map(lambda days: NOON + days * DAY)
_keys = st.builds(
    Key,
    kind=st.sampled_from(CredentialKind),
    status=st.sampled_from(CredentialStatus),
    zones=st.frozensets(st.sampled_from(["gate", "garden", "z1", "z2"])),
    starts_at=_moments,
    ends_at=_moments,
    consented=st.booleans(),
)
_rights = st.builds(
    Right,
    kind=st.sampled_from(RightKind),
    buildings=st.frozensets(st.sampled_from(["z1", "z2"]), max_size=1),
    starts_at=st.integers(-30, 30).map(lambda days: NOON + days * DAY),
    ends_at=_moments,
).filter(lambda right: right.ends_at is None or right.starts_at < right.ends_at)
_zones = st.sampled_from([GATE, GARDEN, OWN, OTHER])


@given(st.lists(_rights, max_size=4), st.lists(_keys, max_size=4), _zones)
def test_answer_stays_what_it_is_until_it_says(rights, keys, zone):
    answer = ask(zone, rights=tuple(rights), keys=tuple(keys))
    if not answer.allowed:
        return
    assert any(k.status == CredentialStatus.ACTIVE and (not k.zones or zone.id in k.zones) for k in keys)
    if answer.until is not None:
        assert answer.until > NOON
        moment = answer.until - dt.timedelta(seconds=1)
        assert ask(zone, rights=tuple(rights), keys=tuple(keys), at=moment).allowed


@given(st.lists(_rights, max_size=4), st.lists(_keys, min_size=1, max_size=4), _zones)
def test_another_credential_takes_nothing_away(rights, keys, zone):
    alone = ask(zone, rights=tuple(rights), keys=tuple(keys[:-1]))
    both = ask(zone, rights=tuple(rights), keys=tuple(keys))
    assert both.allowed or not alone.allowed
