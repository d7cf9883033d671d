"""A device's MQTT secret: random, shown once, kept as a hash only."""

import secrets
from typing import Final

import bcrypt

# The lowest cost there is. A slow hash protects guessable passwords; these are random bits
# by the hundred, which nobody guesses at any speed, and a broker that starts with 300
# devices checks 300 of them.
BCRYPT_COST: Final = 4


def new_secret() -> str:
    """192 random bits as text that fits a device's configuration page."""
    return secrets.token_urlsafe(24)


def hash_secret(secret: str) -> str:
    """bcrypt, in the form that nats-server reads."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(BCRYPT_COST)).decode()
