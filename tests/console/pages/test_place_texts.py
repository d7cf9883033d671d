"""Whatever the registry answers about places, grids, notes and reports has a text in both languages."""

from pathlib import Path

import pytest
from refusals import codes_of

from console.texts import LOCALES, load
from registry.models import AliasKind, CompoundKind, DwellingState, NoteKind, PlaceKind
from registry.reports.lists import Age, Separation, TenancyStage

ROOT = Path(__file__).parents[3]
# Where the code stands among the arguments of what refuses.
REFUSING = {"RefusedError": 0, "AddressError": 0, "write_unique": 1, "_write": 2}
MODULES = [
    "addresses",
    "aliases",
    "buildings",
    "districts",
    "geojson",
    "grids",
    "housing",
    "locating",
    "situations",
    "zones",
]


@pytest.mark.parametrize("module", MODULES)
def test_every_refusal_of_a_service_has_a_text(module: str) -> None:
    codes = codes_of(f"places/{module}", REFUSING)
    assert codes
    for locale in LOCALES:
        assert {f"refused.{code}" for code in codes} <= load(locale).keys


@pytest.mark.parametrize(
    ("group", "members"),
    [
        ("dwelling_state", DwellingState),
        ("compound_kind", CompoundKind),
        ("place_kind", PlaceKind),
        ("alias_kind", AliasKind),
        ("note_kind", NoteKind),
        ("separation", Separation),
        ("tenancy", TenancyStage),
        ("verified", Age),
        ("refused", ("district_code_taken", "not_a_grid_worker", "nothing_asked")),
    ],
)
def test_every_member_has_a_text(group: str, members) -> None:
    for locale in LOCALES:
        assert {f"{group}.{member}" for member in members} <= load(locale).keys
