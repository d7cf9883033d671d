"""What `ringward doctor` says of the rules: what is in force, and what was refused."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from sqlalchemy.orm import Session

from alerts.rulebook import health, intake, versions
from alerts.rulebook.current import current
from alerts.rules import RULES, Mode
from console.texts import load
from console.texts.rulebook import finding_text
from ringward.checkup import Finding
from ringward.cli.check_config import IN_FORCE
from ringward.settings import Settings
from storage import Database

_ADVICE: Final = "`ringward check-config` lists it, line by line."


def findings(database: Database, loaded: Settings, now: dt.datetime) -> Iterator[Finding]:
    """Reads only."""
    with database.read() as session:
        yield _in_force(session, loaded.compound, now)
        if loaded.rules_file is not None:
            yield _file(session, loaded)
        waiting = len(health.listed(session, loaded.compound, "open"))
    if waiting:
        yield Finding("rule proposals", True, f"{waiting} wait: `ringward rules proposals`")


def _in_force(session: Session, compound: str, now: dt.datetime) -> Finding:
    held = current(session, compound, now)
    off = [rule.id for rule in RULES if not _enabled(held.file.entries.get(rule.id))]
    seen = f"{len(RULES)} rules, version {held.book.version}"
    if off:
        seen += f", off: {', '.join(off)}"
    if held.book.mode is not Mode.NORMAL:
        seen += f", mode {held.book.mode}"
    row = versions.newest(session, compound)
    errors = versions.check(session, compound, row.text).errors if row is not None else ()
    if errors:
        seen += f"; {len(errors)} things in it do not hold any more"
    return Finding(IN_FORCE, not errors, seen, _ADVICE)


def _enabled(entry: object) -> bool:
    return entry is None or bool(getattr(entry, "enabled", True))


def _file(session: Session, loaded: Settings) -> Finding:
    name, path = "rules file", loaded.rules_file
    state = intake.state(session, loaded.compound)
    if state is None:
        return Finding(name, False, f"{path} was not looked at yet", "The keeper does; is it running?")
    if state.refused_since is not None:
        first = next((one for one in state.findings if one["level"] == "error"), None)
        seen = f"{path} is refused since {state.refused_since:%Y-%m-%d %H:%M} UTC"
        if first is not None:
            seen += f"; line {first['line']}: {finding_text(load('en'), intake.finding_of(first))}"
        return Finding(name, False, f"{seen} The rules before it are in force.", _ADVICE)
    row = versions.newest(session, loaded.compound)
    if row is not None and row.digest != state.digest:
        seen = f"{path} was taken in; version {row.number}, set since then by hand, is in force"
        return Finding(name, True, seen)
    return Finding(name, True, f"{path} is in force")
