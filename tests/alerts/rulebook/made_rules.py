"""Rules of no compound: one of each sort, so that no change of a real rule changes what is tested here."""

from typing import ClassVar

from alerts.rulebook.file import Reading, load
from alerts.rulebook.ground import Ground
from alerts.rules.rule import Parameter, Rule


class Passed(Rule):
    id = "T-01"
    kind = "made.passed"
    rings = frozenset({"entrance"})
    severities: ClassVar = {"day": 4, "night": 3}
    key = "lane"
    parameters = (
        Parameter("window_s", "s", 10, 2, 60, "How long. Too short: false alarms. Too long: missed ones."),
        Parameter("share", "share", 0.4, 0.05, 0.95, "Which share. Too small: noise. Too large: silence."),
    )


class Alarm(Rule):
    id = "T-02"
    kind = "made.alarm"
    rings = frozenset({"common", "building"})
    severities: ClassVar = {"usual": 1, "alone": 2}
    key = "zone"
    safety = True
    parameters = (Parameter("lying_s", "s", 10, 5, 120, "How long. Too short: … Too long: …"),)


class Quiet(Rule):
    id = "T-03"
    kind = "made.quiet"
    rings = frozenset({"building"})
    severities: ClassVar = {"usual": 3}
    key = "person"
    care = True


class Hit(Rule):
    id = "T-04"
    kind = "made.hit"
    rings = frozenset({"entrance", "common", "building"})
    severities: ClassVar = {"entrance": 3, "building": 1}
    key = "entry"
    confirms = True


MADE = (Passed, Alarm, Quiet, Hit)
PLAN = Ground(
    {"gate": "entrance", "back-gate": "entrance", "yard": "common", "b1": "building"},
    frozenset({"cam-1", "point-1"}),
    frozenset({"gate-in"}),
)


def read_file(text: str, ground: Ground | None = PLAN) -> Reading:
    """A file of the made rules; the version is put before it, on a line that is not counted: line 0."""
    return load(f"version = 1\n{text}", ground, rules=MADE)


def said(text: str, *, warnings: bool = False) -> list[tuple[int, str]]:
    """Lines, counted without that of the version, and codes."""
    found = read_file(text)
    return [(one.line - 1, one.code) for one in (found.warnings if warnings else found.errors)]
