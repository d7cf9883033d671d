"""Who a user is when it comes to duty."""

from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team
from alerts.duty.people import responder_of
from console.accounts.models import User
from registry.errors import RefusedError


def my_responder(session: Session, compound: str, user: User) -> tuple[Responder, Team]:
    """The responder that the user is. Raises `RefusedError("no_responder")`, `MissingError`."""
    if user.responder_id is None:
        raise RefusedError("no_responder")
    return responder_of(session, compound, user.responder_id)
