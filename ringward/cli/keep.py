"""`ringward keep`: let go what is over, or say what would go."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from privacy import retention
from privacy.retention import Outcome, Planned
from ringward.cli.common import console, fail, opened, settings
from ringward.foundation import Foundation


def keep(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, delete nothing.")] = False,
    compound: Annotated[
        str | None, typer.Option(help="One compound only; all and the deployment's own without.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Delete what the settings say is over; the keeper does the same every night.

    What is held, and what an open incident stands on, stays. Example: ringward keep --dry-run
    """
    with opened(settings(data_dir=data_dir)) as ground:
        at = ground.clock.now()
        compounds = None if compound is None else [compound]
        if dry_run:
            planned = retention.plan(
                ground.database,
                ground.settings.retention,
                at,
                compounds=compounds,
                deployment=compound is None,
            )
            _show_plan(planned, as_json=as_json)
            return
        outcome = _run(ground, compounds, quiet=as_json)
    _show_outcome(outcome, as_json=as_json)
    if outcome.failed:
        names = ", ".join(sorted({name for name, _ in outcome.failed}))
        raise fail(f"not finished, the next run goes on: {names}")


def _run(ground: Foundation, compounds: list[str] | None, *, quiet: bool) -> Outcome:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task("retention", total=None)
        gone = 0

        def seen(name: str, count: int) -> None:
            nonlocal gone
            gone += count
            progress.update(task, description=f"{name}: {gone} gone")

        return retention.run(
            ground.database,
            ground.media,
            ground.vault,
            ground.settings.retention,
            ground.clock.now(),
            compounds=compounds,
            deployment=compounds is None,
            seen=seen,
        )


def _show_plan(planned: list[Planned], *, as_json: bool) -> None:
    if as_json:
        console.out(msgspec.json.encode({"dry_run": True, "classes": planned}).decode())
        return
    table = Table("class", "compound", "older than (UTC)", "would go", "held")
    for one in planned:
        table.add_row(
            one.retention_class,
            one.compound or "-",
            f"{one.cutoff:%Y-%m-%d %H:%M}" if one.cutoff else "-",
            str(one.count),
            str(one.held),
        )
    console.print(table)


def _show_outcome(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        classes = [
            {"retention_class": name, "compound": compound, "count": count}
            for (name, compound), count in sorted(outcome.gone.items(), key=str)
        ]
        failed = [{"retention_class": name, "compound": compound} for name, compound in outcome.failed]
        body = {"dry_run": False, "run": outcome.run, "classes": classes, "failed": failed}
        console.out(msgspec.json.encode(body).decode())
        return
    table = Table("class", "compound", "gone")
    for (name, compound), count in sorted(outcome.gone.items(), key=str):
        table.add_row(name, compound or "-", str(count))
    console.print(table)
    console.print(f"run {outcome.run}: {outcome.total} gone")
