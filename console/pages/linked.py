"""What an open incident hangs together with: guesses, proposals, what was taken in, who could not see."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.duty.models import Responder
from alerts.incidents import joining, merging
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident, IncidentMerge, MergeProposal
from console.accounts.models import User
from console.pages.places import Names
from console.pages.queue import QueueItem, items
from console.texts import Texts
from storage.events import EventRow


@dataclass(frozen=True, slots=True)
class Stop:
    """A step of what was linked by nearness: where, when, and what was said or seen there."""

    at: dt.datetime
    ring: str
    zone: str
    device: str
    what: str


@dataclass(frozen=True, slots=True)
class Proposed:
    """Another incident that may be the same thing, and what the two would be as one.

    `stays` is the one that would remain: this one, unless people are further with the other.
    `refused` is a code where neither can take the other in.
    """

    id: str
    reason: str
    other: QueueItem
    stays: str
    severity: int
    kind: str
    evidence: int
    sent: tuple[str, ...]
    target_version: int
    source_version: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class TakenIn:
    """An incident that was made part of this one. `refused` says why it can no longer be undone."""

    id: str
    other: QueueItem
    at: dt.datetime
    # A person's name, or the rule that said so.
    by: str
    note: str
    undone_at: dt.datetime | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class Unseeing:
    """A device that could not have seen, and when."""

    name: str
    start: dt.datetime
    end: dt.datetime
    why: str


@dataclass(frozen=True, slots=True)
class Linked:
    probable: bool
    grows: bool
    stops: tuple[Stop, ...]
    proposals: tuple[Proposed, ...]
    taken_in: tuple[TakenIn, ...]
    part_of: QueueItem | None
    blind: tuple[Unseeing, ...]
    # A number of the compound's rules file, or "default"; "" for what is older than versions are.
    rules_version: str
    mode: str
    held_reason: str


def linked(session: Session, incident: Incident, names: Names, t: Texts, now: dt.datetime) -> Linked:
    """Reads it all; a write follows only from the buttons."""
    whole = _Page(session, names, t, now)
    target = session.get(Incident, incident.merged_into) if incident.merged_into else None
    return Linked(
        probable=incident.probable,
        grows=State(incident.state).grows,
        stops=whole.stops(incident) if incident.probable else (),
        proposals=whole.proposals(incident),
        taken_in=whole.taken_in(incident),
        part_of=whole.line(target) if target else None,
        blind=unseeing(incident.blind, names, t),
        rules_version=incident.rules_version or "",
        mode=incident.mode,
        held_reason=(incident.held_reason or "") if incident.held else "",
    )


def unseeing(blind: Iterable[Mapping[str, Any]], names: Names, t: Texts) -> tuple[Unseeing, ...]:
    """Spans of one device for one reason that touch are one: each further signal brings its own."""
    found: dict[tuple[str, str], list[tuple[dt.datetime, dt.datetime]]] = {}
    for one in sorted(blind, key=lambda one: str(one["start"])):
        start, end = (dt.datetime.fromisoformat(str(one[name])) for name in ("start", "end"))
        spans = found.setdefault((str(one["device"]), str(one["why"])), [])
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    lines = [
        Unseeing(names.device(device), start, end, t.code("why.blind", why))
        for (device, why), spans in found.items()
        for start, end in spans
    ]
    return tuple(sorted(lines, key=lambda line: (line.start, line.name)))


@dataclass(frozen=True, slots=True)
class _Page:
    """What every part of it is read and said with."""

    session: Session
    names: Names
    t: Texts
    now: dt.datetime

    def line(self, incident: Incident) -> QueueItem:
        [item] = items(self.t, [incident], self.names.zones, self.names.devices, self.now)
        return item

    def stops(self, incident: Incident) -> tuple[Stop, ...]:
        """The signals that were linked, and what was merely seen between them."""
        rows = joining.evidence_of(self.session, incident.id)
        weak = [row for row in rows if row.trace.get("probable") and "refuted_by" not in row.trace]
        chain = {event for row in weak for event in row.event_ids}
        said = [row for row in rows if row not in weak and (not weak or chain & {*row.event_ids})]
        told = {event for row in said for event in row.event_ids}
        events = {
            event.id: event
            for event in self.session.scalars(select(EventRow).where(EventRow.id.in_(chain | told)))
        }
        stops = [
            *(stop for row in said if (stop := self._of_signal(row, events)) is not None),
            *(
                self._stop(event, self.t.code("event", event.type))
                for key, event in events.items()
                if key not in told
            ),
        ]
        stops.sort(key=lambda stop: (stop.at, stop.ring, stop.zone, stop.what))
        first = {(stop.zone, stop.device, stop.what): stop for stop in reversed(stops)}
        return tuple(stop for stop in stops if first[stop.zone, stop.device, stop.what] is stop)

    def _of_signal(self, row: Evidence, events: Mapping[str, EventRow]) -> Stop | None:
        trace = row.trace
        if "kind" in trace:
            what = self.t.code("kind", trace["kind"])
            return Stop(
                row.at,
                str(trace["ring"]),
                self.names.zone(trace["zone"]),
                self.names.device(trace["device_id"]),
                what,
            )
        seen = next((events[one] for one in row.event_ids if one in events), None)
        return None if seen is None else self._stop(seen, self.t.code("rule", row.rule))

    def _stop(self, event: EventRow, what: str) -> Stop:
        zone, device = self.names.zone(event.zone), self.names.device(event.device_id)
        return Stop(event.corrected_time, str(event.ring), zone, device, what)

    def proposals(self, incident: Incident) -> tuple[Proposed, ...]:
        query = select(MergeProposal).where(
            MergeProposal.compound == incident.compound,
            MergeProposal.state == "open",
            or_(MergeProposal.first == incident.id, MergeProposal.second == incident.id),
        )
        rows = self.session.scalars(query.order_by(MergeProposal.at, MergeProposal.id))
        return tuple(self._proposed(incident, row) for row in rows)

    def _proposed(self, incident: Incident, row: MergeProposal) -> Proposed:
        other = self.session.get_one(Incident, row.second if row.first == incident.id else row.first)
        ways = [
            merging.preview(self.session, incident.compound, one.id, two.id)
            for one, two in ((incident, other), (other, incident))
        ]
        shown = next((way for way in ways if way.refused is None), ways[0])
        return Proposed(
            id=row.id,
            reason=self.t.sentence(f"reason.{row.reason}", {}),
            other=self.line(other),
            stays=shown.target,
            severity=shown.severity,
            kind=shown.kind,
            evidence=shown.evidence,
            sent=self._sent(shown.target),
            target_version=shown.target_version,
            source_version=shown.source_version,
            refused=shown.refused,
        )

    def _sent(self, incident_id: str) -> tuple[str, ...]:
        """Who goes to the one that stays; who said no does not."""
        gone = (DispatchState.DECLINED, DispatchState.CANCELLED)
        query = (
            select(Responder.name)
            .join(Dispatch, Dispatch.responder == Responder.id)
            .where(Dispatch.incident == incident_id, Dispatch.state.not_in(gone))
            .order_by(Dispatch.offered_at, Dispatch.id)
        )
        return tuple(self.session.scalars(query))

    def taken_in(self, incident: Incident) -> tuple[TakenIn, ...]:
        rows = [row for row in merging.of(self.session, incident.id) if row.target == incident.id]
        people = self._people(rows)
        return tuple(self._taken_in(incident, row, people) for row in rows)

    def _taken_in(self, incident: Incident, row: IncidentMerge, people: Mapping[str, str]) -> TakenIn:
        source = self.session.get_one(Incident, row.source)
        by = self.t.code("rule", row.rule) if row.rule else people.get(row.actor, row.actor)
        return TakenIn(
            id=row.id,
            other=self.line(source),
            at=row.at,
            by=by,
            note=row.note or "",
            undone_at=row.undone_at,
            refused=merging.undo_refusal(self.session, row, incident, source),
        )

    def _people(self, rows: Sequence[IncidentMerge]) -> dict[str, str]:
        actors = {row.actor for row in rows}
        if not actors:
            return {}
        found = self.session.execute(select(User.id, User.name).where(User.id.in_(actors)))
        return {row.id: row.name for row in found}
