"""Rounds and posts of the rule book: where somebody has to come by, and where somebody has to be."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Protocol

from alerts.calendar.places import Places
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
    places: Places, start: dt.datetime, end: dt.datetime, rounds: Sequence[Round], posts: Sequence[Duty]
) -> Iterator[Observation]:
    """`patrol.due` for every checkpoint of a round; `post.shift` when a shift begins, until it ends."""
    for one in rounds:
        for moment in one.due_between(start, end, places.clock):
            for checkpoint in one.checkpoints:
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
    for post in posts:
        for begins, ends in post.between(start, end, places.clock):
            if start <= begins < end:
                yield places.observation(
                    "post.shift", begins, post.zone, begins.isoformat(), zone=post.zone, until=ends
                )
