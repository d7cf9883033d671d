"""All that is to be said of one signal: what it stands on, how grave, and what would have changed it."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TypeVar

from alerts.rehearsal.why import searching
from alerts.rehearsal.why.searching import Excused, Hour, Missing, Moved
from alerts.rehearsal.why.trying import Scene, Target, with_value
from alerts.rules import Observation, Rule, Signal
from alerts.rules.rule import Excuse, Parameter

# Everything this much before the first thing that was looked at is left out of the search.
_MARGIN = dt.timedelta(minutes=10)
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Explanation:
    """Why a rule said a signal. `levels` are the names that its severity has in the rule's table.

    Every counterfactual is what the rule said when it was run on the whole past with that one thing
    changed.
    """

    target: Target
    signal: Signal
    night: bool
    levels: tuple[str, ...]
    parameters: tuple[tuple[str, float], ...]
    excuses: tuple[Excused, ...]
    moved: tuple[Moved, ...]
    missing: tuple[Missing, ...]
    hour: Hour | None


def explain(scene: Scene, target: Target, rule: type[Rule]) -> Explanation | None:
    """Explains a signal; None where the rule, run on this past, does not say it."""
    said = scene.signals(target)
    signal = next((one for one in said if (one.anchor.id, one.stage) == (target.anchor, target.stage)), None)
    if signal is None:
        return None
    anchor = signal.anchor
    settings = scene.book.settings(rule, anchor)
    assert settings is not None, "a rule that is off says nothing"
    looked = _looked_at(scene, rule) | {one.id for one in signal.evidence}
    whole = _from_what_matters(scene, target, looked)
    small = _small(whole, target, anchor, looked)
    return Explanation(
        target=target,
        signal=signal,
        night=settings.is_night(anchor.at),
        levels=tuple(name for name in settings.severities if settings.severity(name) == signal.severity),
        parameters=tuple((one.name, settings.values[one.name]) for one in rule.parameters),
        excuses=tuple(_excuse(whole, small, target, anchor, excuse) for excuse in rule.excuses),
        moved=tuple(_move(whole, small, target, anchor, rule, one) for one in rule.parameters),
        missing=tuple(searching.inputs(whole, target, signal.evidence)),
        hour=searching.hour(whole, target, anchor, rule),
    )


def _looked_at(scene: Scene, rule: type[Rule]) -> frozenset[str]:
    """What the rule asks for at its present values and at the farthest of each parameter."""
    looked = scene.looked_at()
    for parameter in rule.parameters:
        for bound in (parameter.low, parameter.high):
            book = with_value(scene.book, rule.id, parameter.name, bound)
            looked |= scene.with_book(book).looked_at()
    return looked


def _from_what_matters(scene: Scene, target: Target, looked: Collection[str]) -> Scene:
    """The past from the first thing on that was looked at."""
    first = min((one.at for one in scene.observations if one.id in looked), default=target.at)
    shorter = scene.since(min(first, target.at) - _MARGIN)
    return shorter if shorter.outcome(target) == scene.outcome(target) else scene


def _small(whole: Scene, target: Target, anchor: Observation, looked: Collection[str]) -> Scene:
    """As little of the past as the rule says the same of: there the search is quick."""
    subjects = set(anchor.subjects)
    kept = {
        one.id
        for one in whole.observations
        if one.id in looked
        or one.place == anchor.place
        or one.device == anchor.device
        or not subjects.isdisjoint(one.subjects)
    }
    small = whole.only(kept)
    return small if small.outcome(target) == whole.outcome(target) else whole


def _excuse(whole: Scene, small: Scene, target: Target, anchor: Observation, excuse: Excuse) -> Excused:
    return _sure(
        whole,
        small,
        lambda scene: searching.excused(scene, target, anchor, excuse),
        lambda found: _excuse_holds(whole, target, anchor, found),
    )


def _move(
    whole: Scene, small: Scene, target: Target, anchor: Observation, rule: type[Rule], one: Parameter
) -> Moved:
    return _sure(
        whole,
        small,
        lambda scene: searching.moved(scene, target, anchor, rule, one),
        lambda found: _move_holds(whole, target, rule, found),
    )


def _sure(
    whole: Scene, small: Scene, search: Callable[[Scene], _Found], holds: Callable[[_Found], bool]
) -> _Found:
    """What was found on the small past, where it holds on the whole; else it is searched for there."""
    found = search(small)
    return found if small is whole or holds(found) else search(whole)


def _excuse_holds(whole: Scene, target: Target, anchor: Observation, found: Excused) -> bool:
    seen = found.observation
    if seen is None:
        return True
    moments = {seen.at, *(anchor.at + dt.timedelta(seconds=s) for s in (found.first_s, found.last_s))}
    return all(
        whole.also(replace(seen, at=at, received_at=at)).outcome(target) == found.outcome for at in moments
    )


def _move_holds(whole: Scene, target: Target, rule: type[Rule], found: Moved) -> bool:
    if found.value is None:
        return True
    book = with_value(whole.book, rule.id, found.parameter.name, found.value)
    return whole.with_book(book).outcome(target) == found.outcome
