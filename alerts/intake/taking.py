"""A report is taken in: written down, and an incident at once. Ten of one fire are one incident.

A report is never held back by the alert budget, and nobody is counted against for one that was wrong:
who has to fear for reporting does not report.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.incidents import raising
from alerts.incidents.models import Incident
from alerts.intake import kinds
from alerts.intake.kinds import RULE, TABLE, Danger, ReportKind
from alerts.intake.models import IntakeReport
from alerts.intake.places import Place, place
from alerts.rulebook import current
from alerts.rules import Observation, Signal
from devices.models import Device
from registry.errors import RefusedError
from storage import audit, new_id

OBSERVED: Final = "intake.reported"
"""The type of the observation that a report is."""

PER_SPAN: Final = 6
SPAN: Final = dt.timedelta(minutes=10)
"""More than so many of one person in so long helps nobody: what happened is known by then."""

OLDEST: Final = dt.timedelta(hours=48)
"""What happened longer ago is no matter for the control room."""
_AHEAD: Final = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Reporter:
    """An account; `responder` and `person` are who is behind it, where that is known."""

    user: str
    role: str
    responder: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What is reported. Without a time it is now; one of zone and building is given."""

    kind: ReportKind
    danger: Danger = Danger.NONE
    zone: str | None = None
    building: str | None = None
    device: str | None = None
    words: str | None = None
    media_id: str | None = None
    happened_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The report, the incident that it is part of, and what to call at once (119 …)."""

    report: IntakeReport
    incident: Incident
    number: str | None


def take(session: Session, compound: str, reporter: Reporter, told: Told, at: dt.datetime) -> Taken:
    """Takes a report in. Raises `RefusedError`.

    Codes: `place_unknown`, `device_unknown`, `report_time`, `report_words`, `too_many_reports`.
    """
    happened = told.happened_at or at
    if not at - OLDEST <= happened <= at + _AHEAD:
        raise RefusedError("report_time", hours=int(OLDEST.total_seconds() // 3600))
    words = (told.words or "").strip() or None
    if words is not None and len(words) > kinds.WORDS_MAX:
        raise RefusedError("report_words", most=kinds.WORDS_MAX)
    where = place(session, compound, told.zone, told.building)
    _check_device(session, compound, told.device)
    _check_rate(session, reporter, at)
    report = IntakeReport(
        id=new_id(),
        compound=compound,
        reporter=reporter.user,
        role=reporter.role,
        responder=reporter.responder,
        person=reporter.person,
        kind=told.kind,
        danger=told.danger,
        zone=where.zone,
        building=where.building,
        device=told.device,
        words=words,
        media_id=told.media_id,
        happened_at=min(happened, at),
        at=at,
    )
    signal = signal_of(report, where)
    [change] = raising.apply_all(session, compound, [signal], at, book=current.of(session, compound, at))
    report.incident = change.incident.id
    session.add(report)
    session.flush()
    audit.append(
        session,
        at,
        audit.AuditEntry(
            reporter.user, reporter.role, "report.taken", "incident_handling", report.id, told.kind
        ),
    )
    return Taken(report, change.incident, kinds.number(told.kind, told.danger))


def signal_of(report: IntakeReport, where: Place) -> Signal:
    """A report as the signal that it is."""
    kind, danger = ReportKind(report.kind), Danger(report.danger)
    seen = Observation(
        id=report.id,
        type=OBSERVED,
        at=report.happened_at,
        received_at=report.at,
        device=report.device or "",
        zone=where.zone,
        ring=where.ring,
    )
    suffix = "" if danger is Danger.NONE else f"_{danger}"
    return Signal(
        rule=RULE,
        kind=kinds.incident_kind(kind, danger),
        severity=kinds.severity(kind, danger),
        dedupe_key=kinds.key(kind, where.key, report.device),
        dedupe_window=TABLE[kind].window,
        anchor=seen,
        evidence=(),
        reason=f"reported{suffix}",
        reason_args={"what": str(kind), "building": where.building},
    )


def reports_of(session: Session, incident: str) -> list[IntakeReport]:
    """The reports that an incident stands on, those of incidents merged into it among them; oldest first."""
    merged = select(Incident.id).where(Incident.merged_into == incident)
    rows = session.scalars(
        select(IntakeReport)
        .where((IntakeReport.incident == incident) | IntakeReport.incident.in_(merged))
        .order_by(IntakeReport.at, IntakeReport.id)
    )
    return list(rows)


def _check_device(session: Session, compound: str, device_id: str | None) -> None:
    if device_id is None:
        return
    device = session.get(Device, device_id)
    if device is None or device.compound != compound:
        raise RefusedError("device_unknown")


def _check_rate(session: Session, reporter: Reporter, at: dt.datetime) -> None:
    lately = session.scalar(
        select(func.count())
        .select_from(IntakeReport)
        .where(IntakeReport.reporter == reporter.user, IntakeReport.at > at - SPAN)
    )
    if (lately or 0) >= PER_SPAN:
        raise RefusedError("too_many_reports", minutes=int(SPAN.total_seconds() // 60))
