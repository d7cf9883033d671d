"""A device's answer, given to whoever asked."""

import datetime as dt

import structlog
from sqlalchemy.orm import Session

from devices.adapters.contract import CommandResult
from devices.commands import desk
from devices.commands.kinds import LISTS
from devices.lists import pushes

log = structlog.get_logger(__name__)


def take(session: Session, device_id: str, result: CommandResult, at: dt.datetime) -> None:
    """Settles what the answer belongs to; an answer to nothing of ours is said in the log and no more."""
    asked = result.command not in LISTS and desk.settle(session, device_id, result, at)
    if not asked and not pushes.settle(session, device_id, result, at):
        log.info("answer.unasked", device=device_id, command=result.command)
