"""What a rule is: it asks a question about an observation, and answers it when it can be known.

A rule that looks for the absence of something names the moment until which it must wait;
one that looks for presence answers at once. Answers depend on the set of observations in
a window, not on the order in which they came.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Reversible, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from alerts.rules.observation import Observation
from alerts.rules.site import Site

DISORDER = dt.timedelta(seconds=5)
"""How far events of one compound may overtake each other without changing what is said."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number a compound may set; `trade_off` says what too small and too large do."""

    name: str
    unit: str
    default: float
    low: float
    high: float
    trade_off: str


@dataclass(frozen=True, slots=True)
class Question:
    """`anchor` made a rule curious; `due` is when the answer can be known.

    `stage` tells several questions about one anchor apart (open for a minute, for five). One that
    is `early` is tried at once: what is true already stays true, whatever else comes in. It is asked
    once more when it is due only where the first answer was silence.
    """

    anchor: Observation
    due: dt.datetime
    stage: str = ""
    early: bool = False


@dataclass(frozen=True, slots=True)
class Blind:
    """A device that could not have seen: from when to when, and why (offline, occluded, tampered)."""

    device: str
    start: dt.datetime
    end: dt.datetime
    why: str


@dataclass(frozen=True, slots=True)
class Signal:
    """A rule's word that something is wrong. Signals of one `dedupe_key` within
    `dedupe_window` are one incident. Its identity is (rule, anchor, stage).
    """

    rule: str
    kind: str
    severity: int
    dedupe_key: str
    dedupe_window: dt.timedelta
    anchor: Observation
    evidence: tuple[Observation, ...]
    reason: str
    reason_args: Mapping[str, Any] = field(default_factory=dict)
    # A biometric match is its cause: a person compares before anybody is sent (L-12).
    needs_comparison: bool = False
    subject_kind: str | None = None
    subject: str | None = None
    stage: str = ""
    # What was looked at, from when to when; None where the anchor alone says it.
    window: tuple[dt.datetime, dt.datetime] | None = None
    # Devices that would have seen more and could not: "nothing seen" is not "nobody there".
    blind: tuple[Blind, ...] = ()
    # Keys of other signals that this says are the same thing: their incidents become one.
    joins: tuple[str, ...] = ()
    # What links it is nearness in place and time, not a face, plate or token.
    probable: bool = False


@dataclass(frozen=True, slots=True)
class Clear:
    """What a rule raised under `dedupe_key` is over, unless somebody has confirmed it."""

    rule: str
    dedupe_key: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two incidents may be one thing; a person decides, except where it is `automatic`."""

    rule: str
    keys: tuple[str, str]
    at: dt.datetime
    reason: str
    automatic: bool = False


Said = Signal | Clear | Proposal


@dataclass(frozen=True, slots=True)
class Mute:
    """A rule is silenced for a place and a time, by somebody, for a reason (maintenance)."""

    rule: str
    place: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    # person, plate, pass …; None for all.
    subject_kind: str | None = None

    def covers(self, signal: Signal) -> bool:
        """Whether the signal falls under it; without a place it covers the whole compound."""
        anchor = signal.anchor
        here = self.place is None or self.place in {anchor.lane, anchor.device, anchor.zone}
        whom = self.subject_kind is None or self.subject_kind == signal.subject_kind
        return self.rule == signal.rule and here and whom and self.starts_at <= anchor.at < self.ends_at


class View(Protocol):
    """What a rule may ask of the last day of its compound: bounds included, in order of time."""

    @property
    def site(self) -> Site: ...

    def at_place(self, place: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        """At a lane, or at a device that belongs to none."""

    def at_device(self, device: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]: ...

    def in_zone(self, zone: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]: ...

    def of_subject(self, subject: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        """Of one of `Observation.subjects`."""

    def of_type(self, kind: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]: ...

    def conditions(self, device: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        """What a device's sight depends on: it went, came back, was covered or tampered with."""

    def late_of(self, device: str, start: dt.datetime, end: dt.datetime) -> Reversible[Observation]:
        """Records of a device that came too late to be news, by the time they came in."""

    def rehearse(self, observations: Iterable[Observation]) -> Sequence[Signal]:
        """What the rules would have said of late records had they come in time, each by itself."""

    def signals(self, start: dt.datetime, end: dt.datetime) -> Sequence[Signal]:
        """What rules said whose anchor lies there, and whose incident nobody has closed since."""

    def nights(self, subject: str, zone: str, since: dt.date, until: dt.date) -> int:
        """In how many nights, by the evening's date, the subject was seen in a building's zone."""


