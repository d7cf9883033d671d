"""All that is to be said of one signal: what it stands on, how grave, and what would have changed it."""

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from alerts.rehearsal.why import searching
from alerts.rehearsal.why.searching import Excused, Hour, Missing, Moved
from alerts.rehearsal.why.trying import Scene, Target, with_value
from alerts.rules import Observation, Rule, Signal
from alerts.rules.rule import Excuse, Parameter

# How far from what made the rule look other things are that may make it look instead.
_ABOUT = dt.timedelta(minutes=30)
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
    looked = _looked_at(scene, anchor, rule) | {one.id for one in signal.evidence}
    small = _small(scene, target, anchor, looked)
    missing = tuple(searching.inputs(small, target, signal.evidence))
    hour = searching.hour(small, target, anchor, rule)
    return Explanation(
        target=target,
        signal=signal,
        night=settings.is_night(anchor.at),
        levels=tuple(name for name in settings.severities if settings.severity(name) == signal.severity),
        parameters=tuple((one.name, settings.values[one.name]) for one in rule.parameters),
        excuses=tuple(_excuse(scene, small, target, anchor, excuse) for excuse in rule.excuses),
        moved=tuple(_move(scene, small, target, anchor, rule, one) for one in rule.parameters),
        missing=tuple(one for one in missing if _is_missed(scene, target, one)),
        hour=hour,
    )


def _looked_at(scene: Scene, anchor: Observation, rule: type[Rule]) -> frozenset[str]:
    """What the rule asks for about the anchor's place and people, at all ends of its parameters."""
    subjects = set(anchor.subjects)

    def matters(one: Observation) -> bool:
        return abs(one.at - anchor.at) <= _ABOUT and (
            one.place == anchor.place or one.device == anchor.device or not subjects.isdisjoint(one.subjects)
        )

    looked = scene.looked_at(matters)
    for parameter in rule.parameters:
        for bound in (parameter.low, parameter.high):
            book = with_value(scene.book, rule.id, parameter.name, bound)
            looked |= scene.with_book(book).looked_at(matters)
    return looked


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
        lambda found: _excuse_holds(whole, target, found),
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


def _excuse_holds(whole: Scene, target: Target, found: Excused) -> bool:
    return found.observation is None or whole.also(found.observation).outcome(target) == found.outcome


def _move_holds(whole: Scene, target: Target, rule: type[Rule], found: Moved) -> bool:
    if found.value is None:
        return True
    book = with_value(whole.book, rule.id, found.parameter.name, found.value)
    return whole.with_book(book).outcome(target) == found.outcome


def _is_missed(whole: Scene, target: Target, found: Missing) -> bool:
    return whole.without(found.observation.id).outcome(target) == found.outcome
