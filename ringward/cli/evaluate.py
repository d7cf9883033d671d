"""`ringward eval`: how often recognition is wrong, measured on labelled pictures."""

import datetime as dt
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ringward import logs
from ringward.cli.common import console
from ringward.cli.progress import shown
from ringward.settings import Settings

app = typer.Typer(help="Measure how often recognition is wrong.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("faces")
def faces(
    folder: Annotated[
        Path, typer.Argument(help="Pictures with a labels.csv: file, identity, source, group, kind.")
    ],
    engine: Annotated[str, typer.Option(help="dlib, or a model on the shelf.")] = "dlib",
    shelf: Annotated[
        Path | None, typer.Option(help="Folder of models; default: that of the data folder.")
    ] = None,
    aliases: Annotated[
        Path | None,
        typer.Option(
            help="CSV identity, same_as: who is one person (empty: left out). Adds corrected figures."
        ),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page with plots.")] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(help="Write the calibration; in DATA_DIR/calibration the worker finds it."),
    ] = None,
    corrected: Annotated[
        bool, typer.Option(help="The calibration is made with the labels as --aliases corrects them.")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option(help="Keep embeddings of these pictures here for the next run.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn at random.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Open-set error rates with intervals, whether a calibration keeps its promise, and the calibration.

    Example: ringward eval faces photos/ --report faces.html --calibration data/calibration/dlib.json
    """
    from recognition.calibration.file import save
    from recognition.engines import ModelError, Shelf, UselessEmbeddingError, open_engine
    from recognition.evaluation.embedding import EmbeddingCache, look_at_all
    from recognition.evaluation.faces import evaluate
    from recognition.evaluation.labels import BadLabelsError, read_aliases, read_labels
    from recognition.evaluation.making import TooFewPeopleError, check_enough
    from recognition.evaluation.people import people_of
    from ringward.evalreport.facesjson import faces_report

    # To standard error and only what went wrong: standard output is the result's.
    logs.configure("warning", "console")
    if corrected and aliases is None:
        raise typer.BadParameter("it needs --aliases", param_hint="--corrected")
    try:
        pictures = read_labels(folder)
        corrections = read_aliases(aliases) if aliases else None
        used = open_engine(engine, Shelf(shelf or Settings().data_dir / "models"))
    except (BadLabelsError, ModelError) as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from None
    at = dt.datetime.now(dt.UTC)
    with shown(quiet=as_json) as tell:
        kept = EmbeddingCache(cache, used) if cache else None
        try:
            looked = look_at_all(used, pictures, cache=kept, progress=lambda n: tell("pictures", n))
            compared = {one.picture.source for one in looked if one.vector is not None}
            data = ", ".join(sorted(compared - {""}))
            if calibration is not None:
                check_enough(len(people_of(looked, corrections if corrected else None)))
            found = evaluate(
                used, looked, at=at, seed=seed, data=data, progress=lambda step: tell(step, len(looked))
            )
            better = (
                evaluate(
                    used, looked, at=at, seed=seed, data=f"{data}; labels corrected", aliases=corrections
                )
                if corrections
                else None
            )
        except (TooFewPeopleError, UselessEmbeddingError) as error:
            console.print(f"[red]{error}[/red]")
            raise typer.Exit(2) from None
    settings = {
        "engine": used.name,
        "engine_version": used.version,
        "seed": seed,
        "aliases": len(corrections or {}),
    }
    result = faces_report(found, settings, better)
    if report is not None:
        from ringward.evalreport.page import faces_page

        report.write_text(faces_page(result, found, better), encoding="utf-8")
    if calibration is not None:
        save(calibration, better.calibration if corrected and better else found.calibration)
    if as_json:
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
        return
    for name, value in result.figures.items():
        console.print(f"{name}: {value:g}")
    for name, value in result.ratios.items():
        console.print(f"{name}: {value:g}")
    for name, reason in result.not_measured.items():
        console.print(f"[dim]{name}: not measured ({reason})[/dim]")


@app.command("plates")
def plates(
    folder: Annotated[
        Path,
        typer.Argument(help="Pictures with a labels.csv: file, plate, colour, box_xywh_rot, other_plates."),
    ],
    registry: Annotated[
        int, typer.Option(min=1, max=100_000, help="Registered plates, invented beside the true ones.")
    ] = 2000,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the invented plates.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Whole plates read exactly, by class, colour and source; hits in a register, right and wrong; time.

    Example: ringward eval plates photos/ --registry 2000 --report plates.html
    """
    import cv2

    from recognition.evaluation.labels import BadLabelsError
    from recognition.evaluation.plates import look_at_plates, read_plate_labels
    from recognition.plates import OnnxPlateReader
    from ringward.evalreport.plates import plates_page, plates_report, registers

    # To standard error and only what went wrong: standard output is the result's.
    logs.configure("warning", "console")
    cv2.setNumThreads(1)
    try:
        labels = read_plate_labels(folder)
    except BadLabelsError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from None
    reader = OnnxPlateReader()
    with shown(quiet=as_json) as tell:
        seen = look_at_plates(reader, labels, lambda number: tell("pictures", number))
    found = registers(seen, registry, seed)
    result = plates_report(reader, seen, found, seed)
    if report is not None:
        report.write_text(plates_page(result, seen, found), encoding="utf-8")
    if as_json:
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
        return
    for name, value in result.figures.items():
        console.print(f"{name}: {value:g}")
    for name, value in result.ratios.items():
        console.print(f"{name}: {value:g}")
