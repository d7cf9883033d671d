"""Commands of which nobody knows what came: no device reports that it did not answer."""

import datetime as dt
from collections.abc import Iterator

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from alerts.calendar.places import Places
from alerts.rules import Observation
from devices.commands.models import CommandState, DeviceCommand


def touched(start: dt.datetime, end: dt.datetime) -> Iterator[Select[str]]:
    """Compounds of which `between` may have something to say."""
    yield select(DeviceCommand.compound).where(
        DeviceCommand.answer_by >= start, DeviceCommand.answer_by < end
    )


def between(session: Session, places: Places, start: dt.datetime, end: dt.datetime) -> Iterator[Observation]:
    """`command.uncertain` at the moment by which the answer should have come; `kind` is the command's.

    An answer that comes after all does not undo it: for that long nobody knew how the door stood.
    """
    query = select(DeviceCommand).where(
        DeviceCommand.compound == places.compound,
        DeviceCommand.answer_by >= start,
        DeviceCommand.answer_by < end,
        or_(
            DeviceCommand.state.in_((CommandState.SENT, CommandState.UNCERTAIN)),
            DeviceCommand.settled_at > DeviceCommand.answer_by,
        ),
    )
    for command in session.scalars(query.order_by(DeviceCommand.answer_by, DeviceCommand.id)):
        where = places.of_device(command.device)
        if where is None or command.answer_by is None:
            continue
        zone, lane = where
        yield places.observation(
            "command.uncertain",
            command.answer_by,
            command.id,
            zone=zone,
            device=command.device,
            lane=lane,
            cause="no_answer",
            attributes={"kind": command.kind, "command": command.id},
        )
