"""What is wrong with a rules file, in the reader's language."""

from alerts.rulebook.findings import Finding
from console.texts.catalogue import Texts


def finding_text(texts: Texts, finding: Finding) -> str:
    """One finding as a sentence, with what to do about it."""
    facts = dict(finding.facts)
    if "wanted" in facts:
        facts["wanted"] = texts(f"rulebook.want.{facts['wanted']}")
    if "trade_off" in facts:
        # rules.R-E01.window_s, or the same within its hours.
        facts["trade_off"] = trade_off(
            texts, finding.where.split(".")[1], str(facts["name"]), str(facts["trade_off"])
        )
    sentence = texts(f"rulebook.{finding.code}", **facts)
    if finding.hint is None:
        return sentence
    gap = "" if texts.locale == "zh_CN" else " "
    return sentence + gap + texts(f"rulebook.hint.{finding.hint}", **facts)


def trade_off(texts: Texts, rule: str, parameter: str, otherwise: str) -> str:
    """What too small and too large a number does; `otherwise` where a rule is too new to have words."""
    key = f"trade_off.{rule}.{parameter}"
    return texts(key) if key in texts.keys else otherwise


def rule_says(texts: Texts, rule: str, otherwise: str) -> str:
    """What a rule asks."""
    key = f"rule_says.{rule}"
    return texts(key) if key in texts.keys else otherwise
