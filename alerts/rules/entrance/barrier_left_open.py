"""R-E14: a barrier is up, and no vehicle is there for it.

Counted from the last opening or vehicle, so a queue that keeps it up is no incident. What is meant
to stand open (a schedule, the fire signal) is not either, and the book may name further hours. It
is silent at a barrier that never tells of its closing, and where a device of the lane was away.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.causes import MEANT_OPEN
from alerts.rules.coverage import blind_at
from alerts.rules.observation import Observation
from alerts.rules.rule import (
    DISORDER,
    Clear,
    Excuse,
    Parameter,
    Question,
    Rule,
    Settings,
    Signal,
    View,
)

_VEHICLES: Final = frozenset(
    {"plate.recognised", "plate.uncertain", "plate.none", "vehicle.stranded", "vehicle.turned_back"}
)
# A queue that keeps a barrier up longer than this is not looked through for its beginning.
_QUEUE: Final = dt.timedelta(hours=2)
# A barrier that told of no closing for so long tells of none.
_TELLS: Final = dt.timedelta(hours=12)
_UNTIL_CLOSED: Final = dt.timedelta(days=365)


class BarrierLeftOpen(Rule):
    """Raises one incident a lane, graver after five minutes; ends when the barrier closes."""

    id = "R-E14"
    kind = "barrier.left_open"
    rings = frozenset({"entrance"})
    listens = frozenset({"barrier.opened", "barrier.closed", *_VEHICLES})
    severities: ClassVar = {"open": 4, "long": 3}
    key = "lane"
    excuses = (
        Excuse("barrier.closed"),
        Excuse("plate.recognised"),
        Excuse("barrier.opened", cause="schedule"),
    )
    parameters = (
        Parameter(
            "open_s",
            "s",
            60,
            15,
            900,
            "How long it may stay up with nothing beneath it. Too short: a slow boom is an incident. Too "
            "long: whoever walks in through it does so unseen.",
        ),
        Parameter(
            "long_s",
            "s",
            300,
            60,
            7200,
            "When it becomes a warning. Too short: the guard has no time to close it. Too long: the "
            "entrance stands open and nobody hurries.",
        ),
    )

    @staticmethod
    def ask(
        observation: Observation, view: View, settings: Settings
    ) -> Question | tuple[Question, ...] | None:
        if observation.ring != "entrance" or observation.cause in MEANT_OPEN:
            return None
        if observation.type == "barrier.closed":
            return Question(observation, observation.at + DISORDER, "closed")
        return tuple(
            Question(observation, observation.at + settings.seconds(name) + DISORDER, stage)
            for stage, name in (("open", "open_s"), ("long", "long_s"))
        )

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        anchor = question.anchor
        if question.stage == "closed":
            return Clear(BarrierLeftOpen.id, _key(anchor), anchor.at)
        until = question.due - DISORDER
        for seen in view.at_place(anchor.place, anchor.at, until):
            if seen.type == "barrier.closed":
                return None
            if seen.at > anchor.at and (seen.type == "barrier.opened" or seen.type in _VEHICLES):
                # Its own time runs from there.
                return None
        opened = _opened(anchor, view)
        if (
            opened is None
            or not _tells_of_closing(anchor, view)
            or blind_at(view, anchor.place, opened.at, until)
        ):
            return None
        return Signal(
            rule=BarrierLeftOpen.id,
            kind=BarrierLeftOpen.kind,
            severity=settings.severity(question.stage),
            dedupe_key=_key(anchor),
            dedupe_window=_UNTIL_CLOSED,
            anchor=anchor,
            evidence=(opened,) if opened is anchor else (opened, anchor),
            reason="barrier_left_open",
            reason_args={"lane": anchor.place, "open_s": round((until - anchor.at).total_seconds())},
            stage=question.stage,
            window=(opened.at, until),
        )


def _opened(anchor: Observation, view: View) -> Observation | None:
    """The opening since which the barrier is up; None where it is down, or meant to be up."""
    if anchor.type == "barrier.opened":
        return anchor
    last = None
    for seen in view.at_place(anchor.place, anchor.at - _QUEUE, anchor.at):
        if seen.type in {"barrier.opened", "barrier.closed"}:
            last = seen
    return None if last is None or last.type == "barrier.closed" or last.cause in MEANT_OPEN else last


def _tells_of_closing(anchor: Observation, view: View) -> bool:
    around = view.at_place(anchor.place, anchor.at - _TELLS, anchor.at)
    return any(seen.type == "barrier.closed" for seen in around)


def _key(seen: Observation) -> str:
    return f"{BarrierLeftOpen.id}:{seen.place}"
