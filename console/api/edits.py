"""What every edit of the registry has in common: texts of a size, a version, a line in the audit log."""

import datetime as dt
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.purposes import Look, Purpose, note_look

Text = Annotated[str, Field(min_length=1, max_length=128)]
Version = Annotated[int, Field(ge=1)]


class _Row(Protocol):
    id: str
    version: int


class Made(BaseModel):
    """What was made or changed, and at which version it is now: what the next edit has to name."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int

    @classmethod
    def of_row(cls, row: _Row) -> "Made":
        return cls(id=row.id, version=row.version)

    @classmethod
    def of(cls, row: _Row) -> dict[str, Any]:
        """The same as JSON, for what `idempotency.once` keeps."""
        return cls.of_row(row).model_dump(mode="json")


class MadeLink(BaseModel):
    """What was made; it has no version, since it is only ever ended."""

    id: str


class Ended(BaseModel):
    """The last day of a link."""

    last_day: dt.date


def changed(given: BaseModel) -> dict[str, Any]:
    """The fields that were sent, the version aside."""
    return given.model_dump(exclude_unset=True, exclude={"version"})


def noted(session: Session, at: dt.datetime, user: User, action: str, subject: str, detail: str = "") -> None:
    """Writes a change of the registry into the audit log, in the transaction of the change."""
    note_look(session, at, user, Look(action, Purpose.REGISTRY_MAINTENANCE, subject, detail))
