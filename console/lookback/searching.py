"""A search with its purpose: allowed, counted and written down first, and answered only then.

The entry of the audit log is committed before anything is read of the past. Where it cannot be
written there is no answer. It names whom the search was about, so that they see it among who looked
at their data (L-08); a plate stands there as the registered vehicle that it is, never as a text.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.purposes import Look, Purpose, note_look
from console.api.subjects import find_person
from console.context import Rooms
from console.lookback.cursors import CursorError, Further, seal, unseal
from console.lookback.models import SearchCount
from console.problems import ProblemError, not_found
from privacy.search import Before, Found, Readings, Refusal, Sought, Way, find, readings_of, refused, way_of
from registry.models import VisitorPass
from storage import new_id

log = structlog.get_logger(__name__)

PER_HOUR: Final = 30
"""Searches of a person, plate or pass that one user makes in an hour: an inquiry needs fewer."""
SHOWN: Final = 50
WAY_LONGEST: Final = dt.timedelta(days=2)
_HOUR: Final = dt.timedelta(hours=1)

PURPOSES: Final = (Purpose.INCIDENT_HANDLING, Purpose.MONITORING, Purpose.REVIEW, Purpose.RESIDENT_REQUEST)
"""What a search may be for. An authority's request is a disclosure, which somebody else approves."""
NOT_OF_SOMEBODY: Final = frozenset({Purpose.MONITORING})
"""Nobody is watched without cause: of a person, plate or pass there has to be one."""

_STATUS: Final = {Refusal.SEARCH_WIDE: 409}


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found. `asked` is the question as it was put: of the time that is kept.

    `gone_before` is set where more was asked for: what lies before is deleted by rule. `pictures_since`
    is since when there are pictures. `way` is None where there is none to tell, `way_too_long` where
    the span is too long for one.
    """

    asked: Sought
    purpose: Purpose
    found: Found
    readings: Readings | None
    cursor: str | None
    gone_before: dt.datetime | None
    pictures_since: dt.datetime
    way: Way | None
    way_too_long: bool


def search(here: Rooms, user: User, purpose: str, sought: Sought, *, sure: bool = False) -> Answer:
    """Puts a question. Raises `ProblemError`: `purpose_missing`, `purpose_unfit`, a `Refusal`,
    `too_many_searches`, `search_unaudited`, and 404 for a person or pass that there is not.
    """
    now = here.clock.now()
    wanted = _purpose(purpose, sought)
    kept_since = here.retention.cutoff("passages", now)
    asked = sought.within(kept_since, now)
    why = refused(asked, sure=sure)
    if why is not None:
        days = max(1, round((asked.end - asked.start) / dt.timedelta(days=1)))
        raise ProblemError(_STATUS.get(why, 422), str(why), "This is not searched for", days=days)
    readings = _write_down(here, user, wanted, asked, now, "search.asked")
    gone = kept_since if sought.start < kept_since else None
    return _answer(here, user, wanted, asked, readings, None, now, gone)


def go_on(here: Rooms, user: User, cursor: str) -> Answer:
    """The next part of one's own search; a look of its own. Raises `ProblemError`: `bad_cursor` too."""
    now = here.clock.now()
    try:
        further = unseal(cursor, user, here.compound, now)
    except CursorError:
        raise ProblemError(400, "bad_cursor", "The cursor is none of yours, or too old") from None
    purpose = Purpose(further.purpose)
    readings = _write_down(here, user, purpose, further.sought, now, "search.continued")
    return _answer(here, user, purpose, further.sought, readings, further, now, None)


def _purpose(purpose: str, sought: Sought) -> Purpose:
    if purpose not in list(Purpose):
        raise ProblemError(422, "purpose_missing", "Say what the search is for")
    wanted = Purpose(purpose)
    if wanted not in PURPOSES or (sought.of_somebody and wanted in NOT_OF_SOMEBODY):
        raise ProblemError(422, "purpose_unfit", "This may not be searched for that purpose")
    return wanted


