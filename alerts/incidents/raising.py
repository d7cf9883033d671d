"""From signals to incidents: one per thing that happened, amended as facts arrive.

Writers of one key at once make one incident: the key's row is the promise (`keys`). Whoever comes second
finds out when it writes, takes back what it began, and looks again.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.incidents import confirming, deadlines, joining, keys, merging, portrait, proposals
from alerts.incidents.actor import SYSTEM
from alerts.incidents.folding import belongs, in_order
from alerts.incidents.holding import Hold
from alerts.incidents.lifecycle import PROGRESS, UNDECIDED, State
from alerts.incidents.models import Evidence, Incident, IncidentKey
from alerts.incidents.portrait import Portrait, is_care
from alerts.incidents.record import announce, record
from alerts.routing.current import in_force
from alerts.routing.gathering import clock_of, facts_of_signal
from alerts.routing.reaching import first_team
from alerts.routing.tree import Tree, decide
from alerts.rules import Clear, Proposal, RuleBook, Said, Signal
from storage import content_id, new_id, tracing

_AS_THEY_COME: Final = RuleBook()
# Another writer can be faster once a key; a signal has a handful at most.
_ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True)
class Change:
    """What became of something said. `kind`: raised, amended, cleared, merged or proposed."""

    kind: str
    incident: Incident
    signal: Signal | None = None


@dataclass(frozen=True)
class Circumstances:
    """Under which rules things are said, who is sent, what is held back and what confirms itself."""

    book: RuleBook = _AS_THEY_COME
    routes: Callable[[], Tree] = in_force
    hold: Hold | None = None
    # Rules of `confirming.PLAN_LIST` whose incidents need nobody to say that they are real.
    confirm_alone: frozenset[str] = frozenset()
    # An exercise: what is raised says so for good.
    drill: bool = False


def signal_id(signal: Signal) -> str:
    """A signal's identity: the rule and what made it curious. A replay gives the same."""
    return said_id(signal.rule, signal.anchor.id, signal.stage)


def said_id(rule: str, anchor: str, stage: str) -> str:
    """The same of what a rehearsal says was said, which is the same of the same past."""
    return content_id(*(part for part in (rule, anchor, stage) if part))


def apply_all(
    session: Session,
    compound: str,
    said: Iterable[Said],
    at: dt.datetime,
    *,
    book: RuleBook = _AS_THEY_COME,
    routes: Callable[[], Tree] = in_force,
    hold: Hold | None = None,
    confirm_alone: frozenset[str] = frozenset(),
    drill: bool = False,
) -> list[Change]:
    """Writes a batch of what an engine said; returns what became of it, in the order of writing.

    What is known already changes nothing. `folding.Fold` says the same without a database.
    """
    batch = in_order(said)
    keys.lock_holders(session, compound, _keys_of(batch))
    writer = _Writer(session, compound, at, Circumstances(book, routes, hold, confirm_alone, drill))
    for one in batch:
        if isinstance(one, Signal):
            writer.signal(one)
        elif isinstance(one, Clear):
            writer.clear(one)
        else:
            writer.propose(one)
    return writer.changes


def _keys_of(batch: Iterable[Said]) -> set[str]:
    wanted: set[str] = set()
    for one in batch:
        if isinstance(one, Proposal):
            wanted.update(one.keys)
        else:
            wanted.add(one.dedupe_key)
            wanted.update(one.joins if isinstance(one, Signal) else ())
    return wanted


