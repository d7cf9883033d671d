"""Who is a child: derived from the 14th birthday where it is known, since a flag does not grow up.

A person under 14 is never matched automatically and consents through a guardian
(PIPL art. 31). The birthday itself is not kept.
"""

import datetime as dt
from typing import Final

from registry.people.models import Person

_YEARS_TO_ADULT: Final = 4  # from 14 to 18


def is_under_14(person: Person, today: dt.date) -> bool:
    """Whether a person is under 14 on a day of the compound."""
    return under_14_on(today, flag=person.under_14, turns_14_on=person.turns_14_on)


def under_14_on(today: dt.date, *, flag: bool, turns_14_on: dt.date | None) -> bool:
    """The same for a row's columns."""
    return flag if turns_14_on is None else today < turns_14_on


def is_adult(person: Person, today: dt.date) -> bool:
    """Whether a person is 18, as far as the registry can tell: of adults it knows no birthday."""
    if person.turns_14_on is None:
        return not person.under_14
    birthday = person.turns_14_on
    # Born on 29 February: grown up on 1 March.
    year = birthday.year + _YEARS_TO_ADULT
    leap_day = (birthday.month, birthday.day) == (2, 29)
    return today >= (dt.date(year, 3, 1) if leap_day else birthday.replace(year=year))
