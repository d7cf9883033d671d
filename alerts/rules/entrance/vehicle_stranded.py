"""R-E13: a vehicle stands at a barrier and goes neither way, or turned back before it.

It is over when the lane says so, when the vehicle turns back, when the barrier goes up for it, or
when another plate is read where it stood. A camera that was away cannot have said that it is over.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.coverage import blind
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

_BACK_WITHIN: Final = dt.timedelta(minutes=10)
# A vehicle that stands until somebody says otherwise is one incident.
_UNTIL_OVER: Final = dt.timedelta(days=365)


class VehicleStranded(Rule):
    """Raises one incident a lane; ends by itself when the lane is free."""

    id = "R-E13"
    kind = "vehicle.stranded"
    rings = frozenset({"entrance", "common"})
    listens = frozenset({"vehicle.stranded", "vehicle.turned_back"})
    severities: ClassVar = {"stranded": 4, "turned_back": 4}
    key = "lane"
    excuses = (Excuse("vehicle.turned_back"), Excuse("barrier.opened"))
    parameters = (
        Parameter(
            "stranded_s",
            "s",
            60,
            10,
            900,
            "How long a vehicle may stand there. Too short: everybody who looks for a card is stranded. "
            "Too long: the queue reaches the street before the guard hears of it.",
        ),
        Parameter(
            "turned_back",
            "times",
            1,
            1,
            20,
            "How many vehicles that turn back within ten minutes are worth a notice. Too few: each wrong "
            "turn is one. Too many: a barrier that opens for nobody is found by the complaints.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | tuple[Question, ...]:
        soon = observation.at + DISORDER
        if observation.type == "vehicle.turned_back":
            return Question(observation, soon, "over"), Question(observation, soon, "turned_back")
        if observation.is_over:
            return Question(observation, soon, "over")
        return Question(observation, _until(observation, settings) + DISORDER, "stranded")

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        anchor = question.anchor
        if question.stage == "over":
            return Clear(VehicleStranded.id, _key(anchor), anchor.at)
        if question.stage == "turned_back":
            return _turned_back(anchor, view, settings)
        until = _until(anchor, settings)
        around = list(view.at_place(anchor.place, anchor.at, until))
        if any(_is_over(seen, anchor) for seen in around):
            return None
        own = [device for device in view.site.at(anchor.place) if device.id == anchor.device]
        if blind(view, own, anchor.at, until):
            return None
        return Signal(
            rule=VehicleStranded.id,
            kind=VehicleStranded.kind,
            severity=settings.severity("stranded"),
            dedupe_key=_key(anchor),
            dedupe_window=_UNTIL_OVER,
            anchor=anchor,
            evidence=(anchor,),
            reason="vehicle_stranded",
            reason_args={"lane": anchor.place, "stranded_s": round(settings.values["stranded_s"])},
            subject_kind="plate" if anchor.plate is not None else None,
            subject=anchor.plate,
            stage="stranded",
            window=(anchor.at, until),
        )


def _turned_back(anchor: Observation, view: View, settings: Settings) -> Signal | None:
    start = anchor.at - _BACK_WITHIN
    back = [
        seen for seen in view.at_place(anchor.place, start, anchor.at) if seen.type == "vehicle.turned_back"
    ]
    if len(back) < settings.values["turned_back"]:
        return None
    return Signal(
        rule=VehicleStranded.id,
        kind="vehicle.turned_back",
        severity=settings.severity("turned_back"),
        dedupe_key=f"{_key(anchor)}:turned_back",
        dedupe_window=_BACK_WITHIN,
        anchor=anchor,
        evidence=tuple(back),
        reason="vehicle_turned_back",
        reason_args={"lane": anchor.place, "count": len(back)},
        subject_kind="plate" if anchor.plate is not None else None,
        subject=anchor.plate,
        stage="turned_back",
        window=(start, anchor.at),
    )


def _until(stranded: Observation, settings: Settings) -> dt.datetime:
    """When it has stood for too long; it may have stood for `dwell_s` when the camera first said so."""
    stood = dt.timedelta(seconds=stranded.number("dwell_s") or 0)
    return stranded.at + max(settings.seconds("stranded_s") - stood, dt.timedelta())


def _is_over(seen: Observation, stranded: Observation) -> bool:
    if seen.type == "vehicle.turned_back":
        return True
    if seen.type == "vehicle.stranded":
        return seen.is_over
    if seen.at <= stranded.at:
        return False
    if seen.type == "barrier.opened":
        return True
    other = seen.type == "plate.recognised" and stranded.plate is not None
    return other and seen.plate != stranded.plate


def _key(seen: Observation) -> str:
    return f"{VehicleStranded.id}:{seen.place}"
