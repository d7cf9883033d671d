"""Questions to the provider that wait for an answer: bound to a browser, used once, minutes old at most."""

import datetime as dt
import hmac
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from console.accounts.models import ProviderRequest
from console.accounts.provider import ProviderError
from console.accounts.tokens import hash_token, new_token

LIFETIME: Final = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way. `browser` goes into a cookie, `state` and `nonce` to the provider."""

    state: str
    browser: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was asked, for whoever brings the answer. `user`: whose session proves itself by it."""

    nonce: str
    verifier: str
    next_path: str
    user: str | None


def ask(session: Session, next_path: str, user: str | None, at: dt.datetime) -> Asked:
    """Notes a new question; those that are over are swept out."""
    session.execute(delete(ProviderRequest).where(ProviderRequest.expires_at <= at))
    asked = Asked(new_token(), new_token(), new_token(), new_token())
    session.add(
        ProviderRequest(
            state_hash=hash_token(asked.state),
            browser_hash=hash_token(asked.browser),
            nonce=asked.nonce,
            verifier=asked.verifier,
            next_path=next_path[:500],
            user=user,
            expires_at=at + LIFETIME,
        )
    )
    session.flush()
    return asked


def take(session: Session, state: str, browser: str, at: dt.datetime) -> Waiting:
    """Uses the question up. Raises `ProviderError` (`bad_state`) where it is none of this browser's."""
    row = session.execute(
        delete(ProviderRequest)
        .where(ProviderRequest.state_hash == hash_token(state))
        .returning(
            ProviderRequest.browser_hash,
            ProviderRequest.nonce,
            ProviderRequest.verifier,
            ProviderRequest.next_path,
            ProviderRequest.user,
            ProviderRequest.expires_at,
        )
    ).first()
    if row is None or row.expires_at <= at or not hmac.compare_digest(row.browser_hash, hash_token(browser)):
        raise ProviderError("bad_state")
    return Waiting(row.nonce, row.verifier, row.next_path, row.user)
