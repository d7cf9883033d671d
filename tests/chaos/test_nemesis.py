"""Every sort of fault over every part of a whole site, while devices speak and doors are forced: the short form.

The long one is `python -m tests.chaos`. What it takes until somebody hears of a door is reported here, and
held to the promise where CHAOS_DELAYS=1 says that nobody else is on this machine.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.chaos import trial
from tests.chaos.trial import Given

# Each sort over each part once, and a few more.
FAULTS = 40

pytestmark = [pytest.mark.slow, pytest.mark.root, pytest.mark.alone, pytest.mark.timeout(600)]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_promises_are_kept_over_every_fault(database: str, migrated_file: Path) -> None:
    given = Given(
        events=3000,
        rate=60.0,
        doors=60,
        faults=FAULTS,
        seed=9,
        database=database,
        single=0.0,
        longest_s=4.0,
        settle_s=240.0,
    )
    with trial.standing(given, migrated=migrated_file) as estate:
        outcome = trial.run(given, estate)
    verdict = outcome.verdict
    sys.stdout.write(f"{verdict}\n")
    assert verdict.clean, "\n".join(verdict.differences)
    assert verdict.faults == FAULTS
    assert verdict.acknowledged == verdict.said == verdict.stored
    assert verdict.refused > 0
    assert verdict.incidents == given.doors - verdict.doors_late > 0
    if os.environ.get("CHAOS_DELAYS") == "1":
        assert not verdict.too_late, "\n".join(verdict.differences)
