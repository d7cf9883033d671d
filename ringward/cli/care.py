"""`ringward care`: who is looked after and away, so that nobody calls or comes for nothing."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import absences
from alerts.absences import CareAbsence
from registry.errors import MissingError, RefusedError
from registry.models import Person
from registry.rows import find
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules import by_cli
from ringward.cli.rules_words import texts_in
from storage import audit

app = typer.Typer(help="Care: absences of people who are looked after.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
_T = TypeVar("_T")


@app.command("away")
def away(
    person: Annotated[str, typer.Argument(help="The person's id; never a name.")],
    days: Annotated[float, typer.Option(min=0.1, max=absences.LONGEST.days, help="For how long.")],
    starts: Annotated[dt.datetime | None, typer.Option("--from", help="UTC; without it from now on.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Note that somebody who is looked after is away.

    Example: ringward care away 0f3c… --days 14
    """

    def work(session: Session, compound: str, now: dt.datetime) -> CareAbsence:
        whom = find(session, Person, compound, person, "person")
        begins = starts.replace(tzinfo=dt.UTC) if starts is not None else now
        row = absences.declare(session, whom, begins, begins + dt.timedelta(days=days), by_cli().id, now)
        _note(session, now, "care.absence_declared", whom.id)
        return row

    row = _do(data_dir, work)
    console.print(f"{row.id}: away until {row.ends_at:%Y-%m-%d %H:%M} UTC")


@app.command("back")
def back(
    absence: Annotated[str, typer.Argument(help="As `ringward care list` shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Note that somebody is back, or does not go after all.

    Example: ringward care back 01a2…
    """

    def work(session: Session, compound: str, now: dt.datetime) -> None:
        row = session.get(CareAbsence, absence)
        if row is None or row.compound != compound:
            raise MissingError("absence")
        absences.end(session, row, now)
        _note(session, now, "care.absence_ended", row.person)

    _do(data_dir, work)
    console.print("back")


@app.command("list")
def listed(data_dir: DataDir = None) -> None:
    """List the absences that have not ended, by ids.

    Example: ringward care list
    """

    def work(session: Session, compound: str, now: dt.datetime) -> list[CareAbsence]:
        query = select(CareAbsence).where(CareAbsence.compound == compound, CareAbsence.ends_at > now)
        return list(session.scalars(query.order_by(CareAbsence.starts_at, CareAbsence.id)))

    for row in _do(data_dir, work):
        console.print(
            f"{row.id}  {row.person}  {row.starts_at:%Y-%m-%d %H:%M} – {row.ends_at:%Y-%m-%d %H:%M} UTC"
        )


def _do(data_dir: Path | None, work: Callable[[Session, str, dt.datetime], _T]) -> _T:
    with opened(settings(data_dir=data_dir)) as ground:
        try:
            with ground.database.write() as session:
                return work(session, ground.settings.compound, ground.clock.now())
        except RefusedError as error:
            raise fail(texts_in("en").sentence(f"refused.{error.code}", error.facts)) from None
        except MissingError as error:
            raise fail(str(error)) from None


def _note(session: Session, now: dt.datetime, action: str, person: str) -> None:
    by = by_cli()
    entry = audit.AuditEntry(by.id, by.role, action, "resident_request", f"person:{person}", "")
    audit.append(session, now, entry)
