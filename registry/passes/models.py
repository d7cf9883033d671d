"""Visitor passes: leave to enter for a period, a number of times, and to given places."""

import datetime as dt
import enum

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, true
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime, Versioned
from storage.vault import open_for, seal_for


class PassKind(enum.StrEnum):
    """Why somebody is let in who does not live here."""

    VISITOR = "visitor"
    COURIER = "courier"
    CONTRACTOR = "contractor"
    FOOD_DELIVERY = "food_delivery"  # 外卖
    DOMESTIC_HELP = "domestic_help"  # 家政
    BUSINESS = "business"  # to an organisation of the compound
    EVENT = "event"


class PassState(enum.StrEnum):
    """Where a pass stands; it lets in when approved, and within its period and uses only."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    REVOKED = "revoked"


class VisitorPass(OwnedByCompound, Versioned, Base):
    """Leave to enter for a period; it ends by itself.

    The visitor's phone is sealed with a key of the pass's own (its id is the subject), so
    that a pass is forgotten without touching its host.
    """

    __tablename__ = "visitor_passes"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    kind: Mapped[PassKind] = mapped_column(String(16))
    state: Mapped[PassState] = mapped_column(
        String(16), default=PassState.APPROVED, server_default="approved"
    )
    host_household: Mapped[str | None] = mapped_column(ForeignKey("households.id"), index=True)
    host_person: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    host_organisation: Mapped[str | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    sealed_phone: Mapped[bytes | None] = mapped_column("phone", LargeBinary)
    # Keyed hash of the phone's last four digits: what a guard asks a visitor for.
    tail_key: Mapped[str | None] = mapped_column(String(64))
    # SHA-256 of the QR's random token; the token itself is only in the QR.
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    plate: Mapped[str | None] = mapped_column(String(16))
    # A card that the gate handed out for the visit, sealed like the phone, and its keyed hash.
    sealed_card: Mapped[bytes | None] = mapped_column("card", LargeBinary)
    card_key: Mapped[str | None] = mapped_column(String(64))
    # Empty: entrances and the way to the host's building.
    zones: Mapped[list[str]] = mapped_column(JsonText, default=list)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    max_uses: Mapped[int | None] = mapped_column(Integer)
    uses: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    requested_by: Mapped[str | None] = mapped_column(String(64))
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_visitor_passes_plate", "compound", "plate"),
        Index("ix_visitor_passes_tail", "compound", "tail_key"),
        Index("ix_visitor_passes_card", "compound", "card_key"),
        Index("ix_visitor_passes_end", "compound", "ends_at"),
        # Of all compounds: what ends or was decided about now.
        Index("ix_visitor_passes_ends", "ends_at"),
        Index("ix_visitor_passes_decided", "decided_at"),
        CheckConstraint("ends_at > starts_at", name="order"),
    )

    @property
    def phone(self) -> str | None:
        """The visitor's plain number; None where there is none or the pass was forgotten."""
        return open_for(self.id, "phone", self.sealed_phone)

    @phone.setter
    def phone(self, plain: str | None) -> None:
        self.sealed_phone = seal_for(self.id, "phone", plain)

    @property
    def card(self) -> str | None:
        """The plain number of the card that was handed out; None where there is none."""
        return open_for(self.id, "card", self.sealed_card)

    @card.setter
    def card(self, plain: str | None) -> None:
        self.sealed_card = seal_for(self.id, "card", plain)


class PassDirection(enum.StrEnum):
    """Which way a pass was shown."""

    IN = "in"
    OUT = "out"


class PassUse(OwnedByCompound, Base):
    """A pass shown at a zone, on the way in or out."""

    __tablename__ = "pass_uses"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    visitor_pass: Mapped[str] = mapped_column(ForeignKey("visitor_passes.id"), index=True)
    zone: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(UtcTime)
    direction: Mapped[PassDirection] = mapped_column(String(8), default=PassDirection.IN, server_default="in")
    # Whether it was taken off the pass's uses: a door further in belongs to the same entry.
    counted: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
