"""The engine: feeds observations to rules, keeps their open questions, collects their answers."""

import dataclasses
import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from alerts.rules.book import RuleBook
from alerts.rules.memory import Recent
from alerts.rules.nights import night_of
from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import Clear, Mute, Question, Rule, Said, Signal
from alerts.rules.site import Site

# Longer than any rule's window: a day, and the hours in which somebody is asked twice whether all is well.
HORIZON = dt.timedelta(hours=27)
# An observation that came later than this after it happened is history (domain §5).
LIVE_WINDOW = dt.timedelta(seconds=15)
# One from further ahead than this has a clock that nothing can be built on.
FUTURE = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that failed on something: it said nothing, the others went on."""

    rule: str
    observation: str
    error: str


class _State(msgspec.Struct):
    observations: list[Observation]
    late: list[Observation]
    nights: list[tuple[str, str, list[dt.date]]]
    settled: dict[str, dt.datetime]
    advanced_to: dt.datetime | None


class Engine:
    """One compound's rules and their memory. The caller brings the time."""

    def __init__(
        self,
        rules: Sequence[type[Rule]],
        book: RuleBook | None = None,
        site: Site | None = None,
        recent: Recent | None = None,
    ) -> None:
        self._rules = tuple(rules)
        self.book = book or RuleBook()
        self._recent = Recent(HORIZON, site) if recent is None else recent
        self._recent.rehearsal = self._rehearse
        self._mutes: tuple[Mute, ...] = ()
        # What is due at one moment is answered in the order in which it happened, not in which it came in;
        # the counter keeps equal things comparable.
        self._open: list[
            tuple[dt.datetime, dt.datetime, tuple[str, str, str], int, type[Rule], Question]
        ] = []
        self._asked = 0
        # Each with what tells it that something is over; most rules have none.
        self._listeners: dict[str, list[tuple[type[Rule], Callable[[Observation], str | None] | None]]] = {}
        self._hearers: dict[str, list[type[Rule]]] = defaultdict(list)
        for rule in self._rules:
            clears = rule.clears if rule.clears is not Rule.clears else None
            for kind in rule.listens:
                self._listeners.setdefault(kind, []).append((rule, clears))
            for heard in rule.hears:
                self._hearers[heard].append(rule)
        self._for_late = [rule for rule in self._rules if rule.hears_late]
        # What is said of before this moment was said already, before a restart.
        self.quiet_until: dt.datetime | None = None
        self.faults: list[Fault] = []
        self.muted: list[Signal] = []
        self._advanced_to: dt.datetime | None = None

    @property
    def view(self) -> Recent:
        """What the rules may ask: for those who explain what they said."""
        return self._recent

    @property
    def next_due(self) -> dt.datetime | None:
        """When the next open question is due."""
        return self._open[0][0] if self._open else None

    def set_mutes(self, mutes: Iterable[Mute]) -> None:
        self._mutes = tuple(mutes)

    def set_site(self, site: Site) -> None:
        """The plan was changed."""
        self._recent.site = site

    def set_book(self, book: RuleBook) -> None:
        """Other rules from now on; questions that are open are answered by the new book."""
        self.book = book

    def settle(self, key: str, at: dt.datetime) -> None:
        """Somebody closed the incident of a dedupe key: nothing is built on it any more."""
        self._recent.settle(key, at)

    def feed(self, observation: Observation) -> list[Said]:
        """Takes in one observation; returns what can be said at once. The same one again says nothing.

        One that amends an earlier one is judged like a new one: whoever writes down what is said
        knows what was raised of it before.
        """
        said: list[Said] = []
        received = observation.received_at
        if _is_history(observation):
            # Late data completes the stored history; it neither raises a live alert nor excuses one.
            if self._for_late and self._recent.add_late(observation):
                for rule in self._for_late:
                    self._ask(rule, observation, received, said)
            return said
        if not self._recent.add(observation):
            return said
        if observation.ring == "building":
            self._count_night(observation)
        for rule, clears in self._listeners.get(observation.type, ()):
            if clears is not None:
                self._clear(rule, clears, observation, said)
            self._ask(rule, observation, received, said)
        return said

    def advance(self, now: dt.datetime) -> list[Said]:
        """Answers every question that is due at `now`."""
        said: list[Said] = []
        while self._open and self._open[0][0] <= now:
            due, _, _, _, rule, question = heapq.heappop(self._open)
            self._answer(rule, question, max(due, question.anchor.received_at), said)
        self._recent.forget_before(now)
        self._advanced_to = now
        return said

    def note_night(self, observation: Observation) -> None:
        """Counts the night of something from before the memory begins, and takes in nothing else of it."""
        if observation.ring == "building" and not _is_history(observation):
            self._count_night(observation)

    def dump(self) -> bytes:
        """Everything it knows, as bytes: what was observed, what is settled, how far its time had come.

        Its open questions are not among it: whoever loads it asks them again. Advance it first, so that
        what it said up to its time is known not to be said again.
        """
        recent = self._recent
        state = _State(
            recent.observations(),
            recent.late_records(),
            recent.nights_known(),
            recent.settled_known(),
            self._advanced_to,
        )
        return msgspec.msgpack.encode(state)

    def load(self, state: bytes) -> None:
        """Takes over what another engine knew; what that one has said is worked out once more and dropped."""
        known = msgspec.msgpack.decode(state, type=_State)
        for key, at in known.settled.items():
            self._recent.settle(key, at)
        for observation in sorted(
            (*known.observations, *known.late), key=lambda one: (one.received_at, one.id)
        ):
            self.feed(observation)
        for subject, zone, evenings in known.nights:
            for evening in evenings:
                self._recent.note_night(subject, zone, evening)
        if known.advanced_to is not None:
            self.advance(known.advanced_to)

    def _clear(
        self,
        rule: type[Rule],
        clears: Callable[[Observation], str | None],
        observation: Observation,
        said: list[Said],
    ) -> None:
        try:
            cleared = clears(observation)
        except Exception as error:  # noqa: BLE001 - one rule's mistake must not deafen the others
            self._fault(rule, observation, error)
            return
        if cleared is not None and not self._is_quiet(observation.received_at):
            said.append(Clear(rule.id, cleared, observation.at))

    def _ask(self, rule: type[Rule], observation: Observation, now: dt.datetime, said: list[Said]) -> None:
        settings = self.book.settings(rule, observation)
        if settings is None:
            return
        try:
            asked = rule.ask(observation, self._recent, settings)
        except Exception as error:  # noqa: BLE001 - as above
            self._fault(rule, observation, error)
            return
        if asked is None:
            return
        for question in (asked,) if isinstance(asked, Question) else asked:
            self._consider(rule, question, now, said)

    def _consider(self, rule: type[Rule], question: Question, now: dt.datetime, said: list[Said]) -> None:
        if question.due <= question.anchor.at:
            self._answer(rule, question, now, said)
        elif not question.early or not self._answer(rule, question, now, said):
            self._asked += 1
            anchor = question.anchor
            name = (anchor.id, rule.id, question.stage)
            heapq.heappush(self._open, (question.due, anchor.at, name, self._asked, rule, question))

    def _answer(self, rule: type[Rule], question: Question, now: dt.datetime, said: list[Said]) -> bool:
        """Whether the rule had something to say."""
        anchor = question.anchor
        if self._recent.is_superseded(anchor):
            # Asked of what was known then; of what is known now it was asked anew, if it still has to be.
            return False
        settings = self.book.settings(rule, anchor)
        if settings is None:
            return False
        try:
            answer = rule.answer(question, self._recent, settings)
        except Exception as error:  # noqa: BLE001 - as above
            self._fault(rule, anchor, error)
            return False
        if answer is None:
            return False
        if not isinstance(answer, Signal):
            if not self._is_quiet(now):
                said.append(answer)
            return True
        self._say(rule, answer, now, said)
        return True

    def _say(self, rule: type[Rule], signal: Signal, now: dt.datetime, said: list[Said]) -> None:
        if not rule.safety and any(mute.covers(signal) for mute in self._mutes):
            self.muted.append(signal)
            return
        if not self._recent.note_signal(signal):
            return
        if not self._is_quiet(now):
            said.append(signal)
        for other in self._hearers.get(rule.id, ()):
            settings = self.book.settings(other, signal.anchor)
            if settings is None:
                continue
            try:
                question = other.hear(signal, self._recent, settings)
            except Exception as error:  # noqa: BLE001 - as above
                self._fault(other, signal.anchor, error)
                continue
            if question is not None:
                self._consider(other, question, now, said)

    def _is_quiet(self, now: dt.datetime) -> bool:
        return self.quiet_until is not None and now <= self.quiet_until

    def _count_night(self, observation: Observation) -> None:
        if observation.person_id is None and observation.visit is None and observation.plate is None:
            return
        evening = night_of(observation.at, self.book.time_zone)
        if evening is not None:
            for subject in observation.subjects:
                self._recent.note_night(subject, observation.zone, evening)

    def _rehearse(self, observations: Iterable[Observation]) -> Sequence[Signal]:
        rules = [rule for rule in self._rules if not rule.hears_late]
        other = Engine(rules, self.book, self._recent.site)
        other.set_mutes(self._mutes)
        said: list[Said] = []
        last: dt.datetime | None = None
        for observation in sorted(observations, key=by_time):
            said += other.advance(observation.at)
            said += other.feed(_in_time(observation))
            last = observation.at
        if last is not None:
            said += other.advance(last + HORIZON)
        return [one for one in said if isinstance(one, Signal)]

    def _fault(self, rule: type[Rule], observation: Observation, error: Exception) -> None:
        self.faults.append(Fault(rule.id, observation.id, type(error).__name__))


def _is_history(observation: Observation) -> bool:
    """Whether it came too late to be news, or from a clock that nothing can be built on."""
    age = observation.received_at - observation.at
    return observation.late or age > LIVE_WINDOW or age < -FUTURE


def _in_time(observation: Observation) -> Observation:
    """The record as it would have come, had the device had a line."""
    return dataclasses.replace(observation, late=False, received_at=observation.at)
