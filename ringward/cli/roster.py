"""`ringward roster`: who is on duty, what follows from a roster, where somebody is missing, the calendar."""

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import calendars, gaps, patterns, planning, rostering
from alerts.duty.coverage import Gap
from alerts.duty.days import DayKind, NamedDay
from alerts.duty.localtime import moment
from alerts.duty.models import Team
from alerts.duty.onduty import next_on_duty, on_duty
from alerts.duty.roster import Expansion, Rotation, Slot
from alerts.duty.rostering import Definition
from alerts.duty.rostermodels import Roster
from registry import rows
from registry.days import local_date, time_zone
from registry.errors import MissingError, RefusedError
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules import by_cli
from ringward.cli.rules_words import texts_in

app = typer.Typer(help="Rosters: duty, gaps, and the duty calendar.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Day = Annotated[dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Local day.")]
_T = TypeVar("_T")


class Pattern(enum.StrEnum):
    FIVE_TWO = "5+2"
    EIGHT_X = "8+X"
    THREE_SHIFTS = "three-shifts"


@app.command("show")
def show(
    at: Annotated[dt.datetime | None, typer.Option(help="UTC; now where it is not said.")] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the rosters, and of each team who is on duty and who is next. By ids, never by names.

    Example: ringward roster show --at "2026-11-24 02:00"
    """

    def work(session: Session, compound: str, now: dt.datetime) -> dict[str, list[dict[str, object]]]:
        when = at.replace(tzinfo=dt.UTC) if at is not None else now
        teams = session.scalars(select(Team).where(Team.compound == compound).order_by(Team.id)).all()
        return {
            "rosters": [
                {
                    "id": one.id,
                    "team": one.team,
                    "name": one.name,
                    "slots": [slot["key"] for slot in one.slots],
                    "starts_on": one.starts_on.isoformat(),
                    "ends_on": one.ends_on.isoformat() if one.ends_on else None,
                    "replaces": one.replaces,
                }
                for one in rostering.listed(session, compound)
            ],
            "teams": [
                {
                    "team": team.id,
                    "kind": str(team.kind),
                    "now": [
                        {"id": one.id, "until": one.until, "on_call": one.on_call}
                        for one in on_duty(session, compound, when, teams=[team.id])
                    ],
                    "next": [
                        {"id": one.id, "from": one.starts_at, "on_call": one.on_call}
                        for one in next_on_duty(session, compound, team.id, when)
                    ],
                }
                for team in teams
            ],
        }

    found = _do(data_dir, work)
    if as_json:
        _json(found)
        return
    for one in found["rosters"]:
        console.print(f"{one['id']}  {one['name']}  team {one['team']}  from {one['starts_on']}")
    for one in found["teams"]:
        now, following = (
            ", ".join(str(who["id"]) for who in _listed(one[key])) or "nobody" for key in ("now", "next")
        )
        console.print(f"{one['team']}: now {now}; next {following}")


@app.command("gaps")
def show_gaps(
    hours: Annotated[int, typer.Option(min=1, max=24 * 62, help="How far ahead.")] = 24,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show where too few are on duty; exits with 1 where there are any.

    Example: ringward roster gaps --hours 48
    """

    def work(session: Session, compound: str, now: dt.datetime) -> Sequence[Gap]:
        return gaps.look(session, compound, now, now + dt.timedelta(hours=hours))

    found = _do(data_dir, work)
    if as_json:
        _json({"gaps": found})
    else:
        for gap in found:
            where = f" at {gap.zone}" if gap.zone else ""
            console.print(
                f"{_utc(gap.starts_at)} – {_utc(gap.ends_at)}: {gap.need}{where}, {gap.have} of {gap.want}"
            )
        if not found:
            console.print(f"no gap in the next {hours} hours")
    if found:
        raise typer.Exit(1)


@app.command("expand")
def expand(
    roster: Annotated[str, typer.Argument(help="As `ringward roster show` shows it.")],
    since: Day = None,
    days: Annotated[int, typer.Option(min=1, max=366)] = 14,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the duties that follow from a roster, also those that are not written yet.

    Example: ringward roster expand 0f3c… --from 2026-12-28 --days 14
    """

    def work(session: Session, compound: str, now: dt.datetime) -> Expansion:
        rows.find(session, Roster, compound, roster, "roster")
        zone = time_zone(session, compound)
        start = moment(since.date(), dt.time(), zone) if since is not None else now
        return planning.planned(session, compound, start, start + dt.timedelta(days=days), roster)

    found = _do(data_dir, work)
    if as_json:
        _json({"duties": found.duties, "unknown_years": sorted(found.unknown_years)})
        return
    for one in found.duties:
        call = " on call" if one.on_call else ""
        console.print(f"{_utc(one.starts_at)} – {_utc(one.ends_at)}  {one.place}  {one.responder}{call}")
    for year in sorted(found.unknown_years):
        console.print(f"the holidays of {year} are not known: duty that goes by them is not planned")


@app.command("calendar")
def calendar(
    year: Annotated[
        int | None, typer.Option(min=2004, max=2100, help="This year where none is said.")
    ] = None,
    day: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Say what a day is.")] = None,
    kind: Annotated[DayKind | None, typer.Option(help="What it is; without it what was announced.")] = None,
    name: Annotated[str, typer.Option(help="What it is called.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the holidays and make-up working days of a year, or say what a day is in this compound.

    Example: ringward roster calendar --year 2026
    Example: ringward roster calendar --day 2026-12-24 --kind holiday --name 社区日
    """

    def say(session: Session, compound: str, now: dt.datetime) -> None:
        assert day is not None
        if kind is None:
            calendars.unset_day(session, compound, day.date(), by_cli(), now)
        else:
            calendars.set_day(session, compound, day.date(), NamedDay(kind, name), by_cli(), now)

    def work(session: Session, compound: str, now: dt.datetime) -> dict[str, object]:
        wanted = year or (day.year if day else local_date(session, compound, now).year)
        known = calendars.calendar_of(session, compound)
        exceptions = sorted(one for one in {*known.published, *known.own} if one.year == wanted)
        return {
            "year": wanted,
            "known": wanted in known.years,
            "days": [
                {
                    "day": one.isoformat(),
                    "kind": str(named.kind),
                    "name": named.name,
                    "own": one in known.own,
                }
                for one in exceptions
                if (named := known.named(one)) is not None
            ],
        }

    if day is not None:
        _do(data_dir, say)
    found = _do(data_dir, work)
    if as_json:
        _json(found)
        return
    for one in _listed(found["days"]):
        console.print(f"{one['day']}  {one['kind']:<8}  {one['name']}{'  (own)' if one['own'] else ''}")
    if not found["known"]:
        console.print(f"the notice of {found['year']} is not known: enter it at PUT /duty-calendar/years")


@app.command("make")
def make(
    pattern: Annotated[Pattern, typer.Argument(help="5+2, 8+X or three-shifts.")],
    team: Annotated[str, typer.Option(help="Whose roster it is.")],
    name: Annotated[str, typer.Option()],
    group: Annotated[list[str], typer.Option(help="Responders of a group, by commas; one option a group.")],
    rest: Annotated[
        list[str] | None, typer.Option(help="5+2: groups of the rest days; 8+X: who is on call by turns.")
    ] = None,
    since: Day = None,
    data_dir: DataDir = None,
) -> None:
    """Make a roster by one of the usual patterns; its shifts of two weeks are written at once.

    Example: ringward roster make three-shifts --team ops --name 监控室 --group o1 --group o2 --group o3
    Example: ringward roster make 8+X --team grid --name 网格 --group w1,w2 --rest w1,w2,w3
    """

    def work(session: Session, compound: str, now: dt.datetime) -> str:
        begins = since.date() if since is not None else local_date(session, compound, now)
        slots = _slots(pattern, _groups(group), _groups(rest or group), begins)
        given = Definition(team, name, slots, begins)
        return rostering.create(session, compound, given, by_cli(), now).id

    console.print(_do(data_dir, work))


def _slots(
    pattern: Pattern, groups: tuple[tuple[str, ...], ...], rest: tuple[tuple[str, ...], ...], begins: dt.date
) -> tuple[Slot, ...]:
    if pattern is Pattern.THREE_SHIFTS:
        return patterns.three_shifts(groups, begins)
    if pattern is Pattern.FIVE_TWO:
        return patterns.five_two(Rotation(groups, begins), Rotation(rest, begins))
    return patterns.eight_x(Rotation(groups, begins), Rotation(rest, begins))


def _groups(options: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(one.strip() for one in option.split(",") if one.strip()) for option in options)


def _listed(found: object) -> list[dict[str, object]]:
    assert isinstance(found, list)
    return found


def _json(found: object) -> None:
    console.out(msgspec.json.encode(found).decode())


def _utc(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%MZ}"


def _do(data_dir: Path | None, work: Callable[[Session, str, dt.datetime], _T]) -> _T:
    with opened(settings(data_dir=data_dir)) as ground:
        compound = ground.settings.compound
        try:
            with ground.database.within(compound).write() as session:
                return work(session, compound, ground.clock.now())
        except RefusedError as error:
            raise fail(texts_in("en").sentence(f"refused.{error.code}", error.facts)) from None
        except MissingError as error:
            raise fail(f"there is no such {error.kind.replace('_', ' ')} here") from None
