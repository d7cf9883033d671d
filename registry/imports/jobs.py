"""An import from the file to its end: read, check every row, then write, or say why not.

Everything is checked before anything is written, so "all or nothing" is decided before the
first batch. A process that dies while writing leaves the job APPLYING with a record of all
that it wrote: `undo` takes that back, and the same file again completes it.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.imports.applying import RegistryChangedError, apply
from registry.imports.cards import CardsSheet
from registry.imports.columns import SheetKind
from registry.imports.dwellings import DwellingsSheet
from registry.imports.faults import Fault, FileRefusedError
from registry.imports.ground import Ground
from registry.imports.lines import Line
from registry.imports.models import ImportChange, ImportFault, ImportJob, ImportState
from registry.imports.organisations import OrganisationsSheet
from registry.imports.people import PeopleSheet
from registry.imports.plan import Plan
from registry.imports.pulse import Progress, Pulse
from registry.imports.sheets import Sheet, read
from registry.imports.undoing import Protected, Undone, nobody_protected, take_back
from registry.imports.vehicles import VehiclesSheet
from storage import Clock, Database, new_id
from storage.audit import AuditEntry, append
from storage.bulk import BulkInsert

log = structlog.get_logger(__name__)

# A job that has not shown a sign of life for so long has lost its process.
STALLED_AFTER: Final = dt.timedelta(seconds=60)
FAULTS_KEPT: Final = 10_000
_RUNNING: Final = (ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING)
_FAULTS: Final = BulkInsert(ImportFault.__table__, ("compound", "job", "row", "column", "code", "facts"))
_PURPOSE: Final = "registry_maintenance"


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked: by whom, for which compound, and how strictly."""

    compound: str
    kind: str
    actor: str
    role: str
    dry_run: bool = False
    # Good rows go in although others are refused.
    partly: bool = False


class _Planner(Protocol):
    def take(self, line: Line) -> None: ...

    def finish(self) -> list[Fault]: ...


def begin(database: Database, order: Order, content: bytes, at: dt.datetime) -> str:
    """Notes a new job; returns its id. Raises `import_running` (`RefusedError`): one at a time."""
    with database.write() as session:
        running = select(ImportJob).where(ImportJob.compound == order.compound, ImportJob.state.in_(_RUNNING))
        if any(not stalled(job, at) for job in session.scalars(running)):
            raise RefusedError("import_running")
        job = ImportJob(
            id=new_id(),
            compound=order.compound,
            kind=order.kind,
            content_hash=hashlib.sha256(content).hexdigest(),
            actor=order.actor,
            dry_run=order.dry_run,
            partly=order.partly,
            state=ImportState.CHECKING,
            started_at=at,
            beat_at=at,
        )
        session.add(job)
        session.flush()
        mode = "dry_run" if order.dry_run else "partly" if order.partly else "all_or_nothing"
        note(session, order, at, "import.started", job.id, f"kind={order.kind} {mode}")
        return job.id


def stalled(job: ImportJob, at: dt.datetime) -> bool:
    """Whether a job stands in the middle and nobody is at it."""
    return job.state in _RUNNING and at - (job.beat_at or job.started_at) > STALLED_AFTER


def run(
    database: Database,
    job: str,
    order: Order,
    content: bytes,
    clock: Clock,
    progress: Progress = lambda _state, _done, _total: None,
) -> ImportState:
    """Does a job that was begun; returns how it ended. What goes wrong stands in the job."""
    pulse = Pulse(database, job, clock, progress)
    try:
        sheet = read(content, SheetKind(order.kind))
        pulse.total = len(sheet.rows)
        plan, faults, refused = _checked(database, sheet, order, clock, pulse)
    except FileRefusedError as error:
        return end(
            database, job, order, clock, ImportState.REFUSED, error=error.code, error_facts=error.facts
        )
    except MissingError as error:
        return end(database, job, order, clock, ImportState.REFUSED, error=f"{error.kind}_not_found")
    errors = sum(not fault.is_warning for fault in faults)
    rows = {
        "read": len(sheet.rows),
        "good": len(sheet.rows) - refused,
        "refused": refused,
        "empty": sheet.empty,
        "warnings": len(faults) - errors,
    }
    counts: dict[str, Any] = {"rows": rows, **plan.counts()}
    keep_faults(database, order.compound, job, faults)
    told = {"counts": counts, "faults": errors, "rows_total": len(sheet.rows)}
    if order.dry_run:
        return end(database, job, order, clock, ImportState.CHECKED, **told)
    if errors and not order.partly:
        return end(database, job, order, clock, ImportState.REFUSED, **told, error="rows_refused")
    pulse.set(ImportState.APPLYING, **told)
    return _applied(database, job, order, clock, plan, pulse, told)


def begin_undo(database: Database, job: str, order: Order, clock: Clock) -> None:
    """Notes that a job is about to be taken back.

    Raises `MissingError("import")`, and `RefusedError` with `import_running`, with
    `import_not_undoable` for one that wrote nothing or is undone, or with `import_too_old`
    for one of which it is no longer known what it changed.
    """
    at = clock.now()
    with database.write() as session:
        row = session.get(ImportJob, job, with_for_update=True)
        if row is None or row.compound != order.compound:
            raise MissingError("import")
        if row.state in _RUNNING and not stalled(row, at):
            raise RefusedError("import_running")
        if row.dry_run or row.state not in {*_RUNNING, ImportState.APPLIED, ImportState.FAILED}:
            raise RefusedError("import_not_undoable", state=str(row.state))
        if row.state == ImportState.APPLIED and _wrote(row) and not _recorded(session, job):
            # What it changed is kept for a while only; "undone" would be a lie.
            raise RefusedError("import_too_old")
        row.state, row.beat_at = ImportState.UNDOING, at
        note(session, order, at, "import.undo_started", job, f"kind={row.kind}")


