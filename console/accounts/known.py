"""Browsers that a user has signed in from before (see `console.accounts.limits`).

The cookie outlasts the session and opens nothing: it only says by which count the next
attempt under that name is slowed.
"""

import datetime as dt
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from console.accounts.models import KnownDevice
from console.accounts.tokens import hash_token, new_token

LIFETIME: Final = dt.timedelta(days=180)


def device_of(session: Session, user_id: str, token: str, at: dt.datetime) -> str | None:
    """The hash of a known browser of this user; None for any other, and for another user's."""
    if not token:
        return None
    row = session.get(KnownDevice, hash_token(token))
    return row.token_hash if row is not None and row.user == user_id and row.expires_at > at else None


def remember(session: Session, user_id: str, token: str, at: dt.datetime) -> str:
    """The token that this browser carries on: the one it has, or a new one. Those that are over go."""
    session.execute(delete(KnownDevice).where(KnownDevice.expires_at <= at))
    if (known := device_of(session, user_id, token, at)) is not None:
        session.get_one(KnownDevice, known).expires_at = at + LIFETIME
        return token
    fresh = new_token()
    session.add(KnownDevice(token_hash=hash_token(fresh), user=user_id, expires_at=at + LIFETIME))
    session.flush()
    return fresh


def forget(session: Session, user_id: str) -> None:
    """No browser is known any more: after a change of password or the end of an account."""
    session.execute(delete(KnownDevice).where(KnownDevice.user == user_id))
