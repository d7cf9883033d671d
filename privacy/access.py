"""Everything that is held on a person, as one document for that person (L-16, PIPL art. 45).

Left out are a face's numbers (L-10), which nobody gets, and whether the police or a court
look for somebody. Numbers of cards and of the identity card are masked: the document is
handed about.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.absences import CareAbsence
from alerts.incidents.models import Incident
from alerts.intake.models import IntakeReport
from privacy import looks
from privacy.models import Erasure, SubjectRequest
from privacy.retention.protection import hits_of_entries
from recognition.feedback import exclusions
from recognition.models import DecisionRow
from registry.faces import consents
from registry.models import (
    AuthorisedDriver,
    Credential,
    FaceTemplate,
    Household,
    LegalBasis,
    Organisation,
    Person,
    Residence,
    StaffLink,
    Vehicle,
    VisitorPass,
    WatchlistEntry,
)

# Said of everybody alike, so that it tells nothing of anybody.
WITHHELD: Final = ("face_template_numbers", "official_orders", "official_requests")
_OFFICIAL: Final = (LegalBasis.POLICE_ORDER, LegalBasis.COURT_ORDER)


def export(session: Session, person: Person, at: dt.datetime) -> dict[str, Any]:
    """The document; times are ISO 8601 in UTC. Whoever hands it out writes that into the audit log."""
    vehicles = _vehicles(session, person)
    names = [person.id, *(v.id for v in vehicles), *(v.plate for v in vehicles)]
    document: dict[str, Any] = {
        "made_at": at,
        "person": {
            "id": person.id,
            "name": person.name,
            "phone": person.phone,
            "id_number": masked(person.id_number, 6, 4),
            "under_14": person.under_14,
            "turns_14_on": person.turns_14_on,
            "guardian": person.guardian,
            "hukou_registered_here": person.hukou_registered_here,
            "external_id": person.external_id,
        },
        "household": _household(session, person),
        "residences": _rows(
            session.scalars(
                select(Residence).where(Residence.person == person.id).order_by(Residence.since)
            ).all(),
            ("dwelling", "kind", "since", "until", "verified_on"),
        ),
        "works_for": [
            {"organisation": name, "since": link.since, "until": link.until}
            for link, name in session.execute(
                select(StaffLink, Organisation.name)
                .join(Organisation, Organisation.id == StaffLink.organisation)
                .where(StaffLink.person == person.id)
                .order_by(StaffLink.since)
            )
        ],
        "credentials": [
            {
                "kind": credential.kind,
                "status": credential.status,
                "number": masked(credential.ref, 0, 4),
                "zones": credential.zones,
                "starts_at": credential.starts_at,
                "ends_at": credential.ends_at,
            }
            for credential in session.scalars(
                select(Credential).where(Credential.person == person.id).order_by(Credential.id)
            )
        ],
        "vehicles": _rows(vehicles, ("plate", "kind")),
        "may_drive": _rows(
            session.scalars(
                select(AuthorisedDriver)
                .where(AuthorisedDriver.person == person.id)
                .order_by(AuthorisedDriver.since)
            ).all(),
            ("vehicle", "since", "until"),
        ),
        "passes": _rows(
            session.scalars(
                select(VisitorPass)
                .where(VisitorPass.host_person == person.id)
                .order_by(VisitorPass.starts_at)
            ).all(),
            ("kind", "state", "plate", "starts_at", "ends_at", "uses"),
        ),
        "consents": [
            {
                "purpose": consent.purpose,
                "wording": consents.wording_of(session, consent),
                "wording_hash": consent.text_hash,
                "channel": consent.channel,
                "given_by": consent.given_by,
                "given_at": consent.given_at,
                "withdrawn_at": consent.withdrawn_at,
            }
            for consent in consents.history(session, person.id)
        ],
        "faces": _rows(
            session.scalars(
                select(FaceTemplate).where(FaceTemplate.person == person.id).order_by(FaceTemplate.created_at)
            ).all(),
            ("engine", "engine_version", "quality", "media_id", "created_at"),
        ),
        "face_exclusions": [
            {
                # Who the other one is, is not this person's to know.
                "side": "named" if pair.person == person.id else "other",
                "with": "not_registered" if pair.other is None else "registered",
                "made_at": pair.made_at,
                "lifted_at": pair.lifted_at,
            }
            for pair in exclusions.of_person(session, person.id)
        ],
        "passages": _passages(session, person, vehicles),
        "incidents": _incidents(session, person, names),
        # That somebody looks after this person, and when they said that they were away.
        "absences": _rows(
            session.scalars(
                select(CareAbsence).where(CareAbsence.person == person.id).order_by(CareAbsence.starts_at)
            ).all(),
            ("starts_at", "ends_at", "declared_at"),
        ),
        "reports": _rows(
            session.scalars(
                select(IntakeReport).where(IntakeReport.person == person.id).order_by(IntakeReport.at)
            ).all(),
            ("kind", "danger", "zone", "building", "happened_at", "at", "words"),
        ),
        "watchlist": _rows(
            session.scalars(
                select(WatchlistEntry)
                .where(
                    WatchlistEntry.compound == person.compound,
                    WatchlistEntry.subject.in_(names),
                    WatchlistEntry.legal_basis.not_in(_OFFICIAL),
                )
                .order_by(WatchlistEntry.starts_at)
            ).all(),
            ("subject_kind", "legal_basis", "reason", "starts_at", "ends_at", "lifted_at"),
        ),
        "requests": _rows(
            session.scalars(
                select(SubjectRequest)
                .where(SubjectRequest.person == person.id)
                .order_by(SubjectRequest.received_at)
            ).all(),
            ("id", "kind", "state", "received_at", "due_at", "closed_at"),
        ),
        "erasures": _rows(
            session.scalars(
                select(Erasure).where(Erasure.person == person.id).order_by(Erasure.ordered_at)
            ).all(),
            ("id", "kind", "ordered_at", "due_at", "completed_at"),
        ),
        "looks": [
            {"at": look.at, "role": look.role, "action": look.action, "purpose": look.purpose}
            for look in looks.at_person(session, person)
        ],
        "withheld": list(WITHHELD),
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def masked(text: str | None, head: int, tail: int) -> str | None:
    """A number with all but its first `head` and last `tail` characters hidden; a short one wholly."""
    if text is None:
        return None
    if len(text) <= head + tail:
        return "*" * len(text)
    return text[:head] + "*" * (len(text) - head - tail) + text[len(text) - tail :]


def _household(session: Session, person: Person) -> dict[str, Any] | None:
    """Where it lives and whether this person is its head; of the others nothing."""
    row = None if person.household is None else session.get(Household, person.household)
    if row is None:
        return None
    return {"id": row.id, "dwelling": row.dwelling, "is_head": row.head_person_id == person.id}


def _vehicles(session: Session, person: Person) -> Sequence[Vehicle]:
    mine = Vehicle.owner == person.id
    if person.household is not None:
        mine = or_(mine, (Vehicle.household == person.household) & Vehicle.owner.is_(None))
    return session.scalars(
        select(Vehicle).where(Vehicle.compound == person.compound, mine).order_by(Vehicle.plate)
    ).all()


def _passages(session: Session, person: Person, vehicles: Sequence[Vehicle]) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(DecisionRow)
        .where(
            DecisionRow.compound == person.compound,
            or_(
                DecisionRow.person_id == person.id,
                # A car of the whole household says nothing of this one of them.
                DecisionRow.vehicle_id.in_([v.id for v in vehicles if v.owner == person.id]),
            ),
        )
        .order_by(DecisionRow.at, DecisionRow.sighting_id)
    ).all()
    return _rows(rows, ("event_id", "subject_kind", "outcome", "plate", "at"))


def _incidents(session: Session, person: Person, names: Sequence[str]) -> list[dict[str, Any]]:
    """Incidents about the person, but none that was raised by an order of the police or a court."""
    official = set(
        session.scalars(
            select(WatchlistEntry.id).where(
                WatchlistEntry.compound == person.compound, WatchlistEntry.legal_basis.in_(_OFFICIAL)
            )
        )
    )
    rows = session.scalars(
        select(Incident)
        .where(Incident.compound == person.compound, Incident.subject.in_(names))
        .order_by(Incident.happened_at)
    )
    by_order = {
        incident for incident, entry in hits_of_entries(session, person.compound) if entry in official
    }
    told = [row for row in rows if row.id not in by_order and row.reason_args.get("entry_id") not in official]
    return _rows(told, ("id", "kind", "state", "zone", "reason", "happened_at"))


def _rows(rows: Sequence[Any], columns: Sequence[str]) -> list[dict[str, Any]]:
    return [{column: getattr(row, column) for column in columns} for row in rows]


def _plain(value: Any) -> Any:
    """Dates and enumerations as JSON has them."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value
