"""What happens to accounts: made, set up, signed in to, signed out of, ended.

Fail secure: every doubt refuses, and the refusal does not say which part was wrong.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from console.accounts.limits import SignInLimiter, TooManyAttemptsError
from console.accounts.models import Role, SetupLink, User, UserSession
from console.accounts.passwords import HashingBusyError, hash_password, verify_password
from console.accounts.tokens import hash_token, new_token
from storage import Database, new_id
from storage.audit import AuditEntry, append

log = structlog.get_logger(__name__)

SETUP_LINK_LIFETIME = dt.timedelta(hours=24)
# Staff sign in for a shift. A volunteer's phone stays signed in between patrols: typing a
# long password at the gate would lose the minutes that the alert is about.
SESSION_LIFETIME = {
    Role.OPERATOR: dt.timedelta(hours=12),
    Role.ADMINISTRATOR: dt.timedelta(hours=12),
    Role.VOLUNTEER: dt.timedelta(days=14),
    Role.PROPERTY_MANAGER: dt.timedelta(hours=12),
    Role.GUARD: dt.timedelta(hours=12),
    Role.GRID_WORKER: dt.timedelta(hours=12),
    Role.POLICE: dt.timedelta(hours=12),
    Role.AUDITOR: dt.timedelta(hours=12),
    Role.RESIDENT: dt.timedelta(days=14),
    # Terminals come with a token; a session of theirs is of no use.
    Role.DEVICE: dt.timedelta(hours=1),
}
# How stale `last_seen` may be: looking at a page is not worth a write each time.
SEEN_EVERY = dt.timedelta(minutes=5)


class NameTakenError(ValueError):
    """Another user has this sign-in name."""


class SignInRefusedError(Exception):
    """Unknown name, wrong password, not set up or not active: the caller learns no more."""


class SetupLinkInvalidError(Exception):
    """The link is unknown, used, or older than a day."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session; `token` goes into the cookie and is kept nowhere else."""

    token: str
    csrf_token: str
    user: User
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Client:
    """Where an attempt comes from."""

    address: str
    user_agent: str = ""


def spell(name: str) -> str:
    """The one spelling of a sign-in name: full-width and case variants are the same name."""
    return unicodedata.normalize("NFKC", name).strip().casefold()[:64]


def create_user(
    session: Session,
    name: str,
    role: Role,
    at: dt.datetime,
    *,
    responder_id: str | None = None,
    language: str | None = None,
    compounds: Sequence[str] | None = None,
    person_id: str | None = None,
    device_id: str | None = None,
) -> User:
    """Makes a user who cannot sign in before a set-up link was used. Raises `NameTakenError`."""
    spelt = spell(name)
    if not spelt:
        raise ValueError("a sign-in name is not empty")
    if session.scalar(select(User.id).where(User.name == spelt)) is not None:
        raise NameTakenError(spelt)
    user = User(
        id=new_id(),
        name=spelt,
        password_hash=None,
        role=role,
        responder_id=responder_id,
        compounds=None if compounds is None else list(compounds),
        person_id=person_id,
        device_id=device_id,
        language=language,
        active=True,
        created_at=at,
    )
    session.add(user)
    session.flush()
    return user


def issue_setup_link(session: Session, user: User, at: dt.datetime) -> str:
    """A token to choose a password with, once, within 24 h. Earlier links stop working."""
    session.execute(delete(SetupLink).where(SetupLink.user == user.id, SetupLink.used_at.is_(None)))
    token = new_token()
    session.add(
        SetupLink(
            token_hash=hash_token(token), user=user.id, expires_at=at + SETUP_LINK_LIFETIME, used_at=None
        )
    )
    session.flush()
    return token


def setup_link_is_valid(session: Session, token: str, at: dt.datetime) -> bool:
    """Whether `redeem_setup_link` would take the token now."""
    link = session.get(SetupLink, hash_token(token))
    return link is not None and link.used_at is None and at < link.expires_at


