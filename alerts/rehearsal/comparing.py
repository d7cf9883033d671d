"""Two rehearsals of one past beside each other: what is new, what is gone, what comes otherwise."""

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from alerts.rehearsal.running import Told

# Far enough for every window; a datetime has an end.
_FOREVER = dt.timedelta(days=3650)
_Name = TypeVar("_Name", str, int)


class Kind(enum.StrEnum):
    """What became of an incident."""

    NEW = "new"
    GONE = "gone"
    # Both raise it; `Change` says whether earlier or later, graver or milder.
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Change:
    """One incident in both rehearsals; None where it is not in one of them."""

    kind: Kind
    draft: Told | None
    current: Told | None

    @property
    def one(self) -> Told:
        """Whichever there is, the draft's first."""
        found = self.draft or self.current
        assert found is not None
        return found

    @property
    def later_s(self) -> float:
        """Seconds by which the draft raises it later; negative is earlier."""
        if self.draft is None or self.current is None:
            return 0.0
        return (self.draft.raised_at - self.current.raised_at).total_seconds()

    @property
    def milder(self) -> int:
        """Levels by which the draft takes it less gravely; negative is graver."""
        if self.draft is None or self.current is None:
            return 0
        return self.draft.severity - self.current.severity


@dataclass(frozen=True, slots=True)
class Count:
    """How many incidents of a group there were and would be, and what became of them."""

    current: int = 0
    draft: int = 0
    new: int = 0
    gone: int = 0
    earlier: int = 0
    later: int = 0
    graver: int = 0
    milder: int = 0


@dataclass(frozen=True)
class Comparison:
    """All changes in order of time. `by_…` count them; an hour is one of the compound's clock."""

    changes: tuple[Change, ...]
    time_zone: dt.tzinfo

    @property
    def whole(self) -> Count:
        return _count(self.changes)

    def by_rule(self) -> dict[str, Count]:
        return self._by(lambda change: change.one.rule)

    def by_kind(self) -> dict[str, Count]:
        return self._by(lambda change: change.one.kind)

    def by_ring(self) -> dict[str, Count]:
        return self._by(lambda change: change.one.ring)

    def by_hour(self) -> dict[int, Count]:
        return self._by(lambda change: change.one.raised_at.astimezone(self.time_zone).hour)

    def _by(self, group: Callable[[Change], _Name]) -> dict[_Name, Count]:
        grouped: defaultdict[_Name, list[Change]] = defaultdict(list)
        for change in self.changes:
            grouped[group(change)].append(change)
        return {name: _count(grouped[name]) for name in sorted(grouped)}


def compare(draft: Iterable[Told], current: Iterable[Told], time_zone: dt.tzinfo) -> Comparison:
    """Puts incidents together that are the same thing: of one key, by what they stand on, else by time.

    What stands on the same observation is the same, however else it is taken. Of one key, what
    would have been one incident had it been said in one rehearsal is the same too, the nearest first.
    """
    ours, theirs = _by_key(draft), _by_key(current)
    changes: list[Change] = []
    for key in ours.keys() | theirs.keys():
        changes += _matched(ours.get(key, []), theirs.get(key, []))
    # Several things that became one go by the key of whichever was said first.
    new = [one.draft for one in changes if one.kind is Kind.NEW and one.draft is not None]
    gone = [one.current for one in changes if one.kind is Kind.GONE and one.current is not None]
    changes = [one for one in changes if one.kind is Kind.KEPT] + _matched(new, gone, by_time=False)
    changes.sort(key=lambda change: (change.one.raised_at, change.one.key, change.kind))
    return Comparison(tuple(changes), time_zone)


def _matched(draft: Sequence[Told], current: Sequence[Told], *, by_time: bool = True) -> list[Change]:
    left, right = list(draft), list(current)
    changes: list[Change] = []
    pairs = [
        (not (one.said & other.said), abs(one.happened_at - other.happened_at), number, place)
        for number, one in enumerate(left)
        for place, other in enumerate(right)
        if one.said & other.said or (by_time and _touch(one, other))
    ]
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    for _, _, number, place in sorted(pairs):
        if number not in taken_left and place not in taken_right:
            taken_left.add(number)
            taken_right.add(place)
            changes.append(Change(Kind.KEPT, left[number], right[place]))
    changes += [Change(Kind.NEW, one, None) for number, one in enumerate(left) if number not in taken_left]
    changes += [Change(Kind.GONE, None, one) for place, one in enumerate(right) if place not in taken_right]
    return changes


def _touch(one: Told, other: Told) -> bool:
    return one.happened_at <= _end(other) and other.happened_at <= _end(one)


def _end(told: Told) -> dt.datetime:
    """Until when a further signal would have been of the same incident."""
    if told.cleared_at is not None:
        return min(told.cleared_at, told.open_until)
    return min(told.open_until, told.happened_at + _FOREVER)


def _by_key(incidents: Iterable[Told]) -> dict[str, list[Told]]:
    found: defaultdict[str, list[Told]] = defaultdict(list)
    for one in incidents:
        found[one.key].append(one)
    return found


def _count(changes: Iterable[Change]) -> Count:
    changes = list(changes)
    return Count(
        current=sum(change.current is not None for change in changes),
        draft=sum(change.draft is not None for change in changes),
        new=sum(change.kind is Kind.NEW for change in changes),
        gone=sum(change.kind is Kind.GONE for change in changes),
        earlier=sum(change.later_s < 0 for change in changes),
        later=sum(change.later_s > 0 for change in changes),
        graver=sum(change.milder < 0 for change in changes),
        milder=sum(change.milder > 0 for change in changes),
    )
