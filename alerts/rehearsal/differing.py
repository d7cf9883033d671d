"""What a draft would have made different, as somebody is shown it before it is saved. Pure."""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.rehearsal.comparing import Change, Comparison, Count, Kind


class What(enum.StrEnum):
    """What becomes of an incident; of several that which matters most."""

    NEW = "new"
    GONE = "gone"
    GRAVER = "graver"
    MILDER = "milder"
    LATER = "later"
    EARLIER = "earlier"


_ORDER: Final = {what: number for number, what in enumerate(What)}


@dataclass(frozen=True, slots=True)
class Difference:
    """An incident that would be otherwise, without whom it is about.

    `severity` is the draft's and `was` that of the rules in force, None where there is no incident
    with them. `later_s`: seconds by which it would be raised later. `said` is what it stands on.
    """

    what: What
    rule: str
    kind: str
    zone: str
    device: str
    at: dt.datetime
    severity: int | None
    was: int | None
    later_s: float
    said: frozenset[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that would be different: in numbers, by kind of incident, and the first of them one by one."""

    whole: Count
    kinds: Mapping[str, Count]
    differences: Sequence[Difference]
    # How many more there are than are told one by one.
    more: int

    @property
    def same(self) -> int:
        """Incidents that would be as they were."""
        otherwise = len(self.differences) + self.more - self.whole.gone
        return self.whole.draft - otherwise


def differ(comparison: Comparison, most: int) -> Outlook:
    """What the draft of a comparison would have made different; `most` are told one by one."""
    found = sorted(
        (told for change in comparison.changes if (told := _difference(change)) is not None),
        key=lambda one: (_ORDER[one.what], one.severity or one.was or 4, one.at),
    )
    kinds = {kind: count for kind, count in comparison.by_kind().items() if moves(count)}
    return Outlook(comparison.whole, kinds, found[:most], max(0, len(found) - most))


def moves(count: Count) -> bool:
    """Whether anything is different in a count."""
    return any((count.new, count.gone, count.graver, count.milder, count.later, count.earlier))


def _difference(change: Change) -> Difference | None:
    what = _what(change)
    if what is None:
        return None
    one = change.one
    return Difference(
        what=what,
        rule=one.rule,
        kind=one.kind,
        zone=one.zone,
        device=one.device,
        at=one.happened_at,
        severity=change.draft.severity if change.draft is not None else None,
        was=change.current.severity if change.current is not None else None,
        later_s=change.later_s,
        said=one.said | (change.current.said if change.current is not None else frozenset()),
    )


def _what(change: Change) -> What | None:
    if change.kind is Kind.NEW:
        return What.NEW
    if change.kind is Kind.GONE:
        return What.GONE
    if change.milder:
        return What.MILDER if change.milder > 0 else What.GRAVER
    if change.later_s:
        return What.LATER if change.later_s > 0 else What.EARLIER
    return None
