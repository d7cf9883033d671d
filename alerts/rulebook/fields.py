"""Values out of a table of a rules file, each of the kind that is wanted, or a finding. Pure."""

import datetime as dt
import math
from collections.abc import Collection
from typing import Any, Final

from alerts.rulebook.findings import Findings
from alerts.rulebook.reading import Branch, Leaf, Node
from alerts.rulebook.values import EVERY_DAY

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPANS: Final = {
    "daily": EVERY_DAY,
    "weekdays": frozenset(range(5)),
    "weekend": frozenset({5, 6}),
}
DAY_NAMES: Final = (*_DAYS, *_SPANS)


class Fields:
    """One table, read key by key. What is asked for is known; `done` complains of the rest."""

    def __init__(self, branch: Branch, where: str, found: Findings) -> None:
        self.branch = branch
        self.where = where
        self.found = found
        self._asked: set[str] = set()
        # Says of what was asked for and not given whether it was there at all.
        self.failed = False

    @property
    def line(self) -> int:
        return self.branch.line

    def at(self, name: str) -> str:
        """The dotted name of a key of this table."""
        return f"{self.where}.{name}" if self.where else name

    def line_of(self, name: str) -> int:
        """Where a key stands; the table's header where it is not there."""
        node = self.branch.items.get(name)
        if node is None:
            return self.line
        return node[0].line if isinstance(node, list) else node.line

    def has(self, name: str) -> bool:
        return name in self.branch.items

    def node(self, name: str) -> Node | None:
        """The key as it stands; it counts as known."""
        self._asked.add(name)
        return self.branch.items.get(name)

    def done(self, also: Collection[str] = (), code: str = "unknown_key") -> None:
        """Complains of every key that nobody has asked for; `also` are known, too."""
        known = self._asked | set(also)
        for name in self.branch.items:
            if name not in known:
                self.failed = True
                self.found.unknown(self.line_of(name), code, self.at(name), name, known)

    def table(self, name: str) -> "Fields | None":
        """A table below this one, None where it is not there."""
        node = self.node(name)
        if node is None:
            return None
        if isinstance(node, Branch):
            return Fields(node, self.at(name), self.found)
        self._wrong(name, "one_table" if isinstance(node, list) else "table")
        return None

    def tables(self, name: str) -> list["Fields"]:
        """The tables of an array of them (`[[…]]`); empty where there are none."""
        node = self.node(name)
        if node is None or (isinstance(node, Leaf) and node.value == []):
            return []
        if isinstance(node, list):
            return [Fields(branch, self.at(name), self.found) for branch in node]
        self._wrong(name, "tables")
        return []

    def need(self, *names: str) -> None:
        """Complains of what must be there and is not."""
        for name in names:
            if not self.has(name):
                self.failed = True
                self.found.error(self.line, "missing_key", self.where, name=name)

    def flag(self, name: str, default: bool) -> bool:
        value = self._value(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self._wrong(name, "true_false")
        return default

    def number(self, name: str) -> float | None:
        """Finite; true and false are none, although Python counts with them."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._wrong(name, "number")
            return None
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(name, "whole_number")
            return None
        if not low <= value <= high:
            self.failed = True
            self.found.error(
                self.line_of(name), "not_between", self.at(name), name=name, value=value, low=low, high=high
            )
            return None
        return value

    def text(self, name: str, longest: int) -> str | None:
        """Not empty, at most so many characters."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self._wrong(name, "text")
            return None
        if len(value) > longest:
            self.failed = True
            self.found.error(self.line_of(name), "too_long", self.at(name), name=name, longest=longest)
            return None
        return value.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; what stands in it twice counts once."""
        value = self._value(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            self._wrong(name, "texts")
            return ()
        return tuple(dict.fromkeys(value))

    def days(self, name: str) -> frozenset[int] | None:
        """`"daily"`, `"weekdays"`, `"weekend"` or a list of mon … sun."""
        value = self._value(name)
        if value is None:
            return None
        named = [value] if isinstance(value, str) else value
        if not isinstance(named, list) or not named or not all(isinstance(one, str) for one in named):
            self._wrong(name, "days")
            return None
        days: set[int] = set()
        for one in named:
            if one in _SPANS:
                days |= _SPANS[one]
            elif one in _DAYS:
                days.add(_DAYS.index(one))
            else:
                self.failed = True
                self.found.unknown(self.line_of(name), "unknown_day", self.at(name), one, DAY_NAMES)
        return frozenset(days) or None

    def clock(self, name: str, *, end: bool = False) -> dt.time | None:
        """A time of day: "23:00" or 23:00:00. An end may be "24:00", which is 00:00."""
        value = self._value(name)
        if value is None:
            return None
        found = clock(value, end=end)
        if found is None:
            self._wrong(name, "clock")
        return found

    def clocks(self, name: str) -> tuple[dt.time, ...]:
        """A list of times of day."""
        value = self._value(name)
        if value is None:
            return ()
        found = [clock(one) for one in value] if isinstance(value, list) else []
        if not found or None in found:
            self._wrong(name, "clocks")
            return ()
        return tuple(sorted({one for one in found if one is not None}))

    def moment(self, name: str, zone: dt.tzinfo) -> dt.datetime | None:
        """A day and time; without an offset by the compound's clock."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, str):
            try:
                value = dt.datetime.fromisoformat(value)
            except ValueError:
                value = None
        if not isinstance(value, dt.datetime):
            self._wrong(name, "moment")
            return None
        try:
            return (value if value.tzinfo is not None else value.replace(tzinfo=zone)).astimezone(dt.UTC)
        except OverflowError:
            self._wrong(name, "moment")
            return None

    def _value(self, name: str) -> Any:
        node = self.node(name)
        if node is None:
            return None
        if isinstance(node, Leaf):
            return node.value
        # A table where a value is wanted: of no kind that is asked for.
        return node

    def _wrong(self, name: str, wanted: str) -> None:
        self.failed = True
        self.found.error(self.line_of(name), "wrong_type", self.at(name), name=name, wanted=wanted)


def clock(value: object, *, end: bool = False) -> dt.time | None:
    """A time of day out of a text or a TOML time, None where it is none."""
    if isinstance(value, dt.time) and value.tzinfo is None:
        return value.replace(microsecond=0)
    if not isinstance(value, str):
        return None
    if value == "24:00":
        return dt.time() if end else None
    try:
        found = dt.time.fromisoformat(value)
    except ValueError:
        return None
    # "8" and "0800" are read by Python, and meant otherwise by somebody.
    return found if found.tzinfo is None and ":" in value else None
