"""Whatever a rule can say has words in both languages, and those who are sent know what to do."""

import re
from pathlib import Path

import pytest

from alerts.rules import RULES
from alerts.rules.system.told import OTHERS, PASSAGES
from console.texts import LOCALES, load

FOLDER = Path(__file__).parents[3] / "alerts" / "rules"
# Reasons that are put together: a code and one of some endings.
_MADE = {
    "credential_{state}": ("lost", "expired", "ended", "suspended"),
    "sight_lost.{anchor.type}": ("device.tamper", "video.occlusion", "video.lost"),
}


def reasons() -> set[str]:
    """The codes that stand in the rules' files."""
    found: set[str] = set()
    for path in FOLDER.rglob("*.py"):
        for made, code in re.findall(r'reason=(f?)"([^"]+)"', path.read_text()):
            if made:
                assert code in _MADE, f"{code} in {path.name}: what can it be?"
                found |= {re.sub(r"\{.*\}", ending, code) for ending in _MADE[code]}
            else:
                found.add(code)
    return found


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_and_its_kind_have_names(rule, locale: str) -> None:
    assert {f"rule.{rule.id}", f"kind.{rule.kind}"} <= load(locale).keys


@pytest.mark.parametrize(
    "rule", [one for one in RULES if min(one.severities.values(), default=4) <= 2], ids=lambda r: r.id
)
def test_who_is_sent_to_something_urgent_is_told_what_to_do_and_whom_to_call(rule) -> None:
    assert {f"advice.{rule.kind}", f"call.{rule.kind}"} <= load("zh_CN").keys


def test_every_reason_has_a_sentence_and_a_plain_one() -> None:
    keys = load("zh_CN").keys
    missing = {code for code in reasons() if not {f"reason.{code}", f"reason.{code}.plain"} <= keys}
    assert not missing
    assert len(reasons()) > 20


@pytest.mark.parametrize("locale", LOCALES)
def test_plain_sentences_have_no_blanks(locale: str) -> None:
    texts = load(locale)
    for key in texts.keys:
        if key.startswith("reason.") and key.endswith(".plain"):
            assert not re.search(r"%\(\w+\)s", texts(key)), key


@pytest.mark.parametrize("kind", sorted(PASSAGES | OTHERS))
def test_what_devices_tell_has_a_name(kind: str) -> None:
    assert f"event.{kind}" in load("zh_CN").keys


def test_duress_tells_nobody_to_go_or_to_call_the_site() -> None:
    for locale, words in (("zh_CN", ("不要去现场", "鸣笛")), ("en", ("Do not go there", "no siren"))):
        texts = load(locale)
        assert all(word in texts("advice.duress") for word in words)
