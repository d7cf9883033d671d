"""What a timeline is made of: entries in time order, worded only where they are shown.

An incident of two thousand signals is read as moments, which know when and of which sort they are;
words, names and pictures are looked up for the page that is shown.
"""

import datetime as dt
import enum
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

Row = TypeVar("Row")
PER_PAGE: Final = 100
# Clocks that differ by less say the same.
_SAME: Final = dt.timedelta(seconds=3)


class Sort(enum.StrEnum):
    """What an entry is about; what the page is filtered by."""

    SEEN = "seen"
    SIGNAL = "signal"
    STEP = "step"
    ANSWER = "answer"
    SENT = "sent"
    PLAN = "plan"
    LETTER = "letter"
    DEVICE = "device"
    MERGE = "merge"
    REVIEW = "review"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline, in words. `who` is empty where a machine did it.

    `device_time` and `received_at` are given where they say something else than when it was.
    """

    what: str
    who: str = ""
    where: str = ""
    lines: tuple[str, ...] = ()
    severity: int | None = None
    chip: str = ""
    pictures: tuple[str, ...] = ()
    other: str = ""
    # Words that say that something could not be seen.
    blind: bool = False
    device_time: dt.datetime | None = None
    received_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was, and how to say it. `key` orders what was at one moment."""

    at: dt.datetime
    sort: Sort
    key: str
    say: Callable[[], Entry]
    # Names of people and things that `say` will look up.
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A moment on the page."""

    at: dt.datetime
    sort: str
    entry: Entry
    # The first of its day.
    opens_day: bool = False


@dataclass(frozen=True, slots=True)
class PageOf:
    """The moments of one page; pages from 1. `counts` is how many there are of each sort."""

    moments: tuple[Moment, ...]
    number: int
    pages: int
    total: int
    counts: dict[str, int] = field(default_factory=dict)


def of(row: Row, words: Callable[[Row], Entry]) -> Callable[[], Entry]:
    """How a row is said, to be asked for later."""
    return lambda: words(row)


def page_of(moments: Sequence[Moment], wanted: Collection[str], number: int) -> PageOf:
    """The page of a number, of the wanted sorts (none: of all); beyond the last one, the last."""
    counts: dict[str, int] = {}
    for one in moments:
        counts[one.sort.value] = counts.get(one.sort.value, 0) + 1
    chosen = [one for one in moments if not wanted or one.sort.value in wanted]
    chosen.sort(key=lambda one: (one.at, one.key))
    pages = max(1, -(-len(chosen) // PER_PAGE))
    number = min(max(1, number), pages)
    start = (number - 1) * PER_PAGE
    return PageOf(tuple(chosen[start : start + PER_PAGE]), number, pages, len(chosen), counts)


def differs(one: dt.datetime | None, other: dt.datetime) -> dt.datetime | None:
    """A clock's word where it says something else than another; else None."""
    return one if one is not None and abs(one - other) > _SAME else None
