"""What the guide says of causes and what rules make of them is the same."""

import re
from pathlib import Path

from alerts.rules import causes

GUIDE = Path(__file__).parents[3] / "docs" / "integrators-guide.md"


def test_every_documented_cause_is_known_and_no_other() -> None:
    (told,) = re.findall(r"`barrier\.opened` is one of ([^.]*)\.", GUIDE.read_text("utf-8"))
    assert frozenset(re.findall(r"`(\w+)`", told)) == causes.LAWFUL


def test_household_is_no_staff_and_a_hand_opens_for_nobody_but_whom_it_saw() -> None:
    assert {causes.INTERCOM} == causes.BY_HAND - causes.BY_STAFF
    assert not causes.BY_HAND & causes.MEANT_OPEN
