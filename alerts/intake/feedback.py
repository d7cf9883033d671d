"""What became of a report, as its reporter hears it: a word or two, and nothing of anybody else. Pure."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Step:
    """A stage that a report has come to, and when."""

    stage: Stage
    at: dt.datetime


_WAY: Final = (Stage.RECEIVED, Stage.SEEN, Stage.COMING, Stage.DONE)


def course(told_at: dt.datetime, passed: Iterable[tuple[State, dt.datetime]]) -> tuple[Step, ...]:
    """The way of a report so far, from the incident's steps in their order.

    What is gone back on is left out: whoever was on the way and turned round is not coming. Nothing
    is earlier than the report: what was done before it came in was done when it came.
    """
    steps = [Step(Stage.RECEIVED, told_at)]
    for state, at in passed:
        stage = STAGES[state]
        # Merging is the room's own affair, and every report begins as received.
        if state is State.MERGED or stage in {Stage.RECEIVED, steps[-1].stage}:
            continue
        before = [step for step in steps if _rank(step.stage) < _rank(stage)]
        known = next((step for step in steps if step.stage is stage), None)
        steps = [*before, known or Step(stage, max(told_at, at))]
    return tuple(steps)


def ahead(steps: Iterable[Step]) -> tuple[Stage, ...]:
    """The stages that are still to come."""
    reached = max(_rank(step.stage) for step in steps)
    return tuple(stage for stage in _WAY if _rank(stage) > reached)


def _rank(stage: Stage) -> int:
    # That nothing more is needed is as much an end as that it is done.
    return len(_WAY) - 1 if stage is Stage.NOTHING else _WAY.index(stage)
