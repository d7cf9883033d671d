"""The rules file on disk that the setting `rules_file` names: taken in at the start and when it changes.

A file with errors is refused as a whole: what was in force stays in force, and the refusal stands
in the database, where every process, `ringward doctor` and the API find it. It never stops anything.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.rulebook.findings import Finding
from alerts.rulebook.models import RulesFileState
from alerts.rulebook.reading import LARGEST
from alerts.rulebook.versions import BadRulesError, digest_of, keep
from registry.errors import StaleEditError
from storage import Database

log = structlog.get_logger(__name__)

AGAIN: Final = dt.timedelta(minutes=1)
BY: Final = Actor("rules_file", "system")
NOTE: Final = "rules_file"
"""The note of versions that came from the file."""

_BYTES_MOST: Final = 4 * LARGEST


class RulesFile:
    """Looks after one file. Cheap where it has not changed: its date and size are looked at, no more."""

    def __init__(self, database: Database, compound: str, path: Path) -> None:
        self._database = database
        self._compound = compound
        self._path = path
        self._seen: tuple[int, int, int] | str | None = "never"
        # When one that was refused is looked at again: the zone that it names may have been made.
        self._again: dt.datetime | None = None

    @property
    def refused(self) -> bool:
        """Whether the last look found it wrong."""
        return self._again is not None

    def look(self, now: dt.datetime) -> bool:
        """Takes the file in where it has changed since; whether there is a new version of the rules."""
        mark = self._mark()
        if mark == self._seen and (self._again is None or now < self._again):
            return False
        text, why = self._text()
        try:
            with self._database.write() as session:
                new, refused = _take_in(session, self._compound, text, why, now)
        except StaleEditError:
            # Somebody saved in the console this very moment: the next look sees what is to be done.
            return False
        # Only now: what a database that was away did not take is tried again.
        self._seen = mark
        self._again = now + AGAIN if refused else None
        return new

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _text(self) -> tuple[str | None, str]:
        """The text, or why there is none."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(_BYTES_MOST + 1)
            return raw.decode("utf-8"), ""
        except FileNotFoundError:
            return None, "file_missing"
        except UnicodeDecodeError:
            return None, "file_not_utf8"
        except OSError:
            return None, "file_unreadable"


def state(session: Session, compound: str) -> RulesFileState | None:
    """What came of the file when it was last looked at; None where none was ever named."""
    return session.get(RulesFileState, compound)


def finding_of(kept: Mapping[str, Any]) -> Finding:
    """One of a state's findings as what it was."""
    error = kept["level"] == "error"
    return Finding(kept["line"], kept["code"], kept["where"], kept["facts"], kept["hint"], error)


def _take_in(
    session: Session, compound: str, text: str | None, why: str, now: dt.datetime
) -> tuple[bool, bool]:
    """Whether there is a new version, and whether the file was refused."""
    row = session.get(RulesFileState, compound)
    if row is None:
        row = RulesFileState(compound=compound, digest="", looked_at=now, findings=[])
        session.add(row)
    digest = digest_of(text) if text is not None else ""
    if digest and digest == row.digest and row.refused_since is None:
        # Taken in before this process began. What somebody has set in the console since stays.
        row.looked_at = now
        return False, False
    findings: list[dict[str, Any]] = []
    new = False
    if text is None:
        findings = [Finding(0, why).plain()]
    else:
        try:
            _, new = keep(session, compound, text, BY, now, note=NOTE)
        except BadRulesError as error:
            findings = [one.plain() for one in error.findings]
    if findings and (findings != row.findings or row.refused_since is None):
        errors = sum(one["level"] == "error" for one in findings)
        log.error("rules.file_refused", compound=compound, errors=errors, first_line=findings[0]["line"])
    row.digest, row.looked_at, row.findings = digest, now, findings
    row.refused_since = (row.refused_since or now) if findings else None
    return new, bool(findings)
