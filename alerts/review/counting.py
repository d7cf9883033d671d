"""What became of alarms, counted. Pure."""

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from alerts.incidents.lifecycle import UNDECIDED, State
from alerts.rulebook.advice import NOT_FALSE


class Outcome(enum.StrEnum):
    """What an alarm turned out to be."""

    CONFIRMED = "confirmed"
    FALSE = "false"
    CLEARED = "cleared"  # by itself, before anybody said anything
    UNDECIDED = "undecided"
    NO_ALARM = "no_alarm"  # a duplicate or a test: no word on whether the rule is right


@dataclass(frozen=True, slots=True)
class Alarm:
    """One incident as far as it is counted."""

    kind: str
    ring: str
    severity: int
    state: State
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Alarms of one kind, ring and severity, by what they turned out to be."""

    kind: str
    ring: str
    severity: int
    total: int
    outcomes: dict[Outcome, int]


def outcome(state: State, reason: str | None) -> Outcome | None:
    """What an alarm turned out to be; None for one that is part of another and counted there."""
    if state is State.MERGED:
        return None
    if state is State.FALSE_ALARM:
        return Outcome.NO_ALARM if reason in NOT_FALSE else Outcome.FALSE
    if state is State.AUTO_CLEARED:
        return Outcome.CLEARED
    return Outcome.UNDECIDED if state in UNDECIDED else Outcome.CONFIRMED


def counted(alarms: Iterable[Alarm]) -> list[Count]:
    """By kind, ring and severity: the gravest first, then the most."""
    groups: dict[tuple[str, str, int], Counter[Outcome]] = {}
    for one in alarms:
        found = outcome(one.state, one.reason)
        if found is not None:
            groups.setdefault((one.kind, one.ring, one.severity), Counter())[found] += 1
    counts = [
        Count(kind, ring, severity, tally.total(), {one: tally[one] for one in Outcome if tally[one]})
        for (kind, ring, severity), tally in groups.items()
    ]
    return sorted(counts, key=lambda one: (one.severity, -one.total, one.kind, one.ring))


def totals(counts: Iterable[Count]) -> dict[str, int]:
    """All of them together by outcome, and `total`."""
    summed: Counter[str] = Counter({"total": 0} | {str(one): 0 for one in Outcome})
    for one in counts:
        summed["total"] += one.total
        for found, number in one.outcomes.items():
            summed[str(found)] += number
    return dict(summed)
