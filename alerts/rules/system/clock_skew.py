"""R-D05: a device's clock is wrong, so what it says stands at the wrong place in every story.

Heartbeats measure a clock best, and ingest says what they show (`device.time_skew`). A device that
gives none is known by its events: five live ones in a row whose time is not ours, or lies in the
future. Whatever only brings its messages late looks the same; it has to be looked at as well.
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar, Final

from alerts.rules.observation import Observation, by_time
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
from alerts.rules.system.told import OTHERS, PASSAGES

_SAID: Final = "device.time_skew"
_WRONG: Final = "clock_off"
_RIGHT: Final = "clock_right"
_LOOK_BACK: Final = dt.timedelta(hours=1)
# As long without a wrong time, and the clock is believed again.
_CALM: Final = dt.timedelta(minutes=10)
_LONGEST: Final = dt.timedelta(hours=24)
_UNTIL_RIGHT: Final = dt.timedelta(days=365)


class ClockSkew(Rule):
    """Raises one incident a device; ends when its clock is right again."""

    id = "R-D05"
    kind = "device.clock"
    rings = frozenset({"entrance", "common", "building"})
    listens = PASSAGES | OTHERS | {_SAID}
    severities: ClassVar = {"usual": 4}
    key = "device"
    excuses = (Excuse(_SAID, "device", _RIGHT),)
    parameters = (
        Parameter(
            "skew_s",
            "s",
            5,
            1,
            300,
            "How far a device's time may be from ours. Too little: a slow line is a wrong clock. Too much: "
            "cards and doors of one passage no longer belong together.",
        ),
        Parameter(
            "in_a_row",
            "events",
            5,
            2,
            50,
            "How many events in a row must say so. Too few: one message that was held up is a wrong clock. "
            "Too many: a device that says little is never found out.",
        ),
    )

    @staticmethod
    def ask(
        observation: Observation, view: View, settings: Settings
    ) -> Question | tuple[Question, ...] | None:
        if observation.type == _SAID:
            return Question(observation, observation.at + DISORDER, observation.cause or "")
        if not _is_wrong(observation, settings):
            return None
        soon = observation.at + DISORDER
        return Question(observation, soon, "row"), Question(observation, soon + _CALM, "calm")

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        anchor = question.anchor
        if question.stage == _RIGHT:
            return Clear(ClockSkew.id, _key(anchor), anchor.at)
        if question.stage == "calm":
            return _calm(anchor, view, settings)
        if question.stage == "row":
            return _row(anchor, view, settings)
        if question.stage != _WRONG:
            return None
        offset = (anchor.number("offset_ms") or 0) / 1000
        return _signal(anchor, (anchor,), offset, settings, question.stage)


def _row(anchor: Observation, view: View, settings: Settings) -> Signal | None:
    wanted = int(settings.values["in_a_row"])
    row: list[Observation] = []
    for seen in reversed(_timed(view, anchor, anchor.at - _LOOK_BACK, anchor.at)):
        if by_time(seen) > by_time(anchor):
            continue
        if not _is_wrong(seen, settings):
            break
        row.append(seen)
        if len(row) > wanted:
            # Said when the row was full.
            return None
    if len(row) < wanted:
        return None
    skews = sorted(_skew(seen) for seen in row)
    return _signal(anchor, tuple(reversed(row)), skews[len(skews) // 2], settings, "row")


def _calm(anchor: Observation, view: View, settings: Settings) -> Clear | None:
    """After the last wrong time: enough right ones, and no heartbeat that says otherwise."""
    until = anchor.at + _CALM
    after = [seen for seen in _timed(view, anchor, anchor.at, until) if by_time(seen) > by_time(anchor)]
    if len(after) < settings.values["in_a_row"] or any(_is_wrong(seen, settings) for seen in after):
        return None
    said = [seen for seen in view.at_device(anchor.device, until - _LONGEST, until) if seen.type == _SAID]
    if said and said[-1].cause == _WRONG:
        return None
    return Clear(ClockSkew.id, _key(anchor), until)


def _signal(
    anchor: Observation, evidence: Sequence[Observation], seconds: float, settings: Settings, stage: str
) -> Signal:
    hours = anchor.number("hours_off")
    return Signal(
        rule=ClockSkew.id,
        kind=ClockSkew.kind,
        severity=settings.severity("usual"),
        dedupe_key=_key(anchor),
        dedupe_window=_UNTIL_RIGHT,
        anchor=anchor,
        evidence=tuple(evidence),
        reason="clock_zone" if hours else "clock_ahead" if seconds > 0 else "clock_behind",
        reason_args={"skew_s": round(abs(seconds)), "hours": abs(int(hours)) if hours else None},
        stage=stage,
    )


def _timed(view: View, anchor: Observation, start: dt.datetime, end: dt.datetime) -> list[Observation]:
    """What the device itself put a time on."""
    return [
        seen
        for seen in view.at_device(anchor.device, start, end)
        if seen.device_time is not None and seen.type != _SAID
    ]


def _skew(seen: Observation) -> float:
    assert seen.device_time is not None
    return (seen.device_time - seen.received_at).total_seconds()


def _is_wrong(seen: Observation, settings: Settings) -> bool:
    return seen.device_time is not None and abs(_skew(seen)) > settings.values["skew_s"]


def _key(seen: Observation) -> str:
    return f"{ClockSkew.id}:{seen.device}"
