"""The day that it is in a compound: what dated links, passes and birthdays are compared with."""

import datetime as dt
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.places.models import Compound

_ELSEWHERE = "Asia/Shanghai"


def local_date(session: Session, compound: str, at: dt.datetime) -> dt.date:
    """The compound's local date at a moment."""
    zone = session.scalar(select(Compound.time_zone).where(Compound.id == compound))
    return at.astimezone(ZoneInfo(zone or _ELSEWHERE)).date()
