"""Names and numbers in free text that nobody can read any more, but that a keyed hash knows.

After a restore the key of somebody who was forgotten is gone, and with it the words that
could be looked for in what operators wrote. The restored row still has the hashes that the
person was found by: every stretch of a text that has one of them is the person's.
"""

import contextlib
import re
from collections.abc import Collection, Iterator
from typing import Final

from registry import citizen_id, lookups, spelling

# Names of minorities are the longest, with their dots.
_LONGEST_NAME: Final = 32
_NUMBER: Final = re.compile(r"\+?\d(?:[\d \-]{5,20})[\dXx]")


def recognised(text: str, compound: str, keys: Collection[str]) -> set[str]:
    """The stretches of a text whose keyed hash is among `keys`."""
    if not keys:
        return set()
    found = {number for number in _NUMBER.findall(text) if _number_keys(compound, number) & set(keys)}
    return found | {part for part in _parts(text) if lookups.name_key(compound, part) in keys}


def _number_keys(compound: str, number: str) -> set[str]:
    known = set()
    with contextlib.suppress(spelling.PhoneError):
        known.add(lookups.phone_key(compound, number))
    with contextlib.suppress(citizen_id.CitizenIdError):
        known.add(lookups.id_key(compound, number))
    return known


def _parts(text: str) -> Iterator[str]:
    """Every stretch that could be a name: two characters and more, no blank at its ends."""
    for start, first in enumerate(text):
        if first.isspace():
            continue
        for end in range(start + 2, min(start + _LONGEST_NAME, len(text)) + 1):
            if not text[end - 1].isspace():
                yield text[start:end]
