"""R-D03: a device says the same thing over and over: a branch before the lens, a contact that rattles.

What it makes other rules say meanwhile, notices and warnings, becomes part of this one incident;
nothing urgent ever does. People who come one after the other are no storm: what a passage makes a
device say has a limit of its own, above what any door can let through.
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar, Final

from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View
from alerts.rules.system.told import OTHERS, PASSAGES

_MINUTE: Final = dt.timedelta(minutes=1)
_FLOODING: Final = "flooding"
_INTO: Final = "into:"


class Storm(Rule):
    """Raises one incident a device and kind of event, when their number passes the limit."""

    id = "R-D03"
    kind = "device.storm"
    rings = frozenset({"entrance", "common", "building"})
    listens = PASSAGES | OTHERS
    hears = frozenset(
        {f"R-E{number:02}" for number in range(1, 15)}
        | {f"R-C{number:02}" for number in range(1, 13)}
        # Not R-B09: whoever is looked after is no fault of a device.
        | {f"R-B{number:02}" for number in (*range(1, 9), 10)}
    )
    severities: ClassVar = {"usual": 4}
    key = "device"
    parameters = (
        Parameter(
            "per_min",
            "1/min",
            30,
            5,
            600,
            "How many events of one kind a device may say in a minute. Too few: a lively evening is a "
            "storm. Too many: a rattling contact fills the queue first.",
        ),
        Parameter(
            "passages_per_min",
            "1/min",
            120,
            30,
            1200,
            "The same for what people do one after the other (cards, doors, faces, plates, lines). Too "
            "few: a school run is a storm. Too many: a camera that sees faces in a poster is not found.",
        ),
        Parameter(
            "together_min",
            "min",
            10,
            1,
            120,
            "How long storms of one kind are one incident. Too short: gusts of wind are many. Too long: "
            "a new fault hides behind an old one.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        soon = observation.at + DISORDER
        if observation.type == "device.fault" and observation.cause == _FLOODING:
            return Question(observation, soon, _FLOODING)
        if observation.is_over:
            # The end of one thing is no second thing.
            return None
        limit = _limit(observation, settings)
        count = 0
        # Also what has overtaken it: with the last of a storm to come in, all of it is there.
        for seen in view.at_device(observation.device, observation.at - _MINUTE, soon):
            if seen.type == observation.type and not seen.is_over:
                count += 1
                if count > limit:
                    return Question(observation, soon)
        return None

    @staticmethod
    def hear(signal: Signal, view: View, settings: Settings) -> Question | None:
        anchor = signal.anchor
        if signal.severity <= 2 or anchor.type not in Storm.listens:
            return None
        stage = f"{_INTO}{signal.rule}:{signal.stage}"
        # It may be the first of what becomes a storm within the minute.
        return Question(anchor, anchor.at + _MINUTE + DISORDER, stage, early=True)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        anchor = question.anchor
        if question.stage == _FLOODING:
            return _flooding(anchor, settings)
        same = [
            seen
            for seen in view.at_device(anchor.device, anchor.at - 2 * _MINUTE, question.due)
            if seen.type == anchor.type and not seen.is_over
        ]
        limit = _limit(anchor, settings)
        counts = _counts(same)
        if question.stage.startswith(_INTO):
            most = max(
                (count for seen, count in zip(same, counts, strict=True) if seen.at >= anchor.at - _MINUTE),
                default=0,
            )
            keys = _keys_of(question, view)
            return (
                _signal(anchor, anchor, most, settings, question.stage, keys)
                if most > limit and keys
                else None
            )
        before = 0
        for seen, count in zip(same, counts, strict=True):
            # Said once, when the limit is passed: a storm must not make a storm.
            if seen.at >= anchor.at and before <= limit < count:
                return _signal(seen, anchor, count, settings)
            before = count
        return None


def _signal(
    anchor: Observation,
    beside: Observation,
    count: int,
    settings: Settings,
    stage: str = "",
    joins: tuple[str, ...] = (),
) -> Signal:
    return Signal(
        rule=Storm.id,
        kind=Storm.kind,
        severity=settings.severity("usual"),
        dedupe_key=_key(anchor.device, anchor.type),
        dedupe_window=settings.minutes("together_min"),
        anchor=anchor,
        evidence=(anchor,) if beside is anchor else (beside, anchor),
        reason="storm",
        reason_args={"what": anchor.type, "count": count, "limit": _limit(anchor, settings)},
        stage=stage,
        window=(anchor.at - _MINUTE, anchor.at),
        joins=joins,
    )


def _flooding(told: Observation, settings: Settings) -> Signal:
    """Ingest says that a device was cut short: what it would have said was never stored."""
    return Signal(
        rule=Storm.id,
        kind=Storm.kind,
        severity=settings.severity("usual"),
        dedupe_key=_key(told.device, _FLOODING),
        dedupe_window=settings.minutes("together_min"),
        anchor=told,
        evidence=(told,),
        reason="storm_dropped",
        reason_args={"device": told.device},
        stage=_FLOODING,
    )


def _counts(same: Sequence[Observation]) -> list[int]:
    """For each of them in order of time: how many there were in the minute up to it."""
    counts = []
    start = 0
    for number, seen in enumerate(same):
        while seen.at - same[start].at >= _MINUTE:
            start += 1
        counts.append(number - start + 1)
    return counts


def _keys_of(question: Question, view: View) -> tuple[str, ...]:
    """The keys of what another rule said of the anchor."""
    rule, _, stage = question.stage.removeprefix(_INTO).partition(":")
    at = question.anchor.at
    return tuple(
        sorted(
            signal.dedupe_key
            for signal in view.signals(at, at)
            if (signal.rule, signal.anchor.id, signal.stage) == (rule, question.anchor.id, stage)
        )
    )


def _limit(seen: Observation, settings: Settings) -> int:
    return int(settings.values["passages_per_min" if seen.type in PASSAGES else "per_min"])


def _key(device: str, kind: str) -> str:
    return f"{Storm.id}:{device}:{kind}"
