"""What somebody may mean by a few characters in a search: a name, a phone, a plate, an address.

Pure. The readings are tried in order until one finds something; what only one thing can
look like (a phone, an identity card number) is not tried as anything else, so that a slip
of the pen is told rather than looked for under other headings.
"""

import enum
import re
import unicodedata
from typing import Final

from registry import plates, spelling
from registry.places import addresses
from registry.places.addresses import AddressError
from registry.spelling import PhoneError


class Meaning(enum.StrEnum):
    """What a text may be."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    PLATE = "plate"
    ADDRESS = "address"
    NAME = "name"
    EXTERNAL_ID = "external_id"  # as the property office's own books have it


LONGEST: Final = 64
_ID_NUMBER: Final = re.compile(r"\d{15}|\d{17}[0-9X]", re.ASCII)
_MOBILE: Final = re.compile(r"1\d{10}", re.ASCII)


def meanings(text: str) -> tuple[Meaning, ...]:
    """What a text may mean, the likeliest first; nothing for blanks or over 64 characters."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain or len(plain) > LONGEST:
        return ()
    bare = re.sub(r"[\s-]", "", plain).upper()
    if _ID_NUMBER.fullmatch(bare):
        return (Meaning.ID_NUMBER,)
    if _MOBILE.fullmatch(bare):
        return (Meaning.PHONE,)
    if not any(character.isdigit() for character in plain):
        # Also a number in words makes an address: 三号楼二单元一八〇一.
        address = (Meaning.ADDRESS,) if _is_address(plain) else ()
        # Identifiers of other books are plain ASCII, and names of people here seldom are.
        other = (Meaning.EXTERNAL_ID,) if plain.isascii() else ()
        return (*address, Meaning.NAME, *other)
    found = []
    if plates.is_well_formed(plates.normalise(plain) or ""):
        found.append(Meaning.PLATE)
    if _is_phone(plain):
        found.append(Meaning.PHONE)
    # Also what does not read like an address: places have other names, which only the registry knows.
    likely = [Meaning.ADDRESS, Meaning.EXTERNAL_ID]
    return (*found, *(likely if _is_address(plain) else reversed(likely)), Meaning.NAME)


def _is_phone(text: str) -> bool:
    try:
        spelling.phone(text)
    except PhoneError:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        return addresses.parse(text).room is not None
    except AddressError:
        return False
