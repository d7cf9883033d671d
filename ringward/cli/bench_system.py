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


def fairness(
    seconds: Annotated[int, typer.Option(min=2, max=600, help="Of each nuisance.")] = 15,
    mad_rate: Annotated[
        float, typer.Option(min=50, max=5000, help="Events a second of the nuisance.")
    ] = 1000,
    as_json: AsJson = False,
) -> None:
    """What neighbours feel of one mad camera, one mad compound, one stuck recognition process.

    Example: ringward bench fairness --json
    """
    from ringward.bench.fairness import run

    logs.configure("error", "console")
    tell(run(seconds=seconds, mad_rate=mad_rate), as_json=as_json)


def soak(
    hours: Annotated[
        float, typer.Option(min=0.001, max=10_000, help="How long; SIGTERM ends it before.")
    ] = 8,
    trail: Annotated[Path, typer.Option(help="A line of JSON for each minute.")] = Path("soak.jsonl"),
    every: Annotated[float, typer.Option(min=1, max=3600, help="Seconds between two lines.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Hours of steady traffic; memory, file handles and threads of each process, and whether they grow.

    Example: ringward bench soak --hours 72 --trail soak.jsonl --json
    """
    from ringward.bench.soak import run

    logs.configure("error", "console")
    tell(run(hours=hours, trail=trail, every_s=every), as_json=as_json)


def stores(
    events: Annotated[int, typer.Option(min=100, max=500_000, help="Of each kind, a round.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Medians are taken over the rounds.")] = 3,
    database_url: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database to measure beside SQLite.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Event log and relay beside raw SQLite and PostgreSQL inserts, raw JetStream and raw paho.

    Example: ringward bench stores --json
    """
    from ringward.bench.stores import run

    logs.configure("error", "console")
    tell(run(events=events, rounds=rounds, database_url=database_url), as_json=as_json)
