"""Whatever the registry answers about people, credentials and entry has a text in both languages."""

import ast
import re
from pathlib import Path

import pytest

from console.api.credentials import CredentialStep
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


def codes_of(module: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "registry" / f"{module}.py").read_text())):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if name in REFUSING and node.args:
            code = node.args[REFUSING[name]]
            if isinstance(code, ast.Constant) and re.fullmatch(r"[a-z][a-z0-9_]*", str(code.value)):
                found.add(code.value)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_refusal_of_a_service_has_a_text(module: str) -> None:
    codes = codes_of(module)
    assert codes
    for locale in LOCALES:
        assert {f"refused.{code}" for code in codes} <= load(locale).keys


@pytest.mark.parametrize(
    ("group", "members"),
    [
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
