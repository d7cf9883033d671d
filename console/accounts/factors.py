"""The second factor: codes of an app (TOTP, RFC 6238), and recovery codes for when it is lost.

A code holds for its 30-second step and one to each side, since clocks differ; the step of a
code that was taken is used up with all before it, so that whoever looked over a shoulder
cannot use it again.
"""

import base64
import datetime as dt
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import pyotp
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from console.accounts.models import RecoveryCode, Role, SecondFactor, User
from console.accounts.tokens import hash_token
from storage.audit import AuditEntry, append

STEP_S: Final = 30
# Steps to each side in which a code is taken.
DRIFT: Final = 1
DIGITS: Final = 6
RECOVERY_CODES: Final = 10
# A QR that is shown and not confirmed is void afterwards.
ENROLMENT_LIFETIME: Final = dt.timedelta(minutes=15)
ISSUER: Final = "Ringward"


class CodeRefusedError(Exception):
    """The code is wrong, over, or used."""


class EnrolmentOverError(Exception):
    """Nothing waits to be confirmed: never begun, too long ago, or confirmed already."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app needs; shown to its user until it is confirmed."""

    secret: str
    # `otpauth://…`, for the QR.
    uri: str


def needed(role: str, roles: Collection[str]) -> bool:
    """Whether a role must have a second factor."""
    return Role(role) is not Role.DEVICE and role in roles


def enrolled(session: Session, user_id: str) -> SecondFactor | None:
    """The user's second factor, None where there is none that was confirmed."""
    found = session.get(SecondFactor, user_id)
    return found if found is not None and found.confirmed_at is not None else None


def anybody(session: Session) -> bool:
    """Whether anyone at all has a second factor."""
    return (
        session.scalar(select(SecondFactor.user).where(SecondFactor.confirmed_at.is_not(None)).limit(1))
        is not None
    )


def begin(session: Session, user: User, at: dt.datetime, compound_name: str) -> Enrolment:
    """A secret for a new app, the same one while it waits. Raises `EnrolmentOverError` where there is one."""
    found = session.get(SecondFactor, user.id)
    if found is not None and found.confirmed_at is not None:
        raise EnrolmentOverError
    if found is not None and at - found.created_at >= ENROLMENT_LIFETIME:
        session.delete(found)
        session.flush()
        found = None
    if found is None:
        found = SecondFactor(user=user.id, secret=pyotp.random_base32(), created_at=at)
        session.add(found)
        session.flush()
    label = f"{compound_name} {user.name}".strip()
    return Enrolment(found.secret, pyotp.TOTP(found.secret).provisioning_uri(name=label, issuer_name=ISSUER))


def confirm(session: Session, user: User, code: str, at: dt.datetime) -> list[str]:
    """Puts the app into force by its first code; returns the recovery codes, to be shown this once.

    Raises `EnrolmentOverError` and `CodeRefusedError`.
    """
    found = session.get(SecondFactor, user.id)
    if found is None or found.confirmed_at is not None or at - found.created_at >= ENROLMENT_LIFETIME:
        raise EnrolmentOverError
    step = step_of(found.secret, code, at, found.last_step)
    if step is None:
        raise CodeRefusedError
    found.confirmed_at, found.last_step = at, step
    append(session, at, AuditEntry(user.id, user.role, "factor.enrolled", "sign_in", f"user:{user.id}"))
    return renew_recovery_codes(session, user)


def step_of(secret: str, code: str, at: dt.datetime, last: int | None) -> int | None:
    """The step whose code this is, None where it is none of those that hold and are unused."""
    given = "".join(code.split())
    if len(given) != DIGITS or not (given.isascii() and given.isdigit()):
        return None
    app, now = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S), int(at.timestamp()) // STEP_S
    found = None
    # All of them, whichever matches: how long it takes says nothing.
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(app.generate_otp(step), given) and (last is None or step > last):
            found = step
    return found


def use_code(session: Session, user_id: str, code: str, at: dt.datetime) -> str:
    """Takes a code of the app or a recovery code and uses it up; says which: `app` or `recovery`.

    Raises `CodeRefusedError`. Of two who show the same code at once the database lets one through.
    """
    factor = enrolled(session, user_id)
    if factor is None:
        raise CodeRefusedError
    step = step_of(factor.secret, code, at, factor.last_step)
    if step is not None:
        taken = session.execute(
            update(SecondFactor)
            .where(
                SecondFactor.user == user_id,
                or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step),
            )
            .values(last_step=step)
            .returning(SecondFactor.user)
        ).first()
        if taken is None:
            raise CodeRefusedError
        return "app"
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.code_hash == _recovery_hash(user_id, code),
            RecoveryCode.user == user_id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCode.user)
    ).first()
    if used is None:
        raise CodeRefusedError
    return "recovery"


def renew_recovery_codes(session: Session, user: User) -> list[str]:
    """New recovery codes; the earlier ones are void. Each is 80 random bits: a plain hash is enough."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user == user.id))
    codes = []
    for _ in range(RECOVERY_CODES):
        plain = base64.b32encode(secrets.token_bytes(10)).decode().lower()
        session.add(RecoveryCode(code_hash=_recovery_hash(user.id, plain), user=user.id))
        codes.append("-".join(plain[start : start + 4] for start in range(0, 16, 4)))
    session.flush()
    return codes


def codes_left(session: Session, user_id: str) -> int:
    """How many recovery codes are unused."""
    unused = (RecoveryCode.user == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def remove(session: Session, user: User, at: dt.datetime, *, by: str, role: str) -> bool:
    """Takes the second factor and its recovery codes away; False where there was none."""
    found = session.get(SecondFactor, user.id)
    if found is None:
        return False
    was_in_force = found.confirmed_at is not None
    session.delete(found)
    session.execute(delete(RecoveryCode).where(RecoveryCode.user == user.id))
    if was_in_force:
        append(session, at, AuditEntry(by, role, "factor.removed", "administration", f"user:{user.id}"))
    session.flush()
    return was_in_force


def _recovery_hash(user_id: str, code: str) -> str:
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hash_token(f"{user_id}\n{plain}")
