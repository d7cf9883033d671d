"""The search for what would have made a signal otherwise: the nearest of each kind."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from alerts.rehearsal.why.excusing import variants
from alerts.rehearsal.why.trying import Scene, Target, with_value
from alerts.rules import Mode, Observation, Rule, RuleBook
from alerts.rules.rule import Excuse, Parameter

_STEPS: Final = (0, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1800, 3600, 7200)
# Tenths of a second are as near as a device's clock tells.
_NEAR_S: Final = 0.1
# How far from what made the rule look an excuse is moved: care waits for a whole day.
_FARTHEST_S: Final = 48 * 3600
_ROUNDS: Final = 24


@dataclass(frozen=True, slots=True)
class Excused:
    """One thing more, anywhere from `first_s` to `last_s` seconds after what made the rule look.

    `outcome` is None where it would have stayed silent. `observation` is it at its nearest moment;
    None where no moment of it changes anything.
    """

    excuse: Excuse
    outcome: int | None
    observation: Observation | None
    first_s: float = 0.0
    last_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Moved:
    """The value nearest to the present one at which it is otherwise; None where there is none."""

    parameter: Parameter
    now: float
    value: float | None
    outcome: int | None


@dataclass(frozen=True, slots=True)
class Missing:
    """One of the things that it stands on had not been observed; only those that matter are told."""

    observation: Observation
    outcome: int | None


@dataclass(frozen=True, slots=True)
class Hour:
    """The same by day instead of by night, or the other way round."""

    night: bool
    outcome: int | None


def excused(scene: Scene, target: Target, anchor: Observation, excuse: Excuse) -> Excused:
    """An excuse that the rule declares, at the nearest moment at which it keeps it silent."""
    before = scene.outcome(target)
    for step in _STEPS:
        for offset in dict.fromkeys((float(step), -float(step))):
            at = anchor.at + dt.timedelta(seconds=offset)
            for seen in variants(excuse, anchor, scene.site, at):
                if scene.also(seen).outcome(target) is None:
                    first, last = _span(scene, target, anchor, seen, offset)
                    return Excused(excuse, None, seen, first, last)
    return Excused(excuse, before, None)


def moved(scene: Scene, target: Target, anchor: Observation, rule: type[Rule], parameter: Parameter) -> Moved:
    """A parameter of the rule, moved as little as possible."""
    settings = scene.book.settings(rule, anchor)
    now = parameter.default if settings is None else settings.values[parameter.name]
    return _moved(scene, target, rule.id, parameter, now, scene.outcome(target))


def inputs(scene: Scene, target: Target, evidence: Sequence[Observation]) -> Iterator[Missing]:
    """Each thing that it stands on, left out, where that makes a difference."""
    before = scene.outcome(target)
    for observation in evidence:
        outcome = scene.without(observation.id).outcome(target)
        if outcome != before:
            yield Missing(observation, outcome)


def hour(scene: Scene, target: Target, anchor: Observation, rule: type[Rule]) -> Hour | None:
    """What it would have been at the other time of day; None where that makes no difference."""
    settings = scene.book.settings(rule, anchor)
    if settings is None:
        return None
    night = not settings.is_night(anchor.at)
    outcome = scene.with_book(_at_night(scene.book) if night else _by_day(scene.book)).outcome(target)
    return None if outcome == scene.outcome(target) else Hour(night, outcome)


def _span(
    scene: Scene, target: Target, anchor: Observation, seen: Observation, works: float
) -> tuple[float, float]:
    """From when to when the same observation would have kept it silent, in seconds after the anchor."""

    def silent(offset: float) -> bool:
        at = anchor.at + dt.timedelta(seconds=offset)
        return scene.also(replace(seen, at=at, received_at=at)).outcome(target) is None

    return _edge(silent, works, -1.0), _edge(silent, works, 1.0)


def _edge(silent: Callable[[float], bool], works: float, way: float) -> float:
    """The farthest offset in one direction up to which it goes on working, to a tenth of a second."""
    inside, step = works, 1.0
    while silent(works + way * step):
        inside = works + way * step
        step *= 2
        if step > _FARTHEST_S:
            return inside
    outside = works + way * step
    while abs(outside - inside) > _NEAR_S:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if silent(middle) else (inside, middle)
    # On whole tenths, on the side on which it works.
    nice = round(inside * 10) / 10
    return nice if silent(nice) else inside


def _moved(
    scene: Scene, target: Target, rule: str, parameter: Parameter, now: float, before: int | None
) -> Moved:
    def outcome(value: float) -> int | None:
        return scene.with_book(with_value(scene.book, rule, parameter.name, value)).outcome(target)

    found: list[tuple[float, int | None]] = []
    for bound in (parameter.low, parameter.high):
        # The farthest need not be where it changes: some rules look for what lies between.
        for share in (1.0, 0.5, 0.25, 0.125):
            far = now + (bound - now) * share
            if far == now or outcome(far) == before:
                continue
            value = _nearest(lambda v: outcome(v) != before, now, far, whole=_is_whole(parameter))
            found.append((value, outcome(value)))
            break
    best = min(found, key=lambda one: abs(one[0] - now), default=None)
    if best is None:
        return Moved(parameter, now, None, before)
    return Moved(parameter, now, best[0], best[1])


def _nearest(differs: Callable[[float], bool], same: float, other: float, *, whole: bool) -> float:
    """Between a value where nothing differs and one where it does, the nearest to the former that does."""
    fine = 1.0 if whole else abs(other - same) / 2000
    for _ in range(_ROUNDS):
        if abs(other - same) <= fine:
            break
        middle = (same + other) / 2
        if whole:
            middle = float(round(middle)) if abs(other - same) >= 2 else other
        if middle in {same, other}:
            break
        same, other = (same, middle) if differs(middle) else (middle, other)
    if whole:
        near = float(int(other)) if other > same else float(-int(-other))
        return near if differs(near) else other
    rounded = float(f"{other:.3g}")
    return rounded if differs(rounded) else other


def _is_whole(parameter: Parameter) -> bool:
    return (
        all(float(value).is_integer() for value in (parameter.default, parameter.low, parameter.high))
        and parameter.high - parameter.low >= 3
    )


def _at_night(book: RuleBook) -> RuleBook:
    """Night all day."""
    mode = book.mode if book.mode is not Mode.NORMAL else Mode.HEIGHTENED
    return RuleBook(book.time_zone, book.version, book.night, book.entries, mode)


def _by_day(book: RuleBook) -> RuleBook:
    """No night at all, and no mode that makes one."""
    return RuleBook(book.time_zone, book.version, (dt.time(), dt.time()), book.entries, Mode.NORMAL)
