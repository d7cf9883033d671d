"""`ringward models`: the face engines of this deployment, and what lies on their shelf."""

import dataclasses
import hashlib
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from sqlalchemy import select

from recognition.engines import (
    DlibEngine,
    Given,
    ModelError,
    Shelf,
    UselessEmbeddingError,
    engine_version,
    open_engine,
)
from recognition.engines import manifest as manifests
from recognition.engines.errors import NotOnShelfError, UnconfirmedFileError
from recognition.engines.manifest import Manifest
from recognition.modelfiles import ModelFileMissingError
from recognition.models import EmbeddingRun
from recognition.reembedding import refused_photos
from registry.models import Compound
from ringward.cli.common import console, fail, opened, settings
from ringward.foundation import Foundation

app = typer.Typer(help="Face models: bring one, see them, check them.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option()]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON array, for scripts.")]

_ROUNDS = 5
_FRAME = (720, 1280, 3)
_ALIGNED = (112, 112, 3)


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine as it lies there; ``problem`` is None where its files are the ones that were added."""

    name: str
    in_use: bool
    version: str | None
    dimension: int | None
    licence: str | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """How many of a compound's enrolled photos have been embedded with one engine version."""

    compound: str
    state: str
    embedded: int
    refused: int
    total: int


@dataclass(frozen=True, slots=True)
class Checked:
    """One engine tried: milliseconds to look through a 1280×720 picture and for one face, medians."""

    name: str
    version: str | None
    dimension: int | None
    detect_ms: float | None
    face_ms: float | None
    problem: str | None
    runs: list[Run] = dataclasses.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Retake:
    """A photo that gave no template when a gallery was embedded anew; ``reason`` as at enrolment."""

    compound: str
    person: str
    reason: str


