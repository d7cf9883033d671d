"""Names of users for the ids that accounts of things carry."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User


def of(session: Session, ids: Iterable[str | None]) -> Mapping[str, str]:
    """Names by id; whoever is none of the console's users (a command, a process) is left out."""
    wanted = sorted({one for one in ids if one})
    if not wanted:
        return {}
    rows = session.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    return {row.id: row.name for row in rows}
