"""What became of a report, as its reporter hears it: a word or two, and nothing of anybody else. Pure."""

import enum
from collections.abc import Mapping
from typing import Final

from alerts.incidents.lifecycle import State


class Stage(enum.StrEnum):
    """How far it is, in the reporter's eyes."""

    RECEIVED = "received"
    SEEN = "seen"  # the control room has looked at it
    COMING = "coming"  # somebody is on the way, or there
    DONE = "done"
    NOTHING = "nothing"  # somebody looked, and nothing more is needed


STAGES: Final[Mapping[State, Stage]] = {
    State.RAISED: Stage.RECEIVED,
    State.ACKNOWLEDGED: Stage.SEEN,
    State.CONFIRMED: Stage.SEEN,
    State.DISPATCHED: Stage.SEEN,
    State.ACCEPTED: Stage.COMING,
    State.EN_ROUTE: Stage.COMING,
    State.ARRIVED: Stage.COMING,
    State.RESOLVED: Stage.DONE,
    State.REVIEWED: Stage.DONE,
    State.CLOSED: Stage.DONE,
    State.REOPENED: Stage.SEEN,
    State.FALSE_ALARM: Stage.NOTHING,
    State.AUTO_CLEARED: Stage.NOTHING,
    # It is told what became of the one that it is part of.
    State.MERGED: Stage.RECEIVED,
}


def news(before: State | None, to: State) -> Stage | None:
    """What a step tells the reporter; None where nothing has changed for them."""
    if to is State.MERGED:
        return None
    stage = STAGES[to]
    if stage is Stage.RECEIVED or (before is not None and STAGES[before] is stage):
        return None
    return stage
