"""Accounts as the list shows them: a page of those in somebody's care."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.accounts.models import Role, SecondFactor, SetupLink, User, UserSession
from console.accounts.people import MADE_BY, Account, refusal


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which accounts one wants to see the next `limit` after a name."""

    part: str = ""
    role: str = ""
    # `active`, `inactive`, or empty for both.
    state: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Listed:
    """One line. `state`: `active`, `inactive`, `waiting` (its link is open), `no_link` (the link is over)."""

    id: str
    name: str
    role: str
    compounds: tuple[str, ...] | None
    state: str
    factor: bool
    linked: bool
    last_seen: dt.datetime | None


def in_care(by: User, of: User) -> bool:
    """Whether somebody may see and change an account."""
    return refusal(Account.of(by), Account.of(of)) is None


def listed(session: Session, by: User, asked: Asked, at: dt.datetime) -> tuple[list[Listed], str | None]:
    """The lines and the name after which there is more."""
    care = MADE_BY.get(Role(by.role), frozenset())
    query = select(User).where(User.role.in_(care)).order_by(User.name)
    if asked.role:
        query = query.where(User.role == asked.role)
    if asked.part:
        query = query.where(User.name.contains(asked.part.casefold(), autoescape=True))
    if asked.state in {"active", "inactive"}:
        query = query.where(User.active.is_(asked.state == "active"))
    found: list[User] = []
    after = asked.after
    # Whose compounds go beyond one's own is left out here: a list in a column is no condition.
    while len(found) <= asked.limit:
        rows = session.scalars(query.where(User.name > after).limit(asked.limit + 1)).all()
        found += [user for user in rows if in_care(by, user)]
        if len(rows) <= asked.limit:
            break
        after = rows[-1].name
    shown = found[: asked.limit]
    return _lines(session, shown, at), shown[-1].name if len(found) > asked.limit else None


def _lines(session: Session, users: list[User], at: dt.datetime) -> list[Listed]:
    ids = [user.id for user in users]
    coded = set(
        session.scalars(
            select(SecondFactor.user).where(
                SecondFactor.user.in_(ids), SecondFactor.confirmed_at.is_not(None)
            )
        )
    )
    open_links = set(
        session.scalars(
            select(SetupLink.user).where(
                SetupLink.user.in_(ids), SetupLink.used_at.is_(None), SetupLink.expires_at > at
            )
        )
    )
    last = (
        select(UserSession.user, func.max(UserSession.last_seen))
        .where(UserSession.user.in_(ids))
        .group_by(UserSession.user)
    )
    seen: dict[str, dt.datetime] = {row[0]: row[1] for row in session.execute(last)}

    def state(user: User) -> str:
        if not user.active:
            return "inactive"
        if user.password_hash or user.provider_key or user.role == Role.DEVICE:
            return "active"
        return "waiting" if user.id in open_links else "no_link"

    return [
        Listed(
            user.id,
            user.name,
            user.role,
            None if user.compounds is None else tuple(user.compounds),
            state(user),
            user.id in coded,
            user.provider_key is not None,
            seen.get(user.id),
        )
        for user in users
    ]
