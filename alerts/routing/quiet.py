"""Why something is told to nobody for now: a silence, or something as grave that is open already. Pure.

Nothing graver than what keeps it quiet is ever kept quiet; fire, SOS and duress never are; and nothing
of S1 is because of something else.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alerts.routing.matching import Matcher, match
from alerts.routing.tree import Facts, Inhibit


@dataclass(frozen=True, slots=True)
class Quieting:
    """A silence as a value."""

    id: str
    matchers: tuple[Matcher, ...]
    gravest: int
    starts_at: dt.datetime
    ends_at: dt.datetime

    def covers(self, given: Facts, at: dt.datetime) -> bool:
        """Whether it keeps an incident quiet at a moment."""
        return (
            self.starts_at <= at < self.ends_at
            and not given.safety
            and not given.silent
            and given.severity >= self.gravest
            and match(self.matchers, given.labels)
        )


@dataclass(frozen=True, slots=True)
class Open:
    """An incident that is open, and what it is routed by."""

    id: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Quiet:
    """Why, by what, and until when at the latest; None: as long as that is open."""

    why: str
    by: str
    until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Like:
    """What would keep quiet what is like an incident; `never`: nothing may."""

    matchers: tuple[str, ...]
    gravest: int
    never: bool


_ALIKE = ("ring", "kind", "zone", "device")


def like(given: Facts) -> Like:
    """The narrowest silence of an incident's kind: there, at that device, and nothing graver."""
    if given.safety or given.silent:
        return Like((), given.severity, never=True)
    named = [(label, given.labels.get(label, "")) for label in _ALIKE]
    return Like(tuple(f"{label} = {value}" for label, value in named if value), given.severity, never=False)


def silenced(silences: Iterable[Quieting], given: Facts, at: dt.datetime) -> Quiet | None:
    """The silence that lasts longest of those that cover it."""
    covering = [one for one in silences if one.covers(given, at)]
    if not covering:
        return None
    last = max(covering, key=lambda one: (one.ends_at, one.id))
    return Quiet("silenced", last.id, last.ends_at)


def may_inhibit(rules: Iterable[Inhibit], given: Facts) -> list[Inhibit]:
    """The rules that a target falls under, before anybody asks for sources."""
    if given.safety or given.silent or given.severity <= 1:
        return []
    return [rule for rule in rules if match(rule.targets, given.labels)]


def inhibited(rules: Iterable[Inhibit], target: Open, sources: Sequence[Open]) -> Quiet | None:
    """The first source that keeps a target quiet. As in Alertmanager, what is both source and target of a
    rule is not kept quiet by its like: two would keep each other quiet.
    """
    given = target.facts
    for rule in may_inhibit(rules, given):
        if match(rule.sources, given.labels):
            continue
        for source in sources:
            if (
                source.id != target.id
                and source.facts.severity <= given.severity
                and match(rule.sources, source.facts.labels)
                and all(source.facts.labels.get(one, "") == given.labels.get(one, "") for one in rule.equal)
            ):
                return Quiet("inhibited", source.id, None)
    return None
