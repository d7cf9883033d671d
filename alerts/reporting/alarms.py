"""Alarms by what, where, when and what they turned out to be. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.incidents.lifecycle import State
from alerts.reporting.intervals import Rate, rate
from alerts.review.counting import Outcome, outcome

HOURS: Final = 24
WEEKDAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Tallied:
    """So many alarms that are alike in all of this."""

    number: int
    kind: str
    ring: str
    severity: int
    state: State
    reason: str | None
    rule: str
    device: str
    held: bool

    @property
    def outcome(self) -> Outcome | None:
        """None for what is part of another alarm and counted there."""
        return outcome(self.state, self.reason)


@dataclass(frozen=True, slots=True)
class Wrongness:
    """How often a rule, or what a device saw, was a false alarm, of what people judged."""

    key: str
    alarms: int
    rate: Rate


def total(found: Iterable[Tallied]) -> int:
    """All of them, without those that became part of another."""
    return sum(one.number for one in found if one.outcome is not None)


def outcomes(found: Iterable[Tallied]) -> dict[Outcome, int]:
    """By what they turned out to be; each of them is there."""
    counts: Counter[Outcome] = Counter()
    for one in found:
        if one.outcome is not None:
            counts[one.outcome] += one.number
    return {one: counts[one] for one in Outcome}


def split(
    found: Iterable[Tallied], by: Callable[[Tallied], str], within: Callable[[Tallied], str]
) -> dict[str, dict[str, int]]:
    """Counts of `within` in each of `by`, the largest first."""
    counts: dict[str, Counter[str]] = {}
    for one in found:
        if one.outcome is not None:
            counts.setdefault(by(one), Counter())[within(one)] += one.number
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    return {key: dict(tally) for key, tally in ordered}


def held(found: Iterable[Tallied]) -> int:
    """How many are held back by the alert budget."""
    return sum(one.number for one in found if one.held and one.outcome is not None)


def wrongness(found: Iterable[Tallied], by: Callable[[Tallied], str]) -> list[Wrongness]:
    """False alarms among those judged, by rule or device; what is surely worst stands first.

    Judged is what somebody confirmed or called false. Sorted by the lower bound: of one that was wrong
    1 of 1 time less is known than of one that was wrong 40 of 50 times.
    """
    alarms: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for one in found:
        what = one.outcome
        if what is None:
            continue
        key = by(one)
        alarms[key] += one.number
        judged[key] += one.number if what in {Outcome.CONFIRMED, Outcome.FALSE} else 0
        false[key] += one.number if what is Outcome.FALSE else 0
    rates = [
        Wrongness(key, alarms[key], rate(false[key], number)) for key, number in judged.items() if number
    ]
    return sorted(rates, key=lambda one: (-one.rate.low, -one.rate.of, one.key))


def heat(raised: Iterable[tuple[dt.datetime, int]], zone: dt.tzinfo) -> list[list[int]]:
    """Counts by local weekday (0 Monday … 6 Sunday) and hour: seven lines of 24."""
    grid = [[0] * HOURS for _ in range(WEEKDAYS)]
    for at, number in raised:
        local = at.astimezone(zone)
        grid[local.weekday()][local.hour] += number
    return grid


def daily(
    raised: Iterable[tuple[dt.datetime, int]], first: dt.date, last: dt.date, zone: dt.tzinfo
) -> list[tuple[dt.date, int]]:
    """Counts of each local day from `first` to `last`, the empty ones too."""
    counts: Counter[dt.date] = Counter()
    for at, number in raised:
        counts[at.astimezone(zone).date()] += number
    days = (first + dt.timedelta(days=n) for n in range((last - first).days + 1))
    return [(day, counts[day]) for day in days]


def change(now: int, before: int) -> float | None:
    """How much more than before (less, below 0), as a share; None where there was none to compare with."""
    return None if before == 0 else (now - before) / before


LEAST: Final = 3
"""Fewer than so many in a public report could point at a household (k-anonymity, L. Sweeney,
Int. J. Uncertainty, Fuzziness and Knowledge-Based Systems 10 (2002), 557-570)."""


def public(counts: Mapping[str, int] | Sequence[int]) -> list[int | None]:
    """Counts as a public report may say them: None for what is more than none and fewer than `LEAST`."""
    values = counts.values() if isinstance(counts, Mapping) else counts
    return [None if 0 < value < LEAST else value for value in values]
