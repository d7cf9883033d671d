"""`ringward report`: figures for people who meet, e.g. the householders (户长会)."""

import csv
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from alerts.review.month import figures
from console.api.months import first_of, lines
from console.figures import meeting
from console.figures.paper import on_paper, paper
from console.pages.view import unseen
from console.problems import ProblemError
from registry.days import local_date
from ringward.cli.common import console, fail, opened, settings

app = typer.Typer(help="Figures for people who meet; they name nobody.", no_args_is_help=True)


@app.callback()
def _family() -> None:
    """Keeps `month` a command of its own, however few there are."""


@app.command()
def month(
    which: Annotated[str, typer.Argument(help="As 2026-11; the present one without.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Lines of group, name, figure, value.")] = False,
    pdf: Annotated[Path | None, typer.Option(help="Write the sheets for the meeting to this file.")] = None,
    language: Annotated[str, typer.Option(help="Of the sheets: zh or en.")] = "zh",
    data_dir: Annotated[Path | None, typer.Option(help="Which deployment.")] = None,
) -> None:
    """The month: alarms, answers in time, reviews, measures, duty and patrols; exercises apart.

    Example: ringward report month 2026-11 --pdf november.pdf
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        compound, now = ground.settings.compound, ground.clock.now()
        try:
            first = first_of(which, local_date(session, compound, now))
        except ProblemError as error:
            raise fail(error.problem.title) from None
        found = figures(session, compound, first, now)
        if pdf is not None:
            view = unseen(session, compound, now, language)
            pdf.write_bytes(paper(meeting.document(session, view, compound, found), *on_paper(view)))
            console.print(f"{pdf}: {pdf.stat().st_size} bytes", highlight=False, markup=False)
            return
    if as_json:
        typer.echo(msgspec.json.encode(asdict(found)).decode())
        return
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(["group", "name", "figure", "value"])
        writer.writerows(lines(found))
        return
    for group, name, figure, value in lines(found):
        console.print(f"{group:16} {name:40} {figure:16} {value}", highlight=False, markup=False)
