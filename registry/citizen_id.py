"""Citizen id numbers (GB 11643-1999): checked, masked, and asked for as little as possible.

18 characters: area 6, birth date 8, sequence 3, check character. The number says where and
when somebody was born, so it is sealed where it is stored and never leaves in the clear.
"""

import datetime as dt
import unicodedata
from typing import Final

# GB 11643-1999, ISO 7064 MOD 11-2: weights of the first 17 digits, and the check characters.
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
# First two digits of an area code (GB/T 2260): provinces, and 81–83 for residents' permits.
_PROVINCES: Final = frozenset(
    str(number)
    for block in (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66))
    for number in block
) | {"71", "81", "82", "83", "91"}
_EARLIEST: Final = dt.date(1880, 1, 1)


class CitizenIdError(ValueError):
    """Not a citizen id number; `code` says in which way, and the number is not repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check(text: str) -> str:
    """The number in its one spelling. Raises `CitizenIdError`."""
    number = "".join(unicodedata.normalize("NFKC", text).split()).upper()
    if len(number) == 15 and number.isdigit():
        # Withdrawn in 2013; they have no check digit, so a slip of the pen would go unseen.
        raise CitizenIdError("id_number_old")
    if len(number) != 18:
        raise CitizenIdError("id_number_length")
    if not (number.isascii() and number[:17].isdigit() and number[17] in "0123456789X"):
        raise CitizenIdError("id_number_characters")
    if number[:2] not in _PROVINCES:
        raise CitizenIdError("id_number_area")
    _birth_date(number)
    if number != with_check_digit(number[:17]):
        raise CitizenIdError("id_number_check_digit")
    return number


def with_check_digit(first_17: str) -> str:
    """The number whose first 17 digits these are."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return first_17 + _CHECKS[total % 11]


def born_on(number: str) -> dt.date:
    """The birth date in a checked number."""
    return _birth_date(number)


def mask(number: str) -> str:
    """For showing: the area and the last four, as in 530502********002X."""
    return f"{number[:6]}********{number[-4:]}"


def _birth_date(number: str) -> dt.date:
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise CitizenIdError("id_number_birth_date") from None
    if born < _EARLIEST:
        raise CitizenIdError("id_number_birth_date")
    return born
