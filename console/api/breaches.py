"""Breach run-book (L-24): an export of whom to tell, and of what was lost of each."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from console.accounts.models import User
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from privacy.breach import BreachClass, BreachScope, affected

router = APIRouter(tags=["breaches"])
Exporter = Annotated[User, may(Action.BREACH_EXPORT, proven=True)]


class BreachAsked(BaseModel):
    """What was lost: classes, a window of time, and the device where only one leaked."""

    classes: Annotated[frozenset[BreachClass], Field(min_length=1)]
    from_at: AwareDatetime | None = None
    to_at: AwareDatetime | None = None
    device: Annotated[str | None, Field(max_length=64)] = None


class AffectedView(BaseModel):
    """A person or a visitor pass; `guardian` is who is told for a child under 14."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    id: str
    phone: str | None
    classes: list[BreachClass]
    guardian: str | None


class BreachView(BaseModel):
    at: dt.datetime
    affected: list[AffectedView]


@router.post("/breaches/affected")
def export(here: Here, user: Exporter, asked: BreachAsked) -> BreachView:
    """Everybody whose data is in the scope. The export is audited with scope and count."""
    at = here.clock.now()
    scope = BreachScope(here.compound, asked.classes, asked.from_at, asked.to_at, asked.device)
    with here.database.write() as session:
        found = affected(session, scope)
        detail = f"{'+'.join(sorted(asked.classes))} affected={len(found)}"
        subject = f"compound:{here.compound}" if asked.device is None else f"device:{asked.device}"
        note_look(session, at, user, Look("breach.exported", Purpose.REVIEW, subject, detail))
        return BreachView(at=at, affected=[AffectedView.model_validate(one) for one in found])
