"""What a device last said of a state that it repeats: a change is an event, a repetition is not."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import cast

from sqlalchemy import ForeignKey, String, Table, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage import Base, UtcTime


class DevicePoint(Base):
    """One state of one device: contact, smoke, lock, tamper."""

    __tablename__ = "device_points"

    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    point: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))
    since: Mapped[dt.datetime] = mapped_column(UtcTime)


_points = cast("Table", DevicePoint.__table__)
_OF_DEVICES = select(_points.c.device_id, _points.c.point, _points.c.value, _points.c.since).where(
    _points.c.device_id.in_(bindparam("devices", expanding=True))
)


def known(session: Session, devices: Iterable[str]) -> dict[tuple[str, str], tuple[str, dt.datetime]]:
    """The last values of these devices by (device, point), each with since when it is known."""
    rows = session.execute(_OF_DEVICES, {"devices": sorted(set(devices))})
    return {(row.device_id, row.point): (row.value, row.since) for row in rows}


def keep(session: Session, values: Mapping[tuple[str, str], tuple[str, dt.datetime]]) -> None:
    """Keeps new values as (value, since when)."""
    if not values:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(_points)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["device_id", "point"],
            set_={"value": insert.excluded.value, "since": insert.excluded.since},
        ),
        [
            {"device_id": device_id, "point": point, "value": value, "since": since}
            for (device_id, point), (value, since) in values.items()
        ],
    )
