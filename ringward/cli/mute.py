"""`ringward mute`: silence a rule for a place and a time."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from alerts import mutes
from alerts.rules import Mute
from registry.errors import RefusedError
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules import by_cli
from ringward.cli.rules_words import texts_in


def mute(
    rule: Annotated[str, typer.Argument(help="As `ringward rules list` shows it; never a safety rule.")],
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
    with opened(settings(data_dir=data_dir)) as ground:
        now = ground.clock.now()
        until = now + dt.timedelta(minutes=minutes)
        try:
            with ground.database.write() as session:
                mutes.make(
                    session, ground.settings.compound, Mute(rule, place, now, until), reason, by_cli(), now
                )
        except RefusedError as error:
            raise fail(texts_in("en").sentence(f"refused.{error.code}", error.facts)) from None
    console.print(f"{rule} is silent{f' at {place}' if place else ''} until {until:%Y-%m-%d %H:%M} UTC")
