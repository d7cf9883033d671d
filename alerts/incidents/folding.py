"""Which signals are one incident: pure, so that a replay, a test and the database agree.

The database keeps the same truth with a unique key (`raising`); this keeps it in memory.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from alerts.rules import Clear, Proposal, Said, Signal


def belongs(last_at: dt.datetime, window: dt.timedelta, at: dt.datetime) -> bool:
    """Whether a signal at `at` is still of the incident whose key was last said at `last_at`."""
    return at - last_at <= window


@dataclass
class Case:
    """One incident as it stands: what was said of it, how grave it is, whether it is over."""

    key: str
    rule: str
    severity: int
    raised_at: dt.datetime
    signals: list[Signal] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    cleared_at: dt.datetime | None = None

    @property
    def first(self) -> Signal:
        return self.signals[0]


class Fold:
    """Incidents out of what an engine says, in the order in which it says it."""

    def __init__(self) -> None:
        self.cases: list[Case] = []
        self.proposals: list[Proposal] = []
        # Key → (its case, when it was last said).
        self._active: dict[str, tuple[Case, dt.datetime]] = {}

    def take(self, said: Iterable[Said], now: dt.datetime) -> list[tuple[str, Case]]:
        """Takes what was said at `now`; returns the changes: raised, amended, cleared or merged."""
        batch = list(said)
        news: list[tuple[str, Case]] = []
        # What says that others are one thing goes first: then nothing is opened only to be merged.
        for one in sorted(batch, key=lambda one: not (isinstance(one, Signal) and one.joins)):
            if isinstance(one, Clear):
                news += self._clear(one)
            elif isinstance(one, Proposal):
                self.proposals.append(one)
            else:
                news += self._signal(one, now)
        return news

    def _signal(self, signal: Signal, now: dt.datetime) -> list[tuple[str, Case]]:
        at = signal.anchor.at
        news: list[tuple[str, Case]] = []
        active = self._active.get(signal.dedupe_key)
        if active is not None and not belongs(active[1], signal.dedupe_window, at):
            active = None
        case = active[0] if active is not None else None
        for key in signal.joins:
            other = self._active.get(key)
            if other is None or other[0] is case:
                continue
            if case is None:
                case = other[0]
            else:
                case = self._merge(case, other[0])
                news.append(("merged", case))
        if case is None:
            case = Case(signal.dedupe_key, signal.rule, signal.severity, now, [signal], {signal.dedupe_key})
            self.cases.append(case)
            news.append(("raised", case))
        else:
            case.signals.append(signal)
            case.severity = min(case.severity, signal.severity)
            news.append(("amended", case))
        for key in (signal.dedupe_key, *signal.joins):
            case.keys.add(key)
            last = self._active.get(key)
            self._active[key] = (case, at if last is None else max(at, last[1]))
        return news

    def _merge(self, one: Case, other: Case) -> Case:
        """The older one takes the younger in."""
        target, source = (one, other) if one.raised_at <= other.raised_at else (other, one)
        target.signals += source.signals
        target.keys |= source.keys
        target.severity = min(target.severity, source.severity)
        self.cases.remove(source)
        for key, (case, last) in self._active.items():
            if case is source:
                self._active[key] = (target, last)
        return target

    def _clear(self, clear: Clear) -> list[tuple[str, Case]]:
        active = self._active.get(clear.dedupe_key)
        if active is None or active[1] > clear.at:
            return []
        case = active[0]
        # Two things that became one are over when a person says so.
        if len(case.keys) > 1:
            return []
        case.cleared_at = clear.at
        del self._active[clear.dedupe_key]
        return [("cleared", case)]
