"""Sightings, events, passages and incidents of one question, in one list by time, newest first."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from privacy.search import cards
from privacy.search.criteria import TYPES, Before, Sort, Sought
from privacy.search.readings import Readings
from recognition.models import DecisionRow
from registry.models import PassUse, VisitorPass
from storage.amendments import standing
from storage.events import EventRow

_EVENT: Final = "event"
_INCIDENT: Final = "incident"
_PASSAGE: Final = "passage"
_SIGHTING: Final = "sighting"


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing of the list. `what` is an event's type, an outcome (`face.identified`) or a kind.

    `plate` is set where plates were asked for; `near` where it only looks alike. `picture` is a media
    id, None where there is none (any more).
    """

    kind: str
    id: str
    at: dt.datetime
    what: str
    ring: str
    zone: str
    device: str
    direction: str | None = None
    plate: str | None = None
    near: bool = False
    picture: str | None = None
    event_id: str | None = None
    severity: int | None = None
    state: str | None = None
    late: bool = False

    @property
    def order(self) -> tuple[dt.datetime, str, str]:
        return (self.at, self.kind, self.id)


@dataclass(frozen=True, slots=True)
class Found:
    """`more` is where the list goes on; `without_cards`: the span was too long to look for cards in."""

    hits: tuple[Hit, ...]
    more: Before | None
    without_cards: bool = False


def find(
    session: Session,
    compound: str,
    sought: Sought,
    readings: Readings | None,
    *,
    limit: int,
    before: Before | None = None,
) -> Found:
    """The newest of a question, at most `limit`, after `before`."""
    asking = Asking(session, compound, sought, readings, limit, before)
    hits = sorted(asking.all(), key=lambda hit: hit.order, reverse=True)
    shown = tuple(hits[:limit])
    more = Before(*shown[-1].order) if len(hits) > limit else None
    without = sought.person is not None and sought.end - sought.start > cards.LONGEST
    return Found(shown, more, without)


