"""How the commands of `ringward bench` tell a result: a list to read, or one JSON object."""

from typing import Annotated

import msgspec
import typer

from ringward.bench.report import Report
from ringward.cli.common import console

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def tell(result: Report, *, as_json: bool) -> None:
    """To standard output, which is the result's alone."""
    if as_json:
        console.out(msgspec.json.encode(result).decode())
        return
    console.print(f"[bold]{result.name}[/bold]  {result.at}  {result.revision}  {result.machine}")
    for title, values in (
        ("figures", result.figures),
        ("ceilings", result.ceilings),
        ("ratios", result.ratios),
    ):
        for key, value in values.items():
            console.print(f"  {title:<9} {key:<44} {value}")
