"""Running one rule on a past, as it was or with one thing changed."""

import datetime as dt
from collections.abc import Callable, Iterable, Reversible, Sequence
from dataclasses import dataclass, replace

from alerts.rules import Engine, Entry, Observation, Rule, RuleBook, Said, Signal, Site, View
from alerts.rules.engine import HORIZON
from alerts.rules.memory import Recent
from alerts.rules.rule import Question, Settings


@dataclass(frozen=True, slots=True)
class Target:
    """The signal that is asked about: what a rule said under a key of something at a time."""

    rule: str
    key: str
    anchor: str
    at: dt.datetime
    stage: str = ""
    # The rule said something graver under the key later on, which is asked about by itself.
    alone: bool = False


# How far apart things are that are still about the same incident, where a rule would say it once.
_NEAR = dt.timedelta(minutes=2)


class _Looked(Recent):
    """A memory that notes what is asked of it, while somebody listens."""

    def __init__(self, site: Site) -> None:
        super().__init__(HORIZON, site)
        self.listening = False
        self.seen: set[str] = set()

    def _between(self, key: tuple[str, str], start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        found = super()._between(key, start, end)
        if self.listening:
            self.seen.update(one.id for one in found)
        return found


@dataclass(frozen=True)
class Scene:
    """A past, a plan and a book: what a rule said of it can be asked with things changed.

    `observations` come in the order in which they came in; `until` is how far they go.
    """

    rules: tuple[type[Rule], ...]
    observations: tuple[Observation, ...]
    site: Site
    book: RuleBook
    until: dt.datetime
    # Subject, zone, evening: the nights before the past begins.
    nights: tuple[tuple[str, str, dt.date], ...] = ()

    def signals(self, target: Target) -> list[Signal]:
        """All that the target's rule says under the target's key about then."""
        return [signal for signal in self.run(Recent(HORIZON, self.site)) if _is_meant(signal, target)]

    def outcome(self, target: Target) -> int | None:
        """How grave the rule calls it, 1 critical … 4 notice; None where it says nothing."""
        return min((signal.severity for signal in self.signals(target)), default=None)

    def looked_at(self, matters: Callable[[Observation], bool]) -> frozenset[str]:
        """Ids of the observations that the rules asked for, when they thought about what `matters`."""
        recent = _Looked(self.site)
        rules = tuple(_overheard(rule, recent, matters) for rule in self.rules)
        replace(self, rules=rules).run(recent)
        return frozenset(recent.seen)

    def with_book(self, book: RuleBook) -> "Scene":
        return replace(self, book=book)

    def only(self, ids: Iterable[str]) -> "Scene":
        """The same with a part of what was observed."""
        kept = frozenset(ids)
        return replace(self, observations=tuple(one for one in self.observations if one.id in kept))

    def since(self, moment: dt.datetime) -> "Scene":
        """The same from a moment on."""
        return replace(self, observations=tuple(one for one in self.observations if one.at >= moment))

    def without(self, observation: str) -> "Scene":
        """The same where one thing was not observed."""
        return replace(self, observations=tuple(one for one in self.observations if one.id != observation))

    def also(self, observation: Observation) -> "Scene":
        """The same where one thing more was observed, in time."""
        told = sorted((*self.observations, observation), key=lambda one: (one.received_at, one.id))
        return replace(self, observations=tuple(told), until=max(self.until, observation.at))

    def run(self, recent: Recent) -> list[Signal]:
        """All that the rules say of this past, with a memory to be looked into afterwards."""
        engine = Engine(self.rules, self.book, self.site, recent)
        for night in self.nights:
            recent.note_night(*night)
        said: list[object] = []
        for observation in self.observations:
            due = engine.next_due
            while due is not None and due <= observation.received_at:
                said += engine.advance(due)
                due = engine.next_due
            said += engine.feed(observation)
        due = engine.next_due
        while due is not None and due <= self.until:
            said += engine.advance(due)
            due = engine.next_due
        return [one for one in said if isinstance(one, Signal)]


def rules_for(rule: str, rules: Sequence[type[Rule]]) -> tuple[type[Rule], ...]:
    """A rule and those whose signals it hears, and so on; empty where there is no such rule."""
    by_id = {one.id: one for one in rules}
    wanted, ahead = set(), [rule]
    while ahead:
        name = ahead.pop()
        if name in by_id and name not in wanted:
            wanted.add(name)
            ahead += by_id[name].hears
    return tuple(one for one in rules if one.id in wanted)


def with_value(book: RuleBook, rule: str, name: str, value: float) -> RuleBook:
    """The book with one parameter at another value, at whatever hour."""
    entry = book.entries.get(rule, Entry())
    hours = tuple(
        replace(one, values={key: kept for key, kept in one.values.items() if key != name})
        for one in entry.hours
    )
    changed = replace(entry, values={**entry.values, name: value}, hours=hours)
    return RuleBook(book.time_zone, book.version, book.night, {**book.entries, rule: changed}, book.mode)


def _is_meant(signal: Signal, target: Target) -> bool:
    """Whether a signal would have been of the same incident: it counts, whatever it stands on."""
    same = signal.anchor.id == target.anchor or abs(signal.anchor.at - target.at) <= _NEAR
    if target.alone and signal.stage != target.stage:
        return False
    return signal.rule == target.rule and signal.dedupe_key == target.key and same


def _overheard(rule: type[Rule], recent: _Looked, matters: Callable[[Observation], bool]) -> type[Rule]:
    """The same rule; the memory listens while it thinks about what matters."""

    class Overheard(rule):  # type: ignore[valid-type, misc]
        @staticmethod
        def ask(
            observation: Observation, view: View, settings: Settings
        ) -> Question | Sequence[Question] | None:
            recent.listening = matters(observation)
            return rule.ask(observation, view, settings)

        @staticmethod
        def answer(question: Question, view: View, settings: Settings) -> Said | None:
            recent.listening = matters(question.anchor)
            return rule.answer(question, view, settings)

    return Overheard