@dataclass
class _Writer:
    session: Session
    compound: str
    at: dt.datetime
    under: Circumstances
    changes: list[Change] = field(default_factory=list)

    def signal(self, signal: Signal) -> None:
        # What the register and the clock say comes from no device, and has no trace to be part of.
        cause = tracing.recall(signal.anchor.event_id) if signal.anchor.device_time is not None else None
        with tracing.span(
            "alerts.signal", cause, compound=self.compound, rule=signal.rule, severity=signal.severity
        ) as span:
            before = len(self.changes)
            self._whole(lambda: self._signal(signal))
            if span is not None and len(self.changes) > before:
                change = self.changes[-1]
                span.note(outcome=change.kind, incident=change.incident.id)

    def propose(self, proposal: Proposal) -> None:
        self._whole(lambda: self._propose(proposal))

    def _whole(self, write: Callable[[], list[Change]]) -> None:
        """All of one thing or nothing of it; again, where somebody else came between."""
        for attempt in range(_ATTEMPTS):
            try:
                with self.session.begin_nested():
                    made = write()
            except IntegrityError:
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            self.changes += made
            return

    def clear(self, clearing: Clear) -> None:
        found = keys.holder(self.session, self.compound, clearing.dedupe_key)
        if found is None or found[0].last_at > clearing.at:
            return
        row, incident = found
        if State(incident.state) not in UNDECIDED:
            # The next failure of the same device is another matter.
            self.session.delete(row)
            self.session.flush()
            return
        # Two things that became one are over when a person says so.
        if len(keys.held(self.session, incident.id)) == 1:
            record(self.session, incident, State.AUTO_CLEARED, SYSTEM, self.at, reason="condition_over")
            self.changes.append(Change("cleared", incident))

    def _propose(self, proposal: Proposal) -> list[Change]:
        found = [keys.holder(self.session, self.compound, key) for key in proposal.keys]
        one, other = (None if row is None else row[1] for row in found)
        if one is None or other is None or one is other or one.care != other.care:
            return []
        if proposal.automatic:
            return self._join(one, other, proposal.rule)[1]
        made = proposals.make(self.session, one, other, proposal.reason, self.at)
        return [Change("proposed", one)] if made else []

    def _signal(self, signal: Signal) -> list[Change]:
        identity = signal_id(signal)
        if self.session.get(Evidence, identity) is not None:
            return []
        incident, joined, made = self._belonging(signal)
        if incident is None:
            incident = self._raise(signal)
            made.append(Change("raised", incident, signal))
        else:
            self._amend(incident, signal)
            made.append(Change("amended", incident, signal))
        for key, seen in joined.items():
            keys.hold(self.session, incident, key, signal.anchor.at, seen)
        self._stand_on(incident, signal, identity)
        self._confirm_alone(incident)
        return made

    def _belonging(
        self, signal: Signal
    ) -> tuple[Incident | None, dict[str, IncidentKey | None], list[Change]]:
        """Whose the signal is, the keys that are this incident's from now on, and what was merged for it."""
        care = is_care(signal.rule)
        found = keys.holder(self.session, self.compound, signal.dedupe_key)
        incident = None if found is None or not _within(found[0], signal) else found[1]
        joined = {signal.dedupe_key: None if found is None else found[0]}
        made: list[Change] = []
        for key in signal.joins:
            other = keys.holder(self.session, self.compound, key)
            if other is not None and other[1].care != care:
                # Care is nobody's alarm: it is not taken into one.
                continue
            if other is None or other[1] is incident:
                joined.setdefault(key, None if other is None else other[0])
            elif incident is None:
                incident = other[1]
                joined[key] = other[0]
            else:
                incident, changes = self._join(incident, other[1], signal.rule, probable=signal.probable)
                made += changes
                if any(change.kind == "merged" for change in changes):
                    joined[key] = other[0]
        return incident, joined, made

    def _join(
        self, one: Incident, other: Incident, rule: str, *, probable: bool = False
    ) -> tuple[Incident, list[Change]]:
        """Makes two incidents one where that can be done without a person; else a person is asked.

        The one that people are further with takes the other in, among equals the older one.
        """
        ahead = PROGRESS[State(one.state)] - PROGRESS[State(other.state)]
        first = ahead > 0 or (ahead == 0 and one.raised_at <= other.raised_at)
        target, source = (one, other) if first else (other, one)
        if merging.refusal(self.session, target, source) is not None:
            made = proposals.make(self.session, one, other, "joined_by_rule", self.at)
            return one, [Change("proposed", one)] if made else []
        joining.take_in(self.session, target, source, SYSTEM, self.at, rule=rule, probable=probable)
        return target, [Change("merged", target)]

    def _raise(self, signal: Signal) -> Incident:
        looks = portrait.of_signal(signal)
        incident = Incident(
            id=new_id(),
            compound=self.compound,
            rule=signal.rule,
            key=signal.dedupe_key,
            state=State.RAISED,
            version=0,
            happened_at=signal.anchor.at,
            raised_at=self.at,
            last_signal_at=signal.anchor.at,
            signal_count=1,
            rules_version=self.under.book.version,
            mode=str(self.under.book.mode),
            care=is_care(signal.rule),
            drill=self.under.drill,
            held=False,
            escalation=0,
            team=self._team(looks, signal.rule),
        )
        joining.show(incident, looks)
        if self.under.hold is not None:
            incident.held_reason = self.under.hold(self.session, incident, self.at)
            incident.held = incident.held_reason is not None
        self.session.add(incident)
        self.session.flush()
        record(self.session, incident, State.RAISED, SYSTEM, self.at)
        return incident

    def _amend(self, incident: Incident, signal: Signal) -> None:
        incident.signal_count += 1
        incident.last_signal_at = max(incident.last_signal_at, signal.anchor.at)
        state = State(incident.state)
        before = joining.looks(incident)
        after = before.with_heard(portrait.of_signal(signal), decided=state not in UNDECIDED)
        joining.show(incident, after)
        if after.zone != before.zone or after.kind != before.kind or after.severity != before.severity:
            incident.team = self._team(after, incident.rule)
        if after.severity < before.severity:
            if incident.held and self._comes_out(incident):
                # Why it was held at first stays: the report of what was held back is made of it.
                incident.held = False
            if not incident.held:
                running = incident.due_at
                incident.due_at = deadlines.after_rise(state, after.severity, self.at, running)
        incident.version += 1
        announce(self.session, incident, self.at)

    def _comes_out(self, incident: Incident) -> bool:
        hold = self.under.hold
        return hold is None or hold(self.session, incident, self.at) is None

    def _confirm_alone(self, incident: Incident) -> None:
        alone = confirming.confirms_itself(
            incident.rule,
            self.under.confirm_alone,
            needs_comparison=incident.needs_comparison,
            probable=incident.probable,
        )
        if alone and State(incident.state) in UNDECIDED:
            record(self.session, incident, State.CONFIRMED, SYSTEM, self.at, reason="sensor")

    def _stand_on(self, incident: Incident, signal: Signal, identity: str) -> None:
        self.session.add(
            Evidence(
                signal_id=identity,
                incident=incident.id,
                rule=signal.rule,
                severity=signal.severity,
                at=signal.anchor.at,
                event_ids=list(dict.fromkeys(seen.event_id for seen in signal.evidence)),
                sighting_ids=[seen.sighting_id for seen in signal.evidence if seen.sighting_id],
                key=signal.dedupe_key,
                stage=signal.stage,
                trace=portrait.trace(signal, self.under.book),
            )
        )
        self.session.flush()

    def _team(self, looks: Portrait, rule: str) -> str | None:
        """The team that the tree names first for where it is; None when the compound has none."""
        given = facts_of_signal(looks, rule, self.compound)
        decision = decide(self.under.routes(), given, self.at, clock_of(self.session, self.compound))
        return first_team(self.session, self.compound, decision, given, looks.zone)


def _within(row: IncidentKey, signal: Signal) -> bool:
    return belongs(row.last_at, signal.dedupe_window, signal.anchor.at)