@app.command("add")
def add(
    file: Annotated[
        Path, typer.Argument(help="An ONNX file that takes 112×112 faces in ArcFace's position.")
    ],
    manifest: Annotated[
        str | None, typer.Option(help="A manifest that is shipped, by name, or a TOML file of your own.")
    ] = None,
    detector: Annotated[
        Path | None, typer.Option(help="A YuNet ONNX file; without it that of a model on the shelf.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Another name than the manifest's.")] = None,
    sha256: Annotated[str, typer.Option(help="SHA-256 that FILE must have, as its publisher says.")] = "",
    detector_sha256: Annotated[str, typer.Option(help="The same of the detector.")] = "",
    trust_this_file: Annotated[
        bool, typer.Option("--trust-this-file", help="You answer for files whose SHA-256 nobody publishes.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Check a face model and put it on the shelf. It decides nothing until `face_engine` names it.

    Example: ringward models add mine.onnx --manifest mine.toml --detector face_detection_yunet_2023mar.onnx
    """
    shelf = _shelf(data_dir)
    try:
        wanted = _manifest(manifest, file)
        if name is not None:
            wanted = manifests.renamed(wanted, name)
        finder = shelf.detector() if detector is None else None
        if detector is not None:
            finder = Given(detector, detector_sha256.lower(), trust_this_file)
        if finder is None:
            raise fail("the shelf has no detector yet: give one with --detector")
        added = shelf.add(wanted, Given(file, sha256.lower(), trust_this_file), finder)
    except UnconfirmedFileError as error:
        raise fail(
            f"{error}. If it is what its publisher says, give it with --sha256 (or --detector-sha256); "
            "if you answer for it, --trust-this-file"
        ) from None
    except ModelError as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"the shelf cannot be written: {error.strerror}") from None
    console.print(
        f"{added.name}: version {shelf.version(added.name)}, {added.embedder.dimension} numbers a face"
    )
    console.print(f"licence: {added.licence}. {added.note}".rstrip())
    console.print(f"RINGWARD_FACE_ENGINE={added.name} chooses it; measure it first: ringward eval faces")


@app.command("list")
def list_models(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the face engines, their licences, whether their files are whole, and which one is in use.

    Example: ringward models list --json
    """
    loaded = settings(data_dir=data_dir)
    shelf = Shelf(loaded.data_dir / "models")
    names = dict.fromkeys([DlibEngine.name, *shelf.names(), loaded.face_engine])
    entries = [_entry(name, shelf, in_use=name == loaded.face_engine) for name in names]
    if as_json:
        _json(entries)
        return
    for entry in entries:
        state = "in use" if entry.in_use else "at hand"
        what = entry.problem or f"version {entry.version}, {entry.dimension} numbers, {entry.licence}"
        console.print(f"{entry.name}  {state}  {what}")


@app.command("check")
def check(
    name: Annotated[str | None, typer.Argument(help="One engine; all of them without.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Open face engines, let them look at a picture, and show how far galleries are with them.

    Example: ringward models check sface
    """
    loaded = settings(data_dir=data_dir)
    shelf = Shelf(loaded.data_dir / "models")
    names = [name] if name is not None else [DlibEngine.name, *shelf.names()]
    with opened(loaded) as ground:
        found = [_checked(one, shelf, ground) for one in names]
    if as_json:
        _json(found)
    for one in [] if as_json else found:
        speed = f"{one.detect_ms} ms a picture, {one.face_ms} ms a face"
        console.print(
            f"{one.name}  {one.problem or f'version {one.version}, {one.dimension} numbers, {speed}'}"
        )
        for run in one.runs:
            photos = f"{run.embedded} of {run.total} photos embedded, {run.refused} refused"
            console.print(f"  {run.compound}  {run.state}  {photos}")
    if any(one.problem for one in found):
        raise typer.Exit(1)


@app.command("retake")
def retake(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List people whose enrolled photos the engine could make nothing of: they need new ones.

    Example: ringward models retake --json
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        found = [
            Retake(compound, photo.person_id, photo.reason)
            for compound in session.scalars(select(Compound.id).order_by(Compound.id))
            for photo in refused_photos(session, compound)
        ]
    if as_json:
        _json(found)
        return
    for one in found:
        console.print(f"{one.compound}  {one.person}  {one.reason}")


def _shelf(data_dir: Path | None) -> Shelf:
    return Shelf(settings(data_dir=data_dir).data_dir / "models")


def _manifest(wanted: str | None, file: Path) -> Manifest:
    """The manifest that was named, or the shipped one whose file this is."""
    shipped = manifests.shipped()
    if wanted in shipped:
        return shipped[wanted]
    if wanted is not None and (wanted.endswith(".toml") or Path(wanted).is_file()):
        return manifests.read(Path(wanted))
    known = ", ".join(shipped)
    if wanted is not None:
        raise fail(f"no manifest {wanted}: those shipped are {known}; your own is a TOML file")
    try:
        with file.open("rb") as content:
            measured = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise NotOnShelfError(file.name, error.strerror or "the file") from error
    for manifest in shipped.values():
        if manifest.embedder.sha256 == measured:
            return manifest
    raise fail(
        f"{file.name} is no model that is known here: say what it is with --manifest ({known}, or a file)"
    )


def _entry(name: str, shelf: Shelf, *, in_use: bool) -> Entry:
    try:
        if name == DlibEngine.name:
            return Entry(name, in_use, engine_version(name, shelf), DlibEngine.dimension, "CC0-1.0", None)
        manifest = shelf.manifest(name)
    except (ModelError, ModelFileMissingError) as error:
        return Entry(name, in_use, None, None, None, str(error))
    try:
        shelf.verify(name)
        problem = None
    except ModelError as error:
        problem = str(error)
    dimension = manifest.embedder.dimension
    return Entry(name, in_use, shelf.version(name), dimension, manifest.licence, problem)


def _checked(name: str, shelf: Shelf, ground: Foundation) -> Checked:
    grey = np.full(_FRAME, 120, np.uint8)
    face = np.random.default_rng(0).integers(0, 256, _ALIGNED, np.uint8)
    try:
        engine = open_engine(name, shelf)
        shape = engine.embed_aligned(face).shape
    except (ModelError, ModelFileMissingError, UselessEmbeddingError) as error:
        return Checked(name, None, None, None, None, str(error))
    if shape != (engine.dimension,):
        return Checked(name, engine.version, None, None, None, f"it gives vectors of shape {shape}")
    detect_ms, face_ms = (
        _median_ms(lambda: engine.detect(grey)),
        _median_ms(lambda: engine.embed_aligned(face)),
    )
    runs = _runs(ground, name, engine.version)
    return Checked(name, engine.version, engine.dimension, detect_ms, face_ms, None, runs)


def _runs(ground: Foundation, engine: str, version: str) -> list[Run]:
    query = (
        select(EmbeddingRun)
        .where(EmbeddingRun.engine == engine, EmbeddingRun.engine_version == version)
        .order_by(EmbeddingRun.compound)
    )
    with ground.database.read() as session:
        return [
            Run(run.compound, str(run.state), run.done, run.refused, run.total)
            for run in session.scalars(query)
        ]


def _median_ms(step: Callable[[], object]) -> float:
    step()
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 1)


def _json(entries: list[Entry] | list[Checked] | list[Retake]) -> None:
    # The program's own output, not a person's page: no markup, no wrapping.
    typer.echo(json.dumps([dataclasses.asdict(entry) for entry in entries], ensure_ascii=False))
