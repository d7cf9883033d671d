"""Teams, the responders in them, and the shifts they stand."""

import datetime as dt
import enum

from sqlalchemy import Boolean, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, EncryptedText, JsonText, OwnedByCompound, UtcTime


class TeamKind(enum.StrEnum):
    """What a team is for."""

    VOLUNTEER_POLICE = "volunteer_police"  # 义警
    PATROL = "patrol"  # 红袖标
    EMERGENCY = "emergency"  # 及时雨
    MEDIATION = "mediation"  # 调解队
    STEWARD = "steward"  # 青华管家
    GUARD = "guard"  # 保安
    PROPERTY = "property"  # 物业


class Team(OwnedByCompound, Base):
    __tablename__ = "teams"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[TeamKind] = mapped_column(String(32))
    # Zones the team answers for; empty means the whole compound.
    zones: Mapped[list[str]] = mapped_column(JsonText, default=list)


class Responder(Base):
    """Somebody who can be sent. `post` is the place they stand when nobody calls."""

    __tablename__ = "responders"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    team: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    post: Mapped[str | None] = mapped_column(ForeignKey("zones.id"))
    active: Mapped[bool] = mapped_column(Boolean, default=True)


class Shift(Base):
    """A responder is on duty from `starts_at` until `ends_at`."""

    __tablename__ = "shifts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    responder: Mapped[str] = mapped_column(ForeignKey("responders.id"))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_shifts_time", "ends_at", "starts_at"),)
