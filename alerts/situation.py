"""What a compound's rules stand in: the book in force, mutes, the plan, what people have ended.

Read again and again beside the rules' work; each part as often as people change it.
"""

import datetime as dt
from typing import Final

from alerts import knowing, mutes
from alerts.ended import ended_since
from alerts.rulebook import current
from alerts.rules import Mute, RuleBook, Site
from alerts.rules.engine import HORIZON
from storage import Database

_SITE_EVERY: Final = dt.timedelta(seconds=15)
# Two transactions may end in another order than they began in.
_OVERLAP: Final = dt.timedelta(seconds=30)


class Situation:
    """As of the last `read`."""

    def __init__(self, compound: str, database: Database, now: dt.datetime) -> None:
        self._compound = compound
        self._database = database
        with database.read() as session:
            self.in_force = current.current(session, compound, now)
        self.mutes: list[Mute] = []
        self.site = Site()
        self._site_read: dt.datetime | None = None
        self._ended_to: dt.datetime | None = None

    @property
    def book(self) -> RuleBook:
        """The book in force; the same object until it is another."""
        return self.in_force.book

    def read(self, now: dt.datetime) -> None:
        """Reads what may have changed."""
        with self._database.read() as session:
            self.in_force = current.current(session, self._compound, now)
            self.mutes = mutes.in_force(session, self._compound, now - HORIZON)
            if self._site_read is None or now - self._site_read >= _SITE_EVERY:
                site = knowing.site(session, self._compound, now - HORIZON)
                if site != self.site:
                    self.site = site
                self._site_read = now

    def ended_since(self, since: dt.datetime) -> dict[str, dt.datetime]:
        """Dedupe key → when its incident was ended, of those that were ended since."""
        with self._database.read() as session:
            return ended_since(session, self._compound, since)

    def newly_ended(self, now: dt.datetime) -> dict[str, dt.datetime]:
        """The same since it was asked last."""
        since, self._ended_to = self._ended_to, now
        return {} if since is None else self.ended_since(since - _OVERLAP)
