"""People and what ties them to places: persons, households, residences.

No sensitive attribute has a column here. Names, phone and id numbers are sealed with the
person's own key (see `storage.vault`) and found by keyed hashes.
"""

import datetime as dt
import enum

from sqlalchemy import Boolean, CheckConstraint, Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime, Versioned
from storage.vault import open_for, seal_for


class ResidenceKind(enum.StrEnum):
    """How a person is tied to a dwelling."""

    OWNER_OCCUPIER = "owner_occupier"  # 自购
    TENANT = "tenant"  # 租赁
    LODGER = "lodger"  # 寄居
    FAMILY_MEMBER = "family_member"  # 家庭成员
    REGISTERED_ELSEWHERE = "registered_elsewhere"  # 人户分离: lives here, hukou elsewhere
    REGISTERED_ABSENT = "registered_absent"  # hukou here, lives elsewhere
    DORMITORY = "dormitory"  # 单位宿舍


class Household(OwnedByCompound, Versioned, Base):
    """People who keep house together (户); it lives in one dwelling."""

    __tablename__ = "households"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    dwelling: Mapped[str | None] = mapped_column(ForeignKey("dwellings.id"), index=True)
    head_person_id: Mapped[str | None] = mapped_column(String(64))
    external_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index("ix_households_external", "compound", "external_id", unique=True),)


class Person(OwnedByCompound, Versioned, Base):
    """A registered person.

    `name`, `phone` and `id_number` are read and set as plain text; what lies in the columns
    is sealed. An erased person stays as an empty row that proofs of consent and the audit
    log refer to; nothing in it says who it was.
    """

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    household: Mapped[str | None] = mapped_column(ForeignKey("households.id"), index=True)
    sealed_name: Mapped[bytes | None] = mapped_column("name", LargeBinary)
    sealed_phone: Mapped[bytes | None] = mapped_column("phone", LargeBinary)
    # Only where a duty asks for it (a tenancy's registration); see domain law, minimum necessary.
    sealed_id_number: Mapped[bytes | None] = mapped_column("id_number", LargeBinary)
    # Keyed hashes of the one spelling each (`registry.lookups`), for finding, never for reading.
    name_key: Mapped[str | None] = mapped_column(String(64))
    phone_key: Mapped[str | None] = mapped_column(String(64))
    id_key: Mapped[str | None] = mapped_column(String(64))
    under_14: Mapped[bool] = mapped_column(Boolean, default=False)
    # When that ends, where it is known; the birthday itself is not kept.
    turns_14_on: Mapped[dt.date | None] = mapped_column(Date)
    guardian: Mapped[str | None] = mapped_column(ForeignKey("people.id"), index=True)
    # 户籍: whether the household registration is here; None where nobody has asked.
    hukou_registered_here: Mapped[bool | None] = mapped_column(Boolean)
    external_id: Mapped[str | None] = mapped_column(String(64))
    erased_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("ix_people_external", "compound", "external_id", unique=True),
        Index("ix_people_name", "compound", "name_key"),
        Index("ix_people_phone", "compound", "phone_key"),
        Index("ix_people_id_number", "compound", "id_key"),
    )

    @property
    def name(self) -> str:
        """The plain name; empty for an erased person."""
        return open_for(self.id, "name", self.sealed_name) or ""

    @name.setter
    def name(self, plain: str) -> None:
        self.sealed_name = seal_for(self.id, "name", plain)

    @property
    def phone(self) -> str | None:
        return open_for(self.id, "phone", self.sealed_phone)

    @phone.setter
    def phone(self, plain: str | None) -> None:
        self.sealed_phone = seal_for(self.id, "phone", plain)

    @property
    def id_number(self) -> str | None:
        return open_for(self.id, "id_number", self.sealed_id_number)

    @id_number.setter
    def id_number(self, plain: str | None) -> None:
        self.sealed_id_number = seal_for(self.id, "id_number", plain)


class Residence(OwnedByCompound, Versioned, Base):
    """A dated link of a person to a dwelling; `until` is its last day, None while it lasts."""

    __tablename__ = "residences"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), nullable=True)
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    dwelling: Mapped[str] = mapped_column(ForeignKey("dwellings.id"), index=True)
    kind: Mapped[ResidenceKind] = mapped_column(String(32))
    since: Mapped[dt.date] = mapped_column(Date)
    until: Mapped[dt.date | None] = mapped_column(Date)
    verified_on: Mapped[dt.date | None] = mapped_column(Date)
    verified_by: Mapped[str | None] = mapped_column(String(64))
    external_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_residences_external", "compound", "external_id", unique=True),
        # Tenancies that are about to end are looked for every day.
        Index("ix_residences_until", "compound", "until"),
        CheckConstraint("until IS NULL OR until >= since", name="order"),
    )
