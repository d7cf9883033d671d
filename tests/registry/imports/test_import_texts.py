"""Every code that an import can give has words in both languages."""

import ast
import re
from pathlib import Path

import pytest

from console.texts import LOCALES, load
from console.texts.faults import fault_text
from registry.imports.columns import SheetKind
from registry.imports.models import ImportState

ROOT = Path(__file__).parents[3]
ELSEWHERE = ("places/addresses", "citizen_id", "spelling")
# Which argument of each is the code.
PLACES = {"fault": 1, "Fault": 2} | dict.fromkeys(
    ("FileRefusedError", "DateError", "PhoneError", "CitizenIdError", "AddressError"), 0
)


def codes() -> set[str]:
    """Read from the code, so that a new fault without a text fails here."""
    found: set[str] = set()
    paths = [
        *(ROOT / "registry" / "imports").glob("*.py"),
        *(ROOT / f"registry/{name}.py" for name in ELSEWHERE),
    ]
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
                code = node.args[PLACES[name]] if name in PLACES else None
                if isinstance(code, ast.Constant):
                    found.add(code.value)
    assert {"two_heads", "zip_bomb", "date_impossible", "address_building", "phone_length"} <= found
    return found - {"code_community", "code_grid"}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_fault_has_a_text(locale: str) -> None:
    more = {"edited_since", "still_in_use", "left_erased", "legal_hold", "registry_changed", "unexpected"}
    more |= {"rows_refused", "compound_not_found", "pin_malformed", "registration_no_malformed"}
    texts = load(locale)
    assert {code for code in codes() | more if fault_text(texts, code, {}) == code} == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_state_and_kind_has_a_text(locale: str) -> None:
    wanted = {f"import_state.{state}" for state in ImportState} | {f"sheet.{kind}" for kind in SheetKind}
    assert wanted <= load(locale).keys


def test_a_text_has_its_facts_and_an_unknown_code_stands_for_itself() -> None:
    english = load("en")
    assert "Row 7" in fault_text(english, "two_heads", {"first_row": 7})
    assert fault_text(english, "no_face", {}) == "There is no face in the photo."
    assert fault_text(english, "teleported", {"a": 1}) == "teleported"
    assert fault_text(english, "two_heads", {}) == "Row %(first_row)s is the head of this household already."


def test_blanks_of_the_texts_are_filled_by_the_code() -> None:
    source = "".join(path.read_text() for path in (ROOT / "registry" / "imports").glob("*.py"))
    source += (ROOT / "registry" / "credentials" / "issuing.py").read_text()
    for key in load("en").keys:
        if key.startswith("fault."):
            for blank in re.findall(r"%\((\w+)\)s", load("en")(key)):
                assert f"{blank}=" in source or f'"{blank}"' in source, (key, blank)
