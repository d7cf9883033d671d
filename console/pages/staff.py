"""What those who work here are called, for pages of the control room and the office."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.localtime import moment
from alerts.duty.models import Responder, Team
from console.accounts.models import User
from console.pages.view import Frame


@dataclass(frozen=True, slots=True)
class Staff:
    """Names by id; an id that nobody knows any more stands for itself."""

    users: Mapping[str, str]
    responders: Mapping[str, str]
    teams: Mapping[str, str]

    def name(self, some_id: str | None) -> str:
        """Of a user, responder or team; what the system did has the catalogue's word instead."""
        key = some_id or ""
        return self.users.get(key) or self.responders.get(key) or self.teams.get(key) or key

    @property
    def owners(self) -> Sequence[tuple[str, str]]:
        """Who can answer for a measure, as (value of a form, name): teams before people."""
        teams = [(f"team:{key}", name) for key, name in self.teams.items()]
        return [*teams, *((f"responder:{key}", name) for key, name in self.responders.items())]


def staff(session: Session, compound: str) -> Staff:
    """Everybody who works in a compound."""
    teams = session.execute(
        select(Team.id, Team.name).where(Team.compound == compound).order_by(Team.name)
    ).all()
    people = session.scalars(
        select(Responder)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Responder.active)
        .order_by(Responder.id)
    )
    users = session.execute(select(User.id, User.name)).all()
    return Staff(
        {row.id: row.name for row in users},
        {row.id: row.name for row in people},
        {row.id: row.name for row in teams},
    )


def owner(chosen: str) -> tuple[str | None, str | None]:
    """A responder and a team, of which a form named one."""
    kind, _, key = chosen.partition(":")
    return (key or None if kind == "responder" else None), (key or None if kind == "team" else None)


def end_of_day(view: Frame, day: str) -> dt.datetime | None:
    """The end of a local day that a form names as `2026-11-24`; None for what is no day."""
    try:
        date = dt.date.fromisoformat(day)
        return moment(date + dt.timedelta(days=1), dt.time(), view.zone)
    except (ValueError, OverflowError):
        return None
