"""The day that it is in a compound: what dated links, passes and birthdays are compared with."""

import datetime as dt
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.places.models import Compound

_ELSEWHERE = "Asia/Shanghai"


def time_zone(session: Session, compound: str) -> ZoneInfo:
    """By whose clock the compound lives."""
    named = session.scalar(select(Compound.time_zone).where(Compound.id == compound))
    return ZoneInfo(named or _ELSEWHERE)


def local_date(session: Session, compound: str, at: dt.datetime) -> dt.date:
    """The compound's local date at a moment."""
    return at.astimezone(time_zone(session, compound)).date()