def _write_down(
    here: Rooms, user: User, purpose: Purpose, asked: Sought, now: dt.datetime, action: str
) -> Readings | None:
    """Counts and notes the look; committed when this returns. Fails secure: no entry, no answer."""
    try:
        with here.database.write() as session:
            if asked.of_somebody and action == "search.asked":
                _count(session, here.compound, user, now)
            readings = _readings(session, here.compound, asked)
            span = f"from={asked.start:%Y-%m-%dT%H:%MZ} to={asked.end:%Y-%m-%dT%H:%MZ}"
            for subject, by in _subjects(session, here.compound, asked, readings):
                note_look(session, now, user, Look(action, purpose, subject, f"by={by} {span}"))
            return readings
    except SQLAlchemyError as error:
        log.error("search.unaudited", error=type(error).__name__)  # noqa: TRY400 - the answer says it
        raise ProblemError(
            503, "search_unaudited", "It cannot be written down, so nothing is shown"
        ) from None


def _count(session: Session, compound: str, user: User, now: dt.datetime) -> None:
    made = session.execute(
        select(func.count(), func.min(SearchCount.at)).where(
            SearchCount.user == user.id, SearchCount.at > now - _HOUR
        )
    ).one()
    if made[0] >= PER_HOUR:
        wait = int((made[1] + _HOUR - now).total_seconds()) + 1
        minutes = -(-wait // 60)
        raise ProblemError(
            429,
            "too_many_searches",
            "So many people are not searched for",
            retry_after_s=wait,
            minutes=minutes,
        )
    session.add(SearchCount(id=new_id(), compound=compound, user=user.id, at=now))


def _readings(session: Session, compound: str, asked: Sought) -> Readings | None:
    if asked.plate is not None:
        return readings_of(session, compound, asked.plate, asked.start, asked.end)
    if asked.visitor_pass is not None:
        row = session.get(VisitorPass, asked.visitor_pass)
        if row is None or row.compound != compound:
            raise not_found("pass")
        if row.plate is not None:
            return Readings(row.plate, (row.plate,), frozenset(), {})
    return None


def _subjects(
    session: Session, compound: str, asked: Sought, readings: Readings | None
) -> list[tuple[str, str]]:
    """(subject, what it was found by) of each that the search is about, as the audit log names them."""
    if asked.person is not None:
        find_person(session, compound, asked.person)
        return [(f"person:{asked.person}", "person")]
    if asked.visitor_pass is not None:
        return [(f"pass:{asked.visitor_pass}", "pass")]
    if readings is not None:
        by = "plate" if readings.whole else "part_of_plate"
        named = [(f"vehicle:{vehicle}", by) for vehicle in readings.vehicles.values()]
        return named or [(f"compound:{compound}", by)]
    if asked.device is not None:
        return [(f"device:{asked.device}", "device")]
    if asked.zone is not None:
        return [(f"zone:{asked.zone}", "zone")]
    return [(f"compound:{compound}", "ring" if asked.ring else "sort")]


def _answer(
    here: Rooms,
    user: User,
    purpose: Purpose,
    asked: Sought,
    readings: Readings | None,
    further: Further | None,
    now: dt.datetime,
    gone: dt.datetime | None,
) -> Answer:
    before: Before | None = further.before if further else None
    with here.database.read() as session:
        found = find(session, here.compound, asked, readings, limit=SHOWN, before=before)
        one = asked.person is not None or (readings is not None and readings.whole is not None)
        short = asked.end - asked.start <= WAY_LONGEST
        way = None
        if one and short and further is None:
            # What could be told of a device's silence is told within hours of it.
            as_of = min(now, asked.end + _HOUR)
            way = way_of(
                session,
                here.compound,
                found.hits,
                asked.start,
                asked.end,
                as_of=as_of,
                driving=readings is not None,
            )
    cursor = None
    if found.more is not None:
        begun = further.begun_at if further else now
        cursor = seal(Further(user.id, here.compound, str(purpose), asked, found.more, begun))
    return Answer(
        asked,
        purpose,
        found,
        readings,
        cursor,
        gone,
        here.retention.cutoff("pictures", now),
        way,
        one and not short and further is None,
    )
