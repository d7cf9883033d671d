"""Conditions: something lasts from the first report of it until the device says that it is over.

Devices differ. One speaks once and again when it is over, one repeats itself while it lasts, one
says for how long it has lasted already (`dwell_s`). Here they are all the same.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from alerts.rules import coverage
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import Blind, View

# A report this long after the last one is of something else, unless the device says how long it has lasted.
_CONTINUES_WITHIN: Final = dt.timedelta(minutes=30)
# What a device can say of the past at most: its counter may never have been reset.
_LONGEST: Final = dt.timedelta(hours=24)
# A condition that goes on is said again this often, not with each report of it.
_SLOT_S: Final = 300


@dataclass(frozen=True, slots=True)
class Lasted:
    """A condition that went on long enough: the reports of it, and when its device saw nothing."""

    reports: tuple[Observation, ...]
    blind: tuple[Blind, ...]


def begun(report: Observation) -> dt.datetime:
    """Since when the condition lasts by the word of this report alone."""
    dwell = dt.timedelta(seconds=max(0.0, report.number("dwell_s") or 0.0))
    return report.at - min(dwell, _LONGEST)


def lasted(
    view: View,
    report: Observation,
    until: dt.datetime,
    ends: Iterable[str] = (),
    within: dt.timedelta = _CONTINUES_WITHIN,
) -> Lasted | None:
    """What began with `report` and still went on at `until`; None where it did not.

    Also None where an earlier report had begun it: then it was asked of that one. `ends` are types
    that say it is over, besides the device's own `ended`.
    """
    told = _told(view, report, report.at - within, until, ends)
    before = [seen for seen in told if by_time(seen) < by_time(report)]
    if before and _goes_on(report, before[-1]) and not unseen(view, report.device, before[-1].at, report.at):
        return None
    reports = [report]
    for seen in told:
        if by_time(seen) <= by_time(report):
            continue
        if _goes_on(report, seen):
            reports.append(seen)
        elif seen.at < until:
            return None
    return Lasted(tuple(reports), unseen(view, report.device, reports[-1].at, until))


def unseen(view: View, device: str, start: dt.datetime, end: dt.datetime) -> tuple[Blind, ...]:
    """When a device saw nothing between the two; one that the plan does not know is taken to see."""
    known = view.site.devices.get(device)
    return () if known is None else coverage.blind(view, (known,), start, end)


def slot(moment: dt.datetime) -> int:
    """The five minutes in which a moment lies: in each of them what goes on is said once."""
    return int(moment.timestamp() // _SLOT_S)


def _told(
    view: View, report: Observation, start: dt.datetime, end: dt.datetime, ends: Iterable[str]
) -> list[Observation]:
    kinds = {report.type, *ends}
    found = [
        seen for kind in kinds for seen in view.of_type(kind, start, end) if seen.device == report.device
    ]
    return sorted(found, key=by_time)


def _goes_on(report: Observation, seen: Observation) -> bool:
    return seen.type == report.type and not seen.is_over
