"""Counts of reports, disputes and work orders for a span of time; of nobody, and without exercises."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from alerts.intake.models import Dispute, DisputeState, IntakeReport, WorkOrder, WorkOrderState


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Reports that came in, by kind."""

    by_kind: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """Disputes that began, and what came in the span of those that ended; `open_now` whenever begun."""

    opened: int
    settled: int
    failed: int
    passed_on: int
    open_now: int


@dataclass(frozen=True, slots=True)
class WorkOrderFacts:
    """Orders that were opened (by fault), done, verified; `open_now` are not done, whenever opened.

    `mttr`: the mean time from the opening to the repair, of those that were done; None where none was.
    """

    opened: int
    done: int
    verified: int
    open_now: int
    mttr: dt.timedelta | None
    by_fault: Mapping[str, int]


def reports(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> ReportFacts:
    """Reports of a compound from `start` to `end`."""
    rows = session.execute(
        select(IntakeReport.kind, func.count())
        .join(Incident, Incident.id == IntakeReport.incident)
        .where(
            IntakeReport.compound == compound,
            IntakeReport.at >= start,
            IntakeReport.at < end,
            Incident.drill.is_(False),
        )
        .group_by(IntakeReport.kind)
        .order_by(IntakeReport.kind)
    )
    return ReportFacts({str(kind): count for kind, count in rows})


def disputes(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> DisputeFacts:
    """Disputes of a compound from `start` to `end`."""
    rows = session.execute(
        select(Dispute.state, Dispute.opened_at, Dispute.ended_at)
        .join(Incident, Incident.id == Dispute.incident)
        .where(Dispute.compound == compound, Incident.drill.is_(False))
    ).all()
    ended = Counter(row.state for row in rows if row.ended_at is not None and start <= row.ended_at < end)
    return DisputeFacts(
        opened=sum(start <= row.opened_at < end for row in rows),
        settled=ended[DisputeState.SETTLED],
        failed=ended[DisputeState.FAILED],
        passed_on=ended[DisputeState.PASSED_ON],
        open_now=sum(DisputeState(row.state).is_open for row in rows),
    )


def work_orders(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> WorkOrderFacts:
    """Work orders of a compound from `start` to `end`."""
    rows = session.execute(
        select(
            WorkOrder.state, WorkOrder.fault, WorkOrder.opened_at, WorkOrder.done_at, WorkOrder.verified_at
        ).where(WorkOrder.compound == compound)
    ).all()
    opened = [row for row in rows if start <= row.opened_at < end]
    lasted = [
        row.done_at - row.opened_at for row in rows if row.done_at is not None and start <= row.done_at < end
    ]
    return WorkOrderFacts(
        opened=len(opened),
        done=len(lasted),
        verified=sum(row.verified_at is not None and start <= row.verified_at < end for row in rows),
        open_now=sum(WorkOrderState(row.state).is_open for row in rows),
        mttr=sum(lasted, dt.timedelta()) / len(lasted) if lasted else None,
        by_fault=dict(sorted(Counter(row.fault for row in opened).items())),
    )
