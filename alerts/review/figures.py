"""The month in figures for the householders' meeting (户长会): counts and times, of nobody. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from alerts.incidents.lifecycle import State
from alerts.review.counting import Alarm, Count, Outcome, counted, outcome, totals
from alerts.review.responses import Response, Wait, summed

Key = TypeVar("Key", str, int)


@dataclass(frozen=True, slots=True)
class RuleRight:
    """How often a rule was right: judged by people, of those false, and the share (0–1)."""

    rule: str
    judged: int
    false: int

    @property
    def share(self) -> float | None:
        return self.false / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores 1–5 by how many gave them; `mean` is None where nobody gave one."""

    counts: Mapping[int, int]
    mean: float | None


@dataclass(frozen=True, slots=True)
class Reviews:
    """What people said afterwards. `unreviewed` were resolved in the month and are not reviewed yet."""

    written: int
    unreviewed: int
    reopened: int
    scores: Scores
    ratings: Scores
    causes: Mapping[str, int]
    alerts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measures:
    """Measures done or refused in the month, and those open at its end, of which some are late."""

    done: int
    refused: int
    open: int
    late: int


@dataclass(frozen=True, slots=True)
class Duty:
    """Gaps in the roster, their hours, and the hours that volunteers gave."""

    gaps: int
    gap_hours: float
    volunteer_hours: float


@dataclass(frozen=True, slots=True)
class Patrols:
    """Rounds that were due, how many were done, and the points that nobody came by."""

    rounds: int
    done: int
    points: int
    missed: int


@dataclass(frozen=True, slots=True)
class Month:
    """`drills` are exercises: counted here and nowhere else, like what was for people's care."""

    first: dt.date
    until: dt.date
    totals: Mapping[str, int]
    counts: Sequence[Count]
    by_ring: Mapping[str, int]
    by_severity: Mapping[int, int]
    held: int
    rules: Sequence[RuleRight]
    responses: Sequence[Response]
    reviews: Reviews
    measures: Measures
    duty: Duty
    patrols: Patrols
    drills: int
    drill_responses: Sequence[Response]
    care: int


@dataclass(frozen=True, slots=True)
class Raised:
    """One incident of the month as it is counted."""

    rule: str
    alarm: Alarm
    held: bool
    drill: bool
    care: bool
    waits: Sequence[Wait] = ()


def month(
    first: dt.date,
    until: dt.date,
    raised: Sequence[Raised],
    reviews: Reviews,
    measures: Measures,
    duty: Duty,
    patrols: Patrols,
) -> Month:
    """Puts a month together; `until` is the day after its last. Exercises and care never mix with alarms."""
    real = [one for one in raised if not one.drill and not one.care]
    counts = counted(one.alarm for one in real)
    return Month(
        first=first,
        until=until,
        totals=totals(counts),
        counts=counts,
        by_ring=_sums((one.ring, one.total) for one in counts),
        by_severity=_sums((one.severity, one.total) for one in counts),
        held=sum(one.held for one in real),
        rules=rights(real),
        responses=summed(wait for one in real for wait in one.waits),
        reviews=reviews,
        measures=measures,
        duty=duty,
        patrols=patrols,
        drills=sum(one.drill for one in raised),
        drill_responses=summed(wait for one in raised if one.drill for wait in one.waits),
        care=sum(one.care and not one.drill for one in raised),
    )


def rights(raised: Iterable[Raised]) -> list[RuleRight]:
    """By rule, the worst share first; what nobody has judged says nothing of a rule."""
    judged: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for one in raised:
        found = outcome(State(one.alarm.state), one.alarm.reason)
        judged[one.rule] += found in {Outcome.CONFIRMED, Outcome.FALSE}
        false[one.rule] += found is Outcome.FALSE
    rules = [RuleRight(rule, number, false[rule]) for rule, number in judged.items() if number]
    return sorted(rules, key=lambda one: (-(one.share or 0), -one.judged, one.rule))


def scores(given: Iterable[int]) -> Scores:
    """Scores by how many gave them."""
    found = Counter(given)
    number = found.total()
    mean = sum(score * times for score, times in found.items()) / number if number else None
    return Scores({score: found[score] for score in range(1, 6)}, mean)


def overlap_h(
    spans: Iterable[tuple[dt.datetime, dt.datetime]], start: dt.datetime, end: dt.datetime
) -> float:
    """Hours of these spans that lie in [start, end)."""
    seconds = sum(max(0.0, (min(stop, end) - max(begin, start)).total_seconds()) for begin, stop in spans)
    return seconds / 3600


def _sums(pairs: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    found: dict[Key, int] = {}
    for key, number in pairs:
        found[key] = found.get(key, 0) + number
    return {key: found[key] for key in sorted(found)}
