"""The first start: an administrator without a password, and a link to choose one once."""

from sqlalchemy import select

from console.accounts import service
from console.accounts.models import Role, User
from ringward.foundation import Foundation


def administrator_link(foundation: Foundation) -> str | None:
    """A one-time token while no administrator has a password yet, else None."""
    with foundation.database.write() as session:
        administrators = list(session.scalars(select(User).where(User.role == Role.ADMINISTRATOR)))
        if any(user.password_hash for user in administrators):
            return None
        at = foundation.clock.now()
        user = (
            administrators[0]
            if administrators
            else service.create_user(session, "admin", Role.ADMINISTRATOR, at)
        )
        return service.issue_setup_link(session, user, at)


def link_for(
    foundation: Foundation,
    name: str,
    role: Role,
    responder_id: str | None = None,
    *,
    person_id: str | None = None,
) -> str | None:
    """A one-time token for a user, who is made where missing; None once the password is chosen."""
    with foundation.database.write() as session:
        at = foundation.clock.now()
        user = session.scalars(select(User).where(User.name == service.spell(name))).one_or_none()
        if user is None:
            user = service.create_user(
                session, name, role, at, responder_id=responder_id, person_id=person_id
            )
        if user.password_hash:
            return None
        return service.issue_setup_link(session, user, at)
