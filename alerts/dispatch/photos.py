"""The one photo of what came of a task: taken by who went there, until shortly after the end."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from alerts.dispatch.actions import DispatchRefusedError
from alerts.dispatch.answering import locked
from alerts.dispatch.models import UNDER_WAY, Dispatch, DispatchState
from alerts.dispatch.telling import announce

AFTER: Final = dt.timedelta(minutes=10)
"""How long after the end of a task its photo may still be taken."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A photo comes: how the dispatch stands, when it ended, which one it has, when this one was taken."""

    state: DispatchState
    resolved_at: dt.datetime | None
    has: str | None
    taken_at: dt.datetime


def refusal(moment: Moment, media_id: str | None) -> str | None:
    """Why a photo is not taken, as a code: `not_under_way`, `photo_late`, `photo_given`; None: it is.

    The same photo again is fine. Without a `media_id` it is asked whether any could be taken.
    """
    if media_id is not None and moment.has == media_id:
        return None
    if moment.state not in {*UNDER_WAY, DispatchState.RESOLVED}:
        return "not_under_way"
    if moment.resolved_at is not None and moment.taken_at > moment.resolved_at + AFTER:
        return "photo_late"
    if media_id is not None and moment.has is not None:
        return "photo_given"
    return None


def check(row: Dispatch, media_id: str | None, taken_at: dt.datetime) -> None:
    """Raises `DispatchRefusedError` with the code of `refusal`."""
    code = refusal(Moment(DispatchState(row.state), row.resolved_at, row.media_id, taken_at), media_id)
    if code is not None:
        raise DispatchRefusedError(code)


def add(
    session: Session,
    dispatch_id: str,
    responder_id: str,
    media_id: str,
    taken_at: dt.datetime,
    at: dt.datetime,
) -> Dispatch:
    """Keeps a stored picture as the photo of a responder's own dispatch, and tells the desk.

    Raises `DispatchNotFoundError` and what `check` raises.
    """
    dispatch, _ = locked(session, dispatch_id, responder_id)
    check(dispatch, media_id, taken_at)
    if dispatch.media_id != media_id:
        dispatch.media_id = media_id
        session.flush()
        announce(session, dispatch, at)
    return dispatch
