"""`ringward audit`: whether the log is whole, what it says, and a copy of it."""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ringward.cli.common import console, fail, opened, settings
from ringward.foundation import Foundation
from storage import anchors, audit
from storage.anchors import AnchorState
from storage.audit import AuditEntry, AuditRow, append

app = typer.Typer(help="The audit log.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
_STREAM: Final = 1000
_FIELDS: Final = (
    "seq",
    "at",
    "actor",
    "role",
    "action",
    "purpose",
    "subject",
    "detail",
    "compound",
    "previous_hash",
    "row_hash",
)


@app.command("verify")
def verify(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Walk the chain of hashes and compare its end with the anchor; exit code 1 when either fails.

    When both hold, the end is anchored anew.

    Example: ringward audit verify --json
    """
    with opened(settings(data_dir=data_dir)) as ground:
        found = examine(ground)
        if found["holds"]:
            anchors.write(ground.database, ground.settings.anchor_file, ground.ring, ground.clock.now())
    if as_json:
        console.out(msgspec.json.encode(found).decode())
    else:
        _explain(found)
    if not found["holds"]:
        raise typer.Exit(1)


def examine(ground: Foundation) -> dict[str, Any]:
    """What `verify` finds. `holds` is the sum of it; a missing anchor alone is no fault."""
    with ground.database.read() as session:
        rows = session.scalar(select(func.count()).select_from(AuditRow)) or 0
        broken = audit.verify(session)
        row = _row(session, broken) if broken is not None else None
        unguarded = sorted(audit.unguarded(session))
    anchor = anchors.check(ground.database, ground.settings.anchor_file, ground.ring)
    return {
        "holds": broken is None and anchor in {AnchorState.HOLDS, AnchorState.MISSING} and not unguarded,
        "rows": rows,
        "broken_at": broken,
        "row": row,
        "anchor": anchor.value,
        "unguarded": unguarded,
    }


def _explain(found: dict[str, Any]) -> None:
    if found["broken_at"] is None:
        console.print(f"chain: {found['rows']} rows hold")
    else:
        console.print(f"[red]chain: broken at row {found['broken_at']}[/red]")
        if found["row"]:
            console.print(msgspec.json.encode(found["row"]).decode(), markup=False)
    console.print(
        {
            "holds": "anchor: holds",
            "missing": "anchor: there was none; one is written now if the chain holds",
            "forged": "[red]anchor: not written with this ring of keys[/red]",
            "cut": "[red]anchor: the end of the log was cut off or written anew[/red]",
        }[found["anchor"]]
    )
    if found["unguarded"]:
        console.print(f"[red]guards: missing in the database: {', '.join(found['unguarded'])}[/red]")


@app.command("tail")
def tail(
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, max=10_000, help="How many.")] = 20,
    subject: Annotated[str | None, typer.Option(help="Only about this one, e.g. person:p-17.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Print the newest rows, the last one last.

    Example: ringward audit tail -n 50 --subject person:p-000123
    """
    query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(rows)
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        for row in reversed(session.scalars(query).all()):
            if as_json:
                console.out(msgspec.json.encode(_plain(row)).decode())
                continue
            console.print(
                f"{row.seq}  {row.at:%Y-%m-%d %H:%M:%S}Z  {row.actor} ({row.role})  {row.action}  "
                f"{row.purpose}  {row.subject}  {row.detail}",
                markup=False,
            )


@app.command("export")
def export(
    out: Annotated[Path, typer.Argument(help="A new file; - for standard output.")],
    since: Annotated[dt.datetime | None, typer.Option(help="From this moment on, UTC.")] = None,
    until: Annotated[dt.datetime | None, typer.Option(help="Before this moment, UTC.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write rows as JSON lines, hashes included, so that somebody else can check the chain.

    Example: ringward audit export audit-2026-11.jsonl --since 2026-11-01
    """
    with opened(settings(data_dir=data_dir)) as ground:
        if str(out) == "-":
            count = sum(1 for line in _lines(ground, since, until) if sys.stdout.write(line))
        else:
            try:
                handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except OSError as error:
                raise fail(f"{out}: {error.strerror}") from None
            with os.fdopen(handle, "w") as file:
                count = sum(1 for line in _lines(ground, since, until) if file.write(line))
        with ground.database.write() as session:
            entry = AuditEntry(
                "cli", "administrator", "audit.exported", "audit", "audit:log", f"{count} rows"
            )
            append(session, ground.clock.now(), entry)
    if str(out) != "-":
        console.print(f"{count} rows", markup=False)


def _lines(ground: Foundation, since: dt.datetime | None, until: dt.datetime | None) -> Iterator[str]:
    query = select(*(getattr(AuditRow, name) for name in _FIELDS)).order_by(AuditRow.seq)
    if since is not None:
        query = query.where(AuditRow.at >= since.replace(tzinfo=dt.UTC))
    if until is not None:
        query = query.where(AuditRow.at < until.replace(tzinfo=dt.UTC))
    with ground.database.read() as session:
        for row in session.execute(query.execution_options(yield_per=_STREAM)):
            yield msgspec.json.encode(dict(zip(_FIELDS, row, strict=True))).decode() + "\n"


def _row(session: Session, seq: int) -> dict[str, Any] | None:
    row = session.get(AuditRow, seq)
    return None if row is None else _plain(row)


def _plain(row: AuditRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _FIELDS}
