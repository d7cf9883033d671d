"""Dates as people and Excel write them. Pure."""

import datetime as dt
import re
import unicodedata
from typing import Final

from registry.imports.workbooks import Cell

EARLIEST: Final = dt.date(1900, 1, 1)
LATEST: Final = dt.date(2200, 1, 1)
# Excel's day 1 is 1900-01-01, and it believes that there was a 1900-02-29.
_SERIAL_ZERO: Final = dt.date(1899, 12, 30)
_SERIALS: Final = range(10_000, 100_000)
_WRITTEN: Final = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号]?|([0-9]{2})([0-9]{2}))"
    r"(?:[T,]?[0-9]{1,2}[:时][0-9]{1,2}(?:[:分][0-9.]*)?(?:秒|Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_OPEN: Final = frozenset(["长期", "永久", "长期有效", "至今", "无", "无固定期限", "不限", "无期限", "-"])


class DateError(ValueError):
    """No date; `code` says in which way, and the text is not repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(cell: Cell) -> dt.date:
    """The day in a cell: a date of Excel, its serial number, or a text.

    2026-01-05, 2026/1/5, 2026.1.5, 2026年1月5日 and 20260105, each also with a time behind it.
    Raises `DateError`: `date_unreadable`, `date_impossible` (31 February), `date_range`.
    """
    if isinstance(cell, dt.datetime):
        return _within(cell.date())
    if isinstance(cell, dt.date):
        return _within(cell)
    if isinstance(cell, bool) or cell is None or isinstance(cell, dt.time | dt.timedelta):
        raise DateError("date_unreadable")
    if isinstance(cell, int | float):
        return _of_number(cell)
    text = "".join(unicodedata.normalize("NFKC", cell).split())
    if re.fullmatch("[0-9]{5}", text):
        return _of_number(int(text))
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise DateError("date_unreadable")
    year, _, *parts = found.groups()
    month, day = (part for part in parts if part is not None)
    return _made(int(year), int(month), int(day))


def is_open(cell: Cell) -> bool:
    """Whether a cell says that there is no end: 长期, 永久, 至今, or the year 9999."""
    if isinstance(cell, dt.date):
        return cell.year == 9999
    text = "".join(unicodedata.normalize("NFKC", str(cell)).split())
    return text in _OPEN or text.startswith("9999")


def _of_number(number: float) -> dt.date:
    if 19_000_101 <= number <= 99_991_231 and number == int(number):
        whole = int(number)
        return _made(whole // 10_000, whole // 100 % 100, whole % 100)
    if _SERIALS.start <= number < _SERIALS.stop:
        return _within(_SERIAL_ZERO + dt.timedelta(days=int(number)))
    raise DateError("date_unreadable")


def _made(year: int, month: int, day: int) -> dt.date:
    try:
        return _within(dt.date(year, month, day))
    except ValueError as error:
        if isinstance(error, DateError):
            raise
        raise DateError("date_impossible") from None


def _within(day: dt.date) -> dt.date:
    if not EARLIEST <= day <= LATEST:
        raise DateError("date_range")
    return day