def redeem_setup_link(session: Session, token: str, password: str, at: dt.datetime) -> User:
    """Sets the password and ends the user's other sessions.

    Raises `SetupLinkInvalidError` and what `hash_password` raises; a refused password
    leaves the link usable.
    """
    if not setup_link_is_valid(session, token, at):
        raise SetupLinkInvalidError
    hashed = hash_password(password)
    # The condition once more, in the statement that uses the link up: of two who redeem it
    # at the same moment the database lets one through.
    used = session.execute(
        update(SetupLink)
        .where(
            SetupLink.token_hash == hash_token(token), SetupLink.used_at.is_(None), SetupLink.expires_at > at
        )
        .values(used_at=at)
        .returning(SetupLink.user)
    ).scalar_one_or_none()
    user = session.get(User, used) if used else None
    if user is None or not user.active:
        raise SetupLinkInvalidError
    user.password_hash = hashed
    end_sessions(session, user)
    append(session, at, AuditEntry(user.id, user.role, "account.set_up", "sign_in", f"user:{user.id}"))
    return user


def sign_in(
    database: Database,
    limiter: SignInLimiter,
    name: str,
    password: str,
    *,
    client: Client,
    at: dt.datetime,
) -> OpenedSession:
    """Opens a session. Raises `SignInRefusedError` and `TooManyAttemptsError`."""
    spelt = spell(name)
    limiter.check(spelt, client.address, at)
    with database.read() as reading:
        found = reading.execute(
            select(User.id, User.password_hash, User.active).where(User.name == spelt)
        ).first()
    # Outside any transaction: hashing takes a tenth of a second and must not hold the writers.
    try:
        matches = verify_password(found.password_hash if found else None, password)
    except HashingBusyError:
        raise TooManyAttemptsError(2) from None
    if found is None or not matches or not found.active:
        limiter.failed(spelt, client.address, at)
        log.info("account.sign_in_refused", address=client.address)
        raise SignInRefusedError
    limiter.succeeded(spelt, client.address)
    with database.write() as session:
        user = session.get(User, found.id)
        if user is None or not user.active or user.password_hash != found.password_hash:
            raise SignInRefusedError
        append(session, at, AuditEntry(user.id, user.role, "account.signed_in", "sign_in", f"user:{user.id}"))
        return open_session(session, user, client, at)


def open_session(session: Session, user: User, client: Client, at: dt.datetime) -> OpenedSession:
    """A session for somebody who has shown who they are; sessions that have ended are swept out."""
    session.execute(delete(UserSession).where(UserSession.expires_at <= at))
    token, csrf = new_token(), new_token()
    expires_at = at + SESSION_LIFETIME[Role(user.role)]
    session.add(
        UserSession(
            token_hash=hash_token(token),
            user=user.id,
            created_at=at,
            expires_at=expires_at,
            last_seen=at,
            csrf_token=csrf,
            user_agent=client.user_agent[:80],
        )
    )
    return OpenedSession(token, csrf, user, expires_at)


def find_session(session: Session, token: str, at: dt.datetime) -> tuple[User, UserSession] | None:
    """The active user signed in with a token, and the session."""
    row = session.execute(
        select(User, UserSession)
        .join(UserSession, UserSession.user == User.id)
        .where(
            UserSession.token_hash == hash_token(token), UserSession.expires_at > at, User.active.is_(True)
        )
    ).first()
    return (row[0], row[1]) if row else None


def mark_seen(session: Session, token_hash: str, at: dt.datetime) -> None:
    """Notes that the session was used."""
    session.execute(update(UserSession).where(UserSession.token_hash == token_hash).values(last_seen=at))


def sign_out(session: Session, token: str) -> None:
    """Ends one session; an unknown token is no error."""
    session.execute(delete(UserSession).where(UserSession.token_hash == hash_token(token)))


def end_sessions(session: Session, user: User) -> None:
    """Signs a user out everywhere."""
    session.execute(delete(UserSession).where(UserSession.user == user.id))


def deactivate(session: Session, user: User, at: dt.datetime, *, by: str, role: str) -> None:
    """The user can no longer sign in and is signed out everywhere."""
    user.active = False
    end_sessions(session, user)
    append(session, at, AuditEntry(by, role, "account.deactivated", "administration", f"user:{user.id}"))
