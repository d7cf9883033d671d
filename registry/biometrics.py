"""Consent and face templates: no consent, no template, enforced by a foreign key."""

import datetime as dt
import enum

from sqlalchemy import Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, Encrypted, UtcTime


class ConsentPurpose(enum.StrEnum):
    """What a person has agreed to, each by itself (PIPL art. 14, 29)."""

    FACE_ACCESS = "face_access"
    ELDER_CARE = "elder_care"
    VOLUNTEER_LOCATION = "volunteer_location"


class GivenBy(enum.StrEnum):
    """Who gave the consent; a guardian for a child under 14 (PIPL art. 31)."""

    SELF = "self"
    GUARDIAN = "guardian"


class Consent(Base):
    """Consent of one person to one purpose, with the wording that was agreed to."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"))
    purpose: Mapped[ConsentPurpose] = mapped_column(String(32))
    text_hash: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32))
    given_by: Mapped[GivenBy] = mapped_column(String(16))
    given_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_consents_person", "person", "purpose"),)


class FaceTemplate(Base):
    """An embedding (特征) of a consenting person, sealed; float32 little-endian, `dimension` long."""

    __tablename__ = "face_templates"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    consent: Mapped[str] = mapped_column(ForeignKey("consents.id"))
    engine: Mapped[str] = mapped_column(String(32))
    engine_version: Mapped[str] = mapped_column(String(64))
    dimension: Mapped[int] = mapped_column(Integer)
    embedding: Mapped[bytes] = mapped_column(Encrypted)
    quality: Mapped[float | None] = mapped_column(Float)
    # The enrolled photo, for the operator's side-by-side comparison.
    media_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class GalleryRevision(Base):
    """One row a compound, counted up with every change of its gallery."""

    __tablename__ = "gallery_revisions"

    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, default=0)
