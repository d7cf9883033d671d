"""Rounds and posts: where somebody has to come by, and where somebody has to be.

Both may stand in the rules file and in tables. Of a point that a round of the patrol tables comes by at that
time the tables alone speak (`walks`); of a post that the file and a roster name from the same moment on there
is one duty, until the later end.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Protocol

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from alerts.calendar.places import Places
from alerts.calendar.walks import covered
from alerts.duty.models import Responder, Shift, Team
from alerts.rules import Observation


class Round(Protocol):
    """A round (巡逻): at every moment all of its checkpoints are due, which are devices or zones."""

    @property
    def name(self) -> str: ...

    @property
    def checkpoints(self) -> tuple[str, ...]: ...

    def due_between(self, start: dt.datetime, end: dt.datetime, zone: dt.tzinfo) -> list[dt.datetime]: ...


class Duty(Protocol):
    """A post (岗位) that is manned at times."""

    @property
    def zone(self) -> str: ...

    def between(
        self, start: dt.datetime, end: dt.datetime, zone: dt.tzinfo
    ) -> list[tuple[dt.datetime, dt.datetime]]: ...


def between(
    session: Session,
    places: Places,
    start: dt.datetime,
    end: dt.datetime,
    rounds: Sequence[Round],
    posts: Sequence[Duty],
) -> Iterator[Observation]:
    """`patrol.due` for every checkpoint of a round; `post.shift` when a shift begins, until it ends."""
    yield from _rounds(session, places, start, end, rounds)
    for (zone, begins), ends in sorted(_posts(session, places, start, end, posts).items()):
        yield places.observation("post.shift", begins, zone, begins.isoformat(), zone=zone, until=ends)


def touched(start: dt.datetime, end: dt.datetime) -> Iterator[Select[str]]:
    """Compounds whose rosters have something to say; what the rules files say needs no look."""
    yield (
        select(Team.compound)
        .join(Responder, Responder.team == Team.id)
        .join(Shift, Shift.responder == Responder.id)
        .where(Shift.post.is_not(None), Shift.starts_at >= start, Shift.starts_at < end)
    )


def _rounds(
    session: Session, places: Places, start: dt.datetime, end: dt.datetime, rounds: Sequence[Round]
) -> Iterator[Observation]:
    due = [(one, moment) for one in rounds for moment in one.due_between(start, end, places.clock)]
    if not due:
        return
    is_walked = covered(session, places.compound, start, end)
    for one, moment in due:
        for checkpoint in one.checkpoints:
            if is_walked(checkpoint, moment):
                continue
            where = places.of_device(checkpoint)
            zone, lane = where if where is not None else (checkpoint, None)
            yield places.observation(
                "patrol.due",
                moment,
                one.name,
                checkpoint,
                moment.isoformat(),
                zone=zone,
                device=checkpoint if where is not None else "",
                lane=lane,
                attributes={"round": one.name, "due": moment.isoformat(), "checkpoint": checkpoint},
            )


def _posts(
    session: Session, places: Places, start: dt.datetime, end: dt.datetime, posts: Sequence[Duty]
) -> dict[tuple[str, dt.datetime], dt.datetime]:
    """Zone and begin → end, of duties that begin in the span; two at one post from one moment are one."""
    found = [
        (post.zone, begins, ends)
        for post in posts
        for begins, ends in post.between(start, end, places.clock)
        if start <= begins < end
    ]
    shifts = session.execute(
        select(Shift.post, Shift.starts_at, Shift.ends_at)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(
            Team.compound == places.compound,
            Shift.post.is_not(None),
            ~Shift.on_call,
            Shift.starts_at >= start,
            Shift.starts_at < end,
            # Said for the index.
            Shift.ends_at > start,
        )
    )
    # A post that is no zone of the plan is nowhere to be looked at.
    found += [(row.post, row.starts_at, row.ends_at) for row in shifts if row.post in places.rings]
    merged: dict[tuple[str, dt.datetime], dt.datetime] = {}
    for zone, begins, ends in found:
        merged[zone, begins] = max(ends, merged.get((zone, begins), ends))
    return merged
