"""Consent and face templates: no consent, no template, enforced by a foreign key."""

import datetime as dt
import enum

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime
from storage.vault import current_vault, open_bytes

FIELD = "template"


class ConsentPurpose(enum.StrEnum):
    """What a person has agreed to, each by itself (PIPL art. 14, 29)."""

    FACE_ACCESS = "face_access"
    ELDER_CARE = "elder_care"
    VOLUNTEER_LOCATION = "volunteer_location"


class GivenBy(enum.StrEnum):
    """Who gave the consent; a guardian for a child under 14 (PIPL art. 31)."""

    SELF = "self"
    GUARDIAN = "guardian"


class Consent(OwnedByCompound, Base):
    """Consent of one person to one purpose, with the wording that was agreed to."""

    __tablename__ = "consents"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True, nullable=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"))
    purpose: Mapped[ConsentPurpose] = mapped_column(String(32))
    text_hash: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32))
    given_by: Mapped[GivenBy] = mapped_column(String(16))
    # Which registered person acted as guardian, where one is registered.
    guardian: Mapped[str | None] = mapped_column(String(64))
    given_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    withdrawn_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_consents_person", "person", "purpose"),
        # Of all compounds: what was given or withdrawn of late.
        Index("ix_consents_given", "purpose", "given_at"),
        Index("ix_consents_withdrawn", "purpose", "withdrawn_at"),
    )


class ConsentWording(Base):
    """A text that was shown to people, kept by its hash: what exactly they agreed to."""

    __tablename__ = "consent_wordings"

    text_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[ConsentPurpose] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(String(20_000))
    first_used_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class FaceTemplate(OwnedByCompound, Base):
    """An embedding (特征) of a consenting person, sealed; float32 little-endian, `dimension` long.

    It is sealed with a key of the consent's own (its id is the vault's subject): when the
    consent is withdrawn the key goes, and with it the copies in every backup.
    """

    __tablename__ = "face_templates"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True, nullable=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    consent: Mapped[str] = mapped_column(ForeignKey("consents.id"))
    engine: Mapped[str] = mapped_column(String(32))
    engine_version: Mapped[str] = mapped_column(String(64))
    dimension: Mapped[int] = mapped_column(Integer)
    sealed_embedding: Mapped[bytes] = mapped_column("embedding", LargeBinary)
    quality: Mapped[float | None] = mapped_column(Float)
    # The enrolled photo, for the operator's side-by-side comparison.
    media_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    @property
    def embedding(self) -> bytes | None:
        """The plain vector; None once the consent's key is gone. `consent` must be set first."""
        return open_bytes(self.consent, FIELD, self.sealed_embedding)

    @embedding.setter
    def embedding(self, plain: bytes) -> None:
        self.sealed_embedding = current_vault().seal(self.consent, FIELD, plain)


class GalleryRevision(Base):
    """One row a compound, counted up with every change of its gallery."""

    __tablename__ = "gallery_revisions"

    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, default=0)


class GalleryChange(OwnedByCompound, Base):
    """A template that came or went, and with which revision: a gallery in memory follows in place."""

    __tablename__ = "gallery_changes"

    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    # Empty where more changed than can be told one by one: the gallery is read anew.
    template: Mapped[str] = mapped_column(String(64), primary_key=True)
    removed: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[dt.datetime] = mapped_column(UtcTime)


class GalleryHolder(Base):
    """A running process that holds a gallery in memory, and which revision of it."""

    __tablename__ = "gallery_holders"

    worker: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcTime)
