"""A compound's rules file, from text to value, with everything that is wrong with it. Pure.

One TOML file a compound, `version = 1`. What can be read is read although something else is wrong:
whoever takes a file in refuses it with errors; whoever has to go on with one that an older Ringward
took in goes on with what still holds.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alerts.rulebook import tables
from alerts.rulebook.fields import Fields
from alerts.rulebook.findings import Finding, Findings
from alerts.rulebook.ground import Ground
from alerts.rulebook.reading import read
from alerts.rulebook.ruletables import entries
from alerts.rulebook.values import RulesFile
from alerts.rules.book import SHANGHAI
from alerts.rules.registered import RULES
from alerts.rules.rule import Rule

VERSION: Final = 1
"""Of the format, not of a compound's rules."""

FINDINGS_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says, and what is wrong with it, by line."""

    file: RulesFile
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What keeps it from being taken in."""
        return tuple(one for one in self.findings if one.error)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What somebody should have meant."""
        return tuple(one for one in self.findings if not one.error)


def load(
    text: str,
    ground: Ground | None = None,
    zone: dt.tzinfo = SHANGHAI,
    rules: Sequence[type[Rule]] = RULES,
) -> Reading:
    """Reads a rules file. Without a `ground` nothing is said of zones and devices that do not exist."""
    found = Findings()
    tree, mistakes = read(text)
    for mistake in mistakes:
        if mistake.code == "twice" and mistake.first is not None:
            found.error(mistake.line, "twice_since", name=mistake.what, first=mistake.first)
        else:
            found.error(mistake.line, mistake.code, what=mistake.what)
    root = Fields(tree, "", found)
    if not root.has("version"):
        if not mistakes:
            found.error(1, "version_missing", "version", version=VERSION)
        root.node("version")
    elif root.whole("version", 0, 1_000_000) not in (None, VERSION):
        found.error(root.line_of("version"), "version_unknown", "version", version=VERSION)
    of_rules = root.table("rules")
    file = RulesFile(
        night=tables.night(root.table("night")),
        entries=entries(rules, of_rules, ground) if of_rules is not None else {},
        mutes=tables.mutes(root.tables("mutes"), rules, ground, zone),
        budget=tables.budget(root.table("budget")),
        confirmation=tables.confirmation(root.table("confirmation"), rules),
        patrols=tables.patrols(root.tables("patrols"), ground),
        posts=tables.posts(root.tables("posts"), ground),
    )
    root.done(code="unknown_table")
    return Reading(file, found.all()[:FINDINGS_MOST])
