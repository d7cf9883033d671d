"""Impact assessment (L-14): the facts, made by the machine, and what people conclude from them.

The facts come from what the deployment does, not from what somebody remembers of it. Two
kinds are kept apart: what matters for a new assessment (purposes, classes and times,
recipients, devices, thresholds) and counts, which change with every day.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from devices.models import Device
from privacy.models import Disclosure, DisclosureState, PiaReport
from privacy.retention import CLASSES, RetentionPolicy
from recognition.models import DecisionRow
from registry.errors import StaleEditError
from registry.models import Compound, Consent, FaceTemplate, Person, WatchlistEntry, Zone
from storage import Base, new_id
from storage.tenancy import OwnedByCompound

# What a change of makes a new assessment due (Order 19 art. 9: purpose or manner change).
SECTIONS: Final = ("purposes", "classes", "retention_days", "recipients", "devices", "recognition")

_SHOWN_CLASSES: Final = frozenset(
    {
        *("people", "residences", "households", "credentials", "vehicles", "consents", "face_templates"),
        *("events", "decisions", "incidents", "watchlist_entries", "visitor_passes", "terminal_enrolments"),
    }
)


def facts(session: Session, compound: str, policy: RetentionPolicy, at: dt.datetime) -> dict[str, Any]:
    """What is so now: the sections that matter, and `counts` beside them."""
    # It computes with numpy, which whoever only shows pages does without.
    from recognition.calibration import DEFAULT_FPIR, Calibration, shipped

    rows = {name: _rows(session, compound, name) for name in sorted(_SHOWN_CLASSES)}
    people_enrolled = session.scalar(
        select(func.count(FaceTemplate.person.distinct())).where(FaceTemplate.compound == compound)
    )
    return {
        **matters(session, compound, policy),
        "counts": {
            "at": at.isoformat(),
            "consents": _consents(session, compound),
            "rows": rows,
            "people_with_faces": people_enrolled or 0,
            "gallery_thresholds": asdict(
                Calibration(shipped()).thresholds(people_enrolled or 0, DEFAULT_FPIR)
            ),
            "outcomes": _outcomes(session, compound),
            "disclosures_delivered": _delivered(session, compound),
        },
    }


def matters(session: Session, compound: str, policy: RetentionPolicy) -> dict[str, Any]:
    """The sections that matter alone: what a page asks for each time, without counting millions of rows."""
    return {
        "purposes": sorted(_consents(session, compound)),
        "classes": sorted({one.name for one in CLASSES}),
        "retention_days": asdict(policy),
        "recipients": _recipients(session, compound),
        "devices": _devices(session, compound),
        "recognition": _recognition(session, compound),
    }


def make(
    session: Session,
    compound: str,
    policy: RetentionPolicy,
    *,
    assessment: str,
    made_by: str,
    at: dt.datetime,
) -> PiaReport:
    """A new version with today's facts and what people add: necessity, risks, measures.

    Raises `StaleEditError` where somebody else has made that version meanwhile.
    """
    known = session.scalar(select(func.max(PiaReport.version)).where(PiaReport.compound == compound))
    now = facts(session, compound, policy, at)
    report = PiaReport(
        id=new_id(),
        compound=compound,
        version=(known or 0) + 1,
        made_at=at,
        made_by=made_by,
        facts_hash=facts_hash(now),
        facts=now,
        assessment=assessment,
    )
    try:
        with session.begin_nested():
            session.add(report)
    except IntegrityError:
        raise StaleEditError(report.version) from None
    return report


def last(session: Session, compound: str) -> PiaReport | None:
    """The newest version."""
    return session.scalars(
        select(PiaReport).where(PiaReport.compound == compound).order_by(PiaReport.version.desc()).limit(1)
    ).first()


def unassessed(session: Session, what: str) -> list[str]:
    """Compounds whose newest assessment does not name a thing, and those that have none, by id.

    For what may only be switched on after somebody has thought about it (PIPL art. 55): `what`
    is the name of its setting, which the assessment's own text has to say.
    """
    compounds = session.scalars(select(Compound.id).order_by(Compound.id)).all()
    reports = {compound: last(session, compound) for compound in compounds}
    return [one for one, report in reports.items() if report is None or what not in report.assessment]


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Sections that are not what they were when the last assessment was made."""
    return [name for name in SECTIONS if _plain(before.get(name)) != _plain(now.get(name))]


