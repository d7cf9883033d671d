"""The operator's queue: what to look at first, and why it is there."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from alerts.incidents.actor import SYSTEM
from alerts.incidents.aside import back
from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.incidents.putting_aside import all_aside, of
from console.accounts.models import User
from console.texts import Texts

# How long an incident may wait for the operator's first look, by severity. A notice has no limit.
ACKNOWLEDGE_WITHIN: Final[Mapping[int, dt.timedelta]] = LIMITS[Timer.ACKNOWLEDGE]

# How many others are offered where two may be one thing.
_OFFERED: Final = 8


@dataclass(frozen=True, slots=True)
class Hand:
    """Who took the last step with an incident."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PutAside:
    """That an incident is put aside: by whom, until when, and why, as a code."""

    by: str
    until: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One line of the queue."""

    id: str
    severity: int
    kind: str
    ring: str
    zone: str
    device: str
    state: str
    why: str
    raised_at: dt.datetime
    signal_count: int
    # Waiting for its first look for longer than its severity allows.
    late: bool
    # Nothing left but to close it: it stands below the line.
    settled: bool
    # An exercise: below everything that is real.
    drill: bool = False
    # Whoever had it in hand last; None where nobody has.
    hand: Hand | None = None
    aside: PutAside | None = None


def why(t: Texts, incident: Incident, zone: str) -> str:
    """One sentence on why an incident was raised, from its reason code and facts."""
    args: dict[str, Any] = {k: v for k, v in incident.reason_args.items() if v is not None}
    for key in ("window_s", "silence_s"):
        if isinstance(args.get(key), float):
            args[key] = f"{args[key]:g}"
    if isinstance(args.get("face"), str):
        # A building's side is a code, like a direction.
        args["face"] = t.code("side", args["face"])
    for key in ("what", "attack", "followed_by"):
        if isinstance(args.get(key), str):
            args[key] = t.code("event", args[key])
    sentence = t.sentence(f"reason.{incident.reason}{_form(incident.reason, args)}", {**args, "place": zone})
    if args.get("night") is True:
        sentence = f"{sentence}{t('reason.night')}"
    if args.get("known_later") is not None:
        sentence = f"{sentence}{t.code('known_later', args['known_later'])}"
    if args.get("premise_gone") is True:
        sentence = f"{sentence}{t('reason.premise_gone')}"
    return sentence


def _form(reason: str, args: Mapping[str, Any]) -> str:
    """A hit on a plate names the plate: the entry's number tells an operator nothing to look for."""
    if reason != "watchlist_hit":
        return ""
    return ".of_plate" if args.get("plate") else ".of_credential" if args.get("credential") else ""


def items(
    t: Texts,
    incidents: Iterable[Incident],
    zones: Mapping[str, str],
    devices: Mapping[str, str],
    now: dt.datetime,
    hands: Mapping[str, Hand] | None = None,
    asides: Mapping[str, PutAside] | None = None,
) -> list[QueueItem]:
    """Open incidents, worst first and the longest waiting first among equals.

    Severity comes before age throughout: a fresh critical one must never wait beneath an
    old notice; what is real comes before an exercise. What is resolved and only waits to be closed
    comes last.
    """
    lines = [
        _item(
            t, incident, zones, devices, now, (hands or {}).get(incident.id), (asides or {}).get(incident.id)
        )
        for incident in incidents
    ]
    return sorted(lines, key=lambda item: (item.settled, item.drill, item.severity, item.raised_at, item.id))


def last_hands(session: Session, incidents: Iterable[Incident]) -> Mapping[str, Hand]:
    """Who took the last step with each, of those that somebody has taken any with."""
    ids = [incident.id for incident in incidents]
    if not ids:
        return {}
    rows = session.execute(
        select(Transition.incident, Transition.actor)
        .where(Transition.incident.in_(ids), Transition.role != SYSTEM.role)
        .order_by(Transition.incident, Transition.version)
    )
    last = {row.incident: row.actor for row in rows}
    names = people(session, last.values())
    return {incident: Hand(actor, names.get(actor, "")) for incident, actor in last.items()}


def put_aside(
    session: Session, compound: str, incidents: Iterable[Incident], now: dt.datetime
) -> Mapping[str, PutAside]:
    """What stands aside at `now`: what has to come back is in front already, however late that is written."""
    rows = all_aside(session, compound)
    if not rows:
        return {}
    names = people(session, [row.actor for row in rows.values()])
    return {
        one.id: PutAside(names.get(row.actor, ""), row.until, row.reason)
        for one in incidents
        if (row := rows.get(one.id)) is not None
        and State(one.state).grows
        and back(of(row), one.severity, one.signal_count, now) is None
    }


def people(session: Session, actors: Iterable[str]) -> Mapping[str, str]:
    """Names of users and responders by their ids."""
    ids = set(actors)
    if not ids:
        return {}
    found: dict[str, str] = {}
    for model in (Responder, User):
        found.update(
            {r.id: r.name for r in session.execute(select(model.id, model.name).where(model.id.in_(ids)))}
        )
    return found


def _item(
    t: Texts,
    incident: Incident,
    zones: Mapping[str, str],
    devices: Mapping[str, str],
    now: dt.datetime,
    hand: Hand | None,
    aside: PutAside | None,
) -> QueueItem:
    zone = zones.get(incident.zone, incident.zone)
    limit = ACKNOWLEDGE_WITHIN.get(incident.severity)
    waiting = incident.state == State.RAISED and limit is not None
    return QueueItem(
        id=incident.id,
        severity=incident.severity,
        kind=incident.kind,
        ring=incident.ring,
        zone=zone,
        device=devices.get(incident.device_id, incident.device_id),
        state=str(incident.state),
        why=why(t, incident, zone),
        raised_at=incident.raised_at,
        signal_count=incident.signal_count,
        late=waiting and limit is not None and now - incident.raised_at > limit,
        settled=incident.state in {State.RESOLVED, State.REVIEWED},
        drill=incident.drill,
        hand=hand,
        aside=aside,
    )


def near(lines: Iterable[QueueItem], opened: Incident) -> tuple[QueueItem, ...]:
    """Other incidents that it may be the same as: of the same ring first, then the nearest in time."""
    others = [line for line in lines if line.id != opened.id and not line.settled]
    return tuple(
        sorted(
            others,
            key=lambda line: (
                line.ring != opened.ring,
                abs((line.raised_at - opened.raised_at).total_seconds()),
                line.id,
            ),
        )[:_OFFERED]
    )
