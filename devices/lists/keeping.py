"""Deciding what a terminal's list carries, and having all of it sent again."""

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from devices.adapters import ADAPTERS
from devices.adapters.contract import UnsupportedError
from devices.directory import DeviceFacts
from devices.enrolments import DeleteOrder, OrderState, TerminalEnrolment
from devices.lists import pushes
from devices.lists.models import Carries, TerminalList
from devices.models import Device
from storage.audit import AuditEntry, append


def keeps_lists(device: DeviceFacts) -> bool:
    """Whether a device's vendor knows how to be given people and to forget them."""
    return ADAPTERS[device.adapter].commands >= {"enrol", "delete"}


def row_of(session: Session, device: DeviceFacts) -> TerminalList:
    """The terminal's list, begun as undecided where there is none."""
    row = session.get(TerminalList, device.device_id)
    if row is None:
        row = TerminalList(
            device=device.device_id,
            compound=device.compound,
            carries=Carries.UNDECIDED,
            failures=0,
            wanted=0,
            wanted_faces=0,
        )
        session.add(row)
        session.flush()
    return row


def decide(
    session: Session, device: DeviceFacts, carries: Carries, *, by: str, role: str, at: dt.datetime
) -> TerminalList:
    """Says what lies on a terminal from now on. Raises `UnsupportedError`."""
    if not keeps_lists(device):
        raise UnsupportedError(device.adapter, "enrol")
    row = row_of(session, device)
    row.carries, row.counted_at = carries, None
    row.approval_seen = session.get_one(Device, device.device_id).approved_at
    _audit(session, device, by, role, f"carries={carries}", at)
    return row


def resync(session: Session, device: DeviceFacts, *, by: str, role: str, at: dt.datetime) -> int:
    """Nothing is taken for granted any more: everything is sent again, under the same references.

    For a terminal that was reset, exchanged or given a backup. Returns how many entries.
    """
    row = row_of(session, device)
    row.failures, row.next_at, row.counted_at = 0, None, None
    row.approval_seen = session.get_one(Device, device.device_id).approved_at
    pushes.forget_in_flight(session, device.device_id, at)
    entries = session.scalars(
        select(TerminalEnrolment.id).where(TerminalEnrolment.device == device.device_id)
    ).all()
    session.execute(
        update(DeleteOrder)
        .where(DeleteOrder.device == device.device_id, DeleteOrder.state != OrderState.CONFIRMED)
        .values(was_there=False)
    )
    _audit(session, device, by, role, f"resync entries={len(entries)}", at)
    return len(entries)


def approved_anew(session: Session, device: DeviceFacts) -> bool:
    """Whether a terminal was approved since its list was last sent: it may not be the one it was."""
    row = session.get(TerminalList, device.device_id)
    approved = session.scalar(select(Device.approved_at).where(Device.id == device.device_id))
    return row is not None and approved is not None and row.approval_seen != approved


def _audit(session: Session, device: DeviceFacts, by: str, role: str, detail: str, at: dt.datetime) -> None:
    append(
        session,
        at,
        AuditEntry(
            by,
            role,
            "terminal_list.decided",
            "access_list",
            f"device:{device.device_id}",
            detail,
            device.compound,
        ),
    )
