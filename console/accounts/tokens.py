"""Random tokens: shown once, kept as a hash; and the API tokens made of them."""

import datetime as dt
import enum
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.accounts.models import ApiToken, User
from storage import new_id

API_TOKEN_PREFIX = "rw_"  # noqa: S105 - lets secret scanners recognise a leaked token


class Scope(enum.StrEnum):
    """What an API token may be used for; the role of its user bounds it as well."""

    READ = "read"
    WRITE = "write"
    METRICS = "metrics"
    # What asks people to show anew who they are: erasing, exporting, delivering, accounts.
    PRIVACY = "privacy"


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A token that holds."""

    user: User
    id: str
    scopes: frozenset[str]
    last_used: dt.datetime | None


def new_token() -> str:
    """256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """SHA-256 in hex. A slow hash is for passwords: these tokens cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def issue_api_token(
    session: Session,
    user: User,
    name: str,
    scopes: Iterable[Scope],
    *,
    at: dt.datetime,
    expires_at: dt.datetime,
) -> str:
    """Makes an API token; the returned text is not stored anywhere."""
    token = API_TOKEN_PREFIX + new_token()
    session.add(
        ApiToken(
            id=new_id(),
            name=name,
            user=user.id,
            token_hash=hash_token(token),
            scopes=sorted({str(scope) for scope in scopes}),
            expires_at=expires_at,
            created_at=at,
        )
    )
    session.flush()
    return token


def api_tokens(session: Session, user_id: str | None = None) -> list[tuple[ApiToken, str]]:
    """All API tokens (or one user's) with the sign-in name of their user, the newest first."""
    query = select(ApiToken, User.name).join(User, User.id == ApiToken.user)
    if user_id is not None:
        query = query.where(ApiToken.user == user_id)
    rows = session.execute(query.order_by(ApiToken.created_at.desc(), ApiToken.id.desc()))
    return [(token, name) for token, name in rows]


def revoke_api_token(session: Session, token_id: str) -> bool:
    """Ends a token at once; False when there is none of that id."""
    token = session.get(ApiToken, token_id)
    if token is None:
        return False
    session.delete(token)
    session.flush()
    return True


def find_api_token(session: Session, token: str, at: dt.datetime) -> FoundToken | None:
    """The active user behind a token that has not ended, and what the token may be used for."""
    row = session.execute(
        select(User, ApiToken)
        .join(ApiToken, ApiToken.user == User.id)
        .where(ApiToken.token_hash == hash_token(token), ApiToken.expires_at > at, User.active.is_(True))
    ).first()
    if row is None:
        return None
    user, found = row
    return FoundToken(user, found.id, frozenset(found.scopes), found.last_used)


def mark_used(session: Session, token_id: str, at: dt.datetime) -> None:
    """Notes that the token was used."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used=at))
