"""Routes and their points, when they are walked; rounds, and who came by."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, EncryptedText, JsonText, OwnedByCompound, UtcTime


class PointKind(enum.StrEnum):
    """What a checkpoint (巡更点) is known by."""

    QR = "qr"  # a code on the wall that a phone's camera reads
    NFC = "nfc"  # a tag that holds the same address
    READER = "reader"  # a device that reports `patrol.checkin` or a card


class How(enum.StrEnum):
    """How a visit became known."""

    QR = "qr"
    NFC = "nfc"
    READER = "reader"
    HAND = "hand"  # said by hand, with a reason


class RoundState(enum.StrEnum):
    """Where a round stands."""

    PLANNED = "planned"
    UNDER_WAY = "under_way"
    DONE = "done"
    MISSED = "missed"  # its time is over, and at least one point was not visited
    ABORTED = "aborted"

    @property
    def is_over(self) -> bool:
        return self in {RoundState.DONE, RoundState.MISSED, RoundState.ABORTED}


class PatrolRoute(OwnedByCompound, Base):
    """A way to walk (巡更路线), by one team."""

    __tablename__ = "patrol_routes"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    team: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    # Whether the points are walked in their order.
    in_order: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Seconds from one point to the next, at least and at most; None: as it comes.
    least_s: Mapped[int | None] = mapped_column(Integer)
    most_s: Mapped[int | None] = mapped_column(Integer)
    # Minutes before its beginning and after its end at which a visit still counts.
    tolerance_min: Mapped[int] = mapped_column(Integer, default=10, server_default="10")
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Not walked any more: what was walked stays readable.
    retired_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("compound", "name"),)


class Checkpoint(OwnedByCompound, Base):
    """A place that a round comes by. Of its code only the digest is kept; two routes may share it."""

    __tablename__ = "patrol_checkpoints"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    zone: Mapped[str] = mapped_column(ForeignKey("zones.id"))
    kind: Mapped[PointKind] = mapped_column(String(16))
    # The device that reads there, of a reader.
    device: Mapped[str | None] = mapped_column(String(64), index=True)
    code_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    # The code before: whoever shows it has a picture of it.
    former_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    code_made_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    retired_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("compound", "name"),)


class PatrolPoint(Base):
    """A checkpoint's place on a route, from 1."""

    __tablename__ = "patrol_points"

    route: Mapped[str] = mapped_column(ForeignKey("patrol_routes.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    checkpoint: Mapped[str] = mapped_column(ForeignKey("patrol_checkpoints.id"), index=True)

    __table_args__ = (UniqueConstraint("route", "checkpoint"),)


class PatrolSchedule(OwnedByCompound, Base):
    """When a route is walked, by the compound's clock."""

    __tablename__ = "patrol_schedules"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    route: Mapped[str] = mapped_column(ForeignKey("patrol_routes.id", ondelete="CASCADE"), index=True)
    # 0 Monday … 6 Sunday, of the day on which the round begins.
    weekdays: Mapped[list[int]] = mapped_column(JsonText, default=list)
    # Kinds of days of the duty calendar: a day of one of them counts whatever weekday it is.
    day_kinds: Mapped[list[str]] = mapped_column(JsonText, default=list)
    # Minutes after the local midnight of that day, up to two days.
    times: Mapped[list[int]] = mapped_column(JsonText, default=list)
    # How long a round may take, minutes.
    lasts_min: Mapped[int] = mapped_column(Integer)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class PatrolRound(OwnedByCompound, Base):
    """One walk of a route. `plan` is the route as it was when the round was planned."""

    __tablename__ = "patrol_rounds"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    route: Mapped[str] = mapped_column(ForeignKey("patrol_routes.id"))
    # None: somebody walked it without being asked, and nobody misses it.
    schedule: Mapped[str | None] = mapped_column(String(32))
    due_from: Mapped[dt.datetime] = mapped_column(UtcTime)
    due_until: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Until when a visit counts: the end with the route's tolerance.
    counts_until: Mapped[dt.datetime] = mapped_column(UtcTime)
    responder: Mapped[str | None] = mapped_column(ForeignKey("responders.id", ondelete="SET NULL"))
    state: Mapped[RoundState] = mapped_column(String(16))
    plan: Mapped[dict[str, Any]] = mapped_column(JsonText)
    started_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    told_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Why it was broken off.
    reason: Mapped[str | None] = mapped_column(EncryptedText)

    __table_args__ = (
        # Of two who plan at once, one does.
        UniqueConstraint("route", "due_from"),
        Index("ix_patrol_rounds_due", "compound", "due_until"),
        Index("ix_patrol_rounds_until", "due_until"),
        Index("ix_patrol_rounds_state", "state", "due_from"),
        Index("ix_patrol_rounds_responder", "responder", "due_from"),
    )


class PatrolVisit(OwnedByCompound, Base):
    """Somebody came by a checkpoint. `client` makes it one, however often a phone sends it."""

    __tablename__ = "patrol_visits"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    client: Mapped[str] = mapped_column(String(80))
    # None: at no round's time.
    round: Mapped[str | None] = mapped_column(ForeignKey("patrol_rounds.id", ondelete="CASCADE"))
    checkpoint: Mapped[str] = mapped_column(ForeignKey("patrol_checkpoints.id"))
    responder: Mapped[str | None] = mapped_column(ForeignKey("responders.id", ondelete="SET NULL"))
    how: Mapped[How] = mapped_column(String(8))
    # When it was, by our clock; when the phone or reader says it was; when we heard of it.
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    device_time: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    received_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # Told of later than it was: the phone had no network, or says so.
    told_late: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # By a code that has been replaced.
    old_code: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Why by hand.
    reason: Mapped[str | None] = mapped_column(EncryptedText)
    # The device event that it stands for.
    event: Mapped[str | None] = mapped_column(String(32), index=True)

    __table_args__ = (
        UniqueConstraint("compound", "client"),
        Index("ix_patrol_visits_at", "compound", "at"),
        Index("ix_patrol_visits_received", "compound", "received_at"),
        Index("ix_patrol_visits_time", "received_at"),
        Index("ix_patrol_visits_round", "round"),
    )
