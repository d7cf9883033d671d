"""Places: subdistrict → community → compound → zone, and compound → building → unit → floor → dwelling."""

import datetime as dt
import enum

from sqlalchemy import Boolean, Date, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText, OwnedByCompound, UtcTime, Versioned


class Ring(enum.StrEnum):
    """The three defence rings (三层防控圈), from the outside in."""

    ENTRANCE = "entrance"  # 出入口
    COMMON = "common"  # 内部公共区域
    BUILDING = "building"  # 楼栋

    @property
    def depth(self) -> int:
        """1 at the entrances, 3 in the buildings."""
        return list(Ring).index(self) + 1


class DwellingState(enum.StrEnum):
    """What a dwelling (住房) is used for now."""

    OCCUPIED = "occupied"
    VACANT = "vacant"
    LET = "let"
    UNDER_REPAIR = "under_repair"
    SHOP = "shop"


class CompoundKind(enum.StrEnum):
    """What sort of place a compound is."""

    COMMERCIAL = "commercial"  # 商品房小区
    RESETTLEMENT = "resettlement"  # 安置小区
    STAFF_HOUSING = "staff_housing"  # 单位宿舍区


class PlaceKind(enum.StrEnum):
    """The levels that something can be said about."""

    COMPOUND = "compound"
    ZONE = "zone"
    BUILDING = "building"
    UNIT = "unit"
    DWELLING = "dwelling"


class Subdistrict(Base):
    """A subdistrict (街道); `code` is the first 9 digits of the NBS statistical code."""

    __tablename__ = "subdistricts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    code: Mapped[str | None] = mapped_column(String(9), unique=True)


class Community(Base):
    """A neighbourhood committee's area (社区); `code` is the 12-digit NBS statistical code."""

    __tablename__ = "communities"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    subdistrict: Mapped[str] = mapped_column(ForeignKey("subdistricts.id"), index=True)
    name: Mapped[str] = mapped_column(String(128))
    code: Mapped[str | None] = mapped_column(String(12), unique=True)


class Compound(Base):
    """A residential compound (小区). Its id stands in topics, so it names a place, not people."""

    __tablename__ = "compounds"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    time_zone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    community: Mapped[str | None] = mapped_column(ForeignKey("communities.id"), index=True)
    kind: Mapped[CompoundKind | None] = mapped_column(String(32))
    opened_on: Mapped[dt.date | None] = mapped_column(Date)
    # WGS 84 of the plan's north-west corner, and where the plan's "up" points, in degrees
    # clockwise from north. Without them plan metres cannot become coordinates.
    longitude: Mapped[float | None] = mapped_column(Float)
    latitude: Mapped[float | None] = mapped_column(Float)
    bearing: Mapped[float | None] = mapped_column(Float)


class Zone(OwnedByCompound, Versioned, Base):
    """A part of a compound in one ring; `outline` is its polygon in plan metres [[x, y], …]."""

    __tablename__ = "zones"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    name: Mapped[str] = mapped_column(String(128))
    ring: Mapped[Ring] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(32))
    outline: Mapped[list[list[float]]] = mapped_column(JsonText)
    neighbours: Mapped[list[str]] = mapped_column(JsonText, default=list)


class Building(OwnedByCompound, Versioned, Base):
    """A building (楼栋); `x`, `y`, `width`, `height` are its footprint in plan metres."""

    __tablename__ = "buildings"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    zone: Mapped[str] = mapped_column(ForeignKey("zones.id"))
    name: Mapped[str] = mapped_column(String(64))
    x: Mapped[float]
    y: Mapped[float]
    width: Mapped[float]
    height: Mapped[float]


class Unit(OwnedByCompound, Base):
    """A stairwell entrance of a building (单元)."""

    __tablename__ = "units"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True, nullable=True)
    building: Mapped[str] = mapped_column(ForeignKey("buildings.id"), index=True)
    # Empty where the building has no units ("12幢701").
    name: Mapped[str] = mapped_column(String(64))


class Grid(OwnedByCompound, Versioned, Base):
    """A grid (网格): the dwellings of one grid worker. Every dwelling belongs to exactly one."""

    __tablename__ = "grids"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    # Two digits, after the community's twelve.
    code: Mapped[str] = mapped_column(String(2))
    name: Mapped[str] = mapped_column(String(128))
    # Users of the console, by id.
    worker: Mapped[str | None] = mapped_column(String(64))
    deputy: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (UniqueConstraint("compound", "code"),)


class Dwelling(OwnedByCompound, Versioned, Base):
    """A dwelling (住房). One without a household is a state of its own, not missing data."""

    __tablename__ = "dwellings"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True, nullable=True)
    unit: Mapped[str] = mapped_column(ForeignKey("units.id"), index=True)
    # Negative below ground; there is no floor 0.
    floor: Mapped[int] = mapped_column(Integer)
    # The upper floor of a duplex; None where it lies on one.
    top_floor: Mapped[int | None] = mapped_column(Integer)
    room_no: Mapped[str] = mapped_column(String(16))
    state: Mapped[DwellingState] = mapped_column(String(16))
    is_basement: Mapped[bool] = mapped_column(Boolean, default=False)
    grid: Mapped[str | None] = mapped_column(ForeignKey("grids.id"), index=True)
    # `registry.places.addresses.key` of its address: how an address in any spelling finds it.
    address_key: Mapped[str | None] = mapped_column(String(64))
    # How the property office names it in its own books.
    external_id: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("unit", "floor", "room_no"),
        Index("ix_dwellings_external", "compound", "external_id", unique=True),
        Index("ix_dwellings_address", "compound", "address_key"),
    )


class AliasKind(enum.StrEnum):
    """Why a place has another name."""

    FORMER = "former"  # before the buildings were renumbered
    REGISTERED = "registered"  # 户籍门(楼)址
    COLLOQUIAL = "colloquial"


class PlaceAlias(OwnedByCompound, Base):
    """Another name of a building or dwelling, for the time that it was or is in use."""

    __tablename__ = "place_aliases"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"))
    place_kind: Mapped[PlaceKind] = mapped_column(String(16))
    place: Mapped[str] = mapped_column(String(64))
    kind: Mapped[AliasKind] = mapped_column(String(16))
    # As people write it, and as `registry.places.addresses.key` spells it.
    text: Mapped[str] = mapped_column(String(128))
    key: Mapped[str] = mapped_column(String(64))
    since: Mapped[dt.date | None] = mapped_column(Date)
    until: Mapped[dt.date | None] = mapped_column(Date)

    __table_args__ = (Index("ix_place_aliases_key", "compound", "key"),)


class NoteKind(enum.StrEnum):
    """What a situation note (情) is about; always a place, never a person."""

    CONSTRUCTION = "construction"
    OUT_OF_ORDER = "out_of_order"
    HAZARD = "hazard"
    EVENT = "event"
    OTHER = "other"


class SituationNote(OwnedByCompound, Versioned, Base):
    """What is the matter with a place for a time: scaffolding, a lift out of order, a holiday."""

    __tablename__ = "situation_notes"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    place_kind: Mapped[PlaceKind] = mapped_column(String(16))
    place: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[NoteKind] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
