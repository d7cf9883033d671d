"""What a compound's rules go by now: the newest version of its file, and the mode it is run in.

Asked every second or two of every compound: two small look-ups. Texts are read once, and the
same value is given again while nothing has changed, so whoever asks may compare with `is`.
"""

import datetime as dt
import threading
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.rulebook import modes
from alerts.rulebook.file import load
from alerts.rulebook.models import RuleVersion
from alerts.rulebook.values import Budget, Confirmation, Patrol, Post, RulesFile, WrittenMute
from alerts.rules import Mode, RuleBook
from registry.days import time_zone

log = structlog.get_logger(__name__)

DEFAULT: Final = "default"
_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class Current:
    """What holds now. `number` is the version's, None where nothing was ever set."""

    book: RuleBook
    file: RulesFile
    number: int | None

    @property
    def patrols(self) -> tuple[Patrol, ...]:
        return self.file.patrols

    @property
    def posts(self) -> tuple[Post, ...]:
        return self.file.posts

    @property
    def mutes(self) -> tuple[WrittenMute, ...]:
        return self.file.mutes

    @property
    def budget(self) -> Budget:
        return self.file.budget

    @property
    def confirmation(self) -> Confirmation:
        return self.file.confirmation


def current(session: Session, compound: str, at: dt.datetime) -> Current:
    """What holds in a compound at a moment, which is about now.

    A version that an older Ringward took in, and of which some does not hold any more, goes on with
    what does: a stopped engine would hear nothing at all. The log and `ringward doctor` say so.
    """
    newest = session.execute(
        select(RuleVersion.number, RuleVersion.digest)
        .where(RuleVersion.compound == compound)
        .order_by(RuleVersion.number.desc())
        .limit(1)
    ).one_or_none()
    key = (
        compound,
        newest.number if newest is not None else None,
        newest.digest if newest is not None else "",
        time_zone(session, compound),
        modes.mode(session, compound, at),
    )
    with _lock:
        known = _made.get(key)
    if known is not None:
        return known
    file = _read(session, *key[:4])
    version = DEFAULT if key[1] is None else str(key[1])
    made = Current(file.book(key[3], version, key[4]), file, key[1])
    with _lock:
        # Of two who made it at once, both get the first one's.
        known = _made.setdefault(key, made)
        if len(_made) > _MOST:
            del _made[next(iter(_made))]
    return known


def of(session: Session, compound: str, at: dt.datetime) -> RuleBook:
    """The book alone."""
    return current(session, compound, at).book


# Compound, number, digest, time zone, mode → what it comes to; the oldest is given up first.
_made: dict[tuple[str, int | None, str, ZoneInfo, Mode], Current] = {}
_lock = threading.Lock()


def _read(session: Session, compound: str, number: int | None, digest: str, zone: ZoneInfo) -> RulesFile:
    if number is None:
        return RulesFile()
    with _lock:
        for (_, _, other, its_zone, _), made in _made.items():
            # The same file in another mode.
            if other == digest and its_zone == zone:
                return made.file
    text = session.scalars(
        select(RuleVersion.text).where(RuleVersion.compound == compound, RuleVersion.number == number)
    ).one()
    reading = load(text, None, zone)
    if reading.errors:
        log.error("rules.partly_in_force", compound=compound, version=number, errors=len(reading.errors))
    return reading.file
