"""One pass over a past with one or more rule books, each with an engine of its own."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from alerts.incidents.folding import Case, Fold
from alerts.rules import Engine, Fault, Mute, Observation, Rule, RuleBook, Said, Site
from alerts.rules.engine import HORIZON


@dataclass(frozen=True, slots=True)
class Told:
    """An incident as it would have been, without whom it was about."""

    key: str
    rule: str
    kind: str
    ring: str
    zone: str
    device: str
    lane: str | None
    # The gravest that was said of it, 1 critical … 4 notice, and when that was first said.
    severity: int
    graver_at: dt.datetime
    happened_at: dt.datetime
    raised_at: dt.datetime
    # Event time of the last thing that was said of it; until when a further one belongs to it.
    last_at: dt.datetime
    open_until: dt.datetime
    cleared_at: dt.datetime | None
    signals: int
    reason: str
    # (rule, what made it curious, stage) of all that was said: the same of the same past.
    said: frozenset[tuple[str, str, str]]


@dataclass(frozen=True)
class Trial:
    """What one book comes to: its rules' values, what silences it, and what its clock says.

    `calendar` are observations that come from register and clock rather than from devices. They
    differ from book to book: rounds and posts stand in it.
    """

    book: RuleBook
    mutes: Sequence[Mute] = ()
    calendar: Sequence[Observation] = ()


@dataclass
class Outcome:
    """What a trial would have raised, in order of time; what its mutes swallowed, and what went wrong."""

    incidents: list[Told] = field(default_factory=list)
    muted: int = 0
    faults: list[Fault] = field(default_factory=list)


class _Run:
    def __init__(
        self,
        rules: Sequence[type[Rule]],
        trial: Trial,
        site: Site,
        since: dt.datetime,
        nights: Iterable[tuple[str, str, dt.date]],
    ) -> None:
        self._engine = Engine(rules, trial.book, site)
        self._engine.set_mutes(trial.mutes)
        for night in nights:
            self._engine.view.note_night(*night)
        self._fold = Fold()
        self._since = since
        self._calendar = iter(sorted(trial.calendar, key=lambda one: (one.received_at, one.id)))
        self._coming = next(self._calendar, None)
        # Signals of a case in the order of their saying: when it became as grave as it is.
        self._heard: dict[int, list[tuple[dt.datetime, int]]] = {}

    def feed(self, observation: Observation) -> None:
        self._until(observation.received_at)
        self._take(self._engine.feed(observation), observation.received_at)

    def finish(self, end: dt.datetime) -> Outcome:
        """Answers what is still open up to the end of the past: nobody knows what came after it."""
        self._until(end)
        told = [_told(case, self._heard.get(id(case), [])) for case in self._fold.cases]
        kept = [one for one in told if one.raised_at >= self._since]
        kept.sort(key=lambda one: (one.raised_at, one.key))
        return Outcome(kept, len(self._engine.muted), list(self._engine.faults))

    def _until(self, moment: dt.datetime) -> None:
        while self._coming is not None and self._coming.received_at <= moment:
            coming = self._coming
            self._coming = next(self._calendar, None)
            self._answer(coming.received_at)
            self._take(self._engine.feed(coming), coming.received_at)
        self._answer(moment)

    def _answer(self, moment: dt.datetime) -> None:
        engine = self._engine
        # Each question at its own moment, as it would have been live.
        due = engine.next_due
        while due is not None and due <= moment:
            self._take(engine.advance(due), due)
            due = engine.next_due
        engine.advance(moment)

    def _take(self, said: Sequence[Said], now: dt.datetime) -> None:
        if not said:
            return
        for _, case in self._fold.take(said, now):
            self._heard.setdefault(id(case), []).append((now, case.severity))


def rehearse(
    observations: Iterable[Observation],
    rules: Sequence[type[Rule]],
    trials: Sequence[Trial],
    site: Site,
    since: dt.datetime,
    until: dt.datetime,
    nights: Sequence[tuple[str, str, dt.date]] = (),
) -> list[Outcome]:
    """What each trial would have raised from `since` to `until`.

    `observations` come in the order in which they came in, and begin a `HORIZON` before `since`
    where there is a past: what rules look back upon has to be known to them. What is said of that
    time is left out. `nights` (subject, zone, evening) are those before: some rules count them.
    Nobody closes an incident in a rehearsal, so what only a person ends goes on.
    """
    runs = [_Run(rules, trial, site, since, nights) for trial in trials]
    for observation in _before(observations, until):
        for run in runs:
            run.feed(observation)
    return [run.finish(until) for run in runs]


def begins(since: dt.datetime) -> dt.datetime:
    """From when on a past has to be read, for a rehearsal that begins at `since`."""
    return since - HORIZON


def _before(observations: Iterable[Observation], until: dt.datetime) -> Iterator[Observation]:
    return (one for one in observations if one.received_at < until)


def _told(case: Case, heard: Sequence[tuple[dt.datetime, int]]) -> Told:
    gravest = min(case.signals, key=lambda signal: (signal.severity, signal.anchor.at))
    last = max(case.signals, key=lambda signal: signal.anchor.at)
    anchor = gravest.anchor
    return Told(
        key=case.key,
        rule=case.rule,
        kind=gravest.kind,
        ring=anchor.ring,
        zone=anchor.zone,
        device=anchor.device,
        lane=anchor.lane,
        severity=case.severity,
        graver_at=next((at for at, severity in heard if severity == case.severity), case.raised_at),
        happened_at=min(signal.anchor.at for signal in case.signals),
        raised_at=case.raised_at,
        last_at=last.anchor.at,
        open_until=last.anchor.at + last.dedupe_window,
        cleared_at=case.cleared_at,
        signals=len(case.signals),
        reason=gravest.reason,
        said=frozenset((signal.rule, signal.anchor.id, signal.stage) for signal in case.signals),
    )
