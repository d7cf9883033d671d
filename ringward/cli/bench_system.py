"""Benchmarks of a whole deployment: end to end, growth, fairness, a long time."""

from pathlib import Path
from typing import Annotated

import typer

from ringward import logs
from ringward.cli.bench_report import AsJson, tell
from ringward.cli.common import fail

Models = Annotated[
    Path | None,
    typer.Option(help="Folder with an embedder that a shipped manifest knows, and a YuNet; without: dlib."),
]


def e2e(
    seconds: Annotated[int, typer.Option(min=2, max=3600, help="How long.")] = 60,
    rate: Annotated[float, typer.Option(min=0.1, max=50, help="Pictures a second.")] = 2.0,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Face at a gate → decision → the command is at the door, in a whole Ringward, and the memory of it.

    Example: ringward bench e2e --models ~/models --json
    """
    from recognition.engines import ModelError
    from ringward.bench.e2e import run
    from ringward.bench.loanmodels import NoModelError

    logs.configure("error", "console")
    try:
        result = run(seconds=seconds, rate=rate, models=models)
    except (ModelError, NoModelError) as error:
        raise fail(str(error)) from None
    tell(result, as_json=as_json)


def scale(
    full: Annotated[
        bool, typer.Option(help="Every step, up to 100 compounds and nearly 50,000 people.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="Of traffic at each step.")] = 10,
    axes: Annotated[
        str, typer.Option(help="Names with commas between.")
    ] = "devices,compounds,people,workers",
    pictures: Annotated[int, typer.Option(min=4, max=5000, help="For each number of workers.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Processor time of all processes for an event, while devices, compounds, people, workers grow.

    Example: ringward bench scale --full --seconds 30 --json
    """
    from ringward.bench.scale import AXES, run

    wanted = [one.strip() for one in axes.split(",")]
    if not set(wanted) <= set(AXES):
        raise typer.BadParameter(f"any of: {', '.join(AXES)}")
    logs.configure("error", "console")
    tell(run(seconds=seconds, full=full, axes=wanted, pictures=pictures), as_json=as_json)
