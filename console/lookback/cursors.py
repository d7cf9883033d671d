"""Where a search goes on, sealed: who holds it knows nothing of whom it is about, and cannot change it."""

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag

from console.accounts.models import User
from privacy.search import Before, Sought
from storage.keys import current_ring

HOLDS: Final = dt.timedelta(hours=1)
_BOUND: Final = b"search cursor"


@dataclass(frozen=True, slots=True)
class Further:
    """A search that somebody began, its purpose, and after what it goes on."""

    user: str
    compound: str
    purpose: str
    sought: Sought
    before: Before
    begun_at: dt.datetime


class CursorError(Exception):
    """The cursor is none of ours, somebody else's, or too old."""


def seal(further: Further) -> str:
    """The text that a client sends back."""
    return base64.urlsafe_b64encode(current_ring().seal(msgspec.json.encode(further), _BOUND)).decode()


def unseal(text: str, user: User, compound: str, now: dt.datetime) -> Further:
    """Raises `CursorError` for what this user may not go on with here and now."""
    try:
        plain = current_ring().open(base64.urlsafe_b64decode(text), _BOUND)
        further = msgspec.json.decode(plain, type=Further)
    except (binascii.Error, ValueError, KeyError, IndexError, InvalidTag) as error:
        raise CursorError from error
    if (further.user, further.compound) != (user.id, compound) or now - further.begun_at > HOLDS:
        raise CursorError
    return further
