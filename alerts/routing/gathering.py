"""What an incident is routed by, out of the database: its own columns, and where its zone lies."""

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.calendars import calendar_of
from alerts.duty.days import DutyCalendar
from alerts.incidents.lifecycle import UNDECIDED, State
from alerts.incidents.models import Evidence, Incident
from alerts.incidents.portrait import Portrait, is_care, is_safety
from alerts.routing.matching import FACT
from alerts.routing.times import CHINA, Clock, monday_to_friday
from alerts.routing.tree import SILENT_RULE, Facts, facts
from registry.models import Compound
from registry.places.models import Building, Dwelling, Unit

_LONGEST = 64
# Of the words that a rule says these are of the thing; the others may be of a person, and nobody is
# routed by who they are.
_WORDS = frozenset({"what", "cause", "pass_kind", "attack"})


def facts_of(session: Session, incident: Incident) -> Facts:
    """An incident as it is now."""
    rules = {incident.rule, *session.scalars(
        select(Evidence.rule).where(Evidence.incident == incident.id).distinct()
    )}  # fmt: skip
    state = State(incident.state)
    labels = place_labels(session, incident.zone) | {
        "zone": incident.zone,
        "compound": incident.compound,
        "device": incident.device_id,
        "lane": incident.lane or "",
        "mode": incident.mode,
        "state": str(state),
        "reason": incident.reason,
        "drill": "true" if incident.drill else "false",
        "probable": "true" if incident.probable else "false",
    }
    labels |= {
        f"{FACT}{name}": str(value).lower() if isinstance(value, bool) else str(value)[:_LONGEST]
        for name, value in incident.reason_args.items()
        if isinstance(value, int) or (isinstance(value, str) and name in _WORDS)
    }
    return facts(
        ring=incident.ring,
        kind=incident.kind,
        severity=incident.severity,
        rule=incident.rule,
        care=incident.care,
        safety=any(is_safety(rule) for rule in rules),
        silent=SILENT_RULE in rules,
        compare=incident.needs_comparison and state in UNDECIDED,
        confirmed=state not in UNDECIDED,
        labels=labels,
    )


def facts_of_signal(looks: Portrait, rule: str, compound: str) -> Facts:
    """What a signal would be routed by, before there is an incident; as if it were confirmed."""
    labels = {"zone": looks.zone, "device": looks.device_id, "lane": looks.lane or "", "compound": compound}
    return facts(
        ring=looks.ring,
        kind=looks.kind,
        severity=looks.severity,
        rule=rule,
        care=is_care(rule),
        safety=is_safety(rule),
        confirmed=True,
        labels=labels,
    )


def clock_of(session: Session, compound: str) -> Clock:
    """The clock a compound's times are of."""
    name = session.scalar(select(Compound.time_zone).where(Compound.id == compound))
    try:
        zone = ZoneInfo(name) if name else CHINA.zone
    except (ZoneInfoNotFoundError, ValueError):
        zone = CHINA.zone
    return Clock(zone, _Worked(session, compound))


class _Worked:
    """The compound's duty calendar, read when a tree asks for it first; most ask for none."""

    def __init__(self, session: Session, compound: str) -> None:
        self._session = session
        self._compound = compound
        self._calendar: DutyCalendar | None = None

    def __call__(self, day: dt.date, /) -> bool:
        if self._calendar is None:
            self._calendar = calendar_of(self._session, self._compound)
        known = self._calendar.known(day)
        # Of a year that nobody has entered yet the week itself is the best guess: somebody is told anyway.
        return self._calendar.kind(day).works if known else monday_to_friday(day)


def moment(text: str, by: Clock) -> dt.datetime:
    """A time as somebody writes it, by the compound's clock where it has no offset. Raises `ValueError`."""
    found = dt.datetime.fromisoformat(text)
    return (found if found.tzinfo is not None else found.replace(tzinfo=by.zone)).astimezone(dt.UTC)


def place_labels(session: Session, zone: str) -> dict[str, str]:
    """The building and the grid of a zone, where it is of one alone."""
    buildings = session.scalars(select(Building.id).where(Building.zone == zone).limit(2)).all()
    if len(buildings) != 1:
        return {"building": "", "grid": ""}
    grids = session.scalars(
        select(Dwelling.grid)
        .join(Unit, Unit.id == Dwelling.unit)
        .where(Unit.building == buildings[0], Dwelling.grid.is_not(None))
        .distinct()
        .limit(2)
    ).all()
    return {"building": buildings[0], "grid": str(grids[0]) if len(grids) == 1 else ""}
