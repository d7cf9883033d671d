"""Whether what people answered is enough to act on. Pure.

One answer is enough, unless the compound's rules want two people for a rule's incidents (两人确认).
"""

from collections.abc import Mapping
from typing import Final

from alerts.incidents.lifecycle import Comparison

PLAN_LIST: Final = frozenset({"R-B05", "R-C08", "R-C09"})
"""Rules whose cause is a sensor or a hand on a button (forced door, SOS, smoke): a compound may let
these confirm themselves."""


def missing(answers: Mapping[str, Comparison], *, needs_comparison: bool, two_persons: bool) -> str | None:
    """What is still missing before an incident may be confirmed, as a code; None when nothing is.

    `answers` is what each person said, by id. Codes: `comparison_required`, `comparison_negative`,
    `second_person_required`, `answers_differ`.
    """
    if not needs_comparison and not two_persons:
        return None
    yes = sum(answer is Comparison.MATCH for answer in answers.values())
    no = sum(answer is Comparison.NOT_MATCH for answer in answers.values())
    if not answers:
        return "comparison_required" if needs_comparison else "second_person_required"
    if yes == 0:
        return "comparison_negative"
    if two_persons:
        # Who cannot tell does not count against those who can; who says no does.
        if no:
            return "answers_differ"
        if yes < 2:
            return "second_person_required"
    return None


def missing_for_error(answers: Mapping[str, Comparison], *, two_persons: bool) -> str | None:
    """What is missing before a machine's word may be called wrong.

    Where two people confirm, two let go: one operator alone does not wave a wanted person through.
    Codes: `second_person_required`, `answers_differ`.
    """
    if not two_persons:
        return None
    if any(answer is Comparison.MATCH for answer in answers.values()):
        return "answers_differ"
    return None if len(answers) >= 2 else "second_person_required"


def confirms_itself(
    rule: str, allowed: frozenset[str], *, needs_comparison: bool, probable: bool = False
) -> bool:
    """Whether an incident is confirmed as soon as it is raised: never where a machine named somebody, nor
    where it rests on a link that is only probable.
    """
    return not needs_comparison and not probable and rule in allowed and rule in PLAN_LIST
