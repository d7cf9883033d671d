"""Gaps in tomorrow's duty: found, told once to those who can fill them, told again when near, closed.

A gap is no incident: nothing has happened yet, nobody is sent, and what helps is a change of the roster.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.coverage import Covering, Gap, Need, coverage, demands
from alerts.duty.localtime import moment
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.duty.people import managers, rules_of
from alerts.duty.planning import AHEAD, planned
from alerts.duty.rostermodels import Roster, RosterGap
from alerts.notify.asking import Ask, ask, withdraw
from alerts.notify.models import Purpose
from registry.days import time_zone
from registry.models import Ring, Zone
from storage import new_id

LOOK: Final = dt.timedelta(hours=24)
NEAR: Final = dt.timedelta(hours=2)


def covering(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> list[Covering]:
    """Everybody's duties in a span, as they are written."""
    found = session.execute(
        select(Shift, Responder.post, Team.kind)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Responder.active, Shift.ends_at > start, Shift.starts_at < end)
        .order_by(Shift.starts_at, Shift.id)
    )
    return [
        Covering(row.responder, TeamKind(kind), row.starts_at, row.ends_at, row.on_call, row.post or post)
        for row, post, kind in found
    ]


def look(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> tuple[Gap, ...]:
    """The gaps of a span, and a year within the next two weeks whose rest days nobody knows."""
    entrances = session.scalars(
        select(Zone.id).where(Zone.compound == compound, Zone.ring == Ring.ENTRANCE)
    ).all()
    found = coverage(covering(session, compound, start, end), demands(entrances), start, end)
    zone = time_zone(session, compound)
    years = planned(session, compound, start, max(end, start + AHEAD)).unknown_years
    unknown = [
        Gap(
            Need.CALENDAR,
            None,
            moment(dt.date(year, 1, 1), dt.time(), zone),
            moment(dt.date(year + 1, 1, 1), dt.time(), zone),
            0,
            1,
        )
        for year in sorted(years)
    ]
    return (*found, *unknown)


def check(session: Session, compound: str, now: dt.datetime) -> int:
    """Brings what is known of gaps up to now; returns how many were found or closed."""
    known = list(
        session.scalars(
            select(RosterGap)
            .where(RosterGap.compound == compound, RosterGap.closed_at.is_(None))
            .order_by(RosterGap.starts_at, RosterGap.id)
            .with_for_update()
        )
    )
    found = look(session, compound, now, now + LOOK)
    done = 0
    standing: set[str] = set()
    for gap in found:
        row = next((one for one in known if one.id not in standing and _same(one, gap)), None)
        if row is None:
            row = _new(session, compound, gap, now)
            done += 1
        elif row.starts_at > now:
            # Once it has begun its beginning is not "now" again and again.
            row.starts_at = gap.starts_at
        row.ends_at, row.have, row.want = gap.ends_at, gap.have, gap.want
        standing.add(row.id)
        _tell(session, row, now)
    for row in known:
        if row.id not in standing:
            row.closed_at = now
            withdraw(session, now, prefix=f"roster_gap:{row.id}:")
            done += 1
    session.flush()
    return done


def open_gaps(session: Session, compound: str) -> Sequence[RosterGap]:
    """Gaps that nobody has filled yet, the next first."""
    return session.scalars(
        select(RosterGap)
        .where(RosterGap.compound == compound, RosterGap.closed_at.is_(None))
        .order_by(RosterGap.starts_at, RosterGap.need, RosterGap.id)
    ).all()


def keep(session: Session, now: dt.datetime) -> int:
    """The round: every compound with rosters that has not put the check off."""
    compounds = session.scalars(select(Roster.compound).distinct().order_by(Roster.compound)).all()
    return sum(
        check(session, compound, now) for compound in compounds if rules_of(session, compound).check_coverage
    )


def _same(row: RosterGap, gap: Gap) -> bool:
    return (
        row.need == gap.need
        and row.zone == gap.zone
        and row.starts_at < gap.ends_at
        and gap.starts_at <= row.ends_at
    )


def _new(session: Session, compound: str, gap: Gap, now: dt.datetime) -> RosterGap:
    row = RosterGap(
        id=new_id(),
        compound=compound,
        need=gap.need,
        zone=gap.zone,
        starts_at=gap.starts_at,
        ends_at=gap.ends_at,
        have=gap.have,
        want=gap.want,
        found_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _tell(session: Session, row: RosterGap, now: dt.datetime) -> None:
    near = row.starts_at <= now + NEAR
    # Found so late that it is near already: that is said once.
    why = "gap_soon" if near else "gap"
    if row.need == Need.CALENDAR:
        why = "calendar"
    ask(
        session,
        [
            Ask(
                row.compound,
                f"roster_gap:{row.id}:{why}:{one}",
                Purpose.ROSTER_GAP,
                severity=3,
                responder=one,
                arguments={
                    "why": why,
                    "need": str(row.need),
                    "zone": row.zone,
                    "at": row.starts_at.isoformat(),
                    "until": row.ends_at.isoformat(),
                    "count": row.want - row.have,
                },
                expires_at=row.ends_at,
            )
            for one in managers(session, row.compound)
        ],
        now,
    )
