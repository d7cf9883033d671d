"""Making and revoking tokens in somebody's name, noted."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts import tokens
from console.accounts.models import ApiToken, User
from console.accounts.people import Account, refusal
from console.accounts.service import spell
from console.accounts.tokens import Scope, hash_token
from storage.audit import AuditEntry, append

LONGEST = dt.timedelta(days=730)


class TokenRefusedError(Exception):
    """No token is made; `code` says why (`tokens.refused.<code>` in the texts)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"token: {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class TokenWanted:
    """A token as it is asked for; `owner` is the sign-in name in whose role the program acts."""

    name: str
    owner: str
    scopes: tuple[Scope, ...]
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class TokenMade:
    """`token` is kept nowhere else."""

    id: str
    token: str


def issue(session: Session, by: User, wanted: TokenWanted, at: dt.datetime) -> TokenMade:
    """Makes a token. Raises `TokenRefusedError`."""
    if not wanted.name:
        raise TokenRefusedError("name_empty")
    if not wanted.scopes:
        raise TokenRefusedError("no_scope")
    if not at < wanted.expires_at <= at + LONGEST:
        raise TokenRefusedError("too_long")
    owner = session.scalars(select(User).where(User.name == spell(wanted.owner))).one_or_none()
    if owner is None or not owner.active or refusal(Account.of(by), Account.of(owner)) is not None:
        raise TokenRefusedError("no_user")
    token = tokens.issue_api_token(
        session, owner, wanted.name[:64], wanted.scopes, at=at, expires_at=wanted.expires_at
    )
    made = session.scalars(select(ApiToken.id).where(ApiToken.token_hash == hash_token(token))).one()
    detail = " ".join(sorted(wanted.scopes))
    append(
        session, at, AuditEntry(by.id, by.role, "token.issued", "administration", f"user:{owner.id}", detail)
    )
    return TokenMade(made, token)


def revoke(session: Session, by: User, token_id: str, at: dt.datetime) -> bool:
    """Ends a token at once; False where there is none that one may end."""
    found = session.get(ApiToken, token_id)
    owner = session.get(User, found.user) if found else None
    if owner is None or refusal(Account.of(by), Account.of(owner)) is not None:
        return False
    tokens.revoke_api_token(session, token_id)
    append(session, at, AuditEntry(by.id, by.role, "token.revoked", "administration", f"token:{token_id}"))
    return True
