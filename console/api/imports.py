"""Imports: a file is taken, checked and written by a thread of its own; the job says how far it is."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, BinaryIO

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api import uploads
from console.api.idempotency import attempt
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.context import PhotoRefusedError, Rooms
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from console.security import as_actor, identify
from console.texts import COOKIE, Texts, load, negotiate
from console.texts.faults import fault_text
from privacy.holds import held
from registry.imports import jobs, photos
from registry.imports.columns import COLUMNS, SheetKind
from registry.imports.faults import WARNINGS
from registry.imports.jobs import Order
from registry.imports.models import ImportFault, ImportJob, ImportState
from registry.imports.sheets import FILE_MAX

log = structlog.get_logger(__name__)

router = APIRouter(tags=["imports"])
Importer = Annotated[User, may(Action.REGISTRY_IMPORT)]

# One import at a time in a process: each takes a core for half a minute.
_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import")


class ImportView(BaseModel):
    """How far an import is, or how it ended.

    `counts` says what became of rows and of things; after a dry run or a refusal what would
    have become. `faults` are the rows' errors, warnings not counted. `stalled`: it stands in
    the middle and its process is gone; undo it, or import the same file again.
    """

    id: str
    kind: str
    state: ImportState
    dry_run: bool
    partly: bool
    actor: str
    started_at: dt.datetime
    ended_at: dt.datetime | None
    rows_total: int | None
    rows_done: int
    counts: dict[str, Any]
    faults: int
    error: str | None
    error_text: str | None
    stalled: bool


class FaultView(BaseModel):
    """What is wrong with a row, in the asker's language; row 0 is the file as a whole.

    Of photos `row` is the number of the file in the archive. `column_name` is what exports
    call the column.
    """

    row: int
    column: str | None
    column_name: str | None
    code: str
    text: str
    warning: bool


@router.post(
    "/imports", status_code=202, response_model=ImportView, openapi_extra=uploads.FORM, name="start_import"
)
def start(
    here: Here,
    request: Request,
    user: Importer,
    file: uploads.Sent,
    kind: SheetKind,
    dry_run: Annotated[bool, Query(description="Check everything, write nothing.")] = False,
    partly: Annotated[bool, Query(description="Good rows go in although others are refused.")] = False,
) -> Response:
    """Takes a CSV or Excel file. `import_running` while another one is at work."""
    content = file.file.read(FILE_MAX + 1)
    order = _order(here, user, kind, dry_run=dry_run, partly=partly)

    def work(job: str) -> None:
        jobs.run(here.database, job, order, content, here.clock)

    return _started(here, request, user, order, content, work)


@router.post("/imports/photos", status_code=202, response_model=ImportView, openapi_extra=uploads.FORM)
def start_photos(
    here: Here,
    request: Request,
    user: Importer,
    file: uploads.Sent,
    dry_run: Annotated[bool, Query(description="Look for people and consents only.")] = False,
) -> Response:
    """Takes a ZIP of photos, each called after its person's number; only of those who have agreed."""
    engine = here.portrait_engine
    if engine is None:
        raise ProblemError(503, "enrolment_unavailable", "This process has no face engine")
    order = _order(here, user, photos.KIND, dry_run=dry_run, partly=True)
    actor = as_actor(user)
    # The form closes its file with the request; the thread needs one of its own.
    archive: BinaryIO = _kept(file.file)

    def enrol(person_id: str, photo: bytes) -> str:
        try:
            return engine.enrol(person_id, photo, actor).template_id
        except PhotoRefusedError as refused:
            raise photos.PhotoFaultError(refused.code) from refused

    def work(job: str) -> None:
        with archive:
            photos.run(here.database, job, order, archive, here.clock, enrol)

    head = archive.read(FILE_MAX)
    archive.seek(0)
    return _started(here, request, user, order, head, work)


@router.get("/imports")
def list_imports(here: Here, _: Importer, request: Request, paging: Asked) -> Page[ImportView]:
    """Imports, the latest first."""
    texts, at = _texts(request), here.clock.now()
    query = select(ImportJob).where(ImportJob.compound == here.compound)
    with here.database.read() as session:
        order = ImportJob.started_at, ImportJob.id
        items, cursor = newest_first(session, query, order, paging, lambda row: _view(row, texts, at))
    return Page(items=items, next_cursor=cursor)


@router.get("/imports/{import_id}")
def one_import(here: Here, _: Importer, request: Request, import_id: str) -> ImportView:
    """One import; ask again while it is at work."""
    with here.database.read() as session:
        return _view(_find(session, here, import_id), _texts(request), here.clock.now())


