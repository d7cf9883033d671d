"""`ringward shards`: which ingests share a deployment, and what falls between them."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from ingest import shares
from ingest.mqtt.session import forget_session
from ingest.share import Gaps
from ingest.shares import IngestShare
from ringward.checkup import Finding
from ringward.cli.common import console, fail, settings
from ringward.foundation import mqtt_login
from storage import Database, SystemClock

app = typer.Typer(help="Ingests that share a deployment by compounds.", no_args_is_help=True)

Folder = Annotated[Path | None, typer.Option(help="Which deployment.")]


@app.command("check")
def check(
    data_dir: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say which ingests listen and what nobody listens to; exit code 1 where there is anything.

    Example: ringward shards check
    """
    database = Database(settings(data_dir=data_dir).database)
    try:
        now = SystemClock().now()
        with database.read() as session:
            listening, found = shares.heard(session, now), shares.between(session, now)
    finally:
        database.close()
    if as_json:
        body = {
            "ingests": [
                {"client_id": one.client_id, "compounds": one.compounds, "vendor_topics": one.vendor_topics}
                for one in listening
            ],
            "unheard_compounds": found.compounds,
            "unheard_vendor_topics": found.vendor_topics,
            "heard_twice": found.doubled,
        }
        console.out(msgspec.json.encode(body).decode())
    else:
        _show(listening, found)
    if not found.is_closed:
        raise typer.Exit(1)


@app.command("forget")
def forget(
    client_id: Annotated[str, typer.Argument(help="The session's name, as `shards check` gave it.")],
    data_dir: Folder = None,
) -> None:
    """Take an ingest's session away from the broker, with all that is held for it.

    For a share that is no more: a session that is kept is filled for ever. Not one in which an ingest
    listens.

    Example: ringward shards forget ringward-ingest
    """
    loaded = settings(data_dir=data_dir)
    database = Database(loaded.database)
    try:
        with database.read() as session:
            in_use = client_id in {one.client_id for one in shares.heard(session, SystemClock().now())}
    finally:
        database.close()
    if in_use:
        raise fail(f"an ingest listened as {client_id} within the last two minutes: stop it first")
    try:
        forget_session(replace(mqtt_login(loaded), client_id=client_id))
    except (OSError, TimeoutError, PermissionError) as error:
        raise fail(f"the broker did not forget {client_id}: {error}") from None
    console.print(f"The broker holds nothing for {client_id} any more.")


def findings(database: Database, now: dt.datetime) -> Iterator[Finding]:
    """What the doctor says of it; nothing where no ingest listens, which it says elsewhere."""
    with database.read() as session:
        listening, found = shares.heard(session, now), shares.between(session, now)
    if not listening:
        return
    seen = f"{len(listening)} at work"
    if found.compounds:
        seen += f"; nobody listens to {', '.join(found.compounds)}"
    if found.vendor_topics:
        seen += f"; nobody listens to vendors' topics {', '.join(found.vendor_topics)}"
    advice = "Set ingest_compounds and ingest_vendor_topics so that each has an ingest: docs/shards.md."
    yield Finding("ingests", found.is_closed, seen, "" if found.is_closed else advice)


def _show(listening: Sequence[IngestShare], found: Gaps) -> None:
    table = Table("session", "compounds", "vendors' topics")
    for one in listening:
        table.add_row(
            one.client_id,
            "all" if one.compounds is None else ", ".join(one.compounds),
            "all" if one.vendor_topics is None else ", ".join(one.vendor_topics) or "none",
        )
    console.print(table)
    for name in (*found.compounds, *found.vendor_topics):
        console.print(f"[red]Nobody listens to[/red] {name}")
    for name in found.doubled:
        console.print(f"[yellow]Several listen to[/yellow] {name}")
