"""Which door a camera may open by what is recognised at it. No camera opens anything until told to.

Refusals are `registry.errors.RefusedError`: device_retired, opening_no_camera,
opening_unsupported (its adapter cannot open), opening_door_bad. Each change is audited.
"""

import datetime as dt
from typing import Final

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from devices.adapters import ADAPTERS
from devices.models import Device, DeviceKind
from devices.stages import By, not_retired, note
from registry.errors import MissingError, RefusedError
from storage import Base, OwnedByCompound, UtcTime

DOORS: Final = range(4)
_SEES: Final = frozenset(
    {DeviceKind.FACE_CAMERA, DeviceKind.PLATE_CAMERA, DeviceKind.DOOR, DeviceKind.TURNSTILE}
)


class CameraOpening(OwnedByCompound, Base):
    """A camera and the door or barrier before which it hangs; without a row it opens nothing."""

    __tablename__ = "camera_openings"

    camera: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    opener: Mapped[str] = mapped_column(ForeignKey("devices.id"))
    # Which of the opener's doors, from 0.
    door: Mapped[int] = mapped_column(Integer)
    enabled_by: Mapped[str] = mapped_column(String(64))
    enabled_at: Mapped[dt.datetime] = mapped_column(UtcTime)


def of_camera(session: Session, camera: str) -> CameraOpening | None:
    """What a camera may open; None: nothing."""
    return session.get(CameraOpening, camera)


def allow(
    session: Session, camera: Device, opener: Device, door: int, at: dt.datetime, by: By
) -> CameraOpening:
    """From now on whoever is recognised at the camera in time, and may enter there, is let in.

    A camera opens one door; another one takes its place. Raises `RefusedError` and, for an
    opener of another compound, `MissingError`.
    """
    not_retired(camera)
    not_retired(opener)
    if camera.kind not in _SEES:
        raise RefusedError("opening_no_camera", device=camera.id)
    if opener.compound != camera.compound:
        raise MissingError("device")
    if "open" not in ADAPTERS[opener.adapter].commands:
        raise RefusedError("opening_unsupported", device=opener.id)
    if door not in DOORS:
        raise RefusedError("opening_door_bad", at_least=DOORS[0], at_most=DOORS[-1])
    row = session.get(CameraOpening, camera.id)
    if row is None:
        row = CameraOpening(camera=camera.id, compound=camera.compound)
    row.opener, row.door, row.enabled_by, row.enabled_at = opener.id, door, by.actor, at
    session.add(row)
    session.flush()
    note(session, at, by, camera, "device.opens", f"{opener.id} door {door}")
    return row


def never(session: Session, camera: Device, at: dt.datetime, by: By) -> bool:
    """The camera opens nothing from now on; False where it opened nothing before."""
    row = session.get(CameraOpening, camera.id)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    note(session, at, by, camera, "device.opens", "nothing")
    return True
