"""Teams, the responders in them, and the shifts they stand."""

import datetime as dt
import enum

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, false, text
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
    OPERATOR = "operator"  # 值班员: the control room
    GRID = "grid"  # 网格员
    POLICE = "police"  # 社区民警
    COMMUNITY = "community"  # 社区值班
    STREET = "street"  # 街道值班

    @property
    def volunteers(self) -> bool:
        """People who help in their own time: never sent alone, never to violence."""
        return self in {TeamKind.VOLUNTEER_POLICE, TeamKind.PATROL, TeamKind.EMERGENCY, TeamKind.MEDIATION}


class Skill(enum.StrEnum):
    """What somebody can do that an incident may need."""

    FIRST_AID = "first_aid"
    FIRE = "fire"
    LIFT_RESCUE = "lift_rescue"
    MEDIATION = "mediation"
    ELDER_CARE = "elder_care"
    TECHNICAL = "technical"
    SIGN_LANGUAGE = "sign_language"


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
    # Answers for the team: is told where nobody of it takes a thing.
    leads: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    skills: Mapped[list[str]] = mapped_column(JsonText, default=list, server_default="[]")
    # Incidents at once.
    capacity: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    # Hours a week, of volunteers; None: what labour law and the contract say.
    hours_most: Mapped[int | None] = mapped_column(Integer)
    # No notices (S4) between these, minutes since local midnight; None: at any time.
    quiet_from: Mapped[int | None] = mapped_column(Integer)
    quiet_to: Mapped[int | None] = mapped_column(Integer)
    # A language tag; None: the compound's.
    language: Mapped[str | None] = mapped_column(String(16))


class Shift(Base):
    """A responder is on duty from `starts_at` until `ends_at`."""

    __tablename__ = "shifts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    responder: Mapped[str] = mapped_column(ForeignKey("responders.id"))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # On call (8+X): at home and reachable, not on the spot.
    on_call: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Where they stand during it; None: the responder's own post.
    post: Mapped[str | None] = mapped_column(String(64))
    # The roster that made it, and whom of its slots; None: entered by hand or by a check-in.
    roster: Mapped[str | None] = mapped_column(String(64))
    # Which duty of the roster it is (date/slot/seat); None: no roster's.
    place: Mapped[str | None] = mapped_column(String(160))
    # Somebody has changed it by hand: its roster leaves it alone.
    touched: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # A volunteer's own word: came, went; `closed_by` is `self`, `limit` (nobody checked out) or a user.
    checked_in_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    checked_out_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    closed_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_shifts_time", "ends_at", "starts_at"),
        Index("ix_shifts_start", "starts_at"),
        Index("ix_shifts_responder", "responder", "starts_at"),
        Index("uq_shifts_place", "roster", "place", unique=True),
        # Nobody is checked in twice, however often the button is pressed.
        Index(
            "uq_shifts_checked_in",
            "responder",
            unique=True,
            sqlite_where=text("checked_in_at IS NOT NULL AND checked_out_at IS NULL"),
            postgresql_where=text("checked_in_at IS NOT NULL AND checked_out_at IS NULL"),
        ),
    )
