"""`ringward keys`: the ring that seals, and what each of its keys still seals."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ingest.push.spool import sealed_by
from ringward import schema
from ringward.cli import progress
from ringward.cli.common import console, fail, opened, settings
from ringward.foundation import Foundation
from storage import keys, rotation
from storage.audit import AuditEntry, append
from storage.rotation import KeyUse

app = typer.Typer(help="The keys that names, templates and pictures are sealed with.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("rotate")
def rotate(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Add a key and seal everything with it; Ringward may go on running meanwhile.

    Whatever interrupts it, `ringward keys reseal` does the rest.

    Example: ringward keys rotate
    """
    with opened(settings(data_dir=data_dir)) as ground:
        number = ground.ring.rotate()
        _note(ground, "keys.rotated", f"key:{number}", "")
        # Until then another process may still seal with the former key.
        time.sleep(keys.STALE_S)
        _reseal(ground, as_json=as_json)


@app.command("reseal")
def reseal(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Seal with the newest key what an older one still seals.

    Example: ringward keys reseal
    """
    with opened(settings(data_dir=data_dir)) as ground:
        _reseal(ground, as_json=as_json)


@app.command("status")
def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Say what each key still seals. Looks at every row and every picture.

    Example: ringward keys status --json
    """
    with opened(settings(data_dir=data_dir)) as ground:
        _print(_usage(ground), as_json=as_json)


@app.command("retire")
def retire(
    number: Annotated[int, typer.Argument(help="The key's number, as `status` says it.")],
    archives_go_with_it: Annotated[
        bool,
        typer.Option(
            "--archives-go-with-it",
            help="Archives from before the last rotation cannot be read without this key: say so.",
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Destroy a key that nothing needs any more. The oldest stays: look-ups are made with it.

    Example: ringward keys retire 2 --archives-go-with-it
    """
    with opened(settings(data_dir=data_dir)) as ground:
        if not archives_go_with_it:
            raise fail(
                "older backup archives need this key; make a new backup, then give --archives-go-with-it"
            )
        found = next((use for use in _usage(ground) if use.number == number), None)
        if found is not None and found.places:
            listed = ", ".join(f"{count} {place}" for place, count in found.places.items())
            raise fail(f"key {number} still seals {listed}: ringward keys reseal")
        pushed = sealed_by(ground.settings.spool_dir)[number]
        if pushed:
            raise fail(
                f"key {number} still seals {pushed} pushed messages: they wait in "
                f"{ground.settings.spool_dir} until they are stored, or lie in aside/ there"
            )
        try:
            ground.ring.retire(number)
        except keys.KeyInUseError as error:
            raise fail(str(error)) from None
        _note(ground, "keys.retired", f"key:{number}", "")
    console.print(f"key {number} is gone")


def _reseal(ground: Foundation, *, as_json: bool) -> None:
    with progress.shown(quiet=as_json) as report:
        done = rotation.reseal(ground.database, ground.vault, ground.media, schema.metadata, progress=report)
    _note(ground, "keys.resealed", f"key:{ground.ring.newest}", f"{sum(done.values())} things")
    _print(_usage(ground), as_json=as_json)


def _usage(ground: Foundation) -> list[KeyUse]:
    return rotation.usage(ground.database, ground.vault, ground.media, schema.metadata)


def _note(ground: Foundation, action: str, subject: str, detail: str) -> None:
    with ground.database.write() as session:
        entry = AuditEntry("cli", "administrator", action, "operation", subject, detail)
        append(session, ground.clock.now(), entry)


def _print(found: list[KeyUse], *, as_json: bool) -> None:
    if as_json:
        console.out(msgspec.json.encode({"keys": found}).decode())
        return
    for use in found:
        marks = [word for word, is_so in (("seals", use.seals), ("finds", use.finds)) if is_so]
        total = sum(use.places.values())
        listed = ", ".join(f"{count} {place}" for place, count in use.places.items())
        console.print(
            f"key {use.number}  {' '.join(marks) or '-':<12} {total:>9} things  {listed}", markup=False
        )
