"""Sheets of the property office into the registry: sent, watched while they go in, and taken back."""

import json
from typing import Annotated, Final

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from console.accounts.models import User
from console.api import imports
from console.api.imports import ImportView
from console.api.paging import Paging
from console.context import Rooms, rooms
from console.pages.answers import said
from console.pages.view import frame, is_fragment, render
from console.permissions import Action, may
from registry.imports.columns import COLUMNS, SheetKind
from registry.imports.models import ImportState
from registry.imports.plan import ORDER

router = APIRouter(prefix="/registry/import")
Importer = Annotated[User, may(Action.REGISTRY_IMPORT)]

_SHOWN: Final = 20
_FAULTS_SHOWN: Final = 50
_AT_WORK: Final = frozenset({ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING})


@router.get("")
def overview(
    request: Request, user: Importer, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    """The form, and what was imported so far."""
    return _overview(request, user, cursor=cursor)


@router.post("")
def send(
    request: Request,
    user: Importer,
    kind: Annotated[SheetKind, Form()],
    file: Annotated[UploadFile | None, File()] = None,
    dry_run: Annotated[bool, Form()] = False,
    partly: Annotated[bool, Form()] = False,
) -> Response:
    """Begins an import; the page of the job shows how it goes on."""
    if file is None or not file.filename:
        return _overview(request, user, refused="file_missing", status=422, kind=kind)
    begun = said(lambda: imports.start(rooms(request), request, user, file, kind, dry_run, partly))
    if begun.answer is None:
        return _overview(request, user, refused=begun.refused, status=begun.status, kind=kind)
    return RedirectResponse(f"/registry/import/{json.loads(bytes(begun.answer.body))['id']}", 303)


@router.get("/{import_id}")
def job(
    request: Request,
    user: Importer,
    import_id: str,
    cursor: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """One import; asked by htmx it is the part of the page that moves."""
    return _job(request, user, import_id, cursor=cursor)


@router.post("/{import_id}/undo")
def undo(request: Request, user: Importer, import_id: str) -> Response:
    """Takes an import back, or says why not."""
    begun = said(lambda: imports.undo(rooms(request), request, user, import_id))
    if begun.refused is not None:
        return _job(request, user, import_id, refused=begun.refused, status=begun.status)
    return RedirectResponse(f"/registry/import/{import_id}", 303)


def _overview(
    request: Request,
    user: User,
    *,
    cursor: str | None = None,
    refused: str | None = None,
    status: int = 200,
    kind: SheetKind = SheetKind.PEOPLE,
) -> Response:
    here = rooms(request)
    page = imports.list_imports(here, user, request, Paging(cursor, _SHOWN))
    return render(
        frame(request),
        "imports.html",
        status=status,
        kinds=list(SheetKind),
        kind=kind,
        columns=COLUMNS,
        jobs=page.items,
        older=page.next_cursor,
        newest=cursor is None,
        names=_names(here, {item.actor for item in page.items}),
        refused=refused,
    )


def _job(
    request: Request,
    user: User,
    import_id: str,
    *,
    cursor: int | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here = rooms(request)
    found = imports.one_import(here, user, request, import_id)
    faults = imports.faults(here, user, request, import_id, cursor, _FAULTS_SHOWN)
    at_work = found.state in _AT_WORK and not found.stalled
    return render(
        frame(request),
        "fragments/import.html" if is_fragment(request) else "import.html",
        status=status,
        job=found,
        at_work=at_work,
        undoable=_undoable(found) and not at_work,
        rows=found.counts.get("rows", {}),
        things=[(name, found.counts[name]) for name in (*ORDER, "face_templates") if name in found.counts],
        undone=found.counts.get("undo"),
        faults=faults.items,
        further=faults.next_cursor,
        name=_names(here, {found.actor}).get(found.actor, found.actor),
        refused=refused,
    )


def _undoable(job: ImportView) -> bool:
    return not job.dry_run and (job.stalled or job.state in {ImportState.APPLIED, ImportState.FAILED})


def _names(here: Rooms, actors: set[str]) -> dict[str, str]:
    with here.database.read() as session:
        rows = session.execute(select(User.id, User.name).where(User.id.in_(actors)))
        return {row.id: row.name for row in rows}
