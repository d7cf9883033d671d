"""The photo of what came of a task: sent by whoever went there, made anew, kept with their dispatch."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, TypeAdapter, ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from alerts.dispatch import photos, presses
from alerts.dispatch.actions import DispatchRefusedError
from alerts.dispatch.models import Dispatch
from console.accounts.models import User
from console.api import idempotency
from console.api.device_registry import PHOTO_MAX
from console.api.dispatches import with_task
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.report_photo import cleaned
from console.api.uploads import FORM
from console.api.views import DispatchWithTask
from console.context import Rooms
from console.permissions import Action, may
from console.problems import ProblemError, not_found

router = APIRouter(tags=["dispatches"])
Tasked = Annotated[User, may(Action.TASKS)]
_TIME = TypeAdapter(AwareDatetime)


class Sent:
    """What came: a picture of at most one byte more than may be, and the phone's two times, where given."""

    def __init__(self, content: bytes, pressed_at: str | None = None, sent_at: str | None = None) -> None:
        try:
            self.pressed_at = _TIME.validate_python(pressed_at) if pressed_at else None
            self.sent_at = _TIME.validate_python(sent_at) if sent_at else None
        except ValidationError as error:
            raise ProblemError(422, "invalid_request", "A time with its zone is expected") from error
        self.content = content


async def _sent(request: Request, _: Tasked) -> Sent:
    """The form, its file read only after the role was checked."""
    form = await request.form(max_files=1, max_fields=4)
    file, pressed_at, sent_at = form.get("file"), form.get("pressed_at"), form.get("sent_at")
    if not isinstance(file, UploadFile):
        raise ProblemError(422, "file_missing", "The form has no file in its field `file`")
    times = (str(one) if one else None for one in (pressed_at, sent_at))
    return Sent(await file.read(PHOTO_MAX + 1), *times)


@router.put("/dispatches/{dispatch_id}/photo", response_model=DispatchWithTask, openapi_extra=FORM)
def photo(
    here: Here, request: Request, user: Tasked, dispatch_id: str, sent: Annotated[Sent, Depends(_sent)]
) -> Response:
    """Adds the one photo of what came of a task of mine: while I am at it, or within ten minutes after.

    It is made anew, so that nothing of the phone, its owner and its place stays in it. With `pressed_at` and
    `sent_at`, both by the phone's clock, what waited for a network counts from its press. 409: `photo_late`,
    `photo_given`, `not_under_way`, `press_too_old`.
    """
    return keep(here, request, user, dispatch_id, sent)


def keep(here: Rooms, request: Request, user: User, dispatch_id: str, sent: Sent) -> Response:
    """Keeps a photo, for the API and the phone's page; the same key again is answered alike.

    Raises a 404 problem for another's dispatch, a 422 one for what is no picture, `DispatchRefusedError`
    and `RefusedError` (`press_too_old`).
    """
    at = here.clock.now()
    trying = idempotency.attempt(request, user, sent.content, at)
    with here.database.read() as session:
        known = trying.recall(session) if trying else None
        if known is not None:
            return known
        row = _own(session, here.compound, user, dispatch_id)
        has, responder = row.media_id, row.responder
        taken_at = presses.moment(sent.pressed_at, sent.sent_at, at)
        photos.check(row, None, taken_at)
    picture = cleaned(sent.content)
    # What is refused is not stored.
    if has not in {None, here.media.id_of(picture)}:
        raise DispatchRefusedError("photo_given")
    media_id = here.media.put(picture).media_id

    def work(session: Session, at: dt.datetime) -> idempotency.Answer:
        row = photos.add(session, dispatch_id, responder, media_id, taken_at, at)
        note_look(session, at, user, Look("dispatch.photo", Purpose.INCIDENT_HANDLING, row.incident))
        return 200, with_task(session, user, row).model_dump(mode="json")

    return idempotency.once(here, request, user, sent.content, work)


def _own(session: Session, compound: str, user: User, dispatch_id: str) -> Dispatch:
    row = session.get(Dispatch, dispatch_id)
    if row is None or row.compound != compound or row.responder != user.responder_id:
        # Whether somebody else was asked is not a volunteer's to know.
        raise not_found("dispatch")
    return row