@dataclass(frozen=True, slots=True)
class Asking:
    """One question and how its parts are put to the database, each through an index."""

    session: Session
    compound: str
    sought: Sought
    readings: Readings | None
    limit: int
    before: Before | None

    def all(self) -> Iterable[Hit]:
        sort = self.sought.sort
        if sort is not Sort.INCIDENT:
            yield from self.sightings() if self.sought.of_somebody else self.events()
        if self.sought.of_somebody and sort in {None, Sort.ACCESS}:
            yield from self.passages()
        if sort in {None, Sort.INCIDENT}:
            yield from self.incidents()

    def sightings(self) -> Iterable[Hit]:
        """Decisions on the subject, and what it showed at readers."""
        query = self.decisions()
        if query is not None:
            rows = self.session.scalars(query).all()
            events = self._events([row.event_id for row in rows])
            yield from (self._of_decision(row, events.get(row.event_id)) for row in rows)
        if self.sought.person is not None:
            span = (self.sought.start, self.sought.end)
            yield from self.events(cards.shown(self.session, self.compound, self.sought.person, *span))

    def decisions(self) -> Select[DecisionRow] | None:
        """The decisions on the subject; None where there can be none."""
        whom = self._whom()
        if whom is None:
            return None
        query = (
            select(DecisionRow)
            .where(DecisionRow.compound == self.compound, whom)
            .where(*self._span(DecisionRow.at, DecisionRow.sighting_id, _SIGHTING))
        )
        if self._of_place():
            query = query.join(EventRow, EventRow.id == DecisionRow.event_id).where(*self._place())
        # The order must not tempt a planner into reading the whole span by time: a subject has an index.
        latest = func.coalesce(DecisionRow.at, DecisionRow.at).desc()
        return query.order_by(latest, DecisionRow.sighting_id.desc()).limit(self.limit + 1)

    def events(self, ids: Sequence[str] | None = None) -> Iterable[Hit]:
        """Events of a place, or some of which it is known that they are the subject's."""
        if ids is not None and not ids:
            return
        query = (
            select(EventRow)
            .where(EventRow.compound == self.compound, *self._place())
            .where(*self._span(EventRow.corrected_time, EventRow.id, _EVENT))
        )
        if ids is not None:
            query = query.where(EventRow.id.in_(ids))
        rows = self.session.scalars(
            query.order_by(EventRow.corrected_time.desc(), EventRow.id.desc()).limit(self.limit + 1)
        ).all()
        told = standing(self.session, rows)
        # Of a place it is told what was seen, not whom: that is a question of its own.
        decided = self._outcomes([row.id for row in told])
        yield from (_of_event(row, decided.get(row.id)) for row in told)

    def passages(self) -> Iterable[Hit]:
        """Visitor passes that were shown: the one asked for, or those of the plate."""
        which: ColumnElement[bool]
        if self.sought.visitor_pass is not None:
            which = PassUse.visitor_pass == self.sought.visitor_pass
        elif self.readings is not None and self.readings.plates:
            which = PassUse.visitor_pass.in_(
                select(VisitorPass.id).where(
                    VisitorPass.compound == self.compound, VisitorPass.plate.in_(self.readings.plates)
                )
            )
        else:
            return
        if self.sought.device or self.sought.ring:
            return
        query = (
            select(PassUse)
            .where(PassUse.compound == self.compound, which)
            .where(*self._span(PassUse.at, PassUse.id, _PASSAGE))
        )
        if self.sought.zone:
            query = query.where(PassUse.zone == self.sought.zone)
        rows = self.session.scalars(
            query.order_by(PassUse.at.desc(), PassUse.id.desc()).limit(self.limit + 1)
        )
        yield from (
            Hit(_PASSAGE, row.id, row.at, "pass.used", "", row.zone or "", "", direction=str(row.direction))
            for row in rows
        )

    def incidents(self) -> Iterable[Hit]:
        """Incidents about the subject, or at the place."""
        query = (
            select(Incident)
            .where(Incident.compound == self.compound, Incident.care.is_(False))
            .where(*self._span(Incident.raised_at, Incident.id, _INCIDENT))
        )
        if self.sought.person is not None:
            query = query.where(Incident.subject == self.sought.person)
        elif self.sought.visitor_pass is not None:
            query = query.where(Incident.subject == self.sought.visitor_pass)
        elif self.readings is not None:
            names = [*self.readings.plates, *self.readings.vehicles.values()]
            query = query.where(Incident.subject.in_(names))
        for column, value in (
            (Incident.device_id, self.sought.device),
            (Incident.zone, self.sought.zone),
            (Incident.ring, self.sought.ring),
        ):
            if value:
                query = query.where(column == value)
        latest = Incident.raised_at.desc()
        if self.sought.of_somebody:
            latest = func.coalesce(Incident.raised_at, Incident.raised_at).desc()
        for row in self.session.scalars(query.order_by(latest, Incident.id.desc()).limit(self.limit + 1)):
            yield Hit(
                _INCIDENT,
                row.id,
                row.raised_at,
                row.kind,
                str(row.ring),
                row.zone,
                row.device_id,
                severity=row.severity,
                state=str(row.state),
            )

    def _whom(self) -> ColumnElement[bool] | None:
        if self.sought.person is not None:
            return DecisionRow.person_id == self.sought.person
        if self.readings is not None and self.readings.plates:
            return DecisionRow.plate.in_(self.readings.plates)
        return None

    def _span(self, time: Any, key: Any, kind: str) -> list[ColumnElement[bool]]:
        """The time asked for, and what lies after the place where the list goes on."""
        found = [time >= self.sought.start, time < self.sought.end]
        if self.before is not None:
            at = self.before.at
            if kind == self.before.kind:
                found.append(or_(time < at, and_(time == at, key < self.before.id)))
            else:
                found.append(time <= at if kind < self.before.kind else time < at)
        return found

    def _of_place(self) -> bool:
        return any((self.sought.device, self.sought.zone, self.sought.ring, self.sought.sort))

    def _place(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        for column, value in (
            (EventRow.device_id, self.sought.device),
            (EventRow.zone, self.sought.zone),
            (EventRow.ring, self.sought.ring),
        ):
            if value:
                found.append(column == value)
        if self.sought.sort in TYPES:
            found.append(or_(*(EventRow.type.startswith(one) for one in TYPES[self.sought.sort])))
        return found

    def _events(self, ids: Sequence[str]) -> dict[str, EventRow]:
        rows = self.session.scalars(select(EventRow).where(EventRow.id.in_(ids))).all()
        return {row.id: row for row in standing(self.session, rows)}

    def _outcomes(self, ids: Sequence[str]) -> dict[str, str]:
        rows = self.session.execute(
            select(DecisionRow.event_id, DecisionRow.subject_kind, DecisionRow.outcome).where(
                DecisionRow.event_id.in_(ids)
            )
        )
        return {row.event_id: f"{row.subject_kind}.{row.outcome}" for row in rows}

    def _of_decision(self, row: DecisionRow, event: EventRow | None) -> Hit:
        plates = self.readings is not None
        return Hit(
            _SIGHTING,
            row.sighting_id,
            row.at,
            f"{row.subject_kind}.{row.outcome}",
            "" if event is None else str(event.ring),
            "" if event is None else event.zone,
            event.device_id if event is not None else row.device or "",
            direction=None if event is None else event.direction,
            plate=row.plate if plates else None,
            near=self.readings is not None and row.plate in self.readings.near,
            picture=None if event is None else _picture(event, row.subject_kind),
            event_id=row.event_id,
            late=event is not None and bool(event.late),
        )


def _of_event(row: EventRow, outcome: str | None) -> Hit:
    return Hit(
        _EVENT,
        row.id,
        row.corrected_time,
        outcome or row.type,
        str(row.ring),
        row.zone,
        row.device_id,
        direction=row.direction,
        picture=_picture(row, ""),
        event_id=row.id,
        late=bool(row.late),
    )


def _picture(event: EventRow, kind: str) -> str | None:
    """The picture that shows what was decided on; else the first."""
    pictures = [
        one for one in event.body.get("pictures") or () if isinstance(one, dict) and one.get("media_id")
    ]
    best = next((one for one in pictures if one.get("role") == kind), pictures[0] if pictures else None)
    return None if best is None else str(best["media_id"])
