"""`ringward device lists` and its steps: who lies on which terminal, and who should."""

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from sqlalchemy.orm import Session

from devices.adapters.contract import UnsupportedError
from devices.directory import DeviceFacts, facts_of
from devices.lists import keeping, report
from devices.lists.models import Carries
from devices.lists.report import ListReport
from ringward.cli.common import console, fail, opened, settings

DataDir = Annotated[Path | None, typer.Option()]
Device = Annotated[str, typer.Argument(help="Device id.")]


def lists(
    device_id: Annotated[
        str | None, typer.Argument(help="One device; without it all that keep a list.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object a terminal, for scripts.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show how far the person lists of terminals are: wanted, confirmed, pending, refused with codes.

    Example: ringward device lists gate1-face --json
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        if device_id is None:
            found = report.of_all(session)
        else:
            _find(session, device_id)
            one = report.of(session, device_id)
            found = [] if one is None else [one]
    if as_json:
        # The program's own output, not a person's page: no markup, no wrapping.
        typer.echo(json.dumps([dataclasses.asdict(one) for one in found], default=_spelt, ensure_ascii=False))
        return
    for one in found:
        _print(one)
    if not found:
        console.print("no list: `ringward device keep-list DEVICE cards` begins one")


def keep_list(
    device_id: Device,
    carries: Annotated[
        Literal["faces", "cards", "nothing"], typer.Argument(help="faces: with cards; nothing empties it.")
    ],
    data_dir: DataDir = None,
) -> None:
    """Decide what lies on a terminal: cards, or faces of those who have agreed and cards.

    Example: ringward device keep-list gate1-face faces
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        device = _find(session, device_id)
        try:
            keeping.decide(
                session, device, Carries(carries), by="cli", role="administrator", at=ground.clock.now()
            )
        except UnsupportedError as error:
            raise fail(f"{error}: this device keeps no list") from None
    console.print(f"{device_id} carries {carries}")


def resync(device_id: Device, data_dir: DataDir = None) -> None:
    """Send everybody to a terminal again: after a reset, an exchange, a restored backup.

    Example: ringward device resync gate1-face
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        device = _find(session, device_id)
        entries = keeping.resync(session, device, by="cli", role="administrator", at=ground.clock.now())
    console.print(f"{device_id}: {entries} entries are sent again")


def _find(session: Session, device_id: str) -> DeviceFacts:
    device = facts_of(session, device_id)
    if device is None:
        raise fail(f"no device {device_id}")
    return device


def _print(one: ListReport) -> None:
    state = f"{one.confirmed} of {one.wanted} confirmed ({one.confirmed_faces} of {one.wanted_faces} faces)"
    more = [f"{one.pending} pending", f"{one.leaving} to be forgotten"]
    if one.lack is not None:
        more.append(one.lack)
    console.print(f"{one.device}  {one.carries}  {state}, {', '.join(more)}")
    for entry in one.refused:
        opens = "opens by card" if entry.confirmed else "not there"
        console.print(f"  {entry.holder}  {entry.code} {entry.text}  tries {entry.tries}  {opens}")


def _spelt(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
