"""The engine: feeds observations to rules, keeps their open questions, collects their answers."""

import datetime as dt
import heapq
from collections.abc import Iterable, Mapping, Sequence

from alerts.rules.history import Recent
from alerts.rules.observation import Observation
from alerts.rules.rule import Clear, Mute, Question, Rule, Settings, Signal

# Longer than any rule's window; what a restart has to read again.
HORIZON = dt.timedelta(minutes=15)
# An observation that came later than this after it happened is history (domain §5).
LIVE_WINDOW = dt.timedelta(seconds=15)


class Engine:
    """One compound's rules and their memory. The caller brings the time."""

    def __init__(
        self,
        rules: Sequence[type[Rule]],
        time_zone: dt.tzinfo,
        overrides: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self._rules = rules
        given = overrides or {}
        self._settings = {
            rule.id: Settings(
                {p.name: p.default for p in rule.parameters} | dict(given.get(rule.id, {})), time_zone
            )
            for rule in rules
        }
        self._recent = Recent(HORIZON)
        self._mutes: tuple[Mute, ...] = ()
        # (due, order of asking, rule, question): the counter keeps equal moments comparable.
        self._open: list[tuple[dt.datetime, int, type[Rule], Question]] = []
        self._asked = 0

    def set_mutes(self, mutes: Iterable[Mute]) -> None:
        self._mutes = tuple(mutes)

    def feed(self, observation: Observation) -> list[Signal | Clear]:
        """Takes in one observation; returns what can be said at once. The same one again says nothing.

        One that amends an earlier one is judged like a new one: whoever writes down what is said
        knows what was raised of it before.
        """
        if observation.late or observation.received_at - observation.at > LIVE_WINDOW:
            # Late data completes the stored history; it neither raises a live alert nor excuses one.
            return []
        if not self._recent.add(observation):
            return []
        results: list[Signal | Clear] = []
        for rule in self._rules:
            settings = self._settings[rule.id]
            cleared = rule.clears(observation)
            if cleared is not None:
                results.append(Clear(rule.id, cleared, observation.at))
            question = rule.ask(observation, settings)
            if question is None:
                continue
            if question.due <= observation.at:
                results.extend(self._answer(rule, question))
            else:
                self._asked += 1
                heapq.heappush(self._open, (question.due, self._asked, rule, question))
        return results

    def advance(self, now: dt.datetime) -> list[Signal]:
        """Answers every question that is due at `now`."""
        signals: list[Signal] = []
        while self._open and self._open[0][0] <= now:
            _, _, rule, question = heapq.heappop(self._open)
            signals.extend(self._answer(rule, question))
        self._recent.forget_before(now)
        return signals

    def _answer(self, rule: type[Rule], question: Question) -> list[Signal]:
        if self._recent.is_superseded(question.anchor):
            # Asked of what was known then; of what is known now it was asked anew, if it still has to be.
            return []
        signal = rule.answer(question, self._recent, self._settings[rule.id])
        if signal is None or any(mute.covers(signal) for mute in self._mutes):
            return []
        return [signal]
