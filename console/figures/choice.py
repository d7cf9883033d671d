"""What a report is of: a span of days, and what it is narrowed to. The address of the page keeps it."""

import datetime as dt
import enum
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from alerts.duty.localtime import moment
from alerts.reporting.gathering import Scope
from console.problems import ProblemError
from registry.models import Ring

LONGEST: Final = dt.timedelta(days=366)
"""A report of more than a year says little and reads much."""


class Span(enum.StrEnum):
    """Spans that are chosen with one press."""

    YESTERDAY = "yesterday"
    WEEK = "week"  # the last seven days that are over
    MONTH = "month"
    LAST_MONTH = "last_month"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Choice:
    """`first` and `last` are local days, both within. "" and 0: all."""

    span: Span
    first: dt.date
    last: dt.date
    ring: str = ""
    severity: int = 0
    kind: str = ""
    drills: bool = False

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def query(self) -> str:
        """The choice as the end of an address; what stands by itself is left out."""
        parts: dict[str, str] = {"span": str(self.span)}
        if self.span is Span.FREE:
            parts |= {"first": self.first.isoformat(), "last": self.last.isoformat()}
        for name, value in (("ring", self.ring), ("severity", self.severity), ("kind", self.kind)):
            if value:
                parts[name] = str(value)
        if self.drills:
            parts["drills"] = "1"
        return urlencode(parts)

    def spanning(self, span: Span) -> str:
        """The address of the same with another span."""
        return Choice(span, self.first, self.last, self.ring, self.severity, self.kind, self.drills).query

    def scope(self, compound: str, zone: dt.tzinfo, now: dt.datetime, *, drill: bool = False) -> Scope:
        """The incidents it is of: until now where the last day is not over."""
        start = moment(self.first, dt.time(), zone)
        end = moment(self.last + dt.timedelta(days=1), dt.time(), zone)
        return Scope(
            compound,
            start,
            max(min(end, now), start + dt.timedelta(seconds=1)),
            self.ring or None,
            self.severity or None,
            self.kind or None,
            drill,
        )


def choose(
    today: dt.date,
    kinds: Collection[str],
    *,
    span: str = "",
    first: str = "",
    last: str = "",
    ring: str = "",
    severity: int = 0,
    kind: str = "",
    drills: str = "",
) -> Choice:
    """What an address asks for; the last seven days where it says nothing.

    Raises a 422 problem `bad_span` for days that are none, that have not come, or that are too many. A kind,
    ring or severity that nobody knows narrows nothing.
    """
    chosen = Span(span) if span in list(Span) else (Span.FREE if first and last else Span.WEEK)
    begins, ends = _free(first, last, today) if chosen is Span.FREE else _days(chosen, today)
    return Choice(
        chosen,
        begins,
        ends,
        ring if ring in list(Ring) else "",
        severity if severity in range(1, 5) else 0,
        kind if kind in kinds else "",
        bool(drills),
    )


def _days(span: Span, today: dt.date) -> tuple[dt.date, dt.date]:
    day = dt.timedelta(days=1)
    if span is Span.YESTERDAY:
        return today - day, today - day
    if span is Span.MONTH:
        return today.replace(day=1), today
    if span is Span.LAST_MONTH:
        last = today.replace(day=1) - day
        return last.replace(day=1), last
    return today - 7 * day, today - day


def _free(first: str, last: str, today: dt.date) -> tuple[dt.date, dt.date]:
    try:
        begins, ends = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    except ValueError:
        raise ProblemError(422, "bad_span", "Two days are written like 2026-11-24") from None
    if not begins <= ends or begins > today or begins.year < 2000 or ends - begins >= LONGEST:
        raise ProblemError(422, "bad_span", "The days are in no order, have not come, or are too many")
    return begins, min(ends, today)
