"""Organisations (单位、商户): what premises they have and who works there."""

import datetime as dt
import enum

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, Versioned


class OrganisationKind(enum.StrEnum):
    """What an organisation is, as far as entering the compound goes."""

    COMPANY = "company"
    SHOP = "shop"  # 个体工商户
    PUBLIC_BODY = "public_body"
    ASSOCIATION = "association"


class Organisation(OwnedByCompound, Versioned, Base):
    """An organisation with premises in the compound or staff that enters it."""

    __tablename__ = "organisations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    name: Mapped[str] = mapped_column(String(128))
    kind: Mapped[OrganisationKind] = mapped_column(String(16))
    # 统一社会信用代码, 18 characters.
    registration_no: Mapped[str | None] = mapped_column(String(18))
    external_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index("ix_organisations_external", "compound", "external_id", unique=True),)


class Premises(OwnedByCompound, Base):
    """A dwelling or shop that an organisation uses for a time."""

    __tablename__ = "premises"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    dwelling: Mapped[str] = mapped_column(ForeignKey("dwellings.id"), index=True)
    since: Mapped[dt.date] = mapped_column(Date)
    until: Mapped[dt.date | None] = mapped_column(Date)

    __table_args__ = (CheckConstraint("until IS NULL OR until >= since", name="order"),)


class StaffLink(OwnedByCompound, Base):
    """A person who works for an organisation for a time, and may enter because of it."""

    __tablename__ = "staff"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    since: Mapped[dt.date] = mapped_column(Date)
    until: Mapped[dt.date | None] = mapped_column(Date)

    __table_args__ = (CheckConstraint("until IS NULL OR until >= since", name="order"),)
