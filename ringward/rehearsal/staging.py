"""What a rehearsal needs of a deployment: the past, the plan, what silences rules, what the clock says."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import calendar, knowing, mutes
from alerts.mutes import RuleMute
from alerts.rehearsal import Trial, rehearse
from alerts.rehearsal.running import Outcome, begins
from alerts.rulebook.values import RulesFile
from alerts.rules import RULES, Mode, Mute, Observation
from registry.days import time_zone
from ringward.replay import Progress, came_in, nights
from storage import Database


@dataclass(frozen=True)
class Script:
    """A rules file to rehearse, and what its incidents name as its version."""

    name: str
    file: RulesFile


def stage(
    database: Database,
    compound: str,
    scripts: Sequence[Script],
    start: dt.datetime,
    end: dt.datetime,
    progress: Progress | None = None,
) -> list[Outcome]:
    """What each script would have raised of a compound's past, read once for all of them.

    The compound is taken to have been run as on ordinary days: modes are not part of a file.
    """
    since = begins(start)
    with database.read() as session:
        site = knowing.site(session, compound, since)
        zone = time_zone(session, compound)
        kept = _kept(session, compound, since)
        calendars = _calendars(session, compound, [script.file for script in scripts], since, end)
    trials = [
        Trial(
            script.file.book(zone, script.name, Mode.NORMAL),
            (*kept, *(written.mute for written in script.file.mutes)),
            seen,
        )
        for script, seen in zip(scripts, calendars, strict=True)
    ]
    past = came_in(database, compound, since, end, progress)
    return rehearse(past, RULES, trials, site, start, end, nights(database, compound, since, zone))


def _kept(session: Session, compound: str, since: dt.datetime) -> list[Mute]:
    """Mutes that people made by hand: whatever file is rehearsed, somebody worked on that door."""
    rows = session.scalars(select(RuleMute).where(RuleMute.compound == compound, RuleMute.ends_at > since))
    by_hand = {
        (row.rule, row.place, row.starts_at, min(row.ends_at, row.lifted_at or row.ends_at), row.subject_kind)
        for row in rows
    }
    return [
        mute
        for mute in mutes.in_force(session, compound, since)
        if (mute.rule, mute.place, mute.starts_at, mute.ends_at, mute.subject_kind) in by_hand
    ]


def _calendars(
    session: Session, compound: str, files: Sequence[RulesFile], start: dt.datetime, end: dt.datetime
) -> list[list[Observation]]:
    """Rounds and posts stand in a file; where two have the same, they are asked for once."""
    made: list[tuple[RulesFile, list[Observation]]] = []
    for file in files:
        known = next(
            (seen for one, seen in made if (one.patrols, one.posts) == (file.patrols, file.posts)), None
        )
        seen = calendar.between(session, compound, start, end, file) if known is None else known
        made.append((file, seen))
    return [seen for _, seen in made]
