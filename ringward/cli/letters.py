"""`ringward deadletters`: what was refused, a copy of it, and another try after a fix."""

import base64
import datetime as dt
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import defer

from bus import deadletters
from bus.deadletters import DeadLetter
from ringward.cli.common import console, fail, opened, settings
from ringward.foundation import Foundation
from storage.audit import AuditEntry, append

app = typer.Typer(help="Messages that were refused.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
Device = Annotated[str | None, typer.Option(help="Only of this device.")]
Reason = Annotated[str | None, typer.Option(help="Only with this code, e.g. unknown_type.")]
AdapterName = Annotated[str | None, typer.Option("--adapter", help="Only read as this format.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only these; may be given again.")]
Since = Annotated[dt.datetime | None, typer.Option(help="First seen from this moment on, UTC.")]
Until = Annotated[dt.datetime | None, typer.Option(help="First seen before this moment, UTC.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]

_SHOWN: Final = (
    "id",
    "source",
    "reason",
    "detail",
    "topic",
    "compound",
    "device_id",
    "adapter",
    "received_at",
    "last_seen",
    "count",
    "size",
    "context",
    "replay_asked_at",
    "replayed_at",
    "outcome",
    "became",
)


@app.command("list")
def list_letters(
    device: Device = None,
    reason: Reason = None,
    adapter: AdapterName = None,
    since: Since = None,
    until: Until = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, max=10_000, help="How many.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List refused messages, the newest first; never their bytes.

    Example: ringward deadletters list --reason unknown_type --adapter facesluice
    """
    which = deadletters.matching(device, reason, adapter, (), _utc(since), _utc(until))
    query = select(DeadLetter).options(defer(DeadLetter.raw)).where(*which)
    newest = query.order_by(DeadLetter.received_at.desc(), DeadLetter.id.desc()).limit(rows)
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        for row in session.scalars(newest):
            if as_json:
                console.out(msgspec.json.encode(_plain(row)).decode())
                continue
            came_of_it = f" → {row.outcome}" if row.outcome else ""
            console.print(
                f"{row.id}  {row.received_at:%Y-%m-%d %H:%M:%S}Z  {row.reason}{came_of_it}  ×{row.count}  "
                f"{row.device_id or '-'}  {row.adapter or '-'}  {row.topic}  {row.detail}",
                markup=False,
            )


@app.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="A new file; - for standard output.")],
    device: Device = None,
    reason: Reason = None,
    adapter: AdapterName = None,
    ids: Ids = None,
    since: Since = None,
    until: Until = None,
    data_dir: DataDir = None,
) -> None:
    """Write refused messages as JSON lines with their bytes in base64; that is audited.

    The bytes may hold faces: mode 0600, and for whoever mends the adapter only.

    Example: ringward deadletters export broken.ndjson --reason unknown_type --device gate1-cam
    """
    which = deadletters.matching(device, reason, adapter, ids or (), _utc(since), _utc(until))
    with opened(settings(data_dir=data_dir)) as ground:
        if str(out) == "-":
            count = sum(1 for line in _lines(ground, which) if sys.stdout.write(line))
        else:
            try:
                handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except OSError as error:
                raise fail(f"{out}: {error.strerror}") from None
            with os.fdopen(handle, "w") as file:
                count = sum(1 for line in _lines(ground, which) if file.write(line))
        _audit(ground, "dead_letter.exported", f"{count} letters")
    if str(out) != "-":
        console.print(f"{count} letters", markup=False)


@app.command("replay")
def replay(
    device: Device = None,
    reason: Reason = None,
    adapter: AdapterName = None,
    ids: Ids = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Have refused messages read again, as history: they raise no alert.

    Ingest does it within seconds, wherever it runs; `list` shows what became of each.

    Example: ringward deadletters replay --adapter facesluice --reason unknown_type
    """
    which = deadletters.matching(device, reason, adapter, ids or (), _utc(since), _utc(until))
    if not which:
        raise fail("say which: --device, --reason, --adapter, --id, --since or --until")
    with opened(settings(data_dir=data_dir)) as ground:
        with ground.database.write() as session:
            asked = deadletters.ask_replay(session, which, "cli", ground.clock.now())
        _audit(ground, "dead_letter.replayed", f"{asked} letters")
    if as_json:
        console.out(msgspec.json.encode({"asked": asked}).decode())
    else:
        console.print(f"{asked} letters will be read again")


def _lines(ground: Foundation, which: Sequence[ColumnElement[bool]]) -> Iterator[str]:
    query = select(DeadLetter).where(*which).order_by(DeadLetter.received_at, DeadLetter.id)
    with ground.database.read() as session:
        for row in session.scalars(query.execution_options(yield_per=50)):
            raw = None if row.raw is None else base64.b64encode(row.raw).decode()
            yield msgspec.json.encode(_plain(row) | {"raw_base64": raw}).decode() + "\n"


def _audit(ground: Foundation, action: str, detail: str) -> None:
    with ground.database.write() as session:
        entry = AuditEntry("cli", "administrator", action, "registry_maintenance", "dead_letter:many", detail)
        append(session, ground.clock.now(), entry)


def _plain(row: DeadLetter) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _SHOWN}


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    return None if moment is None else moment.replace(tzinfo=dt.UTC)
