"""How a camera is looked at: which part of its picture, for how small a face, how strictly."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, FiniteFloat
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from devices.models import Device
from devices.stages import By
from recognition import cameras
from recognition.models import CameraView, Policy
from registry.rows import find

router = APIRouter(tags=["devices"])
Reader = Annotated[User, may(Action.DEVICES_READ)]
Editor = Annotated[User, may(Action.DEVICES_EDIT)]

Region = Annotated[list[FiniteFloat], Field(min_length=4, max_length=4)]


class ViewGiven(BaseModel):
    """All of it each time; null leaves a value to the deployment's settings.

    `region` is left, top, right, bottom in shares 0…1 of the picture, null for all of it;
    `smallest_face_px` the shorter side of the smallest face that is looked for. `policy` says when our
    engines look at what a terminal has recognised itself. `fpir` are false names that a stranger's passage
    may have, 0…1. `low_score` is a terminal's own score, 0…1, below which our engines look as well.
    `deadline_ms` is how long after the picture somebody still stands there.
    """

    region: Region | None = None
    smallest_face_px: int | None = None
    policy: Policy = Policy.NEEDED
    fpir: FiniteFloat | None = None
    low_score: FiniteFloat | None = None
    deadline_ms: int | None = None


class ViewView(ViewGiven):
    """`threshold_shift` moves the distance that names somebody, by an approved proposal; negative is
    stricter. `changed_at` is null where nobody has said anything of this camera.
    """

    device: str
    threshold_shift: float
    changed_at: dt.datetime | None
    changed_by: str | None


@router.get("/devices/{device_id}/view")
def view(here: Here, _: Reader, device_id: str) -> ViewView:
    """How a camera is looked at."""
    with here.database.read() as session:
        return view_of(session, find(session, Device, here.compound, device_id, "device"))


@router.put("/devices/{device_id}/view")
def change_view(here: Here, user: Editor, device_id: str, given: ViewGiven) -> ViewView:
    """Has a camera looked at otherwise from the next picture on; what is not sent is reset."""
    with here.database.write() as session:
        device = find(session, Device, here.compound, device_id, "device")
        by = By(user.id, str(user.role))
        cameras.change(session, device, given.model_dump(), here.clock.now(), by)
        return view_of(session, device)


def view_of(session: Session, device: Device) -> ViewView:
    """How a device is looked at, for the API and for its page."""
    now = cameras.camera_of(session, device.id)
    row = session.get(CameraView, device.id)
    return ViewView(
        device=device.id,
        region=list(now.view.region) if now.view.region else None,
        smallest_face_px=now.view.smallest_face_px,
        policy=now.policy,
        fpir=now.fpir,
        threshold_shift=now.threshold_shift,
        low_score=now.low_score,
        deadline_ms=None if now.deadline is None else round(now.deadline.total_seconds() * 1000),
        changed_at=row.changed_at if row else None,
        changed_by=row.changed_by if row else None,
    )
