"""What devices send, as bytes."""

import datetime as dt
import json

from tests.support.clock import NOON
from tests.support.compound import COMPOUND


def event(
    record: str = "r-1", kind: str = "door.opened", at: dt.datetime | None = NOON, **more: object
) -> bytes:
    fields: dict[str, object] = {"v": 1, "id": record, "type": kind}
    if at is not None:
        fields["at"] = at.isoformat()
    return json.dumps(fields | more).encode()


def state(status: str = "online", at: dt.datetime | None = NOON) -> bytes:
    fields = {"v": 1, "status": status}
    if at is not None:
        fields["at"] = at.isoformat()
    return json.dumps(fields).encode()


def topic(device_id: str = "cam-1", leaf: str = "event", compound: str = COMPOUND) -> str:
    return f"rw/v1/{compound}/{device_id}/up/{leaf}"
