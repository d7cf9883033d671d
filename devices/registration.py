"""Devices in the registry: registered, edited, retired, given new secrets. Each is audited.

Refusals are `registry.errors.RefusedError`: those of `devices.registrable`, and device_id_bad,
device_exists, kind_missing, device_retired, devices_behind, behind_gateway.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bus.embedded import is_safe_name
from devices import candidates, credentials, streams
from devices.adapters import ADAPTERS
from devices.credentials import Credential
from devices.models import Device, DeviceKind, Stage
from devices.onboarding import Reason
from devices.profiles import heartbeat_of
from devices.registrable import check, check_topics, profile_named
from devices.rights import knows_only_shared_topics
from devices.stages import By, not_retired, note, step_back
from registry.errors import RefusedError

# A change of these makes another device of it, or hangs it elsewhere.
_IDENTITY: Final = frozenset({"kind", "adapter", "external_id", "gateway", "zone"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a device when it is registered; None takes the profile's or adapter's default."""

    zone: str
    kind: DeviceKind | None = None
    name: str | None = None
    profile: str | None = None
    adapter: str | None = None
    external_id: str | None = None
    gateway: str | None = None
    lane: str | None = None
    direction: str | None = None
    heartbeat_s: int | None = None
    vendor: str | None = None
    model: str | None = None
    gb28181_code: str | None = None
    shared_topics: bool | None = None
    x: float | None = None
    y: float | None = None


FIELDS: Final = frozenset(field.name for field in fields(Facts))


def register(
    session: Session, compound: str, device_id: str, facts: Facts, at: dt.datetime, by: By
) -> tuple[Device, Credential | None]:
    """A new device, in quarantine, with its credential: None where it speaks through a gateway.

    A candidate of that name is taken off the list. Raises `RefusedError`.
    """
    if not is_safe_name(device_id):
        raise RefusedError("device_id_bad")
    if session.get(Device, device_id) is not None:
        raise RefusedError("device_exists", device=device_id)
    profile = profile_named(facts.profile)
    adapter = facts.adapter or (profile.adapter if profile else "native")
    if adapter not in ADAPTERS:
        raise RefusedError("adapter_unknown", adapter=adapter[:32])
    kind = facts.kind or (profile.kind if profile else None)
    if kind is None:
        raise RefusedError("kind_missing")
    shared = facts.shared_topics
    device = Device(
        id=device_id,
        compound=compound,
        zone=facts.zone,
        kind=kind,
        name=facts.name or device_id,
        lane=facts.lane,
        direction=facts.direction,
        heartbeat_s=facts.heartbeat_s or (profile.heartbeat_s if profile else heartbeat_of(adapter)),
        secret_hash="",
        secret_number=1,
        enabled=True,
        adapter=adapter,
        external_id=facts.external_id,
        gateway=facts.gateway,
        stage=Stage.QUARANTINED,
        stage_reason=Reason.REGISTERED,
        vendor=facts.vendor or (profile.vendor if profile else None),
        model=facts.model,
        profile=facts.profile,
        gb28181_code=facts.gb28181_code,
        shared_topics=knows_only_shared_topics(ADAPTERS[adapter]) if shared is None else shared,
        x=facts.x,
        y=facts.y,
    )
    check(session, device)
    session.add(device)
    credential = credentials.issue(device, at) if device.gateway is None else None
    _flush(session)
    check_topics(session, device)
    candidates.forget(session, adapter, device.gateway, device.external_id or device.id)
    note(session, at, by, device, "device.registered", f"{adapter} {device.zone}")
    return device, credential


def edit(session: Session, device: Device, changes: Mapping[str, Any], at: dt.datetime, by: By) -> None:
    """Changes what is registered, `enabled` too; an unknown name is a `KeyError`.

    What makes another device of it puts it back into quarantine, and a device that sees and
    moves needs its sign and its view checked again. So does one that was turned on again.
    """
    not_retired(device)
    before = {name: getattr(device, name) for name in changes}
    for name, value in changes.items():
        if name not in FIELDS | {"enabled"}:
            raise KeyError(name)
        setattr(device, name, value)
    really = {name for name, value in before.items() if value != getattr(device, name)}
    if not really:
        return
    check(session, device)
    _flush(session)
    check_topics(session, device)
    if "zone" in really:
        device.sign_photo = device.sign_checked_at = device.sign_checked_by = None
        device.privacy_checked_at = device.privacy_checked_by = None
    if "gateway" in really and device.gateway is not None:
        credentials.withdraw(device)
    note(session, at, by, device, "device.edited", " ".join(sorted(really)))
    if really & {"adapter", "gateway"}:
        # Another maker's stream, or one that somebody else speaks for.
        streams.detach(session, device, at, by)
    if "enabled" in really and device.enabled:
        step_back(session, device, Reason.RE_ENABLED, at, by)
    elif really & _IDENTITY:
        step_back(session, device, Reason.MOVED, at, by)


def retire(session: Session, device: Device, at: dt.datetime, by: By) -> None:
    """Takes a device out of the registry; its row stays for its events' sake.

    Its name at the vendor and its place in the lane are free again. Raises
    `RefusedError("devices_behind")` while others speak through it.
    """
    not_retired(device)
    behind = session.scalars(
        select(Device.id).where(Device.gateway == device.id, Device.retired_at.is_(None)).limit(1)
    ).first()
    if behind is not None:
        raise RefusedError("devices_behind", device=behind)
    told = f"{device.adapter} {device.external_id or device.id}"
    step_back(session, device, Reason.RETIRED, at, by)
    credentials.withdraw(device)
    streams.detach(session, device, at, by)
    device.enabled, device.retired_at = False, at
    device.external_id = device.gateway = device.lane = device.gb28181_code = None
    note(session, at, by, device, "device.retired", told)


def renew_secret(
    session: Session, device: Device, overlap: dt.timedelta, at: dt.datetime, by: By
) -> Credential:
    """A new secret, shown once. Raises `RefusedError("behind_gateway")` where it signs in nowhere."""
    not_retired(device)
    if device.gateway is not None:
        raise RefusedError("behind_gateway", gateway=device.gateway)
    credential = credentials.issue(device, at, overlap)
    minutes = round(overlap.total_seconds() / 60)
    note(session, at, by, device, "device.secret_renewed", f"overlap {minutes} min")
    return credential


def _flush(session: Session) -> None:
    """What another compound has taken is not seen from here: the database says so."""
    try:
        session.flush()
    except IntegrityError as error:
        raise RefusedError("device_exists") from error
