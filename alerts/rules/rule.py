"""What a rule is: it asks a question about an observation, and answers it when it can be known.

A rule that looks for the absence of something names the moment until which it must wait;
one that looks for presence answers at once. Answers depend on the set of observations in
a window, not on the order in which they came.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from alerts.rules.observation import Observation


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
    """`anchor` made a rule curious; `due` is when the answer can be known."""

    anchor: Observation
    due: dt.datetime


@dataclass(frozen=True, slots=True)
class Signal:
    """A rule's word that something is wrong. Signals of one `dedupe_key` within
    `dedupe_window` are one incident.
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
    needs_comparison: bool = False
    subject_kind: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Clear:
    """What a rule raised under `dedupe_key` is over, unless somebody has confirmed it."""

    rule: str
    dedupe_key: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Mute:
    """A rule is silenced for a place and a time, by somebody, for a reason (maintenance)."""

    rule: str
    place: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime

    def covers(self, signal: Signal) -> bool:
        """Whether the signal falls under it; without a place it covers the whole compound."""
        anchor = signal.anchor
        here = self.place is None or self.place in {anchor.lane, anchor.device, anchor.zone}
        return self.rule == signal.rule and here and self.starts_at <= anchor.at < self.ends_at


class History(Protocol):
    """Recent observations, as a rule may ask for them."""

    def at_place(self, place: str, start: dt.datetime, end: dt.datetime) -> Iterable[Observation]: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """A rule's parameters for one compound, and the hour that counts there."""

    values: Mapping[str, float]
    time_zone: dt.tzinfo

    def seconds(self, name: str) -> dt.timedelta:
        return dt.timedelta(seconds=self.values[name])

    def is_night(self, moment: dt.datetime) -> bool:
        """Night is 23:00–05:00 by the compound's clock (domain §5)."""
        hour = moment.astimezone(self.time_zone).hour
        return hour >= 23 or hour < 5


class Rule(Protocol):
    """One small file each. `id` is the rule's number, `kind` what its incidents are routed by."""

    id: ClassVar[str]
    kind: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]

    @staticmethod
    def ask(observation: Observation, settings: Settings) -> Question | None:
        """The question a live observation raises, if it is this rule's business."""

    @staticmethod
    def answer(question: Question, history: History, settings: Settings) -> Signal | None:
        """The signal, or None when all is well."""

    @staticmethod
    def clears(observation: Observation) -> str | None:
        """The dedupe key of what this observation ends, if any."""
