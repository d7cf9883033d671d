"""What else made devices' word doubtful in a time: clocks that went wrong, late records, repairs."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import String, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from alerts.intake.models import WorkOrder
from storage.events import EventRow

SKEW_LONGEST: Final = dt.timedelta(days=1)
"""Marks of clocks stand with each event: of a longer time they are not counted."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`late` records came too late to be news; `skewed` were told by a clock that was off (None: not
    counted); `faults` were being repaired.
    """

    late: int = 0
    skewed: int | None = None
    faults: tuple[str, ...] = ()


def troubles(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> dict[str, Trouble]:
    """By device; of those of which there is nothing to say nothing."""
    found: defaultdict[str, Trouble] = defaultdict(Trouble)
    late = session.execute(
        select(EventRow.device_id, func.count())
        .where(
            EventRow.compound == compound,
            EventRow.late == 1,
            EventRow.received_at >= start,
            EventRow.corrected_time >= start,
            EventRow.corrected_time < end,
        )
        .group_by(EventRow.device_id)
    ).all()
    for device, number in late:
        found[device] = replace(found[device], late=int(number))
    if end - start <= SKEW_LONGEST:
        skewed = session.execute(
            select(EventRow.device_id, func.count())
            .where(
                EventRow.compound == compound,
                EventRow.corrected_time >= start,
                EventRow.corrected_time < end,
                type_coerce(EventRow.marks, String).contains("clock_skew"),
            )
            .group_by(EventRow.device_id)
        ).all()
        for device, number in skewed:
            found[device] = replace(found[device], skewed=int(number))
    orders = session.execute(
        select(WorkOrder.device, WorkOrder.fault).where(
            WorkOrder.compound == compound,
            WorkOrder.device.is_not(None),
            WorkOrder.opened_at < end,
            or_(WorkOrder.done_at.is_(None), WorkOrder.done_at > start),
        )
    ).all()
    for broken, fault in orders:
        if broken is not None:
            found[broken] = replace(found[broken], faults=(*found[broken].faults, fault))
    return dict(found)
