"""`ringward plan`: how much machine a number of people, devices and cameras needs."""

import math
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markdown import Markdown

from ringward.cli.common import console, fail

PEOPLE_PER_COMPOUND = 5000


def plan(
    people: Annotated[int, typer.Option(min=0, max=100_000_000, help="Of all compounds together.")],
    devices: Annotated[int, typer.Option(min=0, max=10_000_000, help="Doors, barriers, terminals, sensors.")],
    cameras: Annotated[int, typer.Option(min=0, max=10_000_000, help="Beside the devices.")],
    compounds: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Without: one for 5,000 people.")
    ] = None,
    events_per_device_day: Annotated[
        float | None, typer.Option(min=0.1, max=1_000_000, help="Without: that of a made day, 482.")
    ] = None,
    retention_days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="Days that passages are kept; without: 180.")
    ] = None,
    costs: Annotated[
        Path | None,
        typer.Option(help="What `ringward bench … --json` printed on your machine: takes the place of ours."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As tables of a page.")] = False,
) -> None:
    """Processes, cores, memory, disks and lines for so many people and devices, and what gives way first.

    Says which unit costs were measured, which are assumed, and which are carried beyond what was measured.

    Example: ringward plan --people 250000 --devices 1700 --cameras 2300 --compounds 50
    """
    from ringward.planning import CostsError, Demand, built_in, replaced
    from ringward.planning import plan as reckon
    from ringward.planning.showing import as_json as object_of
    from ringward.planning.showing import markdown

    known = built_in()
    if costs is not None:
        try:
            known = replaced(known, costs.read_text(encoding="utf-8"))
        except (CostsError, OSError, UnicodeDecodeError) as error:
            raise fail(f"{costs}: {error}") from None
    wanted = Demand(
        people=people,
        devices=devices,
        cameras=cameras,
        compounds=compounds or max(1, math.ceil(people / PEOPLE_PER_COMPOUND)),
        events_per_device_day=events_per_device_day,
        retention_days=retention_days,
    )
    made = reckon(wanted, known)
    if as_json:
        typer.echo(msgspec.json.encode(object_of(made)).decode())
    elif as_markdown:
        typer.echo(markdown(made), nl=False)
    else:
        console.print(Markdown(markdown(made)))
