"""Accounts as those who answer for them see them: made, changed, ended.

An administrator makes accounts of every role. A property manager makes those of people who
work outside the control room and of residents: guards, volunteers, grid workers; whoever
sees everybody's pictures, or decides over others' data, is an administrator's to choose.
Nobody changes what they are themselves, and the last administrator who can sign in stays.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from console.accounts import factors, known, service
from console.accounts.models import Role, User
from devices.models import Device
from registry.models import Compound, Person
from storage.audit import AuditEntry, append

MADE_BY: Final[dict[Role, frozenset[Role]]] = {
    Role.ADMINISTRATOR: frozenset(Role),
    Role.PROPERTY_MANAGER: frozenset({Role.GUARD, Role.VOLUNTEER, Role.GRID_WORKER, Role.RESIDENT}),
}
_WITH_RESPONDER: Final = frozenset({Role.VOLUNTEER, Role.GUARD, Role.GRID_WORKER, Role.OPERATOR})


class AccountRefusedError(Exception):
    """The change is not made; `code` says why (`account.refused.<code>` in the texts)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"account: {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Account:
    """What decides whether somebody may change an account; `compounds` None: all of them."""

    id: str
    role: Role
    compounds: frozenset[str] | None

    @classmethod
    def of(cls, user: User) -> "Account":
        return cls(user.id, Role(user.role), None if user.compounds is None else frozenset(user.compounds))


def refusal(by: Account, of: Account) -> str | None:
    """Why `by` may not have an account like `of` in their care; None: they may."""
    if of.role not in MADE_BY.get(by.role, frozenset()):
        return "not_yours"
    if by.compounds is not None and (of.compounds is None or not of.compounds <= by.compounds):
        return "beyond_compounds"
    return None


def check(by: User, of: User) -> None:
    """Raises `AccountRefusedError` unless the account is in somebody's care."""
    if (code := refusal(Account.of(by), Account.of(of))) is not None:
        raise AccountRefusedError(code)


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes accounts, and when."""

    session: Session
    by: User
    at: dt.datetime

    def note(self, action: str, user: User, detail: str = "") -> None:
        entry = AuditEntry(self.by.id, self.by.role, action, "administration", f"user:{user.id}", detail)
        append(self.session, self.at, entry)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account as it is asked for."""

    name: str
    role: Role
    compounds: Sequence[str] = ()
    responder: str | None = None
    person: str | None = None
    device: str | None = None


def make(change: Change, wanted: Wanted) -> tuple[User, str | None]:
    """A new account and its set-up token; a terminal has no password and so no link.

    Raises `AccountRefusedError`; `NameTakenError` and `ValueError` as `service.create_user` does.
    """
    binding = bind(
        change.session,
        wanted.role,
        wanted.compounds,
        responder=wanted.responder,
        person=wanted.person,
        device=wanted.device,
    )
    user = service.create_user(change.session, wanted.name, wanted.role, change.at, **binding)
    # What was made is asked about: a resident's compound is known only now.
    check(change.by, user)
    change.note("account.created", user, wanted.role.value)
    if wanted.role is Role.DEVICE:
        return user, None
    return user, service.issue_setup_link(change.session, user, change.at)


def set_role(change: Change, user: User, role: Role) -> None:
    """Another role, from now on and for every open session. Raises `AccountRefusedError`."""
    check(change.by, user)
    if user.id == change.by.id:
        raise AccountRefusedError("own_role")
    if Role.DEVICE in (role, user.role) and role != user.role:
        # A terminal is another kind of thing, not another role.
        raise AccountRefusedError("not_yours")
    before = Role(user.role)
    if before is role:
        return
    if before is Role.ADMINISTRATOR:
        _keep_one(change.session, user)
    if role is Role.RESIDENT and user.person_id is None:
        raise AccountRefusedError("needs_person")
    user.role = role
    check(change.by, user)
    if role not in _WITH_RESPONDER:
        user.responder_id = None
    if role is not Role.RESIDENT:
        user.person_id = None
    # How long a session lasts goes by the role: whoever stays signs in once more.
    service.end_sessions(change.session, user)
    change.note("account.role", user, f"{before.value} {role.value}")


def set_place(change: Change, user: User, compounds: Sequence[str], responder: str | None) -> None:
    """Which compounds the account sees (none given: all) and which responder it is."""
    check(change.by, user)
    if user.id == change.by.id:
        raise AccountRefusedError("own_role")
    if Role(user.role) in {Role.RESIDENT, Role.DEVICE}:
        raise AccountRefusedError("fixed_place")
    binding = bind(change.session, Role(user.role), compounds, responder=responder, person=None, device=None)
    if user.role == Role.ADMINISTRATOR and binding["compounds"] is not None:
        _keep_one(change.session, user)
    user.compounds, user.responder_id = binding["compounds"], binding["responder_id"]
    check(change.by, user)
    change.note("account.place", user, " ".join(user.compounds or ["*"]))


