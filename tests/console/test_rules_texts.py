"""Every code that a rules file can be answered with has words in both languages."""

import ast
from pathlib import Path

import pytest

from alerts.rulebook import findings
from alerts.rulebook.advice import Advice
from alerts.rulebook.budget import HeldReason
from alerts.rulebook.file import load
from alerts.rulebook.findings import Finding
from alerts.rulebook.writing import says
from alerts.rules import RULES, Mode
from console.texts import LOCALES
from console.texts import load as texts_in
from console.texts.rulebook import finding_text

ROOM = Path(findings.__file__).parent


def written(*names: str) -> set[str]:
    """The texts that are handed to functions of these names, where the code says them in full."""
    found = set()
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "attr", "") or getattr(node.func, "id", "")
            if called in names:
                found |= {
                    one.value
                    for one in (*node.args, *(keyword.value for keyword in node.keywords))
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return found


CODES = {
    code
    for code in written("error", "warn", "unknown", "Mistake", "done", "_text")
    if code and code.islower() and " " not in code and "." not in code
}
HINTS = {"did_you_mean", "one_of", "none_there", "trade_off"}
WANTED = written("_wrong") - {"name"}


@pytest.mark.parametrize("locale", LOCALES)
def test_codes_have_words(locale):
    keys = texts_in(locale).keys
    codes = CODES - HINTS - {"version", "night", "rules", "partly_in_force"}
    assert {
        "unknown_rule",
        "out_of_range",
        "hours_overlap",
        "safety_muted",
        "toml_ended",
        "twice_since",
    } <= codes
    fields = {
        "name",
        "from",
        "to",
        "rule",
        "until",
        "author",
        "reason",
        "zone",
        "place",
        "round",
        "checkpoints",
    }
    assert {f"rulebook.{code}" for code in codes - fields} <= keys
    assert {f"rulebook.hint.{hint}" for hint in HINTS} <= keys
    assert {"number", "clock", "days", "moment", "tables"} <= WANTED
    assert {f"rulebook.want.{wanted}" for wanted in WANTED} <= keys
    assert {f"rulebook.{code}" for code in ("file_missing", "file_not_utf8", "file_unreadable")} <= keys
    assert {f"mode.{mode}" for mode in Mode} <= keys
    assert {f"held_back.{reason}" for reason in HeldReason} <= keys
    assert {f"rule_advice.{advice}" for advice in Advice} <= keys


@pytest.mark.parametrize("locale", LOCALES)
def test_sentences_have_their_blanks_filled(locale):
    text = '[rules.R-E1]\n[rules.R-E01]\nwindow_s = 99\nzones = "gate"\nx = 1\n[budget]\nper_operator = 0\n[night]\n'
    sentences = [finding_text(texts_in(locale), one) for one in load(text).errors]
    assert len(sentences) == 8
    assert not [one for one in sentences if "%(" in one or "rulebook." in one]
    assert any("R-E01" in one for one in sentences)
    assert any("2" in one and "60" in one for one in sentences)


def test_what_rules_ask_and_what_their_numbers_do_is_said_in_both_languages():
    english, chinese = texts_in("en"), texts_in("zh_CN")
    for rule in RULES:
        assert english(f"rule_says.{rule.id}") == says(rule), "put the rule's new words into both catalogues"
        assert f"rule_says.{rule.id}" in chinese.keys
        for one in rule.parameters:
            key = f"trade_off.{rule.id}.{one.name}"
            assert english(key) == " ".join(one.trade_off.split()), (
                f"{key}: put the new words into both catalogues"
            )
            assert key in chinese.keys


def test_out_of_range_says_the_trade_off_in_the_readers_language():
    (finding,) = load("version = 1\n[rules.R-E01]\nwindow_s = 99").errors
    assert "找卡的住户" in finding_text(texts_in("zh_CN"), finding)
    assert "residents who search for their card" in finding_text(texts_in("en"), finding)


def test_texts_with_signs_of_their_own_are_not_filled_twice():
    finding = Finding(1, "toml", facts={"what": "Unexpected character: '%'"})
    assert "'%'" in finding_text(texts_in("en"), finding)
