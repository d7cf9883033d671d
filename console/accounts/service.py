"""What happens to accounts: made, set up, signed in to, signed out of, ended.

Fail secure: every doubt refuses, and the refusal does not say which part was wrong.
"""

import contextlib
import datetime as dt
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from console.accounts import factors, halfway, known
from console.accounts.agents import shorten
from console.accounts.limits import Attempt, SignInLimiter, TooManyAttemptsError
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
    # The token of a browser that signed in before; not believed until it is looked up.
    device: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """At which session somebody proves who they are, from where, and when."""

    token_hash: str
    client: Client
    at: dt.datetime


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
    owner = session.get(SetupLink, hash_token(token))
    name = session.scalar(select(User.name).where(User.id == owner.user)) if owner else None
    hashed = hash_password(password, name or "")
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
    known.forget(session, user.id)
    append(session, at, AuditEntry(user.id, user.role, "account.set_up", "sign_in", f"user:{user.id}"))
    return user


def change_password(
    database: Database, user_id: str, old: str, new: str, *, keep: str, at: dt.datetime
) -> int:
    """A new password for who knows the old one; returns how many other sessions ended.

    `keep` is the token hash of the session that asks. Raises `SignInRefusedError` where the old
    one is wrong, and what `hash_password` raises.
    """
    with database.read() as reading:
        name, stored = reading.execute(select(User.name, User.password_hash).where(User.id == user_id)).one()
    if not verify_password(stored, old):
        raise SignInRefusedError
    hashed = hash_password(new, name)
    with database.write() as session:
        user = session.get_one(User, user_id)
        if user.password_hash != stored:
            raise SignInRefusedError
        user.password_hash = hashed
        known.forget(session, user.id)
        ended = end_sessions(session, user, but=keep)
        append(session, at, AuditEntry(user.id, user.role, "account.password", "sign_in", f"user:{user.id}"))
        return ended


def attempt_of(database: Database, user_id: str, client: Client, at: dt.datetime) -> Attempt:
    """What a wrong answer of somebody who is signed in counts for."""
    with database.read() as reading:
        name = reading.get_one(User, user_id).name
        return Attempt(name, client.address, known.device_of(reading, user_id, client.device, at), user_id)


def prove(database: Database, limiter: SignInLimiter, user_id: str, said: str, proof: Proof) -> None:
    """Takes the password again, or a code of the second factor, and notes it at the session.

    Raises `SignInRefusedError` and `TooManyAttemptsError`.
    """
    with database.read() as reading:
        stored = reading.get_one(User, user_id).password_hash
    attempt = attempt_of(database, user_id, proof.client, proof.at)
    limiter.check(attempt, proof.at)
    given = "".join(said.split())
    holds = False
    if given.isdigit() and len(given) == factors.DIGITS:
        with contextlib.suppress(factors.CodeRefusedError), database.write() as session:
            factors.use_code(session, user_id, given, proof.at)
            holds = True
    else:
        try:
            holds = verify_password(stored, said)
        except HashingBusyError:
            raise TooManyAttemptsError(2) from None
    if not holds:
        limiter.failed(attempt, proof.at)
        raise SignInRefusedError
    with database.write() as session:
        limiter.forget(session, attempt)
        note_proof(session, proof.token_hash, proof.at)


def note_proof(session: Session, token_hash: str, at: dt.datetime) -> None:
    """Whoever sits at a session has shown who they are."""
    session.execute(update(UserSession).where(UserSession.token_hash == token_hash).values(proved_at=at))


