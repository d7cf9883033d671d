"""Vehicles of the compound and who may drive them."""

import datetime as dt
import enum

from sqlalchemy import Boolean, Date, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, Versioned


class VehicleKind(enum.StrEnum):
    """How a vehicle stands to the compound."""

    RESIDENT = "resident"  # 月卡车
    ORGANISATION = "organisation"
    TEMPORARY = "temporary"  # 临时车


class Vehicle(OwnedByCompound, Versioned, Base):
    """A registered vehicle; `plate` is normalised by `registry.plates`."""

    __tablename__ = "vehicles"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    plate: Mapped[str] = mapped_column(String(16))
    household: Mapped[str | None] = mapped_column(ForeignKey("households.id"), index=True)
    kind: Mapped[VehicleKind] = mapped_column(
        String(16), default=VehicleKind.RESIDENT, server_default="resident"
    )
    owner: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    organisation: Mapped[str | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    external_id: Mapped[str | None] = mapped_column(String(64))
    # Its owner wants to be asked when somebody else drives it (R-E07).
    guarded: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())

    __table_args__ = (
        Index("ix_vehicles_plate", "compound", "plate", unique=True),
        Index("ix_vehicles_external", "compound", "external_id", unique=True),
    )


class AuthorisedDriver(OwnedByCompound, Base):
    """Leave to drive a vehicle, given by its owner or by somebody whom the owner authorised."""

    __tablename__ = "authorised_drivers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    vehicle: Mapped[str] = mapped_column(ForeignKey("vehicles.id"))
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    # None: the owner or the owning household.
    granted_by: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    since: Mapped[dt.date] = mapped_column(Date)
    until: Mapped[dt.date | None] = mapped_column(Date)

    __table_args__ = (UniqueConstraint("vehicle", "person"),)
