"""The report of what the alert budget held back, and why: nothing of it may be hidden."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """Incidents of one rule at one device that were held for one reason; `still` are held now."""

    rule: str
    device: str
    severity: int
    reason: str
    count: int
    still: int
    first_at: dt.datetime
    last_at: dt.datetime


@dataclass(frozen=True, slots=True)
class HeldReport:
    """Of a span of time: how many incidents were raised, how many of them held, and which."""

    raised: int
    held: int
    # Held first, shown since: they became graver.
    came_out: int
    groups: tuple[HeldGroup, ...]
    # Begin of the hour → held in it.
    by_hour: tuple[tuple[dt.datetime, int], ...]


def report(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> HeldReport:
    """Of incidents raised from `start` to `end`; most first. An incident that came out keeps its reason."""
    span = (
        Incident.compound == compound,
        Incident.raised_at >= start,
        Incident.raised_at < end,
        Incident.drill.is_(False),
    )
    raised = session.scalar(select(func.count()).select_from(Incident).where(*span)) or 0
    found: dict[tuple[str, str, int, str], list[tuple[dt.datetime, bool]]] = defaultdict(list)
    hours: dict[dt.datetime, int] = defaultdict(int)
    query = select(
        Incident.rule,
        Incident.device_id,
        Incident.severity,
        Incident.held_reason,
        Incident.raised_at,
        Incident.held,
    ).where(*span, Incident.held_reason.is_not(None))
    for rule, device, severity, reason, at, is_held in session.execute(query):
        found[rule, device, severity, reason or ""].append((at, is_held))
        hours[at.replace(minute=0, second=0, microsecond=0)] += 1
    groups = [
        HeldGroup(
            rule,
            device,
            severity,
            reason,
            len(ones),
            sum(is_held for _, is_held in ones),
            min(at for at, _ in ones),
            max(at for at, _ in ones),
        )
        for (rule, device, severity, reason), ones in found.items()
    ]
    groups.sort(key=lambda one: (-one.count, one.rule, one.device))
    held = sum(one.count for one in groups)
    return HeldReport(
        raised, held, held - sum(one.still for one in groups), tuple(groups), tuple(sorted(hours.items()))
    )
