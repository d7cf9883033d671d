"""How an import ended, on the terminal: faults in words, counts, and an exit code."""

from typing import Any, Final, NoReturn

import msgspec
import typer
from sqlalchemy import select

from console.texts import Texts
from console.texts.faults import fault_text
from registry.imports.columns import COLUMNS, SheetKind
from registry.imports.models import ImportFault, ImportJob, ImportState
from ringward.cli.common import console
from ringward.foundation import Foundation

SOME_REFUSED: Final = 3
_SHOWN: Final = 50


def tell(
    ground: Foundation, job_id: str, texts: Texts, *, as_json: bool, names: dict[int, str] | None = None
) -> NoReturn:
    """Prints how a job ended, and ends the command with its exit code."""
    with ground.database.read() as session:
        job = session.get_one(ImportJob, job_id)
        found = session.scalars(
            select(ImportFault).where(ImportFault.job == job_id).order_by(ImportFault.row, ImportFault.id)
        ).all()
        if job.state == ImportState.UNDONE:
            # What was left alone; what was wrong with the rows has been told before.
            found = [fault for fault in found if "table" in fault.facts]
        faults = [
            {
                "row": fault.row,
                "column": _column(job.kind, fault.column, texts),
                "code": fault.code,
                "text": fault_text(texts, fault.code, fault.facts),
            }
            for fault in found
        ]
        session.expunge(job)
    error = None if job.error is None else fault_text(texts, job.error, job.error_facts)
    if as_json:
        told = {"id": job.id, "kind": job.kind, "state": job.state, "dry_run": job.dry_run}
        told |= {"counts": job.counts, "faults": faults, "refused": job.faults, "error": error}
        console.out(msgspec.json.encode(told).decode(), highlight=False)
    else:
        _print(job, faults, error, texts, names or {})
    if job.state in {ImportState.REFUSED, ImportState.FAILED} or (job.dry_run and job.faults):
        raise typer.Exit(1)
    raise typer.Exit(SOME_REFUSED if job.faults and job.state == ImportState.APPLIED else 0)


def _print(
    job: ImportJob, faults: list[dict[str, Any]], error: str | None, texts: Texts, names: dict[int, str]
) -> None:
    for fault in faults[:_SHOWN]:
        place = names.get(fault["row"]) or (str(fault["row"]) if fault["row"] else "–")
        column = f"  {fault['column']}" if fault["column"] else ""
        console.print(f"{place:>6}{column}  {fault['text']}", markup=False)
    if len(faults) > _SHOWN:
        console.print(f"     …  +{len(faults) - _SHOWN}")
    for group, numbers in _counts(job).items():
        counts = "  ".join(f"{name} {number}" for name, number in numbers.items() if number)
        console.print(f"{group}: {counts or 0}", markup=False)
    if error is not None:
        console.print(f"[red]{error}[/red]")
    console.print(f"{job.id}  {texts.code('import_state', job.state)}", markup=False)


def _counts(job: ImportJob) -> dict[str, dict[str, Any]]:
    """What the job has done, and nothing that it only would have."""
    if job.state in {ImportState.REFUSED, ImportState.FAILED}:
        return {"rows": job.counts["rows"]} if "rows" in job.counts else {}
    if job.state != ImportState.UNDONE:
        return job.counts
    undone: dict[str, Any] = job.counts.get("undo", {})
    return {name: undone[name] for name in ("restored", "deleted") if undone.get(name)}


def _column(kind: str, key: str | None, texts: Texts) -> str | None:
    """A column as the sheet has it in Chinese, by its key in English."""
    if key is None or kind not in set(SheetKind) or texts.locale == "en":
        return key
    return next((column.names[0] for column in COLUMNS[SheetKind(kind)] if column.key == key), key)
