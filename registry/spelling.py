"""One spelling for what is looked up by a keyed hash: equal things must hash alike."""

import re
import unicodedata
from typing import Final

# The dots that stand in names of minorities and foreigners, all written as U+00B7.
_DOTS: Final = str.maketrans(dict.fromkeys("•‧∙⋅・･．.", "·"))
_SEPARATORS: Final = re.compile(r"[\s\-()（）‐‑–—.·]+")
_COUNTRY: Final = re.compile(r"^(?:\+|00)86")
# Eleven digits beginning with 1 (mobile), or an area code and seven or eight digits (landline).
_PHONE: Final = re.compile(r"1\d{10}|0\d{2,3}\d{7,8}")


class PhoneError(ValueError):
    """Not a phone number of the mainland; `code` says in which way."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def name(text: str) -> str:
    """A person's name: width folded, without blanks, one kind of middle dot, Latin in lower case."""
    folded = unicodedata.normalize("NFKC", text.translate(_DOTS))
    return "".join(folded.split()).casefold()


def phone(text: str) -> str:
    """Digits of a mobile or landline number, without the country's code. Raises `PhoneError`."""
    bare = _COUNTRY.sub("", _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)))
    if not bare.isascii() or not bare.isdigit():
        raise PhoneError("phone_characters")
    if not _PHONE.fullmatch(bare):
        raise PhoneError("phone_length")
    return bare


def tail(text: str) -> str:
    """The last four digits of a phone number: what a guard asks for. Raises `PhoneError`."""
    return phone(text)[-4:]


def card(text: str) -> str:
    """The number of a card or another credential, without separators, in upper case."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
