"""What could not have been seen: sentences first, bars on a time axis, and the devices beneath."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.history import Quick, span_of
from alerts.knowing.sight import coverage
from alerts.knowing.troubles import SKEW_LONGEST, Trouble, troubles
from alerts.rules.rule import Blind
from alerts.rules.unseen import Covered, Sight, told
from console.accounts.models import User
from console.context import rooms
from console.lookback import windows
from console.pages.places import Names, names
from console.pages.spans import minute, span
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from devices.models import DeviceStatus
from registry.models import Ring

router = APIRouter(prefix="/console/coverage")
Reader = Annotated[User, may(Action.EVENTS_READ)]
Text = Annotated[str, Query(max_length=40)]

LONGEST: Final = dt.timedelta(days=7)
# A device's silence is noticed within some heartbeats: what is said of it a day later says no more.
_KNOWN_BY: Final = dt.timedelta(days=1)
_SENTENCES: Final = 5
_TICKS: Final = 4
_SHOWN_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """A device that did not see, or whose word is doubtful."""

    device: str
    name: str
    zone: str
    blind: tuple[Blind, ...]
    trouble: Trouble
    # Milliseconds by which its clock is off now, None where that is little or not known.
    drift_ms: int | None


@router.get("")
def page(
    request: Request,
    user: Reader,
    begins: Annotated[str, Query(alias="from", max_length=40)] = "",
    ends: Annotated[str, Query(alias="to", max_length=40)] = "",
    ring: Text = "",
    zone: Annotated[str, Query(max_length=64)] = "",
    quick: Text = "",
) -> Response:
    """A time and, if wanted, a ring or a zone; the last hour where none is given."""
    del user
    here, view = rooms(request), frame(request)
    start, end, refused = _time(view, begins, ends, quick)
    with here.database.read() as session:
        as_of = min(view.now, end + _KNOWN_BY)
        everything = told(coverage(session, here.compound, start, end, as_of=as_of), start, end)
        shown = [one for one in everything if zone in {"", one.zone} and ring in {"", one.ring}]
        places = names(session, here.compound)
        lines = _lines(session, here.compound, shown, places, start, end)
        return render(
            view,
            "coverage.html",
            status=422 if refused else 200,
            refused=refused,
            start=start,
            end=end,
            begins=windows.field(view, start),
            ends=windows.field(view, end),
            span=span(view, start, end),
            quick=quick,
            ring=ring,
            rings=tuple(Ring),
            zone=zone,
            zones=sorted(((one.zone, one.ring) for one in everything), key=lambda one: (one[1], one[0])),
            sentences=_sentences(view, shown, places, start, end),
            more=max(0, sum(one.sight is Sight.BLIND for one in shown) - _SENTENCES),
            unwatched=[places.zone(one.zone) for one in shown if one.sight is Sight.UNWATCHED],
            covered=shown,
            ticks=[minute(view, start + (end - start) * n / _TICKS) for n in range(_TICKS + 1)],
            lines=lines,
            counts_skew=end - start <= SKEW_LONGEST,
            places=places,
            days=LONGEST.days,
            link=lambda one: windows.link(start, end, zone=one),
        )


def _time(view: Frame, begins: str, ends: str, quick: str) -> tuple[dt.datetime, dt.datetime, str | None]:
    """From when to when, and the code of what was wrong with it: then it is the last hour."""
    last = (view.now - dt.timedelta(hours=1), view.now)
    if quick in {Quick.NIGHT, Quick.DAY}:
        return *span_of(Quick(quick), view.now, view.zone), None
    try:
        start, end = windows.moment(view, begins), windows.moment(view, ends)
    except ValueError:
        return *last, "bad_window"
    if start is None and end is None:
        return *last, None
    end = min(end or view.now, view.now)
    start = start or end - dt.timedelta(hours=1)
    if start >= end or end - start > LONGEST:
        return *last, "bad_window"
    return start, end, None


def _sentences(
    view: Frame, zones: Iterable[Covered], places: Names, start: dt.datetime, end: dt.datetime
) -> list[str]:
    """The worst of it in words."""
    times = {"start": minute(view, start), "end": minute(view, end)}
    found = []
    for one in zones:
        if one.sight is not Sight.BLIND:
            continue
        whole = one.dark_s >= (end - start).total_seconds()
        key = "coverage.blind_throughout" if whole else "coverage.was_blind"
        found.append(view.t(key, **times, place=places.zone(one.zone), n=view.lasted(one.dark_s)))
    return found[:_SENTENCES]


def _lines(
    session: Session,
    compound: str,
    zones: Iterable[Covered],
    places: Names,
    start: dt.datetime,
    end: dt.datetime,
) -> list[Line]:
    where = {device: zone.zone for zone in zones for device in zone.devices}
    blind: dict[str, tuple[Blind, ...]] = {}
    for zone in zones:
        for one in zone.blind:
            blind[one.device] = (*blind.get(one.device, ()), one)
    doubtful: Mapping[str, Trouble] = troubles(session, compound, start, end)
    drift = {
        row.device_id: row.clock_offset_ms
        for row in session.execute(
            select(DeviceStatus.device_id, DeviceStatus.clock_offset_ms).where(
                DeviceStatus.device_id.in_(where),
                DeviceStatus.clock_offset_ms.is_not(None),
            )
        )
        if row.clock_offset_ms is not None and abs(row.clock_offset_ms) >= _SHOWN_MS
    }
    ids = [device for device in where if device in blind or device in doubtful or device in drift]
    lines = [
        Line(
            device,
            places.device(device),
            where[device],
            blind.get(device, ()),
            doubtful.get(device, Trouble()),
            drift.get(device),
        )
        for device in ids
    ]
    return sorted(lines, key=lambda one: (not one.blind, one.name))
