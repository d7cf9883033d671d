"""`ringward patrols`: routes, today's rounds, and what a month came to."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from sqlalchemy import select

from alerts.patrols import facts, routes
from alerts.patrols.models import PatrolRoute
from alerts.patrols.standing import Standing, standing
from registry.days import time_zone
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules_words import Language, texts_in

app = typer.Typer(help="Patrols (巡更): routes, rounds and what came of them.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON array.")]


@app.command("show")
def show(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the routes with their points and times.

    Example: ringward patrols show
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        found = session.scalars(
            select(PatrolRoute)
            .where(PatrolRoute.compound == ground.settings.compound, PatrolRoute.retired_at.is_(None))
            .order_by(PatrolRoute.name)
        ).all()
        shown: list[dict[str, Any]] = [
            {
                "id": row.id,
                "name": row.name,
                "team": row.team,
                "in_order": row.in_order,
                "tolerance_min": row.tolerance_min,
                "points": [one.name for one in routes.points_of(session, row.id)],
                "times": [
                    {
                        "begins": [f"{at // 60:02d}:{at % 60:02d}" for at in one.times],
                        "weekdays": one.weekdays,
                        "day_kinds": one.day_kinds,
                        "lasts_min": one.lasts_min,
                    }
                    for one in routes.schedules(session, [row.id])
                ],
            }
            for row in found
        ]
    if as_json:
        _print(shown)
        return
    for one in shown:
        console.print(f"{escape(str(one['name']))}  {one['id']}  {one['team']}")
        console.print(f"    {escape(' → '.join(one['points']))}")
        for times in one["times"]:
            console.print(f"    {' '.join(times['begins'])}  {times['lasts_min']} min")


@app.command("today")
def today(lang: Language = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the rounds of today, by the compound's clock, and how they stand.

    Example: ringward patrols today --json
    """
    texts = texts_in(lang)
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        now, compound = ground.clock.now(), ground.settings.compound
        zone = time_zone(session, compound)
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        rounds = facts.rounds_between(session, compound, midnight, midnight + dt.timedelta(days=1))
        shown = [_plain(one) for one in standing(session, rounds, now)]
    if as_json:
        _print(shown)
        return
    for one in shown:
        begins = dt.datetime.fromisoformat(one["due_from"]).astimezone(zone)
        state = texts.code("patrol_round", one["state"])
        console.print(f"{begins:%H:%M}  {escape(one['name'])}  {state}  {one['visited']}/{one['points']}")
        for found in one["findings"]:
            console.print(f"    {escape(found['point'])}: {texts.code('patrol_finding', found['what'])}")


@app.command("report")
def report(
    month: Annotated[str, typer.Argument(help="As 2026-11, by the compound's calendar.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what a month's rounds came to, by route.

    Example: ringward patrols report 2026-11
    """
    try:
        first = dt.datetime.strptime(month, "%Y-%m")  # noqa: DTZ007 - the zone is the compound's
    except ValueError:
        raise fail(f"{month} is no month; write it as 2026-11") from None
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        compound = ground.settings.compound
        since = first.replace(tzinfo=time_zone(session, compound))
        until = (since + dt.timedelta(days=32)).replace(day=1)
        found = facts.report(session, compound, since, until, ground.clock.now())
    if as_json:
        _print([vars(one) | {"findings": dict(one.findings)} for one in found])
        return
    for one in found:
        console.print(
            f"{escape(one.name)}  rounds {one.rounds}  done {one.done}  missed {one.missed}  "
            f"broken off {one.aborted}  points missed {one.points_missed}/{one.points}  late {one.late}"
        )


def _plain(stands: Standing) -> dict[str, Any]:
    names = {one.id: one.name for one in stands.points}
    return {
        "id": stands.row.id,
        "name": stands.row.plan["name"],
        "state": str(stands.row.state),
        "due_from": stands.row.due_from.isoformat(),
        "due_until": stands.row.due_until.isoformat(),
        "points": len(stands.points),
        "visited": len(stands.judged.visited),
        "findings": [
            {"what": str(one.what), "point": names.get(one.point, one.point)}
            for one in stands.judged.findings
        ],
    }


def _print(body: list[dict[str, Any]]) -> None:
    console.out(msgspec.json.encode(body).decode())
