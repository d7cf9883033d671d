"""A device's steps from stage to stage, and what people saw at it. Each is audited.

Refusals are `registry.errors.RefusedError`: device_retired, not_next_stage, not_ready (with
`missing`, codes of `devices.onboarding.Missing`), no_lane.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from devices import observations
from devices.models import Device, Stage
from devices.observations import DeviceObservation
from devices.onboarding import CAMERAS, Card, Missing, Reason, Shown, missing, next_stage, unlawful
from devices.profiles import profiles
from registry.errors import RefusedError
from storage import audit
from storage.audit import AuditEntry

PURPOSE: Final = "registry_maintenance"
_NO_SHOWN: Final = Shown()


@dataclass(frozen=True, slots=True)
class By:
    """Who does it: a user's id and role, or `cli`."""

    actor: str
    role: str


def advance(session: Session, device: Device, to: Stage, at: dt.datetime, by: By) -> None:
    """Somebody says that the device is tested, or approves it.

    Raises `RefusedError`: not_next_stage, or not_ready with what is missing.
    """
    not_retired(device)
    if next_stage(device.stage) is not to:
        raise RefusedError("not_next_stage", stage=str(device.stage))
    lacking = missing(card(session, device), shown(session, device), to)
    if lacking:
        raise RefusedError("not_ready", missing=[str(one) for one in lacking])
    device.stage = to
    if to is Stage.TESTED:
        device.stage_reason, device.tested_at, device.tested_by = Reason.TESTED, at, by.actor
    else:
        device.stage_reason, device.approved_at, device.approved_by = Reason.APPROVED, at, by.actor
    note(session, at, by, device, f"device.{to}", "")


def approve_untested(session: Session, device: Device, at: dt.datetime, by: By) -> None:
    """Approves without a test at the device; what the law asks is asked all the same.

    Raises `RefusedError("not_ready")`.
    """
    not_retired(device)
    lacking = unlawful(card(session, device))
    if lacking:
        raise RefusedError("not_ready", missing=[str(one) for one in lacking])
    device.stage, device.stage_reason = Stage.APPROVED, Reason.UNTESTED
    device.approved_at, device.approved_by = at, by.actor
    note(session, at, by, device, "device.approved", "without a test")


def step_back(session: Session, device: Device, reason: Reason, at: dt.datetime, by: By) -> None:
    """Back into quarantine; what it has shown before counts no more."""
    device.stage, device.stage_reason = Stage.QUARANTINED, reason
    device.tested_at = device.tested_by = device.approved_at = device.approved_by = None
    observations.forget(session, device.id)
    note(session, at, by, device, "device.quarantined", str(reason))


def sign_seen(session: Session, device: Device, media_id: str, at: dt.datetime, by: By) -> None:
    """The sign (提示标识) beside the device is there: `media_id` is its photo."""
    not_retired(device)
    device.sign_photo, device.sign_checked_at, device.sign_checked_by = media_id, at, by.actor
    note(session, at, by, device, "device.sign_checked", "")


def privacy_seen(session: Session, device: Device, at: dt.datetime, by: By) -> None:
    """Somebody has looked through the device: no dwelling, toilet or changing room is in view."""
    not_retired(device)
    device.privacy_checked_at, device.privacy_checked_by = at, by.actor
    note(session, at, by, device, "device.privacy_checked", "")


def walk(session: Session, device: Device, direction: str, at: dt.datetime, by: By) -> None:
    """Somebody walks through now, `in` or `out`. Raises `RefusedError("no_lane")`."""
    not_retired(device)
    if device.lane is None:
        raise RefusedError("no_lane", device=device.id)
    observations.start_walk(session, device.id, direction, at, by.actor)
    note(session, at, by, device, "device.walk_begun", direction)


def card(session: Session, device: Device) -> Card:
    """The device as `devices.onboarding` wants to know it."""
    known = profiles().get(device.profile or "")
    seen = session.get(DeviceObservation, device.id)
    return Card(
        kind=str(device.kind),
        stage=str(device.stage),
        enabled=device.enabled,
        sees=device.kind in CAMERAS
        or (known is not None and known.sees)
        or (seen is not None and seen.picture_at is not None),
        lane=device.lane,
        direction=device.direction,
        signs_in=device.gateway is None,
        sign_photo=device.sign_photo is not None,
        privacy_checked=device.privacy_checked_at is not None,
    )


def shown(session: Session, device: Device) -> Shown:
    """What the device has shown of itself."""
    row = session.get(DeviceObservation, device.id)
    if row is None:
        return _NO_SHOWN
    offset = row.clock_offset_ms
    return Shown(
        heard=row.first_heard_at is not None,
        signed_in=row.signed_in_at is not None,
        clock_offset=None if offset is None else dt.timedelta(milliseconds=offset),
        picture=row.picture_at is not None,
        walk_asked=row.walk_asked,
        walk_heard=row.walk_heard_at is not None,
        walk_said=row.walk_said,
    )


def lacking(session: Session, device: Device) -> tuple[Missing, ...]:
    """What is missing for the device's next stage; () for one that is approved.

    Of an approved one what the law asks is named all the same: it may be from before that was kept.
    """
    to = next_stage(device.stage)
    known = card(session, device)
    if to is None:
        return unlawful(known)
    return missing(known, shown(session, device), to)


def not_retired(device: Device) -> None:
    """Raises `RefusedError("device_retired")`."""
    if device.retired_at is not None:
        raise RefusedError("device_retired", device=device.id)


def note(session: Session, at: dt.datetime, by: By, device: Device, action: str, detail: str) -> None:
    """Writes what was done to a device into the audit log."""
    subject = f"device:{device.id}"
    audit.append(
        session, at, AuditEntry(by.actor, by.role, action, PURPOSE, subject, detail, device.compound)
    )
