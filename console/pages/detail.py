"""One incident in full: why, on what evidence, what was done, what may be done now."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.dispatch.suggest import Suggestion, suggest
from alerts.duty.models import Responder, TeamKind
from alerts.incidents.lifecycle import STEPS, State
from alerts.incidents.models import Evidence, Incident, Transition
from alerts.incidents.putting_aside import PUT
from console.accounts.models import User
from console.pages.asking import Question, question
from console.pages.eventwords import what
from console.pages.going import Asked, asked_of
from console.pages.nearness import closeness
from console.pages.places import Names
from console.pages.queue import QueueItem, items, last_hands, put_aside
from console.pages.readings import Candidate, Reading, of_events
from console.pages.shots import Shot, compared_with, enrolled, pictures
from console.pages.told import Told, told_of
from console.texts import Texts
from registry.models import WatchlistEntry
from storage.amendments import standing
from storage.events import EventRow

_SENDABLE: Final = frozenset(
    {State.CONFIRMED, State.REOPENED, State.DISPATCHED, State.ACCEPTED, State.EN_ROUTE}
)

# Reasons of steps whose note is another incident's id.
_OF_ANOTHER: Final = frozenset({"took_in", "gave_back", "split_off"})
_CODED_NOTE: Final = _OF_ANOTHER | {PUT}

Clock = Callable[[dt.datetime | None], str]


@dataclass(frozen=True, slots=True)
class Proof:
    """An event an incident stands on."""

    at: dt.datetime
    what: str
    device: str
    outcome: str
    reasons: tuple[str, ...]
    marks: tuple[str, ...]
    late: bool


@dataclass(frozen=True, slots=True)
class Past:
    """A step that was taken."""

    at: dt.datetime
    # The incident's version since then.
    version: int
    state: str
    role: str
    actor: str
    reason: str
    note: str
    # The other incident, where it was put together with one or taken out of one.
    other: str


@dataclass(frozen=True, slots=True)
class Detail:
    item: QueueItem
    version: int
    rule: str
    happened_at: dt.datetime
    needs_comparison: bool
    comparison: str
    false_alarm_reason: str
    resolution: str
    measures: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    pictures: tuple[Shot, ...]
    enrolled: Shot | None
    has_person: bool
    # The plate that a watch-list entry names, where the hit is on a plate.
    listed_plate: str
    watch: WatchlistEntry | None
    # Whether recognition was right.
    question: Question | None
    proofs: tuple[Proof, ...]
    history: tuple[Past, ...]
    # The machine's numbers as a sentence; empty where it measured nothing.
    closeness: str
    candidates: tuple[Candidate, ...]
    asked: tuple[Asked, ...]
    told: tuple[Told, ...]
    suggestions: tuple[Suggestion, ...]
    # Guards on duty who could look, should the pictures not be enough to tell.
    second_eyes: tuple[str, ...]
    may: frozenset[str]


def detail(
    session: Session,
    incident: Incident,
    names: Names,
    t: Texts,
    now: dt.datetime,
    reader: User | None = None,
    clock: Clock = str,
) -> Detail:
    """Everything the operator needs to judge an incident; `reader` is who may be asked."""
    aside = put_aside(session, incident.compound, [incident], now)
    [item] = items(t, [incident], names.zones, names.devices, now, last_hands(session, [incident]), aside)
    event_ids = _event_ids(session, incident)
    rows = session.scalars(
        select(EventRow).where(EventRow.id.in_(event_ids)).order_by(EventRow.corrected_time)
    ).all()
    events = standing(session, rows)
    readings = of_events(session, event_ids)
    deciding = _deciding(incident, readings)
    may = allowed(State(incident.state))
    watch = _watch(session, incident)
    # A confirmation that needs the comparison asks the same.
    compared = "confirm" in may and incident.needs_comparison
    asked = None if compared else question(session, incident.compound, deciding, reader)
    person = compared_with(incident, asked, deciding)
    return Detail(
        item=item,
        version=incident.version,
        rule=incident.rule,
        happened_at=incident.happened_at,
        needs_comparison=incident.needs_comparison,
        comparison=incident.comparison or "",
        false_alarm_reason=incident.false_alarm_reason or "",
        resolution=incident.resolution or "",
        measures=measures(t, incident.reason_args, deciding),
        reasons=deciding.reasons if deciding else (),
        pictures=pictures(events, names),
        enrolled=enrolled(session, person),
        has_person=person is not None,
        listed_plate=_listed_plate(incident, watch),
        watch=watch,
        question=asked,
        proofs=tuple(_proof(e, readings.get(e.id, ()), names, t) for e in events),
        history=_history(session, incident, t, clock),
        closeness=closeness(t, deciding),
        candidates=deciding.candidates if deciding else (),
        asked=asked_of(session, incident, t),
        told=told_of(session, incident.id, t),
        suggestions=_suggestions(session, incident, now) if "dispatch" in may else (),
        second_eyes=_second_eyes(session, incident, now) if incident.needs_comparison else (),
        may=may,
    )


def _listed_plate(incident: Incident, watch: WatchlistEntry | None) -> str:
    if not incident.needs_comparison or incident.subject_kind != "plate":
        return ""
    return watch.subject if watch else incident.subject or ""


def _second_eyes(session: Session, incident: Incident, now: dt.datetime) -> tuple[str, ...]:
    # Guards stand at the gate and are staff: a volunteer is not told whom an entry names.
    guards = [s for s in suggest(session, incident, now) if s.team_kind == TeamKind.GUARD]
    return tuple(guard.name for guard in guards[:2])


def _suggestions(session: Session, incident: Incident, now: dt.datetime) -> tuple[Suggestion, ...]:
    """Who could still be asked: whoever has the task already is not offered again."""
    again = (DispatchState.DECLINED, DispatchState.CANCELLED)
    asked = set(
        session.scalars(
            select(Dispatch.responder).where(Dispatch.incident == incident.id, Dispatch.state.not_in(again))
        )
    )
    return tuple(s for s in suggest(session, incident, now) if s.responder_id not in asked)


def allowed(state: State) -> frozenset[str]:
    """The buttons that a state has."""
    steps = STEPS[state]
    buttons = {
        "acknowledge": State.ACKNOWLEDGED in steps,
        "confirm": State.CONFIRMED in steps,
        "false_alarm": State.FALSE_ALARM in steps,
        "dispatch": state in _SENDABLE,
        "resolve": State.RESOLVED in steps,
        "close": State.CLOSED in steps,
        "reopen": State.REOPENED in steps,
    }
    return frozenset(name for name, on in buttons.items() if on)


def measures(t: Texts, args: Mapping[str, Any], reading: Reading | None) -> tuple[tuple[str, str], ...]:
    """The numbers behind "why", as (label, value); only what was measured."""
    # A plate's score is a confidence, a face's a distance: never the one under the other's name.
    face = reading.subject_kind == "face" if reading else not args.get("plate")
    score = reading.score if reading else args.get("distance")
    threshold = reading.threshold if reading else args.get("threshold")
    found: list[tuple[str, Any]] = [
        ("distance" if face else "confidence", _number(score)),
        ("threshold", _number(threshold)),
        ("margin", _number(reading.margin if reading else None)),
        ("gallery", reading.gallery_size if reading else args.get("gallery_size")),
        ("quality", _number(reading.quality if reading else None)),
        ("engine", reading.engine if reading else None),
        ("window", _seconds(t, args.get("window_s"))),
        ("silence", _seconds(t, args.get("silence_s"))),
        ("plate", args.get("plate")),
        ("lane", args.get("lane")),
        ("ring_share", _percent(args.get("ring_share"))),
        ("cause", t.code("cause", args.get("cause"))),
    ]
    return tuple((name, str(value)) for name, value in found if value not in (None, ""))


def _number(value: Any) -> str | None:
    return f"{value:.3f}" if isinstance(value, int | float) else None


def _percent(value: Any) -> str | None:
    return f"{value:.0%}" if isinstance(value, int | float) else None


def _seconds(t: Texts, value: Any) -> str | None:
    return t("time.s", n=f"{value:g}") if isinstance(value, int | float) else None


def _event_ids(session: Session, incident: Incident) -> list[str]:
    rows = session.scalars(select(Evidence).where(Evidence.incident == incident.id).order_by(Evidence.at))
    return list(dict.fromkeys(event_id for row in rows for event_id in row.event_ids))


def _deciding(incident: Incident, readings: Mapping[str, Sequence[Reading]]) -> Reading | None:
    """The decision the incident is about: the one on its subject, else the first."""
    flat = [reading for own in readings.values() for reading in own]
    own = (r for r in flat if incident.subject and incident.subject in {r.person_id, r.plate})
    return next(own, flat[0] if flat else None)


def _watch(session: Session, incident: Incident) -> WatchlistEntry | None:
    entry_id = incident.reason_args.get("entry_id")
    return session.get(WatchlistEntry, entry_id) if isinstance(entry_id, str) else None


def _proof(event: EventRow, readings: Sequence[Reading], names: Names, t: Texts) -> Proof:
    reading = readings[0] if readings else None
    return Proof(
        at=event.corrected_time,
        what=what(event, t),
        device=names.device(event.device_id),
        outcome=t.code("outcome", f"{reading.subject_kind}.{reading.outcome}") if reading else "",
        reasons=tuple(t.code("decision", code) for code in reading.reasons) if reading else (),
        marks=tuple(t.code("mark", mark) for mark in event.marks),
        late=bool(event.late),
    )


def _history(session: Session, incident: Incident, t: Texts, clock: Clock) -> tuple[Past, ...]:
    rows = session.scalars(
        select(Transition).where(Transition.incident == incident.id).order_by(Transition.version)
    ).all()
    actors = {row.actor for row in rows}
    users = {u.id: u.name for u in session.execute(select(User.id, User.name).where(User.id.in_(actors)))}
    responders = {r.id: r.name for r in session.scalars(select(Responder).where(Responder.id.in_(actors)))}
    known = {**responders, **users}
    return tuple(
        Past(
            at=row.at,
            version=row.version,
            state=str(row.to_state),
            role=str(row.role),
            actor=_named(t, str(row.role), known.get(row.actor, "")),
            reason=_put_aside(t, row.note or "", clock)
            if row.reason == PUT
            else _because(t, row.reason or ""),
            note="" if row.reason in _CODED_NOTE else row.note or "",
            other=(row.note or "") if row.reason in _OF_ANOTHER else "",
        )
        for row in rows
    )


def _named(t: Texts, role: str, name: str) -> str:
    """Who took a step, unless the account is called what its role is called anyway."""
    return "" if name.casefold() in {role.casefold(), t.code("role", role).casefold()} else name


def _put_aside(t: Texts, note: str, clock: Clock) -> str:
    until, _, reason = note.partition(" ")
    try:
        at = dt.datetime.fromisoformat(until)
    except ValueError:
        return t("past.put_aside")
    return t("past.put_aside_until", until=clock(at), why=t.code("aside_reason", reason))


def _because(t: Texts, code: str) -> str:
    groups = ("false_alarm", "comparison", "past")
    return next((t.code(group, code) for group in groups if f"{group}.{code}" in t.keys), code)
