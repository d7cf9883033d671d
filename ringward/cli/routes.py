"""`ringward routes`: which way an incident goes through the tree, and the tree itself."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from alerts.routing import current
from alerts.routing.explaining import Asked, Hears, Way, explain, plain_tree, unknown_labels
from alerts.routing.gathering import clock_of, moment
from alerts.routing.proving import prove
from alerts.routing.reading import KNOWN, default_text, load
from alerts.routing.times import CHINA, Clock
from alerts.routing.tree import Route, Tree, When
from alerts.rulebook.findings import nearest
from registry.places.models import Ring
from ringward.cli.common import console, fail, opened, settings
from ringward.settings import Settings

app = typer.Typer(help="Who is told of what, and which way it goes there.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
File = Annotated[Path | None, typer.Option("--file", help="A draft; without it the tree in force.")]


@app.command("test")
def try_out(
    ring: Annotated[Ring, typer.Option(help="Where it is.")],
    kind: Annotated[str, typer.Option(help="door.forced, fire.suspected …")],
    severity: Annotated[int, typer.Option(min=1, max=4, help="1 is the gravest.")] = 3,
    at: Annotated[
        str | None, typer.Option(help='By the compound\'s clock: "2026-11-23 02:00"; without it now.')
    ] = None,
    stage: Annotated[When, typer.Option(help="Whether it is confirmed.")] = When.CONFIRMED,
    label: Annotated[
        list[str] | None, typer.Option(help="Any further label: zone=b1, mode=emergency, drill=true.")
    ] = None,
    file: File = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show the way of an incident through the tree: every route and why, who hears of it, and when.

    Where the deployment has a database it says who is on duty then, and who is told instead where nobody is.

    Example: ringward routes test --ring building --kind door.forced --severity 2 --at "2026-11-23 02:00"
    """
    asked = Asked(str(ring), _kind(kind), severity, stage, _labels(label or []))
    loaded = settings(data_dir=data_dir)
    if not _has_database(loaded):
        current.use(loaded.routes_file)
        way = explain(_tree(file), asked, _when(at, CHINA), CHINA)
        _show(way, CHINA, as_json=as_json)
        return
    with opened(loaded) as ground, ground.database.read() as session:
        by = clock_of(session, loaded.compound)
        way = explain(_tree(file), asked, _when(at, by), by, session=session, compound=loaded.compound)
        _show(way, by, as_json=as_json)


