"""Credentials: what lets somebody in besides a guard's eye, and where and how long."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime, Versioned, new_id
from storage.vault import open_for, seal_for


class CredentialKind(enum.StrEnum):
    """By what means somebody is let in."""

    CARD = "card"
    PIN = "pin"
    QR = "qr"
    FACE = "face"
    PHONE = "phone"
    PLATE = "plate"
    GUARD_CALL = "guard_call"  # 人工核验: the guard asks and opens


class CredentialStatus(enum.StrEnum):
    """Whether a credential opens doors."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LOST = "lost"
    ENDED = "ended"


class Credential(OwnedByCompound, Versioned, Base):
    """One credential of one person. `ref` is its number: sealed, and found by `ref_key`."""

    __tablename__ = "credentials"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[CredentialKind] = mapped_column(String(16))
    status: Mapped[CredentialStatus] = mapped_column(String(16))
    sealed_ref: Mapped[bytes | None] = mapped_column("ref", LargeBinary)
    ref_key: Mapped[str | None] = mapped_column(String(64))
    # Empty: every zone that its person may enter.
    zones: Mapped[list[str]] = mapped_column(JsonText, default=list)
    starts_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    external_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_credentials_ref", "compound", "ref_key"),
        Index("ix_credentials_external", "compound", "external_id", unique=True),
        # One number opens for one person: a reader that shows a number must get one answer.
        Index(
            "ix_credentials_active",
            "compound",
            "ref_key",
            unique=True,
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
    )

    @property
    def ref(self) -> str | None:
        """The plain number of a card, a phone, a plate; None for a face or a guard's call."""
        return open_for(self.person, "credential", self.sealed_ref)

    @ref.setter
    def ref(self, plain: str | None) -> None:
        self.sealed_ref = seal_for(self.person, "credential", plain)


def first_credential_row(compound: str, person_id: str, at: dt.datetime) -> dict[str, Any]:
    """The columns of the credential that a person without any other has: the guard's call.

    Nobody may be left with a face as the only way in (法释〔2021〕15号 art. 10). Every column
    without a default is there, so that rows of many people can be inserted at once.
    """
    return {
        "id": new_id(),
        "compound": compound,
        "person": person_id,
        "kind": CredentialKind.GUARD_CALL,
        "status": CredentialStatus.ACTIVE,
        "ref": None,
        "ref_key": None,
        "zones": [],
        "starts_at": at,
        "ends_at": None,
        "external_id": None,
        "version": 1,
    }
