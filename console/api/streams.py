"""The streams of cameras that do not push, for an administrator. A password goes in and never out."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, SecretStr

from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found
from devices import streams
from devices.models import Device
from devices.stages import By
from devices.streams import DeviceStream, StreamGiven
from registry.rows import find

router = APIRouter(tags=["devices"])
Editor = Annotated[User, may(Action.DEVICES_EDIT)]


class StreamBody(BaseModel):
    """All of it each time: a new address never goes with a password that was given for another.

    `kind` None is what the device's adapter has. `certificate` is the camera's own, in PEM: over
    https it is believed and no other.
    """

    url: Annotated[str, Field(max_length=200)]
    username: Annotated[str, Field(min_length=1, max_length=128)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=128)]
    kind: Literal["hikvision", "dahua", "dahua_pictures"] | None = None
    certificate: Annotated[str, Field(max_length=16_384)] | None = None
    enabled: bool = True


class StreamView(BaseModel):
    """`error` is a code, with the moment since when; `last_part_at` is noted once a minute."""

    device: str
    kind: str
    url: str
    username: str
    certificate: str | None
    enabled: bool
    changed_at: dt.datetime
    connected_since: dt.datetime | None
    last_part_at: dt.datetime | None
    error: str | None
    error_at: dt.datetime | None


@router.get("/devices/{device_id}/stream")
def stream(here: Here, _: Editor, device_id: str) -> StreamView:
    """How a camera's stream is read, and how that goes."""
    with here.database.read() as session:
        device = find(session, Device, here.compound, device_id, "device")
        row = session.get(DeviceStream, device.id)
        if row is None:
            raise not_found("stream")
        return _view(row)


@router.put("/devices/{device_id}/stream")
def attach(here: Here, user: Editor, device_id: str, given: StreamBody) -> StreamView:
    """Has a camera's stream read within seconds, in place of what was said before."""
    wanted = StreamGiven(
        given.url, given.username, given.password.get_secret_value(), given.kind, given.certificate
    )
    with here.database.write() as session:
        device = find(session, Device, here.compound, device_id, "device")
        at, by = here.clock.now(), _by(user)
        row = streams.attach(session, device, wanted, here.camera_networks, at, by)
        if not given.enabled:
            streams.switch(session, device, False, at, by)
        session.flush()
        return _view(row)


@router.delete("/devices/{device_id}/stream", status_code=204)
def detach(here: Here, user: Editor, device_id: str) -> Response:
    """Hangs up and forgets address, user and password."""
    with here.database.write() as session:
        device = find(session, Device, here.compound, device_id, "device")
        if not streams.detach(session, device, here.clock.now(), _by(user)):
            raise not_found("stream")
    return Response(status_code=204)


def _view(row: DeviceStream) -> StreamView:
    named = {name: getattr(row, name) for name in StreamView.model_fields if name != "device"}
    return StreamView(device=row.device_id, **named)


def _by(user: User) -> By:
    return By(user.id, str(user.role))
