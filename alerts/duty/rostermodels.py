"""Rosters, what changes them, and what is said about them; the shifts that follow are in `models`."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, Integer, String, true
from sqlalchemy.orm import Mapped, mapped_column

from alerts.duty.coverage import Need
from alerts.duty.days import DayKind
from storage import Base, EncryptedText, JsonText, OwnedByCompound, UtcTime, Versioned


class CalendarDay(OwnedByCompound, Base):
    """The compound's own word on a day; it goes before what was announced."""

    __tablename__ = "calendar_days"

    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    kind: Mapped[DayKind] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(64))
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)


class CalendarYear(OwnedByCompound, Base):
    """Somebody has entered all exceptions of a year, from `source` (the notice's number)."""

    __tablename__ = "calendar_years"

    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    source: Mapped[str] = mapped_column(String(128))
    author: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)


class DutyRules(OwnedByCompound, Base):
    """What holds for everybody's duty in a compound; one row, else the defaults of `limits.Limits`."""

    __tablename__ = "duty_rules"

    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), primary_key=True)
    rest_h: Mapped[int] = mapped_column(Integer, default=11)
    check_in_h: Mapped[int] = mapped_column(Integer, default=4)
    # A swap that both want waits for a manager's word.
    approve_swaps: Mapped[bool] = mapped_column(Boolean, default=False)
    # Whether gaps are looked for and told.
    check_coverage: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())

    __table_args__ = (
        CheckConstraint("rest_h BETWEEN 0 AND 48", name="rest"),
        CheckConstraint("check_in_h BETWEEN 1 AND 24", name="check_in"),
    )


class Roster(OwnedByCompound, Versioned, Base):
    """A team's duty by a pattern; `slots` as `alerts.duty.definition` writes them.

    `replaces`: a temporary roster, in whose days the other one rests.
    """

    __tablename__ = "rosters"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    team: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    slots: Mapped[list[dict[str, Any]]] = mapped_column(JsonText)
    starts_on: Mapped[dt.date] = mapped_column(Date)
    ends_on: Mapped[dt.date | None] = mapped_column(Date)
    replaces: Mapped[str | None] = mapped_column(ForeignKey("rosters.id"))
    author: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class DutyChange(OwnedByCompound, Base):
    """From … to … `responder` instead of `instead_of`; nobody instead: an absence.

    By a manager, by a swap (`swap`), or the absent person's own word. They hold in the order in which
    they were made.
    """

    __tablename__ = "duty_changes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    made_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    instead_of: Mapped[str] = mapped_column(ForeignKey("responders.id"), index=True)
    responder: Mapped[str | None] = mapped_column(ForeignKey("responders.id"))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Why somebody is away is theirs and their manager's alone; it is in no statement.
    reason: Mapped[str | None] = mapped_column(EncryptedText)
    author: Mapped[str] = mapped_column(String(64))
    swap: Mapped[str | None] = mapped_column(String(32))
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends"),
        Index("ix_duty_changes_time", "compound", "ends_at"),
    )


class SwapState(enum.StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"  # waits for a manager
    DONE = "done"
    DECLINED = "declined"  # by the colleague
    REFUSED = "refused"  # by the manager
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"  # the shift has begun

    @property
    def is_open(self) -> bool:
        return self in {SwapState.ASKED, SwapState.ACCEPTED}


class DutySwap(OwnedByCompound, Versioned, Base):
    """`asker` would give a duty to `colleague`, and take `back_…` of theirs where it is an exchange."""

    __tablename__ = "duty_swaps"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    shift: Mapped[str] = mapped_column(String(64))
    asker: Mapped[str] = mapped_column(ForeignKey("responders.id"), index=True)
    # None: whoever of the team accepts first.
    colleague: Mapped[str | None] = mapped_column(ForeignKey("responders.id"), index=True)
    back: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[SwapState] = mapped_column(String(16))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    asked_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    answered_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_duty_swaps_open", "compound", "state", "starts_at"),)


class RosterGap(OwnedByCompound, Base):
    """A span in which too few will be on duty, from when it was found until it was closed."""

    __tablename__ = "roster_gaps"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    need: Mapped[Need] = mapped_column(String(16))
    zone: Mapped[str | None] = mapped_column(String(64))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    have: Mapped[int] = mapped_column(Integer)
    want: Mapped[int] = mapped_column(Integer)
    found_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_roster_gaps_open", "compound", "closed_at"),)


class DutyFeed(OwnedByCompound, Base):
    """A calendar address for a responder or a team; of the token only the digest is kept."""

    __tablename__ = "duty_feeds"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    responder: Mapped[str | None] = mapped_column(ForeignKey("responders.id", ondelete="CASCADE"))
    team: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    author: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (CheckConstraint("(responder IS NULL) <> (team IS NULL)", name="whose"),)
