"""The steps of an erasure: one row for every place that has to forget, and what it still has to do."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.models import Erasure, ErasureStep, StepState
from storage import new_id

DATABASE: Final = "database"
PASSAGES: Final = "passages"
MEDIA: Final = "media"
KEYS: Final = "keys"
BUS: Final = "bus"
GALLERY: Final = "gallery"
TERMINAL: Final = "terminal"
BACKUP: Final = "backup"


class Steps:
    """The steps of one erasure inside one transaction, by place."""

    def __init__(self, session: Session, erasure: Erasure, at: dt.datetime) -> None:
        self.session = session
        self.erasure = erasure
        self.at = at
        rows = session.scalars(select(ErasureStep).where(ErasureStep.erasure == erasure.id))
        self._rows = {row.place: row for row in rows}
        self.confirmed = 0

    def get(self, place: str) -> ErasureStep | None:
        return self._rows.get(place)

    def under(self, kind: str) -> Sequence[ErasureStep]:
        """The steps of all galleries, all terminals or all backups."""
        return [row for place, row in sorted(self._rows.items()) if place.startswith(f"{kind}:")]

    def waits(self, *places: str) -> bool:
        """Whether one of these has still something to do now."""
        return any(row.state == StepState.PENDING for row in map(self._rows.get, places) if row is not None)

    def all(self) -> Sequence[ErasureStep]:
        return list(self._rows.values())

    def put(self, place: str, state: StepState = StepState.PENDING, **detail: Any) -> ErasureStep:
        """Sets a step, which is made where there is none, to a state with a detail of codes and counts."""
        row = self._rows.get(place)
        if row is None:
            row = ErasureStep(
                id=new_id(),
                compound=self.erasure.compound,
                erasure=self.erasure.id,
                place=place,
                state=state,
                detail=detail,
                at=self.at,
            )
            self.session.add(row)
            self._rows[place] = row
        else:
            self.confirmed += state == StepState.CONFIRMED != row.state
            if (row.state, row.detail) != (state, detail):
                row.state, row.detail, row.at = state, detail, self.at
        return row
