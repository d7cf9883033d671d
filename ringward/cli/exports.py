"""`ringward export`: what the registry holds, as files; every one is in the audit log."""

import os
from pathlib import Path
from typing import Annotated

import typer

from registry.errors import MissingError
from registry.exports import Form, gather, write
from ringward.cli.common import console, fail, opened, settings
from storage.audit import AuditEntry, append

app = typer.Typer(help="Write what the registry holds into files.", no_args_is_help=True)


@app.callback()
def _exports() -> None:
    """Write what the registry holds into files."""


@app.command("registry")
def registry(
    out: Annotated[Path, typer.Argument(help="A new file: .xlsx, or .zip for CSV files.")],
    compound: Annotated[str | None, typer.Option(help="Which compound; the first one by itself.")] = None,
    id_numbers: Annotated[
        bool, typer.Option("--id-numbers", help="Id numbers in full; needs --reason.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Number of the document or case that asks for id numbers.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Which deployment.")] = None,
) -> None:
    """Export dwellings, people, vehicles, organisations and cards of a compound; never templates.

    Example: ringward export registry registry.xlsx
    """
    forms = {".xlsx": Form.XLSX, ".zip": Form.CSV}
    form = forms.get(out.suffix.lower())
    if form is None:
        raise fail(f"{out}: the name must end in .xlsx or .zip")
    if id_numbers and not (reason or "").strip():
        raise fail("id numbers in full need a --reason")
    with opened(settings(data_dir=data_dir)) as ground:
        chosen = compound or ground.settings.compound
        at = ground.clock.now()
        with ground.database.read() as session:
            try:
                tables = gather(session, chosen, reveal_ids=id_numbers)
            except MissingError:
                raise fail(f"no compound {chosen}") from None
        mark = f"Ringward 守圈  {chosen}  cli  {at:%Y-%m-%dT%H:%M:%SZ}  registry_maintenance"
        made = write(tables, form, mark)
        detail = f"format={form} {made.detail}"
        if id_numbers:
            detail += f" id_numbers reason={(reason or '').strip()[:64]}"
        # Noted first: a file without its entry must not be.
        with ground.database.write() as session:
            entry = AuditEntry(
                "cli",
                "administrator",
                "registry.exported",
                "registry_maintenance",
                f"compound:{chosen}",
                detail,
                chosen,
            )
            append(session, at, entry)
        try:
            handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(made.content)
        except OSError as error:
            raise fail(f"{out}: {error.strerror}") from None
    console.print(f"{out}  {made.detail}", markup=False)
