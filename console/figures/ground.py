"""What every part of a report is made from."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from alerts.reporting.alarms import change
from alerts.reporting.gathering import Scope
from alerts.reporting.intervals import Rate
from console.figures.choice import Choice
from console.pages.places import Names
from console.pages.view import Frame

_FEW = 10
"""Of fewer a percentage says more than there is to say."""


@dataclass(frozen=True)
class Ground:
    """Whose words, whose clock, which span, and the rows."""

    view: Frame
    session: Session
    choice: Choice
    scope: Scope
    places: Names

    @property
    def days(self) -> list[dt.date]:
        return [self.choice.first + dt.timedelta(days=n) for n in range(self.choice.days)]

    def t(self, key: str, **blanks: object) -> str:
        return self.view.t(key, **blanks)

    def than_before(self, now: int, before: int) -> str:
        """How it compares with the span before: "12 before (+25 %)"."""
        share = change(now, before)
        if share is None or before < _FEW:
            return self.t("stats.before", n=before)
        return self.t("stats.before_change", n=before, change=f"{share:+.0%}")

    def rate(self, one: Rate) -> str:
        """A share with its interval: "25 % (9–53 %)"; of nothing a dash."""
        if one.value is None:
            return "–"
        return f"{one.value:.0%} ({one.low:.0%}–{one.high:.0%})"

    def counted(self, one: Rate) -> str:
        return f"{one.count}/{one.of}"

    def day(self, date: dt.date) -> str:
        """Short, for an axis."""
        return f"{date.month}-{date.day:02d}"
