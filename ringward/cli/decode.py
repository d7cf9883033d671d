"""`ringward decode`: what a vendor's message would become, or why it is refused."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from devices.adapters import ADAPTERS, named
from devices.adapters.account import account
from devices.adapters.contract import Incoming
from ringward.cli.common import console, fail


def decode(
    file: Annotated[Path, typer.Argument(help="The message's bytes; - reads standard input.")],
    adapter: Annotated[str, typer.Option(help="Whose format it is; see docs/adapters.md.")],
    topic: Annotated[str, typer.Option(help="MQTT topic, or the path that an HTTP push came to.")] = "",
    content_type: Annotated[
        str | None, typer.Option(help="The HTTP header, for what was pushed by HTTP.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what a message would become: events, fields kept, fields dropped, answers; or why it is refused.

    Ends with 1 where the message is refused.
    Example: ringward decode --adapter facesluice --topic mqtt/face/1006498/Rec message.json
    """
    try:
        found = named(adapter)
    except KeyError:
        raise fail(f"no adapter {adapter}; there are: {', '.join(sorted(ADAPTERS))}") from None
    try:
        body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise fail(f"{file}: {error.strerror}") from None
    told = account(found, Incoming(topic, body, content_type))
    if as_json:
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    else:
        _print(told)
    if told["refused"] is not None:
        raise typer.Exit(1)


def _print(told: dict[str, Any]) -> None:
    if told["refused"] is not None:
        console.print(f"refused: {told['refused']['reason']}  {told['refused']['detail']}", markup=False)
    if told["sender"] is not None:
        console.print(f"sender: {told['sender']}", markup=False)
    for event in told["events"]:
        console.print(f"event: {event['type']}", markup=False)
        for name, value in event.items():
            if name != "type" and value not in (None, [], {}, (), False):
                console.print(f"  {name}: {value}", markup=False)
    for what in ("signs", "results", "answers"):
        for one in told[what]:
            console.print(f"{what.removesuffix('s')}: {one}", markup=False)
    for what in ("kept", "dropped"):
        if told[what]:
            console.print(f"{what}: {', '.join(told[what])}", markup=False)
    for what in ("ignored", "reply"):
        if told[what] is not None:
            console.print(f"{what}: {told[what]}", markup=False)