@app.command("show")
def show(file: File = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show the tree in force, its receivers, and what keeps what quiet.

    Example: ringward routes show
    """
    current.use(settings(data_dir=data_dir).routes_file)
    tree = _tree(file)
    if as_json:
        console.out(msgspec.json.encode(plain_tree(tree)).decode())
        return
    console.out(f"tree {tree.version}")
    _print_route(tree.root, 0)
    console.out("")
    for receiver in tree.receivers.values():
        of = [*receiver.team_kinds, *receiver.teams, *receiver.channel_kinds, *receiver.channels]
        console.out(f"{receiver.name} ({receiver.when}): {', '.join(str(one) for one in of)}")
    for rule in tree.inhibits:
        sources, targets = _all(rule.sources), _all(rule.targets)
        equal = f" with the same {', '.join(rule.equal)}" if rule.equal else ""
        console.out(f"{rule.name}: while {sources} is open, {targets} is not told{equal}")


@app.command("default")
def default() -> None:
    """Print the file of the tree that Ringward comes with, to begin one's own with.

    Example: ringward routes default > routes.toml
    """
    console.out(default_text(), highlight=False)


def _tree(file: Path | None) -> Tree:
    if file is None:
        tree = current.in_force()
        if current.is_refused():
            raise fail("the file of the setting routes_file cannot be used: see `ringward check-config`")
        return tree
    try:
        reading = load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{file}: {error}") from None
    errors = [*reading.errors, *(one for one in prove(reading) if one.error)]
    if errors:
        raise fail(f"{file} has {len(errors)} errors, the first on line {errors[0].line}: {errors[0].code}")
    return reading.tree


def _kind(kind: str) -> str:
    if kind not in KNOWN["kind"]:
        guess = nearest(kind, KNOWN["kind"] - {""})
        hint = f"; did you mean {guess}?" if guess else ""
        # A kind of tomorrow has a way, too: it is said and gone on with.
        console.print(f"[yellow]no rule has the kind {kind}{hint}", soft_wrap=True)
    return kind


def _labels(given: Sequence[str]) -> dict[str, str]:
    labels = dict(one.partition("=")[::2] for one in given)
    for name in unknown_labels(labels):
        guess = nearest(name, KNOWN)
        raise fail(f"there is no label {name}" + (f"; did you mean {guess}?" if guess else ""))
    return labels


def _when(text: str | None, by: Clock) -> dt.datetime:
    if text is None:
        return dt.datetime.now(dt.UTC)
    try:
        return moment(text, by)
    except ValueError:
        raise fail(f"{text!r} is no time: write it like 2026-11-23 02:00") from None


def _has_database(loaded: Settings) -> bool:
    return loaded.database_url is not None or (loaded.data_dir / "ringward.db").exists()


def _show(way: Way, by: Clock, *, as_json: bool) -> None:
    if as_json:
        console.out(msgspec.json.encode(way.plain()).decode())
        return
    console.out(f"{way.at.astimezone(by.zone):%Y-%m-%d %H:%M} by the compound's clock, tree {way.version}")
    for one in way.looked_at:
        sign = "→" if one.has_it else "✓" if one.matched else "·"
        why = {"no_match": f"not: {one.matcher}", "not_active": "not at this hour"}.get(one.why, "")
        console.out(f"{'  ' * one.depth}{sign} {one.name}{'  ' + why if why else ''}")
    for receiver in way.receivers:
        console.out("")
        for line in _hears(receiver, by):
            console.out(line)
    if way.silenced_by is not None:
        console.out(f"\nnobody is told: silence {way.silenced_by} covers it")


def _hears(one: Hears, by: Clock) -> list[str]:
    lines = [f"{one.receiver}: {', '.join(one.teams) or 'no team that may hear of it'}"]
    if not one.hears:
        lines.append("  hears of it once it is confirmed")
    elif one.until is not None:
        lines.append(f"  put off until {one.until.astimezone(by.zone):%Y-%m-%d %H:%M}")
    elif one.wait_s:
        lines.append(f"  told after {one.wait_s} s, with what else comes of {_labelled(one.group)}")
    else:
        lines.append("  told at once")
    if one.repeat_s:
        lines.append(f"  again every {one.repeat_s // 60} min while nobody takes it on")
    if one.on_duty is not None:
        who = f"{len(one.on_duty)} told: {', '.join(one.on_duty) or 'nobody'}"
        lines.append(f"  {who}" + (f"  (nobody on duty; instead: {one.fell})" if one.fell else ""))
    if one.channels:
        lines.append(f"  channels: {', '.join(one.channels)}")
    return lines


def _labelled(group: dict[str, str]) -> str:
    return ", ".join(f"{label} {value}" for label, value in group.items()) or "this route"


def _print_route(route: Route, depth: int) -> None:
    parts: list[Any] = [
        _all(route.matchers) if route.matchers else "everything",
        "→",
        route.receiver or "nobody",
    ]
    if route.active:
        parts.append(f"only {', '.join(one.name for one in route.active)}")
    if route.mute:
        parts.append(f"put off during {', '.join(one.name for one in route.mute)}")
    if route.goes_on:
        parts.append("continue")
    console.out(f"{'  ' * depth}{route.name}: {' '.join(str(part) for part in parts)}")
    for child in route.routes:
        _print_route(child, depth + 1)


def _all(matchers: Sequence[object]) -> str:
    return ", ".join(str(one) for one in matchers)
