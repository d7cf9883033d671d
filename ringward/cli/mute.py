"""`ringward mute`: silence a rule for a place and a time."""

import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated

import typer

from alerts.mutes import RuleMute
from alerts.rules import RULES
from ringward.cli.common import console, fail, opened, settings
from storage import new_id


def mute(
    rule: Annotated[str, typer.Argument(help="R-E01, R-E04, R-E09, R-B05 or R-D01")],
    reason: Annotated[str, typer.Option(help="Why; shown wherever the mute is.")],
    minutes: Annotated[int, typer.Option(min=1, max=7 * 24 * 60, help="A mute always ends.")],
    place: Annotated[
        str | None, typer.Option(help="Lane, device or zone; the whole compound without.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Silence a rule during maintenance.

    Example: ringward mute R-B05 --place b03-door --minutes 90 --reason "lock is replaced"
    """
    if rule not in {known.id for known in RULES}:
        raise fail(f"no rule {rule}")
    with opened(settings(data_dir=data_dir)) as ground, ground.database.write() as session:
        now = ground.clock.now()
        until = now + dt.timedelta(minutes=minutes)
        session.add(
            RuleMute(
                id=new_id(),
                compound=ground.settings.compound,
                rule=rule,
                place=place,
                starts_at=now,
                ends_at=until,
                author=getpass.getuser(),
                reason=reason,
            )
        )
    console.print(f"{rule} is silent{f' at {place}' if place else ''} until {until:%Y-%m-%d %H:%M} UTC")