def facts_hash(known: Mapping[str, Any]) -> str:
    """SHA-256 over the sections that matter, in a fixed order."""
    matter = {name: known.get(name) for name in SECTIONS}
    return hashlib.sha256(msgspec.json.encode(matter, order="deterministic")).hexdigest()


def _plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))


def _consents(session: Session, compound: str) -> dict[str, dict[str, int]]:
    rows = session.execute(
        select(Consent.purpose, Consent.withdrawn_at.is_(None), func.count())
        .where(Consent.compound == compound)
        .group_by(Consent.purpose, Consent.withdrawn_at.is_(None))
    )
    counts: dict[str, dict[str, int]] = {}
    for purpose, stands, count in rows:
        by_state = counts.setdefault(str(purpose), {"active": 0, "withdrawn": 0})
        by_state["active" if stands else "withdrawn"] = count
    return counts


def _rows(session: Session, compound: str, name: str) -> int:
    mapped = next(m.class_ for m in Base.registry.mappers if m.class_.__tablename__ == name)
    query = select(func.count()).select_from(mapped)
    if issubclass(mapped, OwnedByCompound):
        query = query.where(mapped.compound == compound)
    if mapped is Person:
        query = query.where(Person.erased_at.is_(None))
    return session.scalar(query) or 0


def _recipients(session: Session, compound: str) -> dict[str, list[str]]:
    """To whom data goes or may go: organisations by disclosure, roles and users by watch-list entry."""
    organisations = session.scalars(
        select(Disclosure.requester_org)
        .where(Disclosure.compound == compound, Disclosure.state == DisclosureState.DELIVERED)
        .distinct()
    )
    told: set[str] = set()
    for recipients in session.scalars(
        select(WatchlistEntry.recipients).where(WatchlistEntry.compound == compound)
    ):
        # Users by their role's word alone: an assessment names no staff.
        told.update("user" if one.startswith("user:") else one for one in recipients or ["operator"])
    return {"disclosures": sorted(organisations), "watchlist": sorted(told)}


def _delivered(session: Session, compound: str) -> int:
    query = select(func.count()).where(
        Disclosure.compound == compound, Disclosure.state == DisclosureState.DELIVERED
    )
    return session.scalar(query) or 0


def _devices(session: Session, compound: str) -> list[dict[str, Any]]:
    """What looks at whom: devices by kind in each zone."""
    rows = session.execute(
        select(Zone.ring, Zone.id, Zone.name, Device.kind)
        .join(Device, Device.zone == Zone.id)
        .where(Zone.compound == compound, Device.compound == compound, Device.enabled)
    )
    counts = Counter((str(row.ring), row.id, row.name, str(row.kind)) for row in rows)
    return [
        {"ring": ring, "zone": zone, "name": name, "kind": kind, "devices": count}
        for (ring, zone, name, kind), count in sorted(counts.items())
    ]


def _recognition(session: Session, compound: str) -> dict[str, Any]:
    """Engines that made templates, and the curves that their thresholds come from."""
    from recognition.calibration import DEFAULT_FPIR, Calibration, shipped

    engines = session.execute(
        select(FaceTemplate.engine, FaceTemplate.engine_version)
        .where(FaceTemplate.compound == compound)
        .distinct()
    )
    file = shipped()
    return {
        "engines": sorted([str(row.engine), str(row.engine_version)] for row in engines),
        "target_fpir": DEFAULT_FPIR,
        "identify_cap": file.identify_cap,
        "unknown_distance": Calibration(file).thresholds(0, DEFAULT_FPIR).unknown,
        "margin": file.margin,
        # (false-match rate against one person, distance), measured; see `recognition.calibration.file`.
        "measured_error_rates": {
            f"{file.engine} {group.name or 'everybody'}": [
                [point.rate, point.distance] for point in group.curves[0].points
            ]
            for group in file.groups
        },
    }


def _outcomes(session: Session, compound: str) -> dict[str, int]:
    """How often recognition named somebody, nobody, or would not say."""
    rows = session.execute(
        select(DecisionRow.subject_kind, DecisionRow.outcome, func.count())
        .where(DecisionRow.compound == compound)
        .group_by(DecisionRow.subject_kind, DecisionRow.outcome)
    )
    return {f"{kind}.{outcome}": count for kind, outcome, count in sorted(rows.all())}
