"""The desk of commands: asking, taking the answer, and giving up on silence."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from devices.adapters import ADAPTERS
from devices.adapters.contract import CommandResult, UnsupportedError
from devices.commands.kinds import PATIENCE, check_arguments, check_lawful
from devices.commands.models import CommandState, DeviceCommand
from devices.directory import DeviceFacts
from devices.models import DeviceStatus
from storage import content_id, new_id, tracing
from storage.audit import AuditEntry, append

SYSTEM: Final = "ringward"


class DeviceAwayError(Exception):
    """The device is offline, switched off or not approved: a command would reach nobody, or too late."""

    def __init__(self, device_id: str, why: str) -> None:
        super().__init__(f"{device_id} is {why}")
        self.device_id = device_id
        self.why = why


class Asking(msgspec.Struct, frozen=True):
    """Who asks, as what, and why. `key` makes two requests one command."""

    by: str
    role: str
    reason: str
    key: str


def ask(
    session: Session,
    device: DeviceFacts,
    kind: str,
    arguments: Mapping[str, Any],
    asking: Asking,
    at: dt.datetime,
) -> DeviceCommand:
    """Takes a command down for sending, or gives the one that was asked for under this key.

    Raises `UnlawfulCommandError`, `InvalidCommandError`, `UnsupportedError`, `DeviceAwayError`.
    """
    known = _asked(session, device.compound, asking.key)
    if known is not None:
        return known
    check_lawful(kind, device.direction)
    checked = check_arguments(kind, arguments)
    adapter = ADAPTERS[device.adapter]
    if kind not in adapter.commands:
        raise UnsupportedError(adapter.name, kind)
    _check_present(session, device)
    values = {
        "id": new_id(),
        "compound": device.compound,
        "device": device.device_id,
        "kind": kind,
        "arguments": checked,
        "state": CommandState.PENDING,
        "asked_by": asking.by[:64],
        "reason": asking.reason[:200],
        "key": asking.key[:64],
        "asked_at": at,
        "expires_at": at + PATIENCE[kind].waits,
    }
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    added = session.execute(
        dialect.insert(DeviceCommand).values(values).on_conflict_do_nothing().returning(DeviceCommand.id)
    ).all()
    command = _asked(session, device.compound, asking.key)
    assert command is not None
    if added:
        append(
            session,
            at,
            AuditEntry(
                asking.by,
                asking.role,
                "command.asked",
                "device_control",
                f"device:{device.device_id}",
                f"{kind} {command.id}",
                device.compound,
            ),
        )
    return command


def settle(session: Session, device_id: str, result: CommandResult, at: dt.datetime) -> bool:
    """Takes a device's answer; False where no command of ours waits for it.

    An answer that comes after the command was called uncertain still counts: now it is known.
    A device that does not say which command it answers means the last one of that kind.
    """
    query = select(DeviceCommand).where(
        DeviceCommand.device == device_id,
        DeviceCommand.state.in_((CommandState.SENT, CommandState.UNCERTAIN)),
    )
    if result.command_id is not None:
        query = query.where(DeviceCommand.id == result.command_id)
    else:
        query = query.where(DeviceCommand.state == CommandState.SENT)
        if result.command is not None:
            query = query.where(DeviceCommand.kind == result.command)
    command = session.scalars(query.order_by(DeviceCommand.sent_at.desc()).limit(1)).first()
    if command is None:
        return False
    command.state = CommandState.ACKED if result.ok else CommandState.FAILED
    tracing.mark(
        "command.answer",
        command.trace,
        compound=command.compound,
        command=command.kind,
        outcome="acked" if result.ok else "failed",
    )
    command.settled_at = at
    command.code, command.text = result.code[:64], result.text[:500]
    session.flush()
    return True


def take(session: Session, at: dt.datetime, limit: int = 50) -> Sequence[DeviceCommand]:
    """The commands to be sent now, written down as sent; what is too old to be sent has failed.

    Nothing may be published before the transaction has committed: then a crash in between
    leaves an uncertain command and never one that is sent twice.
    """
    _fail_expired(session, at)
    rows = session.scalars(
        select(DeviceCommand)
        .where(DeviceCommand.state == CommandState.PENDING, DeviceCommand.expires_at > at)
        .order_by(DeviceCommand.asked_at, DeviceCommand.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for command in rows:
        command.state = CommandState.SENT
        command.sent_at = at
        command.answer_by = at + PATIENCE[command.kind].answers
    session.flush()
    return rows


def give_up(session: Session, at: dt.datetime) -> list[str]:
    """Commands whose answer did not come are uncertain now; gives their ids."""
    return list(
        session.scalars(
            update(DeviceCommand)
            .where(DeviceCommand.state == CommandState.SENT, DeviceCommand.answer_by <= at)
            .values(state=CommandState.UNCERTAIN, settled_at=at, code="no_answer")
            .returning(DeviceCommand.id)
        )
    )


def not_sent(session: Session, command_id: str, code: str, at: dt.datetime) -> None:
    """A command that certainly did not leave has failed."""
    session.execute(
        update(DeviceCommand)
        .where(DeviceCommand.id == command_id, DeviceCommand.state == CommandState.SENT)
        .values(state=CommandState.FAILED, settled_at=at, code=code[:64])
    )


def waiting(session: Session) -> bool:
    """Whether any command is on its way."""
    on_their_way = (CommandState.PENDING, CommandState.SENT)
    return (
        session.scalars(
            select(DeviceCommand.id).where(DeviceCommand.state.in_(on_their_way)).limit(1)
        ).first()
        is not None
    )


def key_of(*parts: str) -> str:
    """A key for a command that Ringward itself gives: the same parts are the same command."""
    return content_id("command", *parts)


def _asked(session: Session, compound: str, key: str) -> DeviceCommand | None:
    return session.scalars(
        select(DeviceCommand).where(DeviceCommand.compound == compound, DeviceCommand.key == key[:64])
    ).first()


def _check_present(session: Session, device: DeviceFacts) -> None:
    if not device.enabled:
        raise DeviceAwayError(device.device_id, "disabled")
    if not device.trusted:
        raise DeviceAwayError(device.device_id, "quarantined")
    online = session.scalar(select(DeviceStatus.online).where(DeviceStatus.device_id == device.device_id))
    if not online:
        raise DeviceAwayError(device.device_id, "offline")


def _fail_expired(session: Session, at: dt.datetime) -> None:
    session.execute(
        update(DeviceCommand)
        .where(DeviceCommand.state == CommandState.PENDING, DeviceCommand.expires_at <= at)
        .values(state=CommandState.FAILED, settled_at=at, code="expired")
    )
