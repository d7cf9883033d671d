"""Events that are told of again: whether there is more to look at, and all there is to look at."""

from typing import Any

import msgspec
from sqlalchemy import select

from bus.messages import DeviceMatch, EventStored, Picture
from recognition.models import DecisionRow
from storage import Database
from storage.amendments import standing
from storage.events import EventAmendment, EventRow


def shows_more(database: Database, message: EventStored, decided: DecisionRow) -> bool:
    """Whether an amendment has what its event's decision has not seen: a plate, match or picture."""
    if (decided.revision or 0) >= (message.revision or 0):
        return False
    with database.read() as session:
        then = session.get(EventAmendment, (message.id, decided.revision)) or session.get(
            EventRow, message.id
        )
        before: dict[str, Any] = then.body if then is not None else {}
    seen = {picture["media_id"] for picture in before.get("pictures") or ()}
    return (
        msgspec.to_builtins(message.plate) != before.get("plate")
        or _said(message.match) != before.get("match")
        or any(picture.media_id not in seen for picture in message.pictures)
    )


def whole(database: Database, message: EventStored) -> EventStored:
    """An amendment with all pictures of its event: the first may be the best."""
    with database.read() as session:
        rows = standing(session, session.scalars(select(EventRow).where(EventRow.id == message.id)).all())
        kept = [picture for row in rows for picture in row.body.get("pictures") or ()]
    pictures = dict.fromkeys([*message.pictures, *msgspec.convert(kept, list[Picture])])
    return msgspec.structs.replace(message, pictures=tuple(pictures))


def _said(match: DeviceMatch | None) -> Any:
    """A match in the device's own words: whom we put there is not stored with the event."""
    return None if match is None else msgspec.to_builtins(msgspec.structs.replace(match, person_id=None))
