"""Coverage: what could not have been seen. "Nothing seen" is never shown as "nobody there"."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from alerts.knowing.sight import coverage
from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError

router = APIRouter(tags=["devices"])
Reader = Annotated[User, may(Action.EVENTS_READ)]

_LONGEST = dt.timedelta(days=7)


class BlindView(BaseModel):
    """`why` is offline, occluded, video_lost or tampered."""

    model_config = ConfigDict(from_attributes=True)

    device: str
    start: dt.datetime
    end: dt.datetime
    why: str


class ZoneCoverageView(BaseModel):
    """`share` is 0…1 of the time, over all devices; `dark` are the times in which none of them saw."""

    model_config = ConfigDict(from_attributes=True)

    zone: str
    ring: str
    devices: tuple[str, ...]
    blind: tuple[BlindView, ...]
    share: float
    dark: tuple[tuple[dt.datetime, dt.datetime], ...]


class CoverageView(BaseModel):
    """Zones in the order of their names."""

    start: dt.datetime
    end: dt.datetime
    zones: list[ZoneCoverageView]


@router.get("/coverage")
def zones_covered(
    here: Here,
    _: Reader,
    start: Annotated[AwareDatetime, Query(alias="from")],
    end: Annotated[AwareDatetime, Query(alias="to")],
) -> CoverageView:
    """For each zone what its devices could see from one moment to another: a week at the most."""
    now = here.clock.now()
    start, end = start.astimezone(dt.UTC), min(end.astimezone(dt.UTC), now)
    if end <= start or end - start > _LONGEST:
        raise ProblemError(422, "invalid_window", "`from` lies before `to`, a week at the most", days=7)
    with here.database.read() as session:
        found = coverage(session, here.compound, start, end, as_of=now)
    return CoverageView(start=start, end=end, zones=[ZoneCoverageView.model_validate(one) for one in found])
