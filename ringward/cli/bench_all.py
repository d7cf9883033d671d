"""`ringward bench all` and `ringward bench page`: the whole programme, and what came out of it as a page."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ringward.cli.common import console, fail


def everything(
    full: Annotated[
        bool, typer.Option(help="As published figures are measured: an hour and more, on a quiet machine.")
    ] = False,
    page: Annotated[Path | None, typer.Option(help="A Markdown page of it; its plots lie beside.")] = None,
    keep: Annotated[Path, typer.Option(help="Where the results are kept, after each benchmark.")] = Path(
        "bench.json"
    ),
    only: Annotated[str | None, typer.Option(help="Some of them: names with commas between.")] = None,
    models: Annotated[
        Path | None, typer.Option(help="Folder with face models for the ONNX engine; without: dlib's.")
    ] = None,
    go_on: Annotated[
        bool, typer.Option(help="Go on with what a run that was broken off has kept, at the same revision.")
    ] = False,
) -> None:
    """Run all benchmarks, one after the other; without --full in a few minutes, with few samples each.

    Example: ringward bench all --full --page docs/performance.md
    """
    from ringward.bench import suite
    from ringward.bench.page import write
    from ringward.bench.programme import PROGRAMME
    from ringward.bench.report import revision

    wanted = [name.strip() for name in only.split(",")] if only else [one.name for one in PROGRAMME]
    unknown = set(wanted) - {one.name for one in PROGRAMME}
    if unknown:
        raise typer.BadParameter(f"no such benchmark: {', '.join(sorted(unknown))}")

    def tell(outcome: suite.Outcome) -> None:
        said = "measured" if outcome.report is not None else f"[red]failed[/red]: {outcome.failed}"
        console.print(
            f"{outcome.name:<12} {outcome.seconds:7.1f} s  others {outcome.elsewhere_cores:.2f} cores  {said}"
        )

    # Whoever ends this ends the benchmark that is running, too, and what that has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run = suite.run_all(
        [one for one in PROGRAMME if one.name in wanted],
        revision=revision(),
        full=full,
        keep=keep,
        tell=tell,
        go_on=go_on,
        models=models,
    )
    if page is not None:
        write(page, [run], suite.trail_of(keep))
        console.print(f"{page} is written.")
    if any(one.report is None for one in run.outcomes):
        raise typer.Exit(1)


def page(
    results: Annotated[
        list[Path], typer.Argument(help="What `ringward bench all` has kept, of one run each.")
    ],
    out: Annotated[Path, typer.Option(help="Where the page goes; its plots lie beside.")] = Path(
        "docs/performance.md"
    ),
) -> None:
    """Write the page of one run, or of the medians of several.

    Example: ringward bench page monday.json tuesday.json --out docs/performance.md
    """
    from ringward.bench.page import write
    from ringward.bench.suite import Run, read, trail_of

    runs: list[Run] = []
    for path in results:
        try:
            runs.append(read(path))
        except (OSError, msgspec.MsgspecError) as error:
            raise fail(f"{path} holds no results: {error}") from None
    write(out, runs, trail_of(results[-1]))
    console.print(f"{out} is written.")
