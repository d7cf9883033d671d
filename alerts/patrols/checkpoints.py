"""Checkpoints as people set them up, audited; and what every such change has in common."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.patrols import codes
from alerts.patrols.models import Checkpoint, PatrolPoint, PatrolRound, PatrolRoute, PointKind, RoundState
from devices.models import Device
from registry import rows
from registry.errors import RefusedError
from registry.models import Zone
from storage import audit, new_id
from storage.audit import AuditEntry

PURPOSE: Final = "operation"


@dataclass(frozen=True, slots=True)
class PointGiven:
    """A checkpoint as it is set up; `device` is the reader's, of one that has a reader."""

    name: str
    zone: str
    kind: PointKind
    device: str | None = None


def add_point(
    session: Session, compound: str, given: PointGiven, by: Actor, at: dt.datetime
) -> tuple[Checkpoint, str | None]:
    """A new checkpoint and its code, which is not to be had a second time; a reader has none.

    Raises `MissingError`, `RefusedError`: patrol_name_required, patrol_reader_needed, patrol_name_taken.
    """
    row = Checkpoint(id=new_id(), compound=compound, name="", zone="", kind=PointKind.QR)
    _fill(session, compound, row, given)
    code = None
    if row.kind is not PointKind.READER:
        code = codes.make()
        row.code_digest, row.code_made_at = codes.digest(code), at
    add(session, row)
    note(session, compound, "patrol.point_added", f"patrol_point:{row.id}", by, at)
    return row, code


def change_point(
    session: Session, compound: str, point_id: str, given: PointGiven, by: Actor, at: dt.datetime
) -> Checkpoint:
    """Raises as `add_point` does, and `patrol_kind_fixed`: another kind is another checkpoint."""
    row = point(session, compound, point_id)
    if row.kind != given.kind:
        raise RefusedError("patrol_kind_fixed")
    _fill(session, compound, row, given)
    flush(session)
    note(session, compound, "patrol.point_changed", f"patrol_point:{row.id}", by, at)
    replan(session, compound, [one.route for one in _on(session, row.id)], at)
    return row


def renew_code(
    session: Session, compound: str, point_id: str, by: Actor, at: dt.datetime
) -> tuple[Checkpoint, str]:
    """A new code: the old one counts for nothing from now on, and who shows it is told of.

    Raises `MissingError`, `RefusedError("patrol_no_code")` for a reader.
    """
    row = point(session, compound, point_id)
    if row.kind is PointKind.READER:
        raise RefusedError("patrol_no_code")
    code = codes.make()
    row.former_digest, row.code_digest, row.code_made_at = row.code_digest, codes.digest(code), at
    session.flush()
    note(session, compound, "patrol.code_renewed", f"patrol_point:{row.id}", by, at)
    return row, code


def retire_point(session: Session, compound: str, point_id: str, by: Actor, at: dt.datetime) -> Checkpoint:
    """Raises `RefusedError("patrol_point_in_use")` while a route comes by it."""
    row = point(session, compound, point_id)
    if _on(session, row.id):
        raise RefusedError("patrol_point_in_use")
    row.retired_at, row.code_digest, row.former_digest = at, None, None
    session.flush()
    note(session, compound, "patrol.point_retired", f"patrol_point:{row.id}", by, at)
    return row


def replan(session: Session, compound: str, routes: Sequence[str], at: dt.datetime) -> None:
    """Takes back rounds that have not begun and of which nobody was told: they are planned anew."""
    session.execute(
        delete(PatrolRound)
        .where(
            PatrolRound.compound == compound,
            PatrolRound.route.in_(routes),
            PatrolRound.state == RoundState.PLANNED,
            PatrolRound.due_from > at,
            PatrolRound.told_at.is_(None),
        )
        .execution_options(synchronize_session=False)
    )


def point(session: Session, compound: str, point_id: str) -> Checkpoint:
    """Raises `MissingError`."""
    return rows.find(session, Checkpoint, compound, point_id, "patrol_point")


def note(session: Session, compound: str, action: str, subject: str, by: Actor, at: dt.datetime) -> None:
    """Audits a change of what is walked."""
    audit.append(session, at, AuditEntry(by.id, by.role, action, PURPOSE, subject, "", compound))


def _on(session: Session, point_id: str) -> Sequence[PatrolPoint]:
    return session.scalars(select(PatrolPoint).where(PatrolPoint.checkpoint == point_id)).all()


def _fill(session: Session, compound: str, row: Checkpoint, given: PointGiven) -> None:
    if not given.name.strip():
        raise RefusedError("patrol_name_required")
    rows.find(session, Zone, compound, given.zone, "zone")
    if given.kind is PointKind.READER:
        if given.device is None:
            raise RefusedError("patrol_reader_needed")
        rows.find(session, Device, compound, given.device, "device")
    row.name, row.zone, row.kind = given.name.strip(), given.zone, given.kind
    row.device = given.device if given.kind is PointKind.READER else None


def add(session: Session, row: Checkpoint | PatrolRoute) -> None:
    session.add(row)
    flush(session)


def flush(session: Session) -> None:
    """A name is one route's or one checkpoint's: the database says so."""
    try:
        session.flush()
    except IntegrityError as error:
        raise RefusedError("patrol_name_taken") from error
