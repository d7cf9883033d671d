"""`ringward rules`: the rules of the compound: read, set, compared, and how right they are."""

import dataclasses
import datetime as dt
import getpass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from alerts.incidents.actor import Actor
from alerts.rulebook import health, heldback, versions
from alerts.rulebook.current import current
from alerts.rulebook.models import RuleProposal
from alerts.rulebook.versions import BadRulesError
from alerts.rulebook.writing import default, says
from alerts.rules import RULES
from registry.errors import MissingError, RefusedError, StaleEditError
from ringward.cli.check_config import of_reading, read_text, show
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules_words import Language, texts_in

app = typer.Typer(help="The rules: read, set, compared, and how right they are.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def by_cli() -> Actor:
    """Whoever has a shell here, by the name of the account: two people have two."""
    return Actor(f"cli:{getpass.getuser()}"[:64], "administrator")


@app.command("show")
def show_file(
    version: Annotated[int | None, typer.Argument(min=1, help="Which; the one in force without.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Print the rules file as it was written.

    Example: ringward rules show > rules.toml
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        compound = ground.settings.compound
        try:
            row = (
                versions.newest(session, compound)
                if version is None
                else versions.numbered(session, compound, version)
            )
        except MissingError:
            raise fail(f"there is no version {version}") from None
        if row is None:
            raise fail("nothing was ever set: the rules run as they come (`ringward rules default`)")
        console.out(row.text, end="")


@app.command("list")
def list_rules(lang: Language = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List every rule: whether it runs, its severities, and where its numbers differ from how it comes.

    Example: ringward rules list
    """
    texts = texts_in(lang)
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        now = current(session, ground.settings.compound, ground.clock.now())
    entries = now.file.entries
    if as_json:
        rules = [_rule(rule, now.file.entries.get(rule.id)) for rule in RULES]
        body = {"version": now.book.version, "mode": str(now.book.mode), "rules": rules}
        console.out(msgspec.json.encode(body).decode())
        return
    table = Table("rule", "what it says", "on", "severities", "set otherwise")
    for rule in RULES:
        entry = entries.get(rule.id)
        severities = dict(rule.severities) | (dict(entry.severities) if entry is not None else {})
        changed = dict(entry.values) if entry is not None else {}
        table.add_row(
            rule.id,
            texts.code("rule", rule.id),
            "yes" if entry is None or entry.enabled else "[red]no[/red]",
            ", ".join(f"{name} {level}" for name, level in severities.items()),
            escape(", ".join(f"{name}={value:g}" for name, value in changed.items())),
        )
    console.print(table)
    mode = texts.code("mode", str(now.book.mode))
    console.print(f"version {now.book.version}, mode {mode}")


@app.command("set")
def set_file(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The whole rules file.")],
    note: Annotated[str, typer.Option(help="Why; kept with the version.")],
    lang: Language = None,
    data_dir: DataDir = None,
) -> None:
    """Put a rules file in force; running engines take it up within seconds.

    With errors nothing changes. Example: ringward rules set rules.toml --note "dance hours in the square"
    """
    texts = texts_in(lang)
    text = read_text(path)
    with opened(settings(data_dir=data_dir)) as ground:
        compound = ground.settings.compound
        with ground.database.read() as session:
            reading = versions.check(session, compound, text)
        show(of_reading(str(path), reading, texts), texts)
        try:
            with ground.database.write() as session:
                row, new = versions.keep(session, compound, text, by_cli(), ground.clock.now(), note=note)
                number = row.number
        except BadRulesError as error:
            count = sum(one.error for one in error.findings)
            raise fail(f"{count} errors: the rules stay as they were") from None
        except StaleEditError:
            raise fail("somebody else has set the rules this moment; look at `ringward rules diff`") from None
    console.print(f"version {number} is in force" if new else f"nothing new: it is version {number}")


@app.command("history")
def show_history(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the versions, newest first: when, by whom, why.

    Example: ringward rules history
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        found = [
            {
                "number": row.number,
                "at": row.at.isoformat(),
                "author": row.author,
                "note": row.note,
                "digest": row.digest,
            }
            for row in versions.history(session, ground.settings.compound)
        ]
    if as_json:
        console.out(msgspec.json.encode({"versions": found}).decode())
        return
    table = Table("version", "when", "by", "why")
    for row in found:
        table.add_row(str(row["number"]), str(row["at"]), str(row["author"]), escape(str(row["note"] or "")))
    console.print(table)


@app.command("diff")
def diff(
    old: Annotated[int, typer.Argument(min=1)],
    new: Annotated[int, typer.Argument(min=1)],
    data_dir: DataDir = None,
) -> None:
    """Show what one version has changed against another.

    Example: ringward rules diff 3 4
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        try:
            one, other = (
                versions.numbered(session, ground.settings.compound, number) for number in (old, new)
            )
        except MissingError:
            raise fail(f"there are no versions {old} and {new}") from None
        console.out(versions.difference(one, other))


@app.command("default")
def write_default(
    path: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Written there; to the terminal without.")
    ] = None,
) -> None:
    """Write a commented rules file to start from: every rule, parameter, unit, range and trade-off.

    It changes nothing until a # is taken away. Example: ringward rules default rules.toml
    """
    if path is None:
        console.out(default(), end="")
        return
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(default())
    except FileExistsError:
        raise fail(f"{path} is there already") from None
    except OSError as error:
        raise fail(f"{path}: {error.strerror}") from None
    console.print(f"{len(RULES)} rules in {path}")


@app.command("health")
def show_health(
    propose: Annotated[bool, typer.Option("--propose", help="Also write down what follows.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show by rule and device which share of seven days' alarms was false.

    The keeper proposes what follows once a day. Example: ringward rules health --propose
    """
    with opened(settings(data_dir=data_dir)) as ground:
        compound, now = ground.settings.compound, ground.clock.now()
        with ground.database.read() as session:
            found = health.health(session, compound, now)
            proposed = health.survey(session, compound, now) if propose else {}
        if propose:
            with ground.database.write() as session:
                made = len(health.record(session, compound, proposed, now))
    if as_json:
        body = {"days": health.WINDOW.days, "rules": [_health(one) for one in found]}
        console.out(msgspec.json.encode(body).decode())
        return
    table = Table("rule", "device", "alarms", "held", "judged", "false", "share", "reasons")
    for one in found:
        share = one.tally.share
        table.add_row(
            one.rule,
            one.device,
            str(one.raised),
            str(one.held),
            str(one.tally.judged),
            str(one.tally.false),
            "" if share is None else f"{100 * share:.0f} %",
            ", ".join(f"{name} {count}" for name, count in sorted(one.tally.reasons.items())),
        )
    console.print(table)
    if propose:
        console.print(f"{made} new proposals; `ringward rules proposals` lists them")


@app.command("proposals")
def list_proposals(
    every: Annotated[bool, typer.Option("--all", help="Also those that were decided on.")] = False,
    lang: Language = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List what is proposed to change, with the counts that it rests on.

    Example: ringward rules proposals
    """
    texts = texts_in(lang)
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        rows = health.listed(session, ground.settings.compound, None if every else "open")
        if as_json:
            console.out(msgspec.json.encode({"proposals": [_proposal(row) for row in rows]}).decode())
            return
        for row in rows:
            what = texts.code("rule_advice", row.advice)
            if row.parameter is not None:
                what += f": {row.parameter} {row.present:g} → {row.proposed:g}"
            console.print(f"{row.id}  {row.rule}  {row.device}  {escape(what)}  {row.state}")
            reasons = ", ".join(f"{name} {count}" for name, count in sorted(row.reasons.items()))
            console.print(f"    {row.false_alarms} of {row.alarms} judged alarms were false: {reasons}")
        if not rows:
            console.print("nothing is proposed")


@app.command("decide")
def decide(
    proposal: Annotated[str, typer.Argument(help="As `ringward rules proposals` shows it.")],
    approve: Annotated[bool, typer.Option("--approve/--refuse", help="One of the two has to be said.")],
    data_dir: DataDir = None,
) -> None:
    """Decide on a proposal; approved, the rules change in the same moment.

    Example: ringward rules decide 0f3c… --approve
    """
    with opened(settings(data_dir=data_dir)) as ground:
        compound, now = ground.settings.compound, ground.clock.now()
        try:
            with ground.database.write() as session:
                row = health.decide(session, compound, proposal, approve=approve, by=by_cli(), at=now)
                told = f"{row.state}: {row.rule} at {row.device}"
        except MissingError:
            raise fail(f"there is no proposal {proposal}") from None
        except RefusedError as error:
            raise fail(texts_in("en")(f"refused.{error.code}")) from None
    console.print(told)


@app.command("held")
def show_held(
    hours: Annotated[int, typer.Option(min=1, max=24 * 31, help="How far back.")] = 24,
    lang: Language = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what the alert budget held back, and why. Each is an incident all the same.

    Example: ringward rules held --hours 8
    """
    texts = texts_in(lang)
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        now = ground.clock.now()
        found = heldback.report(session, ground.settings.compound, now - dt.timedelta(hours=hours), now)
    if as_json:
        console.out(msgspec.json.encode(dataclasses.asdict(found)).decode())
        return
    table = Table("rule", "device", "severity", "held", "still held", "why")
    for one in found.groups:
        why = texts.code("held_back", one.reason)
        table.add_row(one.rule, one.device, str(one.severity), str(one.count), str(one.still), why)
    console.print(table)
    console.print(
        f"{found.held} of {found.raised} incidents of {hours} h were held back; {found.came_out} came out"
    )


def _rule(rule: Any, entry: Any) -> dict[str, Any]:
    values = dict(entry.values) if entry is not None else {}
    return {
        "id": rule.id,
        "kind": rule.kind,
        "says": says(rule),
        "enabled": entry is None or entry.enabled,
        "severities": dict(rule.severities) | (dict(entry.severities) if entry is not None else {}),
        "parameters": [
            {
                "name": one.name,
                "unit": one.unit,
                "value": values.get(one.name, one.default),
                "default": one.default,
                "low": one.low,
                "high": one.high,
                "trade_off": one.trade_off,
            }
            for one in rule.parameters
        ],
    }


def _health(one: health.Health) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "device": one.device,
        "alarms": one.raised,
        "held": one.held,
        "judged": one.tally.judged,
        "false": one.tally.false,
        "share": one.tally.share,
        "reasons": dict(one.tally.reasons),
    }


def _proposal(row: RuleProposal) -> dict[str, Any]:
    names = (
        "id", "rule", "device", "advice", "parameter", "present", "proposed", "alarms", "false_alarms",
        "reasons", "state",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names} | {"made_at": row.made_at.isoformat()}
