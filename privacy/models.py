"""Tables of what was asked, forgotten, held back, handed out, and assessed."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime


class RequestKind(enum.StrEnum):
    """What a person asks for (PIPL art. 44–47)."""

    ACCESS = "access"
    CORRECTION = "correction"
    ERASURE = "erasure"


class RequestState(enum.StrEnum):
    """Where a request stands."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class SubjectRequest(OwnedByCompound, Base):
    """A request of a person about their own data, with its deadline (L-16)."""

    __tablename__ = "subject_requests"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[RequestKind] = mapped_column(String(16))
    state: Mapped[RequestState] = mapped_column(String(16))
    received_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    due_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    received_by: Mapped[str] = mapped_column(String(64))
    # Codes of what had to be kept back, and what is asked to be corrected.
    detail: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)


class ErasureKind(enum.StrEnum):
    """How much is to be forgotten."""

    FACE = "face"  # consent withdrawn: templates, enrolled photos, terminals
    PERSON = "person"


class Erasure(OwnedByCompound, Base):
    """One erasure, from the order to the last confirmation. Its receipt is made of its steps."""

    __tablename__ = "erasures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    # No foreign key: after a restore from before this person came, the proof still stands.
    person: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[ErasureKind] = mapped_column(String(16))
    request: Mapped[str | None] = mapped_column(ForeignKey("subject_requests.id"))
    ordered_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ordered_by: Mapped[str] = mapped_column(String(64))
    # By when everything must have confirmed (L-02: 24 h).
    due_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    completed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class StepState(enum.StrEnum):
    """Whether a place has forgotten."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    KEPT = "kept"  # by law or hold; the detail says until when


class ErasureStep(OwnedByCompound, Base):
    """One place that has to forget: the database, a gallery, a terminal, media, backups."""

    __tablename__ = "erasure_steps"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    erasure: Mapped[str] = mapped_column(ForeignKey("erasures.id"))
    # database, keys, media, gallery:WORKER, terminal:DEVICE, backup:COPY
    place: Mapped[str] = mapped_column(String(128))
    state: Mapped[StepState] = mapped_column(String(16))
    detail: Mapped[dict[str, Any]] = mapped_column(JsonText, default=dict)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("erasure", "place"), Index("ix_erasure_steps_state", "state"))


class LegalHold(OwnedByCompound, Base):
    """Freezes the deletion of what belongs to an incident or a person, for a time (L-21)."""

    __tablename__ = "legal_holds"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    # incident, person
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    document_no: Mapped[str | None] = mapped_column(String(64))
    applicant: Mapped[str] = mapped_column(String(64))
    approver: Mapped[str | None] = mapped_column(String(64))
    applied_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Frozen from the application on; without an approval it lapses by itself.
    approved_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    released_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_legal_holds_subject", "subject_kind", "subject"),
        CheckConstraint("approver IS NULL OR approver <> applicant", name="two_people"),
    )


class DeletionProof(Base):
    """That a batch was deleted: which class, how many, up to when, and a digest of their ids."""

    __tablename__ = "deletion_proofs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str | None] = mapped_column(String(64), index=True)
    run: Mapped[str] = mapped_column(String(32), index=True)
    retention_class: Mapped[str] = mapped_column(String(32))
    # Older than this went.
    cutoff: Mapped[dt.datetime] = mapped_column(UtcTime)
    count: Mapped[int] = mapped_column(Integer)
    # SHA-256 over the sorted ids, each followed by a newline.
    digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)


class KeptPicture(OwnedByCompound, Base):
    """An event whose pictures had to stay although their time was over: held, or of an open incident."""

    __tablename__ = "kept_pictures"

    # No foreign key: the event goes in a hot path, and not before this row.
    event: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64), index=True)
    retention_class: Mapped[str] = mapped_column(String(32))
    since: Mapped[dt.datetime] = mapped_column(UtcTime)


class PassageCount(OwnedByCompound, Base):
    """How many events of a type a device had in a local day: what stays of deleted passages."""

    __tablename__ = "passage_counts"

    compound: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    device_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    type: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)


class DisclosureState(enum.StrEnum):
    """Where a request for data stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    DELIVERED = "delivered"


class Disclosure(OwnedByCompound, Base):
    """Data handed to the police or others: by a document, within a scope and window (L-18)."""

    __tablename__ = "disclosures"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    requester_org: Mapped[str] = mapped_column(String(128))
    document_no: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200))
    # What: {"kind": "plate" | "person" | "zone" | "incident", "id": "…"}.
    scope: Mapped[dict[str, Any]] = mapped_column(JsonText)
    from_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    to_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    applicant: Mapped[str] = mapped_column(String(64))
    applied_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    state: Mapped[DisclosureState] = mapped_column(String(16))
    approver: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # SHA-256 of what was handed out, so that a leaked copy can be told from a forged one.
    export_hash: Mapped[str | None] = mapped_column(String(64))
    delivered_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        CheckConstraint("approver IS NULL OR approver <> applicant", name="two_people"),
        CheckConstraint("to_at > from_at", name="window"),
    )


class PiaReport(OwnedByCompound, Base):
    """A version of the impact assessment (PIPL art. 55–56); kept at least 3 years (L-14)."""

    __tablename__ = "pia_reports"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    version: Mapped[int] = mapped_column(Integer)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    made_by: Mapped[str] = mapped_column(String(64))
    # Of the facts that matter for a new assessment: purposes, classes, devices, thresholds.
    facts_hash: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, Any]] = mapped_column(JsonText)
    # What people add: necessity, risks, measures.
    assessment: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("compound", "version"),)


class FilingTask(Base):
    """Filing with the provincial authority once 100,000 people's faces are stored (L-15)."""

    __tablename__ = "filing_tasks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    people: Mapped[int] = mapped_column(Integer)
    # warning at 80,000, filing at 100,000
    level: Mapped[str] = mapped_column(String(16), unique=True)
    raised_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    due_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    done_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    done_by: Mapped[str | None] = mapped_column(String(64))
