"""What a compound's rules stand in: the book in force, mutes, the plan, what people have ended.

Read again and again beside the rules' work; each part as often as people change it.
"""

import datetime as dt
from collections.abc import Hashable
from typing import Final

from alerts import knowing, mutes
from alerts.ended import ended_since
from alerts.glance import Signs
from alerts.rulebook import current
from alerts.rules import Mute, RuleBook, Site
from alerts.rules.engine import HORIZON
from storage import Database

_SITE_EVERY: Final = dt.timedelta(seconds=15)
OVERLAP: Final = dt.timedelta(seconds=30)
"""How far a look for what was ended reaches back behind the last one: two transactions may end in
another order than they began in."""


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
        self._signs: Hashable = None

    @property
    def book(self) -> RuleBook:
        """The book in force; the same object until it is another."""
        return self.in_force.book

    @property
    def ended_to(self) -> dt.datetime | None:
        """Up to when it knows what was ended; None where it was never asked."""
        return self._ended_to

    def read(self, now: dt.datetime, signs: Signs | None = None) -> None:
        """Reads what may have changed; with signs that are those of the last time nothing but the plan."""
        seen = signs.of(self._compound) if signs is not None else None
        has_changed = seen is None or seen != self._signs
        wants_site = self._site_read is None or now - self._site_read >= _SITE_EVERY
        if not has_changed and not wants_site:
            return
        with self._database.read() as session:
            if has_changed:
                self.in_force = current.current(session, self._compound, now)
                self.mutes = mutes.in_force(session, self._compound, now - HORIZON)
            if wants_site:
                site = knowing.site(session, self._compound, now - HORIZON)
                if site != self.site:
                    self.site = site
                self._site_read = now
        self._signs = seen

    def ended_since(self, since: dt.datetime) -> dict[str, dt.datetime]:
        """Dedupe key → when its incident was ended, of those that were ended since."""
        with self._database.read() as session:
            return ended_since(session, self._compound, since)

    def newly_ended(self, now: dt.datetime, signs: Signs | None = None) -> dict[str, dt.datetime]:
        """The same since it was asked last."""
        since, self._ended_to = self._ended_to, now
        if since is None:
            return {}
        since -= OVERLAP
        if signs is not None and signs.ended_from <= since and self._compound not in signs.ended:
            return {}
        return self.ended_since(since)
