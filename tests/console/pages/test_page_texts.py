"""Words that a page puts together from a code, which no template shows in full: none may be missing."""

import ast
import re
from pathlib import Path

import pytest

from console.pages.holdings import _FIELDS
from console.pages.navigation import AREA_KEYS, ROWS
from console.pages.reports import _REPORTS, NAMES
from console.texts import load
from privacy.access import WITHHELD
from registry.imports.plan import ORDER
from registry.meanings import Meaning
from registry.reports.lists import Age, Separation, TenancyStage

ROOT = Path(__file__).parents[3]
ROOMS = ("console", "privacy", "registry", "alerts", "devices", "ringward")
KEYS = load("en").keys

WORDS = {
    "held": [*_FIELDS, *(f"{section}.{field}" for section, fields in _FIELDS.items() for field in fields)],
    "withheld": list(WITHHELD),
    "thing": [*ORDER, "face_templates"],
    "import_rows": ["read", "good", "refused", "warnings", "empty"],
    "report": list(NAMES),
    "report_hint": list(NAMES),
    "report_empty": list(NAMES),
    "separation": list(Separation),
    "tenancy": list(TenancyStage),
    "verified": list(Age),
    "refused": [
        "purpose_missing", "nothing_found", "nothing_asked", "file_missing", "dwelling_not_found",
        "visitor_pass_not_found", "zone_not_found", "address_empty", "address_ambiguous", "import_running",
    ],
}  # fmt: skip


@pytest.mark.parametrize("group", WORDS)
def test_every_code_has_words(group: str) -> None:
    assert {f"{group}.{code}" for code in WORDS[group]} <= KEYS


def test_every_link_of_the_menus_has_words() -> None:
    assert {*AREA_KEYS, *(row[1] for row in ROWS)} <= KEYS


def test_every_column_of_a_report_has_words() -> None:
    source = (ROOT / "console" / "pages" / "reports.py").read_text()
    columns = {name for line in re.findall(r'^        \(("\w+".*)\),$', source, re.MULTILINE) for name in
               re.findall(r'"(\w+)"', line)}  # fmt: skip
    assert len(_REPORTS) == 5
    assert {"finding", "stage", "left_on"} <= columns
    assert {f"reports.{column}" for column in columns} <= KEYS


def test_every_sort_of_reading_is_one_that_people_are_searched_by_or_an_address() -> None:
    asked = {"name", "phone", "id_number", "plate", "external_id"}
    assert {str(meaning) for meaning in Meaning} == asked | {"address"}


def noted() -> set[str]:
    """What is written into the audit log as what was done, where the code says it in full."""
    found: set[str] = set()
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = isinstance(node, ast.Call) and (
                getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            )
            if name in {"Look", "noted", "AuditEntry", "_change", "_own", "note"}:
                found |= {
                    argument.value
                    for argument in node.args  # type: ignore[attr-defined]
                    if isinstance(argument, ast.Constant)
                    and isinstance(argument.value, str)
                    and re.fullmatch(r"[a-z_]+\.[a-z_]+", argument.value)
                }
    return found


def test_whatever_the_audit_log_notes_has_words_for_whom_it_concerns() -> None:
    done = noted()
    assert {"person.viewed", "consent.withdrawn", "dwelling.people_viewed", "person.exported"} <= done
    assert {f"did.{action}" for action in done} <= KEYS
