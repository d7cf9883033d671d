"""People and what ties them to places: households, residences, vehicles, passes.

No sensitive attribute has a column here. Names and phone numbers are sealed.
"""

import datetime as dt
import enum

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, EncryptedText, JsonText, UtcTime


class ResidenceKind(enum.StrEnum):
    """How a person is tied to a dwelling."""

    OWNER_OCCUPIER = "owner_occupier"  # 自购
    TENANT = "tenant"  # 租赁
    LODGER = "lodger"  # 寄居
    FAMILY_MEMBER = "family_member"  # 家庭成员
    REGISTERED_ELSEWHERE = "registered_elsewhere"  # 人户分离: lives here, hukou elsewhere
    REGISTERED_ABSENT = "registered_absent"  # hukou here, lives elsewhere
    DORMITORY = "dormitory"  # 单位宿舍


class Household(Base):
    """People who keep house together (户); it lives in one dwelling."""

    __tablename__ = "households"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    dwelling: Mapped[str | None] = mapped_column(ForeignKey("dwellings.id"), index=True)
    head_person_id: Mapped[str | None] = mapped_column(String(64))


class Person(Base):
    """A registered person. `born_on` is known only where the law asks for it (under-14s)."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    household: Mapped[str | None] = mapped_column(ForeignKey("households.id"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    under_14: Mapped[bool] = mapped_column(Boolean, default=False)


class Residence(Base):
    """A dated link of a person to a dwelling; `until` is None while it lasts."""

    __tablename__ = "residences"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    dwelling: Mapped[str] = mapped_column(ForeignKey("dwellings.id"), index=True)
    kind: Mapped[ResidenceKind] = mapped_column(String(32))
    since: Mapped[dt.date] = mapped_column(Date)
    until: Mapped[dt.date | None] = mapped_column(Date)
    verified_on: Mapped[dt.date | None] = mapped_column(Date)
    verified_by: Mapped[str | None] = mapped_column(String(64))


class Vehicle(Base):
    """A registered vehicle; `plate` is normalised by `registry.plates`."""

    __tablename__ = "vehicles"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    plate: Mapped[str] = mapped_column(String(16))
    household: Mapped[str | None] = mapped_column(ForeignKey("households.id"), index=True)

    __table_args__ = (Index("ix_vehicles_plate", "compound", "plate", unique=True),)


class PassKind(enum.StrEnum):
    """Why a visitor is let in."""

    VISITOR = "visitor"
    COURIER = "courier"
    CONTRACTOR = "contractor"


class VisitorPass(Base):
    """Leave to enter for a period; it ends by itself."""

    __tablename__ = "visitor_passes"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    kind: Mapped[PassKind] = mapped_column(String(16))
    host_household: Mapped[str | None] = mapped_column(ForeignKey("households.id"))
    plate: Mapped[str | None] = mapped_column(String(16))
    zones: Mapped[list[str]] = mapped_column(JsonText, default=list)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    max_uses: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (Index("ix_visitor_passes_plate", "compound", "plate"),)
