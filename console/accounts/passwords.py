"""Passwords: Argon2id, a minimum length, and a bound on how many are hashed at once.

No list of common passwords is asked: of the well-known ones hardly any is as long as the
minimum, and a list that nobody keeps up says little. What is long only by repeating itself
or the sign-in name is refused.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH = 12
# Hashing time grows with the input; nobody types more than this.
MAXIMUM_LENGTH = 512
FEWEST_SIGNS = 5

# RFC 9106's second recommendation: 64 MiB, 3 passes, 4 lanes.
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
# Each hash holds 64 MiB: unbounded, forty sign-ins at once would take the machine down.
_slots = threading.BoundedSemaphore(2)
_WAIT_S = 2.0

# Verified against for names nobody has, so that they take as long as known ones.
_STAND_IN = _hasher.hash("there is nobody of this name")


class PasswordTooShortError(ValueError):
    """The password has fewer than `minimum` characters."""

    def __init__(self) -> None:
        super().__init__(f"a password has at least {MINIMUM_LENGTH} characters")
        self.minimum = MINIMUM_LENGTH


class PasswordTooLongError(ValueError):
    """The password has more than `maximum` characters."""

    def __init__(self) -> None:
        super().__init__(f"a password has at most {MAXIMUM_LENGTH} characters")
        self.maximum = MAXIMUM_LENGTH


class PasswordTooPlainError(ValueError):
    """The password repeats a few signs, or the sign-in name."""


class HashingBusyError(Exception):
    """All slots stayed taken; the caller asks to try again in a moment."""


def hash_password(password: str, name: str = "") -> str:
    """The hash of a new password of the user of a sign-in name.

    Raises `PasswordTooShortError`, `PasswordTooLongError`, `PasswordTooPlainError` and `HashingBusyError`.
    """
    if len(password) < MINIMUM_LENGTH:
        raise PasswordTooShortError
    if len(password) > MAXIMUM_LENGTH:
        raise PasswordTooLongError
    if is_plain(password, name):
        raise PasswordTooPlainError
    with _slot():
        return _hasher.hash(password)


def is_plain(password: str, name: str = "") -> bool:
    """Whether a password has fewer than five different signs, or little beside the sign-in name."""
    folded = password.casefold()
    rest = folded.replace(name.casefold(), "") if name else folded
    return len(set(folded)) < FEWEST_SIGNS or len(rest) < MINIMUM_LENGTH // 2


def verify_password(stored: str | None, password: str) -> bool:
    """True when the password is the stored one. Takes as long where nothing is stored."""
    with _slot():
        try:
            matches = _hasher.verify(stored or _STAND_IN, password[:MAXIMUM_LENGTH])
        except (VerificationError, InvalidHashError):
            return False
    return matches and stored is not None


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=_WAIT_S):
        raise HashingBusyError
    try:
        yield
    finally:
        _slots.release()
