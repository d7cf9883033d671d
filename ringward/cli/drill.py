"""`ringward drill`: exercises begun, ended, and how they went."""

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import select

from alerts.drills import playing
from alerts.drills.models import Drill
from alerts.drills.results import DrillResult, results
from alerts.drills.scenarios import SCENARIOS
from registry.errors import MissingError, RefusedError
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules import by_cli
from ringward.cli.rules_words import texts_in

app = typer.Typer(help="Drills: invented incidents on the way of real ones.", no_args_is_help=True)
DataDir = Annotated[Path | None, typer.Option(help="Where Ringward keeps its data.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")]


@app.command()
def start(
    scenario: Annotated[str, typer.Argument(help=f"One of: {', '.join(SCENARIOS)}.")],
    zone: Annotated[str | None, typer.Option(help="Where what lies in its ring is played.")] = None,
    minutes: Annotated[
        int | None, typer.Option(min=1, max=240, help="It ends by itself after so many.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Begin a drill. Everything of it says so, and nothing of it leaves the house.

    Example: ringward drill start intrusion --minutes 20
    """
    limit = None if minutes is None else dt.timedelta(minutes=minutes)
    with opened(settings(data_dir=data_dir)) as ground:
        try:
            with ground.database.write() as session:
                drill = playing.start(
                    session,
                    ground.settings.compound,
                    scenario,
                    by_cli(),
                    ground.clock.now(),
                    zone=zone,
                    limit=limit,
                )
                said = f"drill {drill.id} runs until {drill.ends_at:%Y-%m-%d %H:%M} UTC at the latest"
        except RefusedError as error:
            raise _refused(error.code) from None
    console.print(said)


@app.command()
def end(
    drill: Annotated[str | None, typer.Argument(help="Its id; the running one without.")] = None,
    data_dir: DataDir = None,
) -> None:
    """End a drill, with everything of it that is still open.

    Example: ringward drill end
    """
    with opened(settings(data_dir=data_dir)) as ground:
        compound = ground.settings.compound
        try:
            with ground.database.write() as session:
                found = playing.running(session, compound)
                wanted = drill or (found.id if found is not None else "")
                ended = playing.end(session, compound, wanted, by_cli(), ground.clock.now()).id
        except MissingError:
            raise _refused("drill_not_found") from None
    console.print(f"drill {ended} has ended")


@app.command("list")
def list_drills(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Drills, newest first.

    Example: ringward drill list --json
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        rows = session.scalars(
            select(Drill)
            .where(Drill.compound == ground.settings.compound)
            .order_by(Drill.started_at.desc())
            .limit(50)
        ).all()
        facts = [_facts(row) for row in rows]
    if as_json:
        console.print_json(json.dumps(facts))
        return
    table = Table("drill", "scenario", "began (UTC)", "ended (UTC)")
    for row in facts:
        table.add_row(row["id"], row["scenario"], row["started_at"], row["ended_at"] or "running")
    console.print(table)


@app.command()
def show(
    drill: Annotated[str, typer.Argument(help="Its id.")], data_dir: DataDir = None, as_json: AsJson = False
) -> None:
    """How a drill went: each step's time, its target, and the median of the real week before.

    Example: ringward drill show 01a2…
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        found = session.get(Drill, drill)
        if found is None or found.compound != ground.settings.compound:
            raise _refused("drill_not_found")
        facts, made = _facts(found), results(session, found)
    if as_json:
        console.print_json(json.dumps(facts | _as_json(made)))
        return
    texts = texts_in("en")
    for one in made.incidents:
        console.print(f"{texts.code('kind', one.kind)} at {one.zone}, S{one.severity}: {one.state}")
        table = Table("step", "took s", "target s", "real week s")
        for row in one.steps:
            measured = row.measured
            table.add_row(str(measured.timer), _text(measured.took), _text(measured.limit), _text(row.real))
        console.print(table)
    console.print(f"asked and silent: {', '.join(made.missed) or 'nobody'}; still to come: {made.to_come}")


def _facts(drill: Drill) -> dict[str, str | None]:
    return {
        "id": drill.id,
        "scenario": drill.scenario,
        "started_at": drill.started_at.isoformat(timespec="seconds"),
        "ends_at": drill.ends_at.isoformat(timespec="seconds"),
        "ended_at": drill.ended_at.isoformat(timespec="seconds") if drill.ended_at else None,
    }


def _as_json(made: DrillResult) -> dict[str, object]:
    return {
        "incidents": [
            {
                "incident": one.incident,
                "kind": one.kind,
                "severity": one.severity,
                "state": str(one.state),
                "times": [
                    {
                        "step": str(row.measured.timer),
                        "took_s": _number(row.measured.took),
                        "limit_s": _number(row.measured.limit),
                        "real_s": _number(row.real),
                    }
                    for row in one.steps
                ],
            }
            for one in made.incidents
        ],
        "letters": dict(made.letters),
        "missed": list(made.missed),
        "to_come": made.to_come,
    }


def _number(span: dt.timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _text(span: dt.timedelta | None) -> str:
    return "–" if span is None else f"{span.total_seconds():g}"


def _refused(code: str) -> typer.Exit:
    return fail(texts_in("en")(f"refused.{code}"))
