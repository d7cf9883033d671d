"""Pictures for terminals: an address that says nothing, holds ten minutes, and is good for one thing.

A terminal fetches the picture of an entry itself and can show no credential. So the address is
the credential: it names the entry by a random id and carries a keyed hash over that entry, its
terminal and its end.
"""

import datetime as dt
import hmac
import re
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from devices.enrolments import DeleteOrder, OrderState, TerminalEnrolment
from devices.lists.models import Carries, TerminalList
from devices.lists.reading import pictures_of
from devices.models import Device, Stage
from storage.keys import current_ring

HOLDS: Final = dt.timedelta(minutes=10)
LONGEST_SIDE: Final = 960
"""In pixels. Terminals look for a face of a few hundred."""
LARGEST: Final = 200 * 1024
"""In bytes; terminals of several vendors refuse more."""
_QUALITIES: Final = (90, 80, 70, 60, 45, 30)
_PURPOSE: Final = "terminal-picture"
_TOKEN: Final = re.compile(r"([0-9a-f]{32})-([0-9a-f]{8,11})-([0-9a-f]{64})")


def address(base: str, row: TerminalEnrolment, at: dt.datetime) -> str:
    """Where a terminal finds the picture of an entry, until `HOLDS` from now."""
    return f"{base.rstrip('/')}/t/{token(row, at)}.jpg"


def token(row: TerminalEnrolment, at: dt.datetime) -> str:
    """The signed part of an address."""
    until = int((at + HOLDS).timestamp())
    return f"{row.id}-{until:x}-{_signature(row.id, row.device, row.ref, until)}"


def media_of(session: Session, text: str, at: dt.datetime) -> str | None:
    """The media id of the picture that a token stands for; None for whatever it does not open.

    The signature is not enough: the entry must still be one with a face, on a terminal that is
    trusted and keeps faces, of somebody who still agrees, and nobody may have ordered it out.
    """
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    entry_id, until, signature = found[1], int(found[2], 16), found[3]
    now = at.timestamp()
    if not now < until <= now + HOLDS.total_seconds() + 1:
        return None
    row = session.get(TerminalEnrolment, entry_id)
    if row is None or row.person is None or not row.face:
        return None
    if not hmac.compare_digest(signature, _signature(row.id, row.device, row.ref, until)):
        return None
    if not _keeps_faces(session, row.device) or _ordered_out(session, row):
        return None
    return pictures_of(session, row.compound, at, [row.person]).get(row.person)


def for_terminal(photo: bytes) -> bytes | None:
    """A JPEG of at most `LARGEST` bytes, upright; None where the photo cannot be read.

    It is always made anew: what a phone wrote into the file, place and time, stays here.
    """
    # Late: 26 MB that a process needs only once it makes pictures.
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR) if photo else None
    if picture is None:
        return None
    height, width = picture.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    while True:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        smaller = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        for quality in _QUALITIES:
            ok, encoded = cv2.imencode(".jpg", smaller, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if ok and encoded.size <= LARGEST:
                return encoded.tobytes()
        scale *= 0.7


def _signature(entry_id: str, device: str, ref: str, until: int) -> str:
    return current_ring().fingerprint(_PURPOSE, f"{entry_id} {device} {ref} {until}")


def _keeps_faces(session: Session, device_id: str) -> bool:
    carries = session.scalar(
        select(TerminalList.carries)
        .join(Device, Device.id == TerminalList.device)
        .where(TerminalList.device == device_id, Device.enabled, Device.stage == Stage.APPROVED)
    )
    return carries == Carries.FACES


def _ordered_out(session: Session, row: TerminalEnrolment) -> bool:
    open_orders = select(DeleteOrder.id).where(
        DeleteOrder.device == row.device,
        DeleteOrder.ref == row.ref,
        DeleteOrder.state != OrderState.CONFIRMED,
    )
    return session.scalars(open_orders.limit(1)).first() is not None
