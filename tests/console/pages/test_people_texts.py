"""Whatever the registry answers about people, credentials and entry has a text in both languages."""

from pathlib import Path

import pytest
from refusals import codes_of

from console.api.credentials import CredentialStep
from console.permissions import Action
from console.texts import LOCALES, load
from registry.entry.decision import EntryReason
from registry.entry.gatehouse import PASS_REASONS
from registry.models import CredentialKind, CredentialStatus, OrganisationKind, ResidenceKind, VehicleKind

ROOT = Path(__file__).parents[3]
# Where the code stands among the arguments of what refuses.
REFUSING = {
    "RefusedError": 0,
    "CitizenIdError": 0,
    "PhoneError": 0,
    "write_unique": 1,
    "_refuse_overlap": -1,
}
MODULES = [
    "entry/belonging",
    "citizen_id",
    "vehicles/drivers",
    "people/households",
    "credentials/issuing",
    "vehicles/motoring",
    "people/population",
    "people/residences",
    "spelling",
    "organisations/workplaces",
]


@pytest.mark.parametrize("module", MODULES)
def test_every_refusal_of_a_service_has_a_text(module: str) -> None:
    codes = codes_of(module, REFUSING)
    assert codes
    for locale in LOCALES:
        assert {f"refused.{code}" for code in codes} <= load(locale).keys


@pytest.mark.parametrize(
    ("group", "members"),
    [
        ("action", Action),
        ("entry", (*EntryReason, *PASS_REASONS)),
        ("credential_kind", CredentialKind),
        ("credential_status", CredentialStatus),
        ("credential_step", CredentialStep),
        ("residence_kind", ResidenceKind),
        ("organisation_kind", OrganisationKind),
        ("vehicle_kind", VehicleKind),
        ("plate_answer", ("registered", "pass", "always_allowed", "near", "unknown")),
    ],
)
def test_every_member_has_a_text(group: str, members) -> None:
    for locale in LOCALES:
        assert {f"{group}.{member}" for member in members} <= load(locale).keys
