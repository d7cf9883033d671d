"""How a dwelling of a building's table is lived in: by its people, not by what is written on it."""

import datetime as dt

import pytest

from registry.models import DwellingState, ResidenceKind
from registry.reports.board import EXPIRES_WITHIN, STALE_AFTER, HomeState, Link, lived_in

TODAY = dt.date(2026, 11, 23)
FRESH = TODAY - dt.timedelta(days=1)


def link(
    kind: ResidenceKind | None, *, until: dt.date | None = None, verified: dt.date | None = FRESH
) -> Link:
    return Link("d", "p", kind, until, verified)


@pytest.mark.parametrize(
    ("written", "kinds", "state"),
    [
        (DwellingState.VACANT, [ResidenceKind.OWNER_OCCUPIER], HomeState.OWNER),
        (DwellingState.OCCUPIED, [ResidenceKind.OWNER_OCCUPIER, ResidenceKind.TENANT], HomeState.TENANT),
        (DwellingState.OCCUPIED, [ResidenceKind.FAMILY_MEMBER], HomeState.LIVED_IN),
        (DwellingState.OCCUPIED, [None], HomeState.LIVED_IN),
        (DwellingState.OCCUPIED, [ResidenceKind.REGISTERED_ABSENT], HomeState.EMPTY),
        (DwellingState.OCCUPIED, [], HomeState.EMPTY),
        (DwellingState.SHOP, [], HomeState.SHOP),
        (DwellingState.UNDER_REPAIR, [], HomeState.UNDER_REPAIR),
    ],
)
def test_people_say_how_a_dwelling_is_lived_in(
    written: DwellingState, kinds: list[ResidenceKind | None], state: HomeState
) -> None:
    assert lived_in(written, [link(kind) for kind in kinds], TODAY)[0] is state


@pytest.mark.parametrize(
    ("days", "soon"), [(0, True), (EXPIRES_WITHIN.days, True), (EXPIRES_WITHIN.days + 1, False)]
)
def test_a_tenancy_that_ends_within_a_month_is_marked(days: int, soon: bool) -> None:
    tenant = link(ResidenceKind.TENANT, until=TODAY + dt.timedelta(days=days))
    assert lived_in(DwellingState.LET, [tenant], TODAY)[1] is soon


@pytest.mark.parametrize(
    ("verified", "marked"),
    [(None, True), (TODAY - STALE_AFTER, False), (TODAY - STALE_AFTER - dt.timedelta(days=1), True)],
)
def test_whom_nobody_made_sure_of_for_a_year_is_marked(verified: dt.date | None, marked: bool) -> None:
    owner = link(ResidenceKind.OWNER_OCCUPIER, verified=verified)
    assert lived_in(DwellingState.OCCUPIED, [owner], TODAY)[2] is marked


def test_who_keeps_house_without_a_residence_has_nothing_to_verify() -> None:
    assert lived_in(DwellingState.OCCUPIED, [link(None, verified=None)], TODAY)[2] is False