@router.get("/imports/{import_id}/faults")
def faults(
    here: Here,
    _: Importer,
    request: Request,
    import_id: str,
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[FaultView]:
    """What is wrong with its rows, in the order of the sheet; at most 10,000 are kept."""
    texts = _texts(request)
    with here.database.read() as session:
        job = _find(session, here, import_id)
        query = select(ImportFault).where(ImportFault.job == job.id, ImportFault.id > (cursor or 0))
        rows = session.scalars(query.order_by(ImportFault.id).limit(limit + 1)).all()
        shown = [_fault(job.kind, row, texts) for row in rows[:limit]]
        after = str(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=shown, next_cursor=after)


@router.post("/imports/{import_id}/undo", status_code=202, response_model=ImportView)
def undo(here: Here, request: Request, user: Importer, import_id: str) -> Response:
    """Takes an import back; what was edited since or is in use stays and is listed as faults."""
    order = _order(here, user, "undo")
    jobs.begin_undo(here.database, import_id, order, here.clock)
    at = here.clock.now()

    def work() -> None:
        undone = jobs.undo(
            here.database,
            import_id,
            order,
            here.clock,
            protected=lambda session, person: held(session, "person", person, at) is not None,
        )
        for media_id in undone.pictures:
            here.media.delete(media_id)

    _worker.submit(_guarded, work, import_id)
    with here.database.read() as session:
        view = _view(_find(session, here, import_id), _texts(request), at)
    return JSONResponse(view.model_dump(mode="json"), 202)


def _started(
    here: Rooms,
    request: Request,
    user: User,
    order: Order,
    content: bytes,
    work: Callable[[str], None],
) -> Response:
    """Begins a job and leaves it to the worker; the same request again gets the same job."""
    at = here.clock.now()
    asked = f"{order.kind} {order.dry_run} {order.partly} {here.compound}\n".encode() + content
    trying = attempt(request, user, asked, at)
    if trying is not None:
        with here.database.read() as session:
            known = trying.recall(session)
        if known is not None:
            return known
    job = jobs.begin(here.database, order, content, at)
    with here.database.write() as session:
        body = _view(_find(session, here, job), _texts(request), at).model_dump(mode="json")
        if trying is not None:
            trying.remember(session, (202, body))
    _worker.submit(_guarded, lambda: work(job), job)
    return JSONResponse(body, 202, {"Location": f"/api/v1/imports/{job}"})


def _guarded(work: Callable[[], None], job: str) -> None:
    try:
        work()
    except Exception as error:
        # The job stays in its state and shows itself as stalled after a while.
        log.exception("import.thread_failed", job=job, error=type(error).__name__)


def _kept(file: BinaryIO) -> BinaryIO:
    """A copy without a name on the disk, for the thread."""
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the thread that reads it
    file.seek(0)
    shutil.copyfileobj(file, kept)
    kept.seek(0)
    return kept


def _order(here: Rooms, user: User, kind: str, **asked: bool) -> Order:
    return Order(here.compound, str(kind), user.id, str(user.role), **asked)


def _find(session: Session, here: Rooms, import_id: str) -> ImportJob:
    job = session.get(ImportJob, import_id)
    if job is None or job.compound != here.compound:
        raise not_found("import")
    return job


def _view(job: ImportJob, texts: Texts, at: dt.datetime) -> ImportView:
    return ImportView(
        id=job.id,
        kind=job.kind,
        state=ImportState(job.state),
        dry_run=job.dry_run,
        partly=job.partly,
        actor=job.actor,
        started_at=job.started_at,
        ended_at=job.ended_at,
        rows_total=job.rows_total,
        rows_done=job.rows_done,
        counts=job.counts,
        faults=job.faults,
        error=job.error,
        error_text=None if job.error is None else fault_text(texts, job.error, job.error_facts),
        stalled=jobs.stalled(job, at),
    )


def _fault(kind: str, fault: ImportFault, texts: Texts) -> FaultView:
    columns = COLUMNS[SheetKind(kind)] if kind in set(SheetKind) else ()
    name = next((column.names[0] for column in columns if column.key == fault.column), None)
    return FaultView(
        row=fault.row,
        column=fault.column,
        column_name=name,
        code=fault.code,
        text=fault_text(texts, fault.code, fault.facts),
        warning=fault.code in WARNINGS,
    )


def _texts(request: Request) -> Texts:
    identity = identify(request)
    chosen = request.cookies.get(COOKIE) or (identity.user.language if identity else None)
    return load(negotiate(chosen, request.headers.get("Accept-Language")))
