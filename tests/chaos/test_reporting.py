"""A run's report finds its place in the page, and nothing else of the page changes."""

from pathlib import Path

import pytest

from tests.chaos import reporting
from tests.chaos.history import Fault, Felt, Verdict
from tests.chaos.trial import Given, Outcome


def outcome() -> Outcome:
    verdict = Verdict(said=10, acknowledged=10, stored=9, lost=1, faults=1, differences=["lost: cam-1 7"])
    verdict.felt["kill relay"] = Felt(faults=1, single=1, doors=2, worst_s=3.0)
    return Outcome(
        verdict, [Fault("kill", "relay", 1.0, 1.0)], 60.0, 70.0, {"puback": [1.0, 2.0], "http": []}
    )


def test_report_is_put_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(reporting.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    given = Given(events=10, rate=1.0, doors=2, faults=1, seed=7, database="postgresql")
    found = reporting.report_of(given, outcome())
    for _ in range(2):
        reporting.write(reporting.page(found, outcome(), "a signal"), page)
    text = page.read_text(encoding="utf-8")
    assert text.count("seed 7") == 1
    assert "| acknowledged events lost | 1 | 10 |" in text
    assert "| kill relay | 1 | 1 | 2 | 3.0 |  |" in text
    assert "Ended early by a signal." in text
    assert "lost: cam-1 7" in text
    before, _, rest = reporting.PAGE.read_text(encoding="utf-8").partition("### PostgreSQL")
    assert text.startswith(before)
    assert text.endswith(rest.rpartition("<!-- report of postgresql: end -->")[2])


def test_page_without_a_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="no place"):
        reporting.write(("sqlite", "text"), page)
