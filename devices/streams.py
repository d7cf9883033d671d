"""Cameras that do not push: where their stream of events is read, and as whom.

Ingest calls such a camera and reads an answer that does not end (see `ingest.streams`). Here is
what is registered for that, and the last that is known of it. Refusals are
`registry.errors.RefusedError`: device_retired, behind_gateway, stream_unknown, stream_url_bad,
stream_address_refused, stream_login_bad, stream_certificate_bad, no_stream.
"""

import datetime as dt
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Boolean, ForeignKey, String, Text, delete, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from devices.models import Device
from devices.near import Network, base_url, is_address, is_near
from devices.stages import By, not_retired, note
from registry.errors import RefusedError
from storage import Base, UtcTime
from storage.columns import EncryptedText

_LONGEST_LOGIN: Final = 128
_LONGEST_CERTIFICATE: Final = 16_384


@dataclass(frozen=True, slots=True)
class StreamKind:
    """One vendor's endless answer. `path` takes `{heartbeat}`, in seconds, where it can be asked for."""

    adapter: str
    path: str
    # Between signs of life in the stream, where the registry says nothing else.
    heartbeat_s: int
    # Whether pictures follow their event in parts of their own.
    pictures: bool


KINDS: Final[Mapping[str, StreamKind]] = {
    "hikvision": StreamKind("hikvision", "/ISAPI/Event/notification/alertStream", 30, True),
    "dahua": StreamKind(
        "dahua", "/cgi-bin/eventManager.cgi?action=attach&codes=[All]&heartbeat={heartbeat}", 5, False
    ),
    # What traffic cameras have beside it: the same events, with their pictures.
    "dahua_pictures": StreamKind(
        "dahua",
        "/cgi-bin/snapManager.cgi?action=attachFileProc&channel=1&heartbeat={heartbeat}"
        "&Flags[0]=Event&Events=[All]",
        5,
        True,
    ),
}


class DeviceStream(Base):
    """The stream of one device. User and password are sealed, and leave us towards the camera only."""

    __tablename__ = "device_streams"

    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    # scheme://host[:port]; the kind says what is asked for there.
    url: Mapped[str] = mapped_column(String(200))
    username: Mapped[str] = mapped_column(EncryptedText)
    password: Mapped[str] = mapped_column(EncryptedText)
    # PEM: over https this certificate is believed and no other. None: as the machine believes.
    certificate: Mapped[str | None] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    changed_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    # What ingest last noted; `last_part_at` once a minute. `error` is a code of `ingest.streams`.
    connected_since: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    last_part_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    error: Mapped[str | None] = mapped_column(String(32))
    error_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


@dataclass(frozen=True, slots=True)
class StreamGiven:
    """What is said of a stream. `kind` None: what the device's adapter has."""

    url: str
    username: str
    password: str = field(repr=False)
    kind: str | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class StreamWanted:
    """A stream to be read. `heartbeat_s` is how far apart its parts may lie."""

    device_id: str
    kind: str
    url: str
    heartbeat_s: int
    # Whoever saves it again wants it tried again.
    changed_at: dt.datetime
    username: str = field(repr=False)
    password: str = field(repr=False)
    certificate: str | None = field(default=None, repr=False)


def attach(
    session: Session,
    device: Device,
    given: StreamGiven,
    allowed: tuple[Network, ...],
    at: dt.datetime,
    by: By,
) -> DeviceStream:
    """Has a device's stream read from now on, in place of what was said before.

    The password is given each time: else whoever may change the address could have it sent there.
    Raises `RefusedError`.
    """
    not_retired(device)
    if device.gateway is not None:
        raise RefusedError("behind_gateway", gateway=device.gateway)
    kind = given.kind or device.adapter
    if kind not in KINDS or KINDS[kind].adapter != device.adapter:
        raise RefusedError("stream_unknown", adapter=device.adapter)
    try:
        base, host = base_url(given.url)
    except ValueError:
        raise RefusedError("stream_url_bad") from None
    # A name is looked up when it is called.
    if is_address(host) and not is_near(host, allowed):
        raise RefusedError("stream_address_refused")
    for text in (given.username, given.password):
        if not text or len(text) > _LONGEST_LOGIN or not text.isprintable():
            raise RefusedError("stream_login_bad")
    if given.certificate is not None:
        _check_certificate(given.certificate)
    row = session.get(DeviceStream, device.id)
    if row is None:
        row = DeviceStream(device_id=device.id)
        session.add(row)
    row.kind, row.url = kind, base
    row.username, row.password, row.certificate = given.username, given.password, given.certificate
    _begin_anew(row, True, at)
    note(session, at, by, device, "device.stream_set", f"{kind} {base}")
    return row


def switch(session: Session, device: Device, enabled: bool, at: dt.datetime, by: By) -> DeviceStream:
    """Stops reading a stream, or goes on. Raises `RefusedError`."""
    not_retired(device)
    row = session.get(DeviceStream, device.id)
    if row is None:
        raise RefusedError("no_stream", device=device.id)
    _begin_anew(row, enabled, at)
    note(session, at, by, device, f"device.stream_{'on' if enabled else 'off'}", "")
    return row


def detach(session: Session, device: Device, at: dt.datetime, by: By) -> bool:
    """Forgets a device's stream with its password; False where there was none."""
    if session.get(DeviceStream, device.id) is None:
        return False
    session.execute(delete(DeviceStream).where(DeviceStream.device_id == device.id))
    note(session, at, by, device, "device.stream_removed", "")
    return True


def wanted(session: Session) -> list[StreamWanted]:
    """Every stream that is to be read now, by device: of devices that are at work."""
    rows = session.execute(
        select(DeviceStream, Device.heartbeat_s)
        .join(Device, Device.id == DeviceStream.device_id)
        .where(DeviceStream.enabled, Device.enabled, Device.retired_at.is_(None))
        .order_by(DeviceStream.device_id)
    )
    return [
        StreamWanted(
            row.device_id,
            row.kind,
            row.url,
            heartbeat_s or KINDS[row.kind].heartbeat_s,
            row.changed_at,
            row.username,
            row.password,
            row.certificate,
        )
        for row, heartbeat_s in rows
        # A kind of a later version's.
        if row.kind in KINDS
    ]


def _begin_anew(row: DeviceStream, enabled: bool, at: dt.datetime) -> None:
    row.enabled, row.changed_at = enabled, at
    row.connected_since = row.last_part_at = row.error = row.error_at = None


def _check_certificate(text: str) -> None:
    try:
        if len(text) > _LONGEST_CERTIFICATE:
            raise RefusedError("stream_certificate_bad")
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        raise RefusedError("stream_certificate_bad") from None
