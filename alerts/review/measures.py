"""The two lists: what is needed (需求清单) and what is done about it (措施清单)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team
from alerts.incidents.actor import Actor
from alerts.incidents.models import Incident
from alerts.notify.models import Purpose
from alerts.review import rules
from alerts.review.models import Measure, Need, NeedIncident
from alerts.review.rules import MeasureState
from alerts.review.telling import managers, team_leaders, tell
from registry import rows
from registry.errors import MissingError, RefusedError
from registry.models import Zone
from storage import audit, new_id
from storage.audit import AuditEntry

PURPOSE = "review"
_AT_ONCE = 200
_OPEN = [state for state in MeasureState if state.is_open]


@dataclass(frozen=True, slots=True)
class NeedDraft:
    """What is missing, and where."""

    what: str
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class MeasureDraft:
    """What is to be done until when, by a responder or by a team. `need` names one that is known already."""

    what: str
    due_at: dt.datetime
    responder: str | None = None
    team: str | None = None
    blocking: bool = False
    need: str | NeedDraft | None = None


def need(
    session: Session,
    compound: str,
    draft: NeedDraft,
    by: Actor,
    at: dt.datetime,
    *,
    incidents: Iterable[str] = (),
) -> Need:
    """Puts a need onto the list, audited.

    Raises `MissingError`, `RefusedError`: need_empty, unknown_place.
    """
    if not draft.what.strip():
        raise RefusedError("need_empty")
    if draft.zone is not None:
        place = session.get(Zone, draft.zone)
        if place is None or place.compound != compound:
            raise RefusedError("unknown_place")
    row = Need(
        id=new_id(),
        compound=compound,
        what=draft.what.strip(),
        zone=draft.zone,
        author=by.id,
        at=at,
        version=1,
    )
    session.add(row)
    session.flush()
    _note(session, compound, "need.listed", f"need:{row.id}", by, at)
    show(session, row, incidents)
    return row


def show(session: Session, row: Need, incidents: Iterable[str]) -> None:
    """Notes which incidents showed a need. Raises `MissingError`."""
    for incident_id in dict.fromkeys(incidents):
        incident = session.get(Incident, incident_id)
        if incident is None or incident.compound != row.compound:
            raise MissingError("incident")
        if session.get(NeedIncident, (row.id, incident_id)) is None:
            session.add(NeedIncident(need=row.id, incident=incident_id, compound=row.compound))
    session.flush()


def end_need(session: Session, compound: str, need_id: str, by: Actor, at: dt.datetime) -> Need:
    """A need that is met or set aside, audited.

    Raises `MissingError`, `RefusedError`: need_ended, need_measures_open.
    """
    rows.lock(session, Need, compound, [need_id], "need")
    row = rows.find(session, Need, compound, need_id, "need")
    if row.ended_at is not None:
        raise RefusedError("need_ended")
    if session.scalar(select(exists().where(Measure.need == row.id, Measure.state.in_(_OPEN)))):
        raise RefusedError("need_measures_open")
    row.ended_at = at
    row.version += 1
    session.flush()
    _note(session, compound, "need.ended", f"need:{row.id}", by, at)
    return row


def add(
    session: Session,
    compound: str,
    draft: MeasureDraft,
    by: Actor,
    at: dt.datetime,
    *,
    incidents: Sequence[str] = (),
) -> Measure:
    """Puts a measure onto the list, audited; its owner is told.

    Raises `MissingError`, `RefusedError`: measure_empty, measure_owner (neither or both of a responder
    and a team, or not of this compound), measure_due (not ahead), need_ended, and what `need` raises.
    """
    if not draft.what.strip():
        raise RefusedError("measure_empty")
    if draft.due_at <= at:
        raise RefusedError("measure_due")
    _owner(session, compound, draft)
    if isinstance(draft.need, str):
        rows.lock(session, Need, compound, [draft.need], "need")
        of = rows.find(session, Need, compound, draft.need, "need")
        if of.ended_at is not None:
            raise RefusedError("need_ended")
        show(session, of, incidents)
    else:
        # Where nobody said what is missing, it is what the measure brings.
        of = need(session, compound, draft.need or NeedDraft(draft.what), by, at, incidents=incidents)
    row = Measure(
        id=new_id(),
        compound=compound,
        need=of.id,
        what=draft.what.strip(),
        responder=draft.responder,
        team=draft.team,
        due_at=draft.due_at,
        blocking=draft.blocking,
        state=MeasureState.OPEN,
        author=by.id,
        at=at,
        reminded=0,
        version=1,
    )
    session.add(row)
    session.flush()
    _note(session, compound, "measure.listed", f"measure:{row.id}", by, at)
    _tell(session, row, owners(session, row), "measure_new", at)
    return row


def move(
    session: Session,
    compound: str,
    measure_id: str,
    to: MeasureState,
    by: Actor,
    at: dt.datetime,
    *,
    note: str | None = None,
    expected_version: int | None = None,
) -> Measure:
    """Where a measure stands from now on, audited; done needs what shows it, refused the reason.

    Raises `MissingError`, `StaleEditError`, `RefusedError` with the codes of `rules.moves`.
    """
    rows.lock(session, Measure, compound, [measure_id], "measure")
    row = rows.find(session, Measure, compound, measure_id, "measure")
    if expected_version is not None:
        rows.at_version(row, expected_version)
    code = rules.moves(MeasureState(row.state), to, note)
    if code is not None:
        raise RefusedError(code)
    row.state = to
    row.note = note.strip() if note and note.strip() else row.note
    row.ended_at, row.ended_by = (None, None) if to.is_open else (at, by.id)
    row.version += 1
    session.flush()
    _note(session, compound, "measure.moved", f"measure:{row.id}", by, at, str(to))
    return row


def owners(session: Session, row: Measure) -> list[str]:
    """Who is told of a measure: the responder, or who leads the team, or the manager where nobody does."""
    if row.responder is not None:
        return [row.responder]
    led = team_leaders(session, row.team) if row.team is not None else []
    return led or managers(session, row.compound)


def remind(session: Session, now: dt.datetime) -> int:
    """Tells who answers for it that a measure is late, and the manager days later; returns how many."""
    late = session.scalars(
        select(Measure)
        .where(Measure.state.in_(_OPEN), Measure.due_at < now, Measure.reminded < 2)
        .order_by(Measure.due_at, Measure.id)
        .limit(_AT_ONCE)
        .with_for_update()
    ).all()
    told = 0
    for row in late:
        wanted = rules.reminders(row.due_at, now)
        if wanted <= row.reminded:
            continue
        if row.reminded < 1:
            _tell(session, row, owners(session, row), "measure_late", now)
        if wanted == 2:
            _tell(session, row, managers(session, row.compound), "measure_still_late", now)
        row.reminded = wanted
        told += 1
    session.flush()
    return told


def _tell(session: Session, row: Measure, to: list[str], why: str, at: dt.datetime) -> None:
    zone = session.scalar(select(Need.zone).where(Need.id == row.need))
    arguments = {"why": why, "due": row.due_at.isoformat()} | ({"zone": zone} if zone else {})
    # Opened again after a refusal it is a matter of its own.
    tell(
        session, to, Purpose.MEASURE, f"{why}:{row.id}:{row.due_at.isoformat()}", row.compound, at, arguments
    )


def _owner(session: Session, compound: str, draft: MeasureDraft) -> None:
    if (draft.responder is None) == (draft.team is None):
        raise RefusedError("measure_owner")
    if draft.responder is not None:
        of = session.scalar(
            select(Team.compound)
            .join(Responder, Responder.team == Team.id)
            .where(Responder.id == draft.responder)
        )
    else:
        of = session.scalar(select(Team.compound).where(Team.id == draft.team))
    if of != compound:
        raise RefusedError("measure_owner")


def _note(
    session: Session, compound: str, action: str, subject: str, by: Actor, at: dt.datetime, detail: str = ""
) -> None:
    audit.append(session, at, AuditEntry(by.id, by.role, action, PURPOSE, subject, detail, compound))
