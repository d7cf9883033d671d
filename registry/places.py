"""Places: the three defence rings and the hierarchy compound → building → unit → dwelling."""

import enum

from sqlalchemy import Boolean, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, JsonText


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


class Compound(Base):
    """A residential compound (小区). Its id stands in topics, so it names a place, not people."""

    __tablename__ = "compounds"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    time_zone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")


class Zone(Base):
    """A part of a compound in one ring; `outline` is its polygon in plan metres [[x, y], …]."""

    __tablename__ = "zones"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    name: Mapped[str] = mapped_column(String(128))
    ring: Mapped[Ring] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(32))
    outline: Mapped[list[list[float]]] = mapped_column(JsonText)
    neighbours: Mapped[list[str]] = mapped_column(JsonText, default=list)


class Building(Base):
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


class Unit(Base):
    """A stairwell entrance of a building (单元)."""

    __tablename__ = "units"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    building: Mapped[str] = mapped_column(ForeignKey("buildings.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))


class Dwelling(Base):
    """A dwelling (住房). One without a household is a state of its own, not missing data."""

    __tablename__ = "dwellings"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    unit: Mapped[str] = mapped_column(ForeignKey("units.id"), index=True)
    floor: Mapped[int] = mapped_column(Integer)
    room_no: Mapped[str] = mapped_column(String(16))
    state: Mapped[DwellingState] = mapped_column(String(16))
    is_basement: Mapped[bool] = mapped_column(Boolean, default=False)

    __table_args__ = (UniqueConstraint("unit", "floor", "room_no"),)
