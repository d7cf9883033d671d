"""Users of the console and what they sign in with. Secrets are stored as hashes only."""

import datetime as dt
import enum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage import Base, EncryptedText, JsonText, UtcTime


class Role(enum.StrEnum):
    """What somebody is to the console."""

    OPERATOR = "operator"  # 值班员
    VOLUNTEER = "volunteer"  # 义警
    ADMINISTRATOR = "administrator"  # 管理员
    PROPERTY_MANAGER = "property_manager"  # 物业经理
    GUARD = "guard"  # 门岗
    GRID_WORKER = "grid_worker"  # 网格员
    POLICE = "police"  # 社区民警
    AUDITOR = "auditor"  # 审计员
    RESIDENT = "resident"  # 居民
    DEVICE = "device"  # a terminal that asks by HTTP, with a token of its own


class User(Base):
    """Somebody who may sign in. There is no default user and no default password."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    # The sign-in name, in the one spelling `service.spell` gives.
    name: Mapped[str] = mapped_column(String(64), unique=True)
    # Argon2id; None until the set-up link was used, and nobody signs in with None.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[Role] = mapped_column(String(16))
    # The responder this user is; volunteers act only on that responder's dispatches.
    responder_id: Mapped[str | None] = mapped_column(String(64))
    # The compounds this user may see; None: all of the deployment.
    compounds: Mapped[list[str] | None] = mapped_column(JsonText)
    # The registered person this user is (residents), or the device (terminals).
    person_id: Mapped[str | None] = mapped_column(String(64))
    device_id: Mapped[str | None] = mapped_column(String(64))
    # A language tag (zh-CN, en); None: what the browser asks for.
    language: Mapped[str | None] = mapped_column(String(16))
    # `light` or `dark`; None: as the device has it.
    theme: Mapped[str | None] = mapped_column(String(8))
    # A hash of who they are to the organisation's sign-in (see `provider_key`); None: not linked.
    provider_key: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)


class UserSession(Base):
    """A browser that is signed in. The token itself is only in the cookie."""

    __tablename__ = "user_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    last_seen: Mapped[dt.datetime] = mapped_column(UtcTime)
    csrf_token: Mapped[str] = mapped_column(String(64))
    # Shortened: enough for "is this my phone?", no more.
    user_agent: Mapped[str] = mapped_column(String(80))
    # When whoever sits there last showed who they are; actions of weight ask for it anew.
    proved_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # How it was opened: `password`, `setup`, or `provider`.
    method: Mapped[str] = mapped_column(String(16), default="password", server_default="password")


class SetupLink(Base):
    """A one-time link with which a user chooses a password."""

    __tablename__ = "setup_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class ApiToken(Base):
    """A program's way in: acts as its user, within its scopes (`console.accounts.tokens.Scope`)."""

    __tablename__ = "api_tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    user: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JsonText)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    last_used: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class SecondFactor(Base):
    """A code app (RFC 6238) of a user; it counts once the user has shown a code of it."""

    __tablename__ = "second_factors"

    user: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    # Base32, as the app takes it.
    secret: Mapped[str] = mapped_column(EncryptedText)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)
    # The last 30-second step whose code was taken: it and those before it are used up.
    last_step: Mapped[int | None] = mapped_column(BigInteger)


class RecoveryCode(Base):
    """One of the codes that stand in for a lost code app, each once."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcTime)


class HalfSignIn(Base):
    """Somebody between the two steps of signing in. Not a session: nothing but a code is taken for it."""

    __tablename__ = "half_sign_ins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # None: the first step did not hold, and no code will (see `console.accounts.halfway`).
    user: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    method: Mapped[str] = mapped_column(String(16))


class ProviderRequest(Base):
    """A question to the organisation's sign-in that waits for its answer; used once."""

    __tablename__ = "provider_requests"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Only the browser that asked may bring the answer.
    browser_hash: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(EncryptedText)
    next_path: Mapped[str] = mapped_column(EncryptedText)
    # Whose session asks to prove itself; None: a sign-in.
    user: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)


class SignInFailure(Base):
    """How often a sign-in failed of late; the key is a keyed hash, since people type passwords as names."""

    __tablename__ = "sign_in_failures"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)


class KnownDevice(Base):
    """A browser that a user has signed in from before: others' failures do not slow it."""

    __tablename__ = "known_devices"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcTime, index=True)


class IdempotencyKey(Base):
    """What was answered to a creation, so that the same request again creates nothing."""

    __tablename__ = "idempotency_keys"

    user: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    # Method, path and body: the same key on another request is a mistake worth telling.
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    response: Mapped[dict[str, Any]] = mapped_column(JsonText)
    created_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (Index("ix_idempotency_keys_created", "created_at"),)
