"""What kind of day a day is: China's calendar moves rest days, and the compound's own word goes before it."""

import datetime as dt
import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


class DayKind(enum.StrEnum):
    """The four kinds of days that duty goes by."""

    WEEKDAY = "weekday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"  # 法定节假日 with the days that are moved to it
    MAKE_UP = "make_up"  # 调休上班: a Saturday or Sunday that is worked

    @property
    def works(self) -> bool:
        """Whether offices are open."""
        return self in {DayKind.WEEKDAY, DayKind.MAKE_UP}


WORKDAYS: Final = frozenset({DayKind.WEEKDAY, DayKind.MAKE_UP})
REST_DAYS: Final = frozenset({DayKind.WEEKEND, DayKind.HOLIDAY})
ANY_DAY: Final = frozenset(DayKind)


class YearUnknownError(LookupError):
    """Nobody has said yet which days of this year are holidays and which are worked."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the duty calendar of {year} is not known")
        self.year = year


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A day that is not what its place in the week says. `name` is the holiday's."""

    kind: DayKind
    name: str


_NONE: Mapping[dt.date, NamedDay] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DutyCalendar:
    """Which day is what, in the compound's local dates.

    `published` are the days of the State Council's notices, complete for the years `years`; `own` are
    the compound's and go before them. A day of a year that is not known has a kind only where `own`
    says so: what the notice will move cannot be guessed.
    """

    published: Mapping[dt.date, NamedDay] = field(default_factory=lambda: _NONE)
    years: Collection[int] = frozenset()
    own: Mapping[dt.date, NamedDay] = field(default_factory=lambda: _NONE)

    def known(self, day: dt.date) -> bool:
        """Whether `kind` answers for this day."""
        return day in self.own or day.year in self.years

    def named(self, day: dt.date) -> NamedDay | None:
        """What the day is called where it is an exception, else None."""
        return self.own.get(day) or (self.published.get(day) if day.year in self.years else None)

    def kind(self, day: dt.date) -> DayKind:
        """Raises `YearUnknownError`."""
        if (named := self.named(day)) is not None:
            return named.kind
        if day.year not in self.years:
            raise YearUnknownError(day.year)
        return DayKind.WEEKEND if day.weekday() >= 5 else DayKind.WEEKDAY
