"""`ringward mode`: how the compound is run: normal, heightened, or in an emergency."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from sqlalchemy.orm import Session

from alerts.rulebook import modes
from alerts.rulebook.models import OperatingMode
from alerts.rules import Mode
from registry.errors import MissingError, RefusedError
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules import by_cli
from ringward.cli.rules_words import Language, texts_in

app = typer.Typer(
    help="How the compound is run: asked for by one person, approved by another.", no_args_is_help=True
)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
ModeId = Annotated[str, typer.Argument(help="As `ringward mode show` shows it.")]


@app.command("show")
def show(lang: Language = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the mode in force, and what was asked for lately.

    Example: ringward mode show
    """
    texts = texts_in(lang)
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        now = ground.clock.now()
        mode = modes.mode(session, ground.settings.compound, now)
        rows = modes.listed(session, ground.settings.compound, 10)
        if as_json:
            body = {"mode": str(mode), "asked": [_plain(row) for row in rows]}
            console.out(msgspec.json.encode(body).decode())
            return
        console.print(texts.code("mode", str(mode)))
        for row in rows:
            stands = _stands(row, now)
            span = f"until {row.ends_at:%Y-%m-%d %H:%M} UTC"
            console.print(f"{row.id}  {texts.code('mode', row.mode)}  {stands}  {span}  by {row.asked_by}")
            console.print(f"    {escape(row.reason)}")


@app.command("ask")
def ask(
    mode: Annotated[Mode, typer.Argument(help="heightened or emergency")],
    reason: Annotated[str, typer.Option(help="Why; everybody sees it.")],
    hours: Annotated[float, typer.Option(min=0.25, max=72, help="For how long from its approval on.")] = 12,
    data_dir: DataDir = None,
) -> None:
    """Ask for a mode; another person approves it.

    Example: ringward mode ask heightened --hours 48 --reason "three break-ins next door"
    """
    lasting = dt.timedelta(hours=hours)
    row = _do(
        data_dir,
        lambda session, compound, now: modes.ask(session, compound, mode, lasting, reason, by_cli(), now),
    )
    console.print(f"{row}: another person says `ringward mode approve {row}`")


@app.command("approve")
def approve(mode_id: ModeId, data_dir: DataDir = None) -> None:
    """Put in force what another person asked for.

    Example: ringward mode approve 0f3c…
    """
    _do(data_dir, lambda session, compound, now: modes.approve(session, compound, mode_id, by_cli(), now))
    console.print("in force")


@app.command("end")
def end(mode_id: ModeId, data_dir: DataDir = None) -> None:
    """End a mode before its time, or take a question back.

    Example: ringward mode end 0f3c…
    """
    _do(data_dir, lambda session, compound, now: modes.end(session, compound, mode_id, by_cli(), now))
    console.print("ended")


def _do(data_dir: Path | None, step: Callable[[Session, str, dt.datetime], OperatingMode]) -> str:
    """The id of what was asked for, approved or ended; fails in words."""
    with opened(settings(data_dir=data_dir)) as ground:
        try:
            with ground.database.write() as session:
                return step(session, ground.settings.compound, ground.clock.now()).id
        except MissingError:
            raise fail("nobody has asked for that") from None
        except RefusedError as error:
            raise fail(texts_in("en").sentence(f"refused.{error.code}", error.facts)) from None


def _stands(row: OperatingMode, now: dt.datetime) -> str:
    if row.ended_at is not None or row.ends_at <= now:
        return "over"
    return "in force" if row.approved_at is not None else "waits for approval"


def _plain(row: OperatingMode) -> dict[str, Any]:
    names = ("id", "mode", "reason", "asked_by", "approved_by", "ended_by")
    times = ("asked_at", "approved_at", "starts_at", "ends_at", "ended_at")
    moments = {name: value.isoformat() if (value := getattr(row, name)) else None for name in times}
    return {name: getattr(row, name) for name in names} | moments