def _wrote(job: ImportJob) -> bool:
    kinds = [of for of in job.counts.values() if isinstance(of, dict)]
    return any(of.get("created") or of.get("updated") for of in kinds)


def _recorded(session: Session, job: str) -> bool:
    return session.scalar(select(ImportChange.id).where(ImportChange.job == job).limit(1)) is not None


def undo(
    database: Database,
    job: str,
    order: Order,
    clock: Clock,
    *,
    protected: Protected = nobody_protected,
    progress: Progress = lambda _state, _done, _total: None,
) -> Undone:
    """Takes back a job for which `begin_undo` was called; the caller deletes the pictures."""
    with database.read() as session:
        counts = session.get_one(ImportJob, job).counts
        total = session.scalar(select(func.count()).where(ImportChange.job == job)) or 0
    pulse = Pulse(database, job, clock, progress)
    pulse.state, pulse.total = ImportState.UNDOING, total
    undone = take_back(database, order.compound, job, clock.now(), protected=protected, progress=pulse.beat)
    left = [Fault(0, None, code, {"table": name, "id": row_id}) for name, row_id, code in undone.left]
    keep_faults(database, order.compound, job, left)
    told = {
        "restored": dict(undone.restored),
        "deleted": dict(undone.deleted),
        "left": len(undone.left),
    }
    end(database, job, order, clock, ImportState.UNDONE, counts={**counts, "undo": told})
    return undone


def keep_faults(database: Database, compound: str, job: str, faults: Sequence[Fault]) -> None:
    """Stores faults, as many as anybody would read."""
    rows = [
        (compound, job, fault.row, fault.column, fault.code, dict(fault.facts))
        for fault in faults[:FAULTS_KEPT]
    ]
    with database.write() as session:
        _FAULTS.execute(session, rows)


def note(session: Session, order: Order, at: dt.datetime, action: str, job: str, detail: str) -> None:
    """Writes a step of an import into the audit chain."""
    entry = AuditEntry(order.actor, order.role, action, _PURPOSE, f"import:{job}", detail, order.compound)
    append(session, at, entry)


def _checked(
    database: Database, sheet: Sheet, order: Order, clock: Clock, pulse: Pulse
) -> tuple[Plan, list[Fault], int]:
    plan = Plan(order.compound)
    with database.read() as session:
        ground = Ground.read(session, order.compound, clock.now())
        planner = _planner(session, sheet.kind, ground, plan)
    faults = list(sheet.notes)
    refused = 0
    for done, (number, cells) in enumerate(sheet.rows, start=1):
        line = Line(sheet, number, cells)
        planner.take(line)
        faults += line.faults
        refused += not line.is_good()
        pulse.beat(done)
    faults += planner.finish()
    faults.sort(key=lambda fault: fault.row)
    return plan, faults, refused


def _planner(session: Session, kind: SheetKind, ground: Ground, plan: Plan) -> _Planner:
    if kind is SheetKind.PEOPLE:
        return PeopleSheet(ground, plan)
    if kind is SheetKind.CARDS:
        return CardsSheet(ground, plan)
    if kind is SheetKind.DWELLINGS:
        return DwellingsSheet(session, ground, plan)
    if kind is SheetKind.VEHICLES:
        return VehiclesSheet(session, ground, plan)
    return OrganisationsSheet(session, ground, plan)


def _applied(
    database: Database,
    job: str,
    order: Order,
    clock: Clock,
    plan: Plan,
    pulse: Pulse,
    told: dict[str, Any],
) -> ImportState:
    share = pulse.total / max(1, len(plan))
    try:
        apply(database, plan, job, lambda written: pulse.beat(int(written * share)))
    except Exception as error:  # noqa: BLE001 - whatever it was, half an import must not stay
        log.warning("import.failed", job=job, error=type(error).__name__)
        take_back(database, order.compound, job, clock.now())
        raced = isinstance(error, RegistryChangedError | IntegrityError)
        code = "registry_changed" if raced else "unexpected"
        return end(database, job, order, clock, ImportState.FAILED, **told, error=code)
    return end(database, job, order, clock, ImportState.APPLIED, **told, rows_done=pulse.total)


def end(
    database: Database, job: str, order: Order, clock: Clock, state: ImportState, **values: Any
) -> ImportState:
    at = clock.now()
    with database.write() as session:
        session.execute(
            update(ImportJob)
            .where(ImportJob.id == job)
            .values(state=state, ended_at=at, beat_at=at, **values)
        )
        note(session, order, at, f"import.{state}", job, _summary(values))
    return state


def _summary(values: dict[str, Any]) -> str:
    """Counts for the audit log, as `people.created=12 rows.refused=3`."""
    parts = [
        f"{group}.{name}={number}"
        for group, numbers in values.get("counts", {}).items()
        for name, number in numbers.items()
        if isinstance(number, int) and number
    ]
    if "error" in values:
        parts.append(f"error={values['error']}")
    return " ".join(parts)
