"""`ringward import`: sheets and photos of a property office into the registry, and back out of it."""

import locale
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import select
from typer.core import TyperGroup

from console.texts import Texts, load, locale_of
from console.texts.faults import fault_text
from privacy.holds import held
from registry.errors import MissingError, RefusedError
from registry.imports import jobs, photos
from registry.imports.columns import SheetKind
from registry.imports.faults import FileRefusedError
from registry.imports.jobs import Order
from registry.imports.models import ImportJob, ImportState
from registry.imports.pulse import Progress as Told
from registry.imports.sheets import FILE_MAX
from registry.models import Compound
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.importing import tell
from ringward.foundation import Foundation

_SHOWN = 50


class _FileFirst(TyperGroup):
    """`ringward import FILE` beside `ringward import undo JOB`: what is no command is a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["file", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_FileFirst,
    no_args_is_help=True,
    help="""Bring sheets and photos into the registry.

    ringward import FILE --kind people [--dry-run] [--partly]: a CSV or Excel file. Exit code 0: all of it
    is in (or would be), 1: none of it, 3: some rows were refused.
    """,
)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
In = Annotated[str | None, typer.Option("--compound", help="Which compound; the first one by itself.")]
Language = Annotated[
    str | None, typer.Option("--lang", help="zh-CN or en; by itself the terminal's language.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("file", hidden=True)
def file(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, .xlsx or .xls, at most 64 MB.")],
    kind: Annotated[SheetKind, typer.Option(help="What its rows are about.")],
    compound: In = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    partly: Annotated[
        bool, typer.Option("--partly", help="Good rows go in although others are refused.")
    ] = False,
    lang: Language = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Import a sheet.

    Example: ringward import residents.xlsx --kind people --dry-run
    """
    texts = _texts(lang)
    content = _content(path, texts)
    with opened(settings(data_dir=data_dir)) as ground:
        order = _order(ground, compound, kind, dry_run=dry_run, partly=partly)
        job = _begin(ground, order, content, texts)
        with _watched(texts, quiet=as_json) as told:
            jobs.run(ground.database, job, order, content, ground.clock, told)
        tell(ground, job, texts, as_json=as_json)


@app.command("photos")
def import_photos(
    path: Annotated[
        Path, typer.Argument(metavar="ZIP", help="Files called after people's numbers: P000123.jpg.")
    ],
    compound: In = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look for people and consents only.")] = False,
    lang: Language = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Enrol the photos in a ZIP, each only for somebody who has agreed.

    Example: ringward import photos photos.zip
    """
    texts = _texts(lang)
    with opened(settings(data_dir=data_dir)) as ground, _archive(path) as archive:
        order = _order(ground, compound, photos.KIND, dry_run=dry_run, partly=True)
        # What is hashed is the first part: the whole of it may be larger than memory.
        job = _begin(ground, order, archive.read(FILE_MAX), texts)
        archive.seek(0)
        with _watched(texts, quiet=as_json) as told:
            photos.run(ground.database, job, order, archive, ground.clock, _enroller(ground), told)
        names = _names(archive)
        tell(ground, job, texts, as_json=as_json, names=names)


@app.command("undo")
def undo(
    job: Annotated[str, typer.Argument(help="The import's id, as it was printed.")],
    compound: In = None,
    lang: Language = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Take an import back; what was edited since or is in use stays, and is listed.

    Example: ringward import undo 019aa1b2c3d47e5f8a9b0c1d2e3f4a5b
    """
    texts = _texts(lang)
    with opened(settings(data_dir=data_dir)) as ground:
        order = _order(ground, compound, "undo")
        at = ground.clock.now()
        try:
            jobs.begin_undo(ground.database, job, order, ground.clock)
            with _watched(texts, quiet=as_json) as told:
                undone = jobs.undo(
                    ground.database,
                    job,
                    order,
                    ground.clock,
                    protected=lambda session, person: held(session, "person", person, at) is not None,
                    progress=told,
                )
        except MissingError:
            raise fail(f"no import {job}") from None
        except RefusedError as error:
            raise fail(texts.code("refused", error.code)) from None
        for media_id in undone.pictures:
            ground.media.delete(media_id)
        tell(ground, job, texts, as_json=as_json)


@app.command("list")
def list_imports(compound: In = None, lang: Language = None, data_dir: DataDir = None) -> None:
    """List imports, the latest first.

    Example: ringward import list
    """
    texts = _texts(lang)
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        query = (
            select(ImportJob)
            .where(ImportJob.compound == (compound or ground.settings.compound))
            .order_by(ImportJob.started_at.desc())
            .limit(_SHOWN)
        )
        for row in session.scalars(query):
            console.print(
                f"{row.id}  {row.started_at:%Y-%m-%d %H:%M}  {texts.code('sheet', row.kind)}  "
                f"{texts.code('import_state', row.state)}  {row.actor}",
                markup=False,
            )


def _texts(lang: str | None) -> Texts:
    wanted = lang or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return load(locale_of(wanted or locale.getlocale()[0]) or "en")


def _content(path: Path, texts: Texts) -> bytes:
    try:
        if path.stat().st_size > FILE_MAX:
            raise fail(f"{path}: {fault_text(texts, 'file_too_large', {'maximum_mb': FILE_MAX >> 20})}")
        return path.read_bytes()
    except OSError as error:
        raise fail(f"{path}: {error.strerror}") from None


@contextmanager
def _archive(path: Path) -> Iterator[BinaryIO]:
    try:
        archive = path.open("rb")
    except OSError as error:
        raise fail(f"{path}: {error.strerror}") from None
    with archive:
        yield archive


def _order(ground: Foundation, compound: str | None, kind: str, **asked: bool) -> Order:
    chosen = compound or ground.settings.compound
    with ground.database.read() as session:
        if session.get(Compound, chosen) is None:
            raise fail(f"no compound {chosen}")
    return Order(chosen, str(kind), "cli", "administrator", **asked)


def _begin(ground: Foundation, order: Order, content: bytes, texts: Texts) -> str:
    try:
        return jobs.begin(ground.database, order, content, ground.clock.now())
    except RefusedError as error:
        raise fail(texts.code("refused", error.code)) from None


@contextmanager
def _watched(texts: Texts, *, quiet: bool) -> Iterator[Told]:
    """A bar on the terminal, to standard error; nothing where nobody looks."""
    errors = Console(stderr=True)
    if quiet or not errors.is_terminal:
        yield lambda _state, _done, _total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors) as bar:
        task = bar.add_task(texts.code("import_state", ImportState.CHECKING), total=None)

        def told(state: ImportState, done: int, total: int) -> None:
            bar.update(
                task, description=texts.code("import_state", state), completed=done, total=total or None
            )

        yield told


def _names(archive: BinaryIO) -> dict[int, str]:
    """Which file a number stands for; said here and kept nowhere, since it may name a person."""
    archive.seek(0)
    try:
        return dict(photos.members_of(archive))
    except FileRefusedError:
        return {}


def _enroller(ground: Foundation) -> photos.PhotoEnroller:
    from recognition import enrolment
    from recognition.engines import ModelError
    from ringward.faces import open_faces

    try:
        faces = open_faces(ground)
    except ModelError as error:
        raise fail(str(error)) from None

    def enrol(person_id: str, photo: bytes) -> str:
        try:
            return faces.enrol(ground, person_id, photo).id
        except enrolment.PhotoRefusedError as refused:
            raise photos.PhotoFaultError(refused.code) from refused
        except enrolment.PersonNotFoundError as missing:
            raise photos.PhotoFaultError("unknown_person") from missing

    return enrol
