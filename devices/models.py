"""The device registry and what is known of each device's condition."""

import datetime as dt
import enum

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, Integer, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, OwnedByCompound, UtcTime


class DeviceKind(enum.StrEnum):
    """What a device is (采集设备)."""

    FACE_CAMERA = "face_camera"
    PLATE_CAMERA = "plate_camera"
    SCENE_CAMERA = "scene_camera"
    DOOR = "door"
    BARRIER = "barrier"
    TURNSTILE = "turnstile"
    SENSOR = "sensor"
    # What is heard or seen far off: a siren, a lamp, a loudspeaker.
    SIREN = "siren"
    # Speaks for others: a bridge, a recorder, a platform.
    GATEWAY = "gateway"


class Stage(enum.StrEnum):
    """How far a device has come. Nothing that a device does by itself moves it forward."""

    # Registered, not yet believed: what it says is kept aside, and becomes history once it is approved.
    QUARANTINED = "quarantined"
    # Somebody has stood before it and seen that it does what the registry says.
    TESTED = "tested"
    APPROVED = "approved"


class Device(OwnedByCompound, Base):
    """A device that may publish. Ring and zone are decided here, never by the device."""

    __tablename__ = "devices"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    compound: Mapped[str] = mapped_column(ForeignKey("compounds.id"), index=True)
    zone: Mapped[str] = mapped_column(ForeignKey("zones.id"))
    kind: Mapped[DeviceKind] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(128))
    # Devices of one lane see the same passage: its camera, its reader, its door or barrier.
    lane: Mapped[str | None] = mapped_column(String(64))
    # What passing this device means when it does not say so itself: in or out.
    direction: Mapped[str | None] = mapped_column(String(8))
    # Seconds between signs of life; offline within 2.5 of them. 0: it gives none, silence says nothing.
    heartbeat_s: Mapped[int] = mapped_column(Integer, default=30)
    # bcrypt of the secret it signs in with, shown once and not kept; empty where it never signs in itself.
    secret_hash: Mapped[str] = mapped_column(String(80))
    # Position in plan metres.
    x: Mapped[float | None] = mapped_column(Float)
    y: Mapped[float | None] = mapped_column(Float)
    enabled: Mapped[bool] = mapped_column(Boolean, default=True)
    # Whose format it speaks: a name of `devices.adapters`.
    adapter: Mapped[str] = mapped_column(String(32), default="native", server_default="native")
    # Its name in its vendor's messages; None means its id.
    external_id: Mapped[str | None] = mapped_column(String(128))
    # The bridge, recorder or platform that speaks for it.
    gateway: Mapped[str | None] = mapped_column(ForeignKey("devices.id"))
    # Rows from before stages were kept are devices at work.
    stage: Mapped[Stage] = mapped_column(String(16), default=Stage.QUARANTINED, server_default="approved")
    # Why it stands where it stands: a code of `devices.onboarding.Reason`.
    stage_reason: Mapped[str | None] = mapped_column(String(32))
    tested_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    tested_by: Mapped[str | None] = mapped_column(String(64))
    approved_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    approved_by: Mapped[str | None] = mapped_column(String(64))
    # A device that was taken down: it keeps its row for its events' sake, and nothing else.
    retired_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    vendor: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(64))
    # A name of `devices.profiles`, which gave it its defaults.
    profile: Mapped[str | None] = mapped_column(String(64))
    # GB/T 28181 Annex D, 20 digits (设备编码).
    gb28181_code: Mapped[str | None] = mapped_column(String(20))
    # It may publish on topics that all devices of its vendor share, where no broker can prove who speaks.
    shared_topics: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # The photo of the 提示标识 beside it (PIPL art. 26): its picture in the media store.
    sign_photo: Mapped[str | None] = mapped_column(String(64))
    sign_checked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    sign_checked_by: Mapped[str | None] = mapped_column(String(64))
    # Somebody has seen that it looks into no dwelling, no toilet, no changing room (条例 art. 8).
    privacy_checked_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    privacy_checked_by: Mapped[str | None] = mapped_column(String(64))
    # The same secret as Mosquitto reads it; None for secrets from before this was kept.
    secret_pbkdf2: Mapped[str | None] = mapped_column(String(160))
    # Counts rotations with an overlap: each has a user name of its own (see `devices.credentials`).
    secret_number: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    previous_secret_hash: Mapped[str | None] = mapped_column(String(80))
    previous_secret_pbkdf2: Mapped[str | None] = mapped_column(String(160))
    previous_secret_until: Mapped[dt.datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index("uq_devices_gb28181_code", "gb28181_code", unique=True),
        Index(
            "uq_devices_external",
            "adapter",
            "external_id",
            unique=True,
            sqlite_where=text("gateway IS NULL"),
            postgresql_where=text("gateway IS NULL"),
        ),
        Index("uq_devices_behind", "gateway", "external_id", unique=True),
    )


class DeviceStatus(Base):
    """The hot half of a device: written with every batch, so kept apart from the registry."""

    __tablename__ = "device_status"

    device_id: Mapped[str] = mapped_column(ForeignKey("devices.id"), primary_key=True)
    online: Mapped[bool] = mapped_column(Boolean, default=False)
    since: Mapped[dt.datetime] = mapped_column(UtcTime)
    # None until its first sign of life.
    last_seen: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # Device time minus received time in milliseconds, the median of its last live heartbeats; a
    # clock that has fallen back to 1970 is off by more than 32 bits hold.
    clock_offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    # Whether it was said that the clock is wrong: said once, and once more when it is right again.
    clock_off: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Why it came or went last: heartbeat, event, last_will, silence, gateway.
    cause: Mapped[str | None] = mapped_column(String(16))

    __table_args__ = (Index("ix_device_status_online", "online", "last_seen"),)