def sign_in(
    database: Database,
    limiter: SignInLimiter,
    name: str,
    password: str,
    *,
    client: Client,
    at: dt.datetime,
) -> OpenedSession:
    """The first step: opens a session, or asks for the second one.

    Raises `SignInRefusedError`, `TooManyAttemptsError`, and `CodeNeededError` where a code must follow.
    """
    spelt = spell(name)
    with database.read() as reading:
        found = reading.execute(
            select(User.id, User.password_hash, User.active).where(User.name == spelt)
        ).first()
        device = known.device_of(reading, found.id, client.device, at) if found else None
        coded = found is not None and factors.enrolled(reading, found.id) is not None
        coded_somewhere = coded or factors.anybody(reading)
    attempt = Attempt(spelt, client.address, device)
    limiter.check(attempt, at)
    # Outside any transaction: hashing takes a tenth of a second and must not hold the writers.
    try:
        matches = verify_password(found.password_hash if found else None, password)
    except HashingBusyError:
        raise TooManyAttemptsError(2) from None
    if found is None or not matches or not found.active:
        limiter.failed(attempt, at)
        log.info("account.sign_in_refused", address=client.address)
        seems = coded if found is not None else coded_somewhere and halfway.seems_to_go_on(spelt)
        if seems and device is None:
            with database.write() as session:
                token = halfway.begin(session, None, "password", at)
            raise halfway.CodeNeededError(token)
        raise SignInRefusedError
    if coded:
        # The count stays until the code holds too.
        with database.write() as session:
            token = halfway.begin(session, found.id, "password", at)
        raise halfway.CodeNeededError(token)
    with database.write() as session:
        user = session.get(User, found.id)
        if user is None or not user.active or user.password_hash != found.password_hash:
            raise SignInRefusedError
        limiter.forget(session, attempt)
        return signed_in(session, user, client, at)


def complete(
    database: Database, limiter: SignInLimiter, half: str, code: str, *, client: Client, at: dt.datetime
) -> OpenedSession:
    """The second step. Raises `HalfOverError`, `SignInRefusedError` and `TooManyAttemptsError`."""
    with database.write() as session:
        owner, method = halfway.attempt(session, half, at)
        user = session.get(User, owner) if owner else None
        device = known.device_of(session, user.id, client.device, at) if user else None
        attempt = Attempt(user.name if user else "", client.address, device, owner)
    limiter.check(attempt, at)
    opened = None
    if owner is not None:
        with contextlib.suppress(factors.CodeRefusedError), database.write() as session:
            user = session.get_one(User, owner)
            if user.active:
                kind = factors.use_code(session, owner, code, at)
                halfway.end(session, half)
                limiter.forget(session, attempt)
                opened = signed_in(session, user, client, at, method=method, detail=kind)
    if opened is None:
        limiter.failed(attempt, at)
        log.info("account.code_refused", address=client.address)
        raise SignInRefusedError
    return opened


def signed_in(
    session: Session,
    user: User,
    client: Client,
    at: dt.datetime,
    *,
    method: str = "password",
    detail: str = "",
) -> OpenedSession:
    """A session for somebody who has shown everything that is asked; noted."""
    append(
        session,
        at,
        AuditEntry(user.id, user.role, "account.signed_in", "sign_in", f"user:{user.id}", detail),
    )
    return open_session(session, user, client, at, method=method)


def open_session(
    session: Session, user: User, client: Client, at: dt.datetime, *, method: str = "password"
) -> OpenedSession:
    """A session for somebody who has just shown who they are; sessions that have ended are swept out."""
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
            user_agent=shorten(client.user_agent),
            proved_at=at,
            method=method,
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


def sessions_of(session: Session, user_id: str, at: dt.datetime) -> list[UserSession]:
    """Where somebody is signed in, the one that was seen last first."""
    rows = session.scalars(
        select(UserSession)
        .where(UserSession.user == user_id, UserSession.expires_at > at)
        .order_by(UserSession.last_seen.desc(), UserSession.token_hash)
    )
    return list(rows)


def end_session(session: Session, user_id: str, short: str) -> bool:
    """Ends the session of one's own that `session_id` names; False where there is none."""
    mine = session.scalars(select(UserSession.token_hash).where(UserSession.user == user_id))
    ending = [token_hash for token_hash in mine if session_id(token_hash) == short]
    session.execute(delete(UserSession).where(UserSession.token_hash.in_(ending)))
    return bool(ending)


def session_id(token_hash: str) -> str:
    """What a session is called outside: too short to be what it is looked up by."""
    return token_hash[:16]


def end_sessions(session: Session, user: User, *, but: str | None = None) -> int:
    """Signs a user out everywhere, but for the session of one token hash; returns how many ended."""
    ending = delete(UserSession).where(UserSession.user == user.id, UserSession.token_hash != (but or ""))
    return len(session.execute(ending.returning(UserSession.token_hash)).all())


def deactivate(session: Session, user: User, at: dt.datetime, *, by: str, role: str) -> None:
    """The user can no longer sign in and is signed out everywhere."""
    user.active = False
    end_sessions(session, user)
    known.forget(session, user.id)
    append(session, at, AuditEntry(by, role, "account.deactivated", "administration", f"user:{user.id}"))