def set_active(change: Change, user: User, *, active: bool) -> None:
    """Ends an account, or takes it back into use. Raises `AccountRefusedError`."""
    check(change.by, user)
    if user.id == change.by.id:
        raise AccountRefusedError("own_account")
    if user.active is active:
        return
    if active:
        if user.name.startswith("erased-"):
            raise AccountRefusedError("erased")
        user.active = True
        change.note("account.activated", user)
        return
    if user.role == Role.ADMINISTRATOR:
        _keep_one(change.session, user)
    service.deactivate(change.session, user, change.at, by=change.by.id, role=change.by.role)


def reissue(change: Change, user: User) -> str:
    """A new set-up link; earlier ones stop working. The password stays until it is used."""
    check(change.by, user)
    if not user.active or user.role == Role.DEVICE:
        raise AccountRefusedError("inactive")
    change.note("account.link", user)
    return service.issue_setup_link(change.session, user, change.at)


def reset_factor(change: Change, user: User) -> None:
    """Takes a lost second factor away; every session ends, since it may be in other hands."""
    check(change.by, user)
    if user.id == change.by.id:
        raise AccountRefusedError("own_account")
    factors.remove(change.session, user, change.at, by=change.by.id, role=change.by.role)
    known.forget(change.session, user.id)
    service.end_sessions(change.session, user)


def end_sessions(change: Change, user: User) -> int:
    """Signs somebody out everywhere."""
    check(change.by, user)
    ended = service.end_sessions(change.session, user)
    change.note("account.sessions_ended", user, f"{ended}")
    return ended


def link_provider(change: Change, user: User, key: str | None) -> None:
    """Links an account to who it is at the organisation's sign-in, or unlinks it."""
    check(change.by, user)
    taken = change.session.scalar(select(User.id).where(User.provider_key == key, User.id != user.id))
    if key is not None and taken is not None:
        raise AccountRefusedError("linked_elsewhere")
    user.provider_key = key
    change.note("account.linked" if key else "account.unlinked", user)


def _keep_one(session: Session, leaving: User) -> None:
    """Raises `AccountRefusedError` where nobody else could administer the whole deployment.

    The rows are locked: two who demote one another at the same moment do it one after the other.
    """
    rows = session.scalars(
        select(User)
        .where(
            User.role == Role.ADMINISTRATOR,
            User.active.is_(True),
            or_(User.password_hash.is_not(None), User.provider_key.is_not(None)),
        )
        .order_by(User.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not any(one.id != leaving.id and one.compounds is None for one in rows):
        raise AccountRefusedError("last_administrator")


def bind(
    session: Session,
    role: Role,
    compounds: Sequence[str],
    *,
    responder: str | None,
    person: str | None,
    device: str | None,
) -> dict[str, Any]:
    """Whom and what a new user is tied to. Raises `ValueError` in words for whoever asked.

    A resident and a terminal see the compound of their person or device and no other.
    """
    for compound in compounds:
        if session.get(Compound, compound) is None:
            there = ", ".join(session.scalars(select(Compound.id).order_by(Compound.id)))
            raise ValueError(f"no compound {compound}; there are: {there or 'none'}")
    for given, belongs_to, word in (
        (responder, _WITH_RESPONDER, "responder"),
        (person, {Role.RESIDENT}, "person"),
        (device, {Role.DEVICE}, "device"),
    ):
        if given is not None and role not in belongs_to:
            raise ValueError(f"--{word} does not go with the role {role}")
    home: str | None = None
    if role is Role.RESIDENT:
        row = session.get(Person, person) if person else None
        if row is None or row.erased_at is not None:
            raise ValueError(f"no person {person}" if person else "a resident needs --person")
        home = row.compound
    elif role is Role.DEVICE:
        terminal = session.get(Device, device) if device else None
        if terminal is None:
            raise ValueError(f"no device {device}" if device else "a device needs --device")
        home = terminal.compound
    elif responder is not None and session.get(Responder, responder) is None:
        raise ValueError(f"no responder {responder}")
    if home is not None and set(compounds) - {home}:
        raise ValueError(f"this {role} belongs to {home} and sees no other compound")
    seen = [home] if home is not None else list(dict.fromkeys(compounds)) or None
    return {"compounds": seen, "responder_id": responder, "person_id": person, "device_id": device}
