"""What is wrong with a rules file, in the reader's language."""

from alerts.rulebook.findings import Finding
from console.texts.catalogue import Texts


def finding_text(texts: Texts, finding: Finding) -> str:
    """One finding as a sentence, with what to do about it."""
    facts = dict(finding.facts)
    if "wanted" in facts:
        facts["wanted"] = texts(f"rulebook.want.{facts['wanted']}")
    sentence = texts(f"rulebook.{finding.code}", **facts)
    if finding.hint is None:
        return sentence
    gap = "" if texts.locale == "zh_CN" else " "
    return sentence + gap + texts(f"rulebook.hint.{finding.hint}", **facts)
