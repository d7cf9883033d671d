"""Mutes: a rule silenced for a place and a time, by somebody, for a reason; never a safety rule."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from alerts import mutes
from alerts.mutes import RuleMute
from alerts.rulebook.current import current
from alerts.rulebook.tables import REASON_LONGEST
from alerts.rules import Mute
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.permissions import Action, may
from console.security import as_actor

router = APIRouter(tags=["rules"])
Reader = Annotated[User, may(Action.RULES_READ)]
Muter = Annotated[User, may(Action.RULES_MUTE)]


class MuteView(BaseModel):
    """`id` is None for one of the rules file, which is lifted there. `place` None is the whole compound."""

    id: str | None
    rule: str
    place: str | None
    subject_kind: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    author: str
    reason: str
    lifted_at: dt.datetime | None
    lifted_by: str | None
    holds: bool


class MuteAsked(BaseModel):
    """`starts_at` is now where it is not said; at most 31 days."""

    rule: Annotated[str, Field(min_length=1, max_length=16)]
    place: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    subject_kind: Annotated[str | None, Field(min_length=1, max_length=16)] = None
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime
    reason: Annotated[str, Field(min_length=1, max_length=REASON_LONGEST)]


@router.get("/mutes")
def list_mutes(here: Here, _: Reader, *, ended: bool = False) -> list[MuteView]:
    """Mutes that hold or will, those of the rules file among them; with `ended` also what is over."""
    at = here.clock.now()
    with here.database.read() as session:
        found = [_view(row, at) for row in mutes.listed(session, here.compound, at, ended=ended)]
        for written in current(session, here.compound, at).mutes:
            mute = written.mute
            if ended or mute.ends_at > at:
                found.append(
                    MuteView(
                        id=None,
                        rule=mute.rule,
                        place=mute.place,
                        subject_kind=mute.subject_kind,
                        starts_at=mute.starts_at,
                        ends_at=mute.ends_at,
                        author=written.author,
                        reason=written.reason,
                        lifted_at=None,
                        lifted_by=None,
                        holds=mute.starts_at <= at < mute.ends_at,
                    )
                )
        return sorted(found, key=lambda one: one.ends_at)


@router.post("/mutes", response_model=MuteView, status_code=201)
def make_mute(here: Here, request: Request, user: Muter, asked: MuteAsked) -> Response:
    """Silences a rule; 409 `safety_rule` for one that nobody may silence."""

    def work(session: Session, at: dt.datetime) -> Answer:
        starts = asked.starts_at or at
        mute = Mute(asked.rule, asked.place, starts, asked.ends_at, asked.subject_kind)
        row = mutes.make(session, here.compound, mute, asked.reason, as_actor(user), at)
        return 201, _view(row, at).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/mutes/{mute_id}/lifting")
def lift_mute(here: Here, user: Muter, mute_id: str) -> MuteView:
    """Ends a mute now."""
    at = here.clock.now()
    with here.database.write() as session:
        return _view(mutes.lift(session, here.compound, mute_id, as_actor(user), at), at)


def _view(row: RuleMute, at: dt.datetime) -> MuteView:
    return MuteView(
        id=row.id,
        rule=row.rule,
        place=row.place,
        subject_kind=row.subject_kind,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        author=row.author,
        reason=row.reason,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        holds=row.lifted_at is None and row.starts_at <= at < row.ends_at,
    )
