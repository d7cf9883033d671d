"""Which signals are one incident: pure, so that a replay, a test and the database agree.

The database keeps the same truth with a unique key (`raising`); this keeps it in memory.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from alerts.incidents.portrait import is_care
from alerts.rules import Clear, Proposal, Said, Signal


def belongs(last_at: dt.datetime, window: dt.timedelta, at: dt.datetime) -> bool:
    """Whether a signal at `at` is still of the incident whose key was last said at `last_at`."""
    return at - last_at <= window


def in_order(said: Iterable[Said]) -> list[Said]:
    """A batch in the order in which it is taken.

    What says that others are one thing goes first: then nothing is opened only to be merged. What
    proposes a merge goes last: by then what it speaks of is there.
    """

    def rank(one: Said) -> int:
        if isinstance(one, Proposal):
            return 2
        return 0 if isinstance(one, Signal) and one.joins else 1

    return sorted(said, key=rank)


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
    # Keys under which it still grows; a key goes over to a later case when its window has passed.
    growing: set[str] = field(default_factory=set)
    care: bool = False

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
        self._known: set[tuple[str, str, str]] = set()

    def take(self, said: Iterable[Said], now: dt.datetime) -> list[tuple[str, Case]]:
        """Takes what was said at `now`; returns the changes: raised, amended, cleared or merged."""
        news: list[tuple[str, Case]] = []
        for one in in_order(said):
            if isinstance(one, Clear):
                news += self._clear(one)
            elif isinstance(one, Proposal):
                news += self._propose(one)
            else:
                news += self._signal(one, now)
        return news

    def _signal(self, signal: Signal, now: dt.datetime) -> list[tuple[str, Case]]:
        identity = (signal.rule, signal.anchor.id, signal.stage)
        if identity in self._known:
            return []
        self._known.add(identity)
        at = signal.anchor.at
        care = is_care(signal.rule)
        news: list[tuple[str, Case]] = []
        active = self._active.get(signal.dedupe_key)
        if active is not None and not belongs(active[1], signal.dedupe_window, at):
            active = None
        case = active[0] if active is not None else None
        joined = [signal.dedupe_key]
        for key in signal.joins:
            other = self._active.get(key)
            if other is not None and other[0].care != care:
                # Care is nobody's alarm: it is not taken into one.
                continue
            joined.append(key)
            if other is None or other[0] is case:
                continue
            if case is None:
                case = other[0]
            else:
                case = self._merge(case, other[0])
                news.append(("merged", case))
        if case is None:
            case = Case(signal.dedupe_key, signal.rule, signal.severity, now, [signal], care=care)
            self.cases.append(case)
            news.append(("raised", case))
        else:
            case.signals.append(signal)
            case.severity = min(case.severity, signal.severity)
            news.append(("amended", case))
        for key in joined:
            self._hold(key, case, at)
        return news

    def _hold(self, key: str, case: Case, at: dt.datetime) -> None:
        last = self._active.get(key)
        if last is not None and last[0] is not case:
            last[0].growing.discard(key)
        case.keys.add(key)
        case.growing.add(key)
        self._active[key] = (case, at if last is None else max(at, last[1]))

    def _merge(self, one: Case, other: Case) -> Case:
        """The older one takes the younger in."""
        target, source = (one, other) if one.raised_at <= other.raised_at else (other, one)
        target.signals += source.signals
        target.keys |= source.keys
        target.growing |= source.growing
        target.severity = min(target.severity, source.severity)
        self.cases.remove(source)
        for key in source.growing:
            self._active[key] = (target, self._active[key][1])
        return target

    def _propose(self, proposal: Proposal) -> list[tuple[str, Case]]:
        one, other = (self._active.get(key) for key in proposal.keys)
        if one is None or other is None or one[0] is other[0] or one[0].care != other[0].care:
            return []
        if proposal.automatic:
            return [("merged", self._merge(one[0], other[0]))]
        self.proposals.append(proposal)
        return []

    def _clear(self, clear: Clear) -> list[tuple[str, Case]]:
        active = self._active.get(clear.dedupe_key)
        if active is None or active[1] > clear.at:
            return []
        case = active[0]
        # Two things that became one are over when a person says so.
        if len(case.growing) > 1:
            return []
        case.cleared_at = clear.at
        case.growing.clear()
        del self._active[clear.dedupe_key]
        return [("cleared", case)]