class Settings:
    """A rule's parameters for one compound, place and hour."""

    __slots__ = ("_durations", "_grave", "_night", "_night_all_day", "severities", "time_zone", "values")

    def __init__(
        self,
        values: Mapping[str, float],
        time_zone: dt.tzinfo,
        severities: Mapping[str, int] = MappingProxyType({}),
        night: tuple[dt.time, dt.time] = (dt.time(23), dt.time(5)),
        *,
        night_all_day: bool = False,
        grave: bool = False,
    ) -> None:
        self.values = values
        self.time_zone = time_zone
        self.severities = severities
        self._night = night
        self._night_all_day = night_all_day
        self._grave = grave
        self._durations = {name: dt.timedelta(seconds=value) for name, value in values.items()}

    def seconds(self, name: str) -> dt.timedelta:
        """A parameter in seconds, as a duration."""
        return self._durations[name]

    def minutes(self, name: str) -> dt.timedelta:
        """A parameter in minutes, as a duration."""
        return self._durations[name] * 60

    def hours(self, name: str) -> dt.timedelta:
        """A parameter in hours, as a duration."""
        return self._durations[name] * 3600

    def local(self, moment: dt.datetime) -> dt.datetime:
        """The moment by the compound's clock."""
        return moment.astimezone(self.time_zone)

    def is_night(self, moment: dt.datetime) -> bool:
        """Night is 23:00–05:00 by the compound's clock (domain §5) unless it says otherwise.

        In a heightened mode it is night all day.
        """
        if self._night_all_day:
            return True
        starts, ends = self._night
        clock = moment.astimezone(self.time_zone).time()
        return clock >= starts or clock < ends if starts > ends else starts <= clock < ends

    def severity(self, name: str) -> int:
        """A level of the rule's table; in an emergency one graver, critical only where the table says so."""
        level = self.severities[name]
        return max(2, level - 1) if self._grave and level > 2 else level

    def by_hour(self, moment: dt.datetime) -> int:
        """The level `night` or `day`."""
        return self.severity("night" if self.is_night(moment) else "day")


@dataclass(frozen=True, slots=True)
class Excuse:
    """What would have kept a rule silent: an observation of `type`, at the same `where`.

    `where` is place, device, zone or subject. `words` is a code of the text catalogue.
    """

    type: str
    where: str = "place"
    cause: str | None = None
    words: str = "excuse_seen"


class Rule:
    """One small file each. `id` is the rule's number, `kind` what its incidents are routed by."""

    id: ClassVar[str]
    kind: ClassVar[str]
    # Where its incidents lie.
    rings: ClassVar[frozenset[str]]
    # Observation types that `ask` and `clears` want to see; all others pass it by.
    listens: ClassVar[frozenset[str]] = frozenset()
    # Rules whose signals `hear` wants to hear.
    hears: ClassVar[frozenset[str]] = frozenset()
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    # Named levels, 1 critical … 4 notice: `day` and `night`, or what the rule calls them.
    severities: ClassVar[Mapping[str, int]]
    # What makes signals one incident, in a word: lane, device, plate, pass, zone.
    key: ClassVar[str]
    # A person has to confirm before anybody is sent, since a machine's word on a person is its cause.
    confirms: ClassVar[bool] = False
    # Clauses of domain §3.2 without which it must not run, e.g. L-19.
    gate: ClassVar[tuple[str, ...]] = ()
    # Fire, SOS, duress: never muted, held back, or made quieter.
    safety: ClassVar[bool] = False
    # Belongs to people's care, not to security: never shown among alarms.
    care: ClassVar[bool] = False
    # Wants to see late records too; no other rule does.
    hears_late: ClassVar[bool] = False
    excuses: ClassVar[tuple[Excuse, ...]] = ()

    @staticmethod
    def ask(
        observation: Observation,
        view: View,
        settings: Settings,
    ) -> Question | Sequence[Question] | None:
        """The questions that a live observation raises, if it is this rule's business."""
        return None

    @staticmethod
    def hear(signal: Signal, view: View, settings: Settings) -> Question | None:
        """The question that another rule's signal raises."""
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Said | None:
        """The signal, or None when all is well."""
        raise NotImplementedError

    @staticmethod
    def clears(observation: Observation) -> str | None:
        """The dedupe key of what this observation ends, if any."""
        return None
