"""Between the two steps of signing in: the password held, the code is still to come.

The state is a row of a few minutes and not a session: nothing but a code is taken for it. To a
stranger the first step says nothing: where the password of an account with a second
factor is wrong, a browser that never signed in to it goes on to the second step just the
same, and no code will do there. Unknown names go on or are refused by a keyed hash of the
name, so that one name is always answered alike and neither answer says that there is an account.
"""

import datetime as dt
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from console.accounts.models import HalfSignIn
from console.accounts.tokens import hash_token, new_token
from storage.keys import current_ring

LIFETIME: Final = dt.timedelta(minutes=5)
TRIES: Final = 5


class HalfOverError(Exception):
    """The half-way row is unknown, used, tried too often or too old: begin again."""


class CodeNeededError(Exception):
    """The first step is taken (or seems to be); `token` is what the second one is shown with."""

    def __init__(self, token: str) -> None:
        super().__init__("a code is needed")
        self.token = token


def begin(session: Session, user_id: str | None, method: str, at: dt.datetime) -> str:
    """Opens the half-way row and returns its token; rows that are over are swept out."""
    session.execute(delete(HalfSignIn).where(HalfSignIn.expires_at <= at))
    token = new_token()
    session.add(
        HalfSignIn(
            token_hash=hash_token(token), user=user_id, expires_at=at + LIFETIME, tries=0, method=method
        )
    )
    session.flush()
    return token


def is_open(session: Session, token: str, at: dt.datetime) -> bool:
    """Whether `attempt` would take a code for it now."""
    row = session.get(HalfSignIn, hash_token(token))
    return row is not None and row.expires_at > at and row.tries < TRIES


def attempt(session: Session, token: str, at: dt.datetime) -> tuple[str | None, str]:
    """Counts a try; returns whose code it must be (None: nobody's will do) and how they came.

    Raises `HalfOverError`. The count is taken before the code is looked at, in its own statement.
    """
    row = session.execute(
        update(HalfSignIn)
        .where(
            HalfSignIn.token_hash == hash_token(token), HalfSignIn.expires_at > at, HalfSignIn.tries < TRIES
        )
        .values(tries=HalfSignIn.tries + 1)
        .returning(HalfSignIn.user, HalfSignIn.method)
    ).first()
    if row is None:
        raise HalfOverError
    return row[0], row[1]


def end(session: Session, token: str) -> None:
    """Takes the row away."""
    session.execute(delete(HalfSignIn).where(HalfSignIn.token_hash == hash_token(token)))


def seems_to_go_on(name: str) -> bool:
    """Whether an unknown name is led to the second step; always the same for one name."""
    return int(current_ring().fingerprint("sign_in_decoy", name)[:2], 16) % 2 == 0
