"""How many incidents there are of each sort, so that a filter says what it would find. Pure.

A facet counts what all other filters leave: whoever chose one ring still sees what the others hold.
"""

import enum
import functools
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from alerts.incidents.lifecycle import UNDECIDED, State


class Outcome(enum.StrEnum):
    """What came of an incident, as somebody asks who looks back."""

    REAL = "real"
    FALSE = "false"
    # Nobody has said yet.
    UNDECIDED = "undecided"
    # It went away by itself, and nobody was needed.
    CLEARED = "cleared"
    # It is part of another one.
    MERGED = "merged"


@functools.cache
def outcome_of(state: str) -> Outcome:
    """What a state says of whether it was real."""
    known = State(state)
    if known in UNDECIDED:
        return Outcome.UNDECIDED
    return {
        State.FALSE_ALARM: Outcome.FALSE,
        State.AUTO_CLEARED: Outcome.CLEARED,
        State.MERGED: Outcome.MERGED,
    }.get(known, Outcome.REAL)


def states_of(outcome: Outcome) -> frozenset[State]:
    """The states of an outcome."""
    return frozenset(state for state in State if outcome_of(state) is outcome)


@dataclass(frozen=True, slots=True)
class Group:
    """Incidents that are alike in all that can be filtered by, and how many there are."""

    severity: int
    ring: str
    zone: str
    kind: str
    rule: str
    state: str
    device: str
    # Why it was a false alarm; empty for what was none.
    reason: str
    drill: bool
    count: int

    @property
    def outcome(self) -> str:
        return str(outcome_of(self.state))


FACETS: Final = ("severity", "ring", "zone", "kind", "rule", "state", "outcome", "reason", "device", "drill")
"""What is counted by, and filtered by, of a `Group`."""


def tally(
    groups: Collection[Group], chosen: Mapping[str, Collection[object]]
) -> dict[str, dict[object, int]]:
    """Facet → value → number, the most first; `total` counts what all that is chosen leaves.

    `chosen` says for a facet which values are wanted; an empty or missing one wants all.
    """
    wanted = {name: values for name, values in chosen.items() if values}
    found: dict[str, Counter[object]] = {name: Counter() for name in (*FACETS, "total")}
    for group in groups:
        refused = [name for name, values in wanted.items() if getattr(group, name) not in values]
        if not refused:
            found["total"]["all"] += group.count
        for name in FACETS:
            if not refused or refused == [name]:
                found[name][getattr(group, name)] += group.count
    return {name: dict(sorted(counts.items(), key=_most_first)) for name, counts in found.items()}


def _most_first(item: tuple[object, int]) -> tuple[int, str]:
    return (-item[1], str(item[0]))
