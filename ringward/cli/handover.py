"""`ringward handover`: 交接班 from the command line."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from alerts.handover import writing
from alerts.handover.models import Handover
from alerts.handover.rules import Side
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules import by_cli

app = typer.Typer(help="Hand-overs of the control room: shown and made.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command()
def make(data_dir: DataDir = None) -> None:
    """Freeze how things stand now, since the last one; two operators sign it in the console.

    Example: ringward handover make
    """
    with opened(settings(data_dir=data_dir)) as ground:
        now = ground.clock.now()
        with ground.database.write() as session:
            row = writing.make(session, ground.settings.compound, by_cli(), now)
        if row is None:
            raise fail("one was made at this very moment")
        console.print(f"{row.id}: {row.since:%Y-%m-%d %H:%M} – {row.until:%Y-%m-%d %H:%M} UTC")


@app.command()
def show(
    handover_id: Annotated[str | None, typer.Argument(help="The latest where none is named.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show a hand-over: what was frozen, who signed, and whether it stands as it was signed.

    Example: ringward handover show --json
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        compound = ground.settings.compound
        row = session.get(Handover, handover_id) if handover_id else None
        if handover_id is None:
            row = next(iter(writing.listed(session, compound, 1)), None)
        if row is None or row.compound != compound:
            raise fail("there is no such hand-over")
        found = writing.whole(session, row)
        if as_json:
            typer.echo(
                msgspec.json.encode(
                    {
                        "id": row.id,
                        "facts": row.facts,
                        "stands": found.stands,
                        "digest": found.to_sign,
                        "signatures": {
                            side: {"user": one.user, "at": one.at} for side, one in found.signatures.items()
                        },
                    }
                ).decode()
            )
            return
        console.print(f"{row.id}: {row.since:%Y-%m-%d %H:%M} – {row.until:%Y-%m-%d %H:%M} UTC")
        facts = row.facts
        console.print(f"open incidents {facts['open']['number']}, alerts {facts['alerts']['totals']}")
        for name in ("mutes", "silences", "devices", "doors", "patrols", "roster_gaps", "dead_channels"):
            console.print(f"{name} {len(facts[name])}")
        for side in Side:
            one = found.signatures.get(side)
            console.print(f"{side}: {f'signed {one.at:%H:%M} UTC' if one else 'not signed'}")
        console.print("stands as it was made" if found.stands else "[bold red]changed since[/]")
        if not found.stands:
            raise typer.Exit(1)
