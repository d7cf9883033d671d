"""The code of a checkpoint: unguessable, shown once, kept as a digest."""

import hashlib
import secrets
from typing import Final

_BYTES: Final = 24
LONGEST: Final = 64
"""Characters of the longest code that is looked at."""


def make() -> str:
    """192 bits, in characters that an address may hold."""
    return secrets.token_urlsafe(_BYTES)


def digest(code: str) -> str:
    """What is kept of a code. It is as random as a key, so that no slow hash is needed."""
    return hashlib.sha256(code.encode()).hexdigest()
