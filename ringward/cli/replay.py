"""`ringward replay`: try rules on a past that was stored, before they are trusted."""

import datetime as dt
import sys
import time
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.rehearsal import Comparison, compare
from alerts.rehearsal.comparing import Change, Kind
from alerts.rehearsal.running import begins
from alerts.rulebook.current import current
from alerts.rulebook.values import RulesFile
from alerts.rulebook.versions import check
from console.texts import Texts
from console.texts.rulebook import finding_text
from registry.days import time_zone
from registry.models import Compound
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.rules_words import Language, texts_in
from ringward.foundation import Foundation
from ringward.rehearsal.page import page
from ringward.rehearsal.showing import Rehearsal, as_json
from ringward.rehearsal.staging import Script, stage
from ringward.rehearsal.table import show

_LONGEST: Final = dt.timedelta(days=92)


def replay(
    start: Annotated[
        str, typer.Option("--from", help="2026-11-16 or 2026-11-16T18:30, by the compound's clock.")
    ],
    end: Annotated[str | None, typer.Option("--to", help="The same; until now without.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="A draft of a rules file; without: those in force.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="current, default (as the rules come), or another file.")
    ] = None,
    compound: Annotated[str | None, typer.Option(help="Where there are several.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with a timeline to this file.")] = None,
    lang: Language = None,
    data_dir: Annotated[Path | None, typer.Option(help="Which deployment.")] = None,
) -> None:
    """Say what rules would have raised in a past, and what others would have raised of it.

    Nothing is changed and nobody is told. What happened in the 27 hours before is read as well,
    since rules look back; incidents that a person would have closed stay open.

    Example: ringward replay --from 2026-11-16 --to 2026-11-23 --rules draft.toml --against current
    """
    texts = texts_in(lang)
    with opened(settings(data_dir=data_dir)) as ground:
        with ground.database.read() as session:
            name = _compound(session, compound)
            zone = time_zone(session, name)
            now = ground.clock.now()
            since, until = _moment(start, zone), now if end is None else _moment(end, zone)
            if not since < until:
                raise fail(texts("rehearsal.no_time"))
            if until - since > _LONGEST:
                raise fail(texts("rehearsal.too_long", days=_LONGEST.days))
            scripts = [_script(session, name, str(rules or "current"), now, texts)]
            if against is not None:
                scripts.append(_script(session, name, against, now, texts))
        rehearsal = _rehearse(ground, name, scripts, since, until, zone, quiet=json_)
    if html is not None:
        html.write_text(page(rehearsal, texts), encoding="utf-8")
    if json_:
        sys.stdout.write(msgspec.json.encode(as_json(rehearsal)).decode() + "\n")
        return
    show(Console(), rehearsal, texts)
    if html is not None:
        console.print(str(html))


def _rehearse(
    ground: Foundation,
    compound: str,
    scripts: list[Script],
    start: dt.datetime,
    end: dt.datetime,
    zone: ZoneInfo,
    *,
    quiet: bool,
) -> Rehearsal:
    errors = Console(stderr=True)
    first = begins(start)
    seen = 0
    took = time.perf_counter()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
        disable=quiet or not errors.is_terminal,
    ) as bar:
        task = bar.add_task(compound, total=(end - first).total_seconds())

        def progress(moment: dt.datetime, count: int) -> None:
            nonlocal seen
            seen = count
            bar.update(task, completed=(moment - first).total_seconds())

        outcomes = stage(ground.database, compound, scripts, start, end, progress)
    if len(outcomes) > 1:
        comparison = compare(outcomes[0].incidents, outcomes[1].incidents, zone)
    else:
        comparison = Comparison(tuple(Change(Kind.NEW, one, None) for one in outcomes[0].incidents), zone)
    return Rehearsal(
        compound=compound,
        start=start,
        end=end,
        draft=scripts[0].name,
        against=scripts[1].name if len(scripts) > 1 else None,
        comparison=comparison,
        outcomes=tuple(outcomes),
        observations=seen,
        seconds=time.perf_counter() - took,
    )


def _compound(session: Session, wanted: str | None) -> str:
    known = list(session.scalars(select(Compound.id).order_by(Compound.id)))
    if wanted is None and len(known) == 1:
        return known[0]
    if wanted is None:
        raise fail(f"--compound: {', '.join(known) or 'there is none'}")
    if wanted not in known:
        raise fail(f"no compound {wanted}; there is: {', '.join(known)}")
    return wanted


def _script(session: Session, compound: str, source: str, now: dt.datetime, texts: Texts) -> Script:
    """A file, or a word: `current` is what is in force, `default` the rules as they come."""
    if source == "default":
        return Script("default", RulesFile())
    if source == "current":
        known = current(session, compound, now)
        return Script(known.book.version, known.file)
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{source}: {error}") from None
    reading = check(session, compound, text)
    for finding in reading.findings:
        colour = "red" if finding.error else "yellow"
        Console(stderr=True, highlight=False).print(
            f"[{colour}]{path.name}:{finding.line}[/{colour}] {finding_text(texts, finding)}"
        )
    if reading.errors:
        raise typer.Exit(1)
    return Script(path.name, reading.file)


def _moment(text: str, zone: ZoneInfo) -> dt.datetime:
    """A day or a moment by the compound's clock, unless it names its own zone."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise fail(f"{text}: 2026-11-16 or 2026-11-16T18:30") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(dt.UTC)
