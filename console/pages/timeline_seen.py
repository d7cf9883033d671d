"""Of a timeline, what was seen: events, the signals made of them, devices that could not see."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Evidence, Incident
from alerts.rules.memory import CONDITIONS
from console.pages.eventwords import what
from console.pages.linked import unseeing
from console.pages.places import Names
from console.pages.readings import Reading, of_events
from console.pages.timeline_entries import Entry, Moment, Sort, differs, of
from console.pages.view import Frame
from storage.amendments import standing
from storage.events import EventRow

# Faults of devices around the incident that may explain what was not seen.
_AROUND: Final = dt.timedelta(minutes=15)
_FAULTS: Final = 300
_BATCH: Final = 500


@dataclass
class Seen:
    """Reads the moments; events are read in full only for the page that is shown."""

    session: Session
    incident: Incident
    names: Names
    view: Frame
    _events: dict[str, EventRow] = field(default_factory=dict)
    _readings: Mapping[str, Sequence[Reading]] = field(default_factory=dict)

    def moments(self) -> list[Moment]:
        """All that was seen, in no order."""
        signals = self._signals()
        ids = {event for _, events in signals for event in events}
        times = self._times(ids)
        found = [signal for signal, _ in signals]
        found += [
            Moment(at, Sort.SEEN, f"0{event}", of(event, self._say), (event,)) for event, at in times.items()
        ]
        return [*found, *self._faults(ids), *self._blind()]

    def load(self, moments: Iterable[Moment]) -> None:
        """Reads the events that a page's moments will tell of."""
        ids = [need for one in moments if one.sort in {Sort.SEEN, Sort.DEVICE} for need in one.needs]
        rows = self.session.scalars(select(EventRow).where(EventRow.id.in_(ids))).all()
        self._events = {row.id: row for row in standing(self.session, rows)}
        self._readings = of_events(self.session, ids)

    def _signals(self) -> list[tuple[Moment, Sequence[str]]]:
        rows = self.session.execute(
            select(
                Evidence.signal_id,
                Evidence.rule,
                Evidence.severity,
                Evidence.at,
                Evidence.event_ids,
                Evidence.stage,
                Evidence.moved_from,
            )
            .where(Evidence.incident == self.incident.id)
            .order_by(Evidence.at, Evidence.signal_id)
        ).all()
        found: list[tuple[Moment, Sequence[str]]] = []
        worst: int | None = None
        for row in rows:
            before, worst = worst, row.severity if worst is None else min(worst, row.severity)
            graver = before is not None and row.severity < before
            found.append((self._signal(row, first=before is None, graver=graver), row.event_ids))
        return found

    def _signal(self, row: Any, *, first: bool, graver: bool) -> Moment:
        t = self.view.t

        def say() -> Entry:
            lines = [t("timeline.from_other")] if row.moved_from else []
            if graver:
                lines.append(t("timeline.graver", severity=t.code("severity", str(row.severity))))
            return Entry(
                what=t(
                    "timeline.first_signal" if first else "timeline.signal", rule=t.code("rule", row.rule)
                ),
                severity=row.severity,
                lines=tuple(lines),
                other=row.moved_from or "",
            )

        return Moment(row.at, Sort.SIGNAL, f"1{row.signal_id}", say)

    def _times(self, ids: Collection[str]) -> dict[str, dt.datetime]:
        found: dict[str, dt.datetime] = {}
        ordered = sorted(ids)
        for start in range(0, len(ordered), _BATCH):
            rows = self.session.execute(
                select(EventRow.id, EventRow.corrected_time).where(
                    EventRow.id.in_(ordered[start : start + _BATCH])
                )
            )
            found |= {row.id: row.corrected_time for row in rows}
        return found

    def _say(self, event_id: str) -> Entry:
        event = self._events[event_id]
        t = self.view.t
        lines: list[str] = []
        for reading in self._readings.get(event_id, ()):
            words = [t.code("outcome", f"{reading.subject_kind}.{reading.outcome}")]
            words += [t.code("decision", code) for code in reading.reasons]
            lines.append(" · ".join(word for word in words if word))
        lines += [t.code("mark", mark) for mark in event.marks]
        if event.late:
            lines.append(t("feed.late"))
        return Entry(
            what=what(event, t),
            where=self._where(event),
            lines=tuple(lines),
            pictures=tuple(
                str(one["media_id"])
                for one in event.body.get("pictures") or ()
                if isinstance(one, dict) and one.get("media_id")
            ),
            device_time=differs(event.device_time, event.corrected_time),
            received_at=differs(event.received_at, event.corrected_time),
        )

    def _where(self, event: EventRow) -> str:
        return f"{self.names.zone(event.zone)} · {self.names.device(event.device_id)}"

    def _faults(self, known: Collection[str]) -> list[Moment]:
        """What devices of the places concerned said of their sight, a little before until a little after."""
        incident = self.incident
        zones = set(
            self.session.scalars(
                select(EventRow.zone).where(EventRow.id.in_(sorted(known)[:_BATCH])).distinct()
            )
        ) | {incident.zone}
        rows = self.session.execute(
            select(EventRow.id, EventRow.corrected_time)
            .where(
                EventRow.compound == incident.compound,
                EventRow.type.in_(sorted(CONDITIONS)),
                EventRow.corrected_time >= incident.happened_at - _AROUND,
                EventRow.corrected_time <= incident.last_signal_at + _AROUND,
                EventRow.zone.in_(zones),
            )
            .order_by(EventRow.corrected_time, EventRow.id)
            .limit(_FAULTS)
        )
        return [
            Moment(
                row.corrected_time,
                Sort.DEVICE,
                f"0{row.id}",
                of(row.id, self._say),
                (row.id,),
            )
            for row in rows
            if row.id not in known
        ]

    def _blind(self) -> list[Moment]:
        """Times in which a device could not have seen, told where they begin."""
        t, clock = self.view.t, self.view.clock
        return [
            Moment(
                one.start,
                Sort.DEVICE,
                f"2{one.name}",
                of(
                    one,
                    lambda one: Entry(
                        what=t(
                            "timeline.unseeing",
                            device=one.name,
                            start=clock(one.start),
                            end=clock(one.end),
                            why=one.why,
                        ),
                        lines=(t("timeline.not_nobody"),),
                        blind=True,
                    ),
                ),
            )
            for one in unseeing(self.incident.blind, self.names, t)
        ]
