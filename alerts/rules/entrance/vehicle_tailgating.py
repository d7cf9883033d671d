"""R-E06: a second vehicle went through on the opening that was for the one before it.

One for which the barrier opens by itself is none: its command is lost on a barrier that is up
already. Nor is one that waits: the barrier comes down before it, or it goes up again for it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import ClassVar

from alerts.rules.entrance.lane import CLOSED, OPENED, away, stands_open
from alerts.rules.entrance.vehicles import is_read_twice, may_enter, readings
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

# A picture is often sent off when the barrier moves already.
_BEFORE = dt.timedelta(seconds=5)
# The barrier's clock and the camera's.
_CLOCKS = dt.timedelta(seconds=1)
# The guard who opened by hand stands there and sees who follows. A remote opening is none of these:
# many terminals call it that when they open for a plate.
_WATCHED_BY = frozenset({"manual_open"})
# What says that a vehicle is still before the barrier.
_WAITS = frozenset({"vehicle.turned_back", "vehicle.stranded"})


class VehicleTailgating(Rule):
    """Raises one incident a lane and minute."""

    id = "R-E06"
    kind = "vehicle.tailgating"
    rings = frozenset({"entrance"})
    listens = frozenset({"plate.recognised"})
    severities: ClassVar = {"day": 3, "night": 3}
    key = "lane"
    excuses = (
        Excuse("barrier.opened"),
        Excuse("barrier.opened", cause="schedule"),
        Excuse("barrier.closed"),
        Excuse("visitor.registered"),
    )
    parameters = (
        Parameter(
            "gap_s",
            "s",
            8,
            2,
            30,
            "How close behind the first the second one must come. Too short: only bumper to bumper "
            "counts. Too long: every queue is one.",
        ),
        Parameter(
            "through_s",
            "s",
            4,
            1,
            15,
            "How long a vehicle takes from where its plate is read to beyond the barrier. Too "
            "short: one that waits counts as through. Too long: one that is through counts as "
            "waiting, since the barrier has come down behind it.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if (
            observation.ring == "entrance"
            and observation.direction == "in"
            and observation.plate is not None
            and not may_enter(observation)
        ):
            return Question(observation, observation.at + settings.seconds("through_s") + DISORDER)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        second = question.anchor
        gap, through = settings.seconds("gap_s"), settings.seconds("through_s")
        until = second.at + through
        seen = list(view.at_place(second.place, second.at - gap - _BEFORE, until))
        first = _one_before(second, readings(seen), gap)
        if first is None or any(one.type in _WAITS and one.at >= second.at for one in seen):
            return None
        opened = _its_opening(first, second, seen)
        if opened is None or stands_open(view, second.place, second.at, _WATCHED_BY):
            return None
        if away(view, second.place, first.at, until):
            # The barrier that is away may have opened again and tells it later.
            return None
        return Signal(
            rule=VehicleTailgating.id,
            kind=VehicleTailgating.kind,
            severity=settings.by_hour(second.at),
            dedupe_key=f"{VehicleTailgating.id}:{second.place}",
            dedupe_window=dt.timedelta(seconds=60),
            anchor=second,
            evidence=(first, opened, second),
            reason="vehicle_tailgating",
            reason_args={
                "lane": second.place,
                "plate": second.plate,
                "first": first.plate,
                "gap_s": round((second.at - first.at).total_seconds(), 1),
                "night": settings.is_night(second.at),
            },
            subject_kind="plate",
            subject=second.plate,
            window=(first.at - _BEFORE, until),
        )


def _one_before(second: Observation, read: Sequence[Observation], gap: dt.timedelta) -> Observation | None:
    """The vehicle that went before, if this one followed closely; a second reading of itself is none."""
    before = [
        one
        for one in read
        if by_time(one) < by_time(second) and second.at - one.at < gap and not is_read_twice(one, second)
    ]
    if not before or any(is_read_twice(one, second) and may_enter(one) for one in read):
        return None
    return before[-1]


def _its_opening(first: Observation, second: Observation, seen: Iterable[Observation]) -> Observation | None:
    """The opening for the first vehicle, if the second went through on it.

    Told twice, by the command and by the limit switch, it is still one; what moves when the second is
    read or later is the second's own.
    """
    opened: Observation | None = None
    for one in seen:
        if one.type in OPENED:
            if one.at >= second.at - _CLOCKS:
                return None
            if opened is None and one.at >= first.at - _BEFORE:
                opened = one
        elif one.type in CLOSED and opened is not None and one.at > opened.at:
            return None
    return opened
