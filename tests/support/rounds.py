"""Patrol rounds as they are once they are over, with the points that nobody came by."""

import datetime as dt

from sqlalchemy.orm import Session

from alerts.duty.models import Team, TeamKind
from alerts.patrols.models import (
    Checkpoint,
    How,
    PatrolRound,
    PatrolRoute,
    PatrolVisit,
    PointKind,
    RoundState,
)
from alerts.patrols.standing import written

_HALF: dt.timedelta = dt.timedelta(minutes=30)


class Walked:
    """A route of two points in a zone, whose rounds take half an hour."""

    def __init__(self, session: Session, compound: str, zone: str, begun: dt.datetime) -> None:
        self.session = session
        self.points = [
            Checkpoint(id=f"at-{name}", compound=compound, name=name, zone=zone, kind=PointKind.QR)
            for name in ("东门", "车棚")
        ]
        self.route = PatrolRoute(
            id="night-walk",
            compound=compound,
            name="夜巡",
            team="walkers",
            tolerance_min=10,
            created_at=begun,
        )
        session.add(Team(id="walkers", compound=compound, name="巡逻队", kind=TeamKind.GUARD))
        session.flush()
        session.add_all([*self.points, self.route])
        session.flush()

    def round(
        self,
        due: dt.datetime,
        state: RoundState,
        visited: int,
        *,
        asked: bool = True,
    ) -> PatrolRound:
        """One that is due at a moment; the first `visited` points were come by. `asked`: by a schedule."""
        ends = due + _HALF
        row = PatrolRound(
            id=f"round-{due:%d%H%M}",
            compound=self.route.compound,
            route=self.route.id,
            schedule="every-night" if asked else None,
            due_from=due,
            due_until=ends,
            counts_until=ends + dt.timedelta(minutes=10),
            state=state,
            plan=written(self.route, self.points),
            ended_at=ends + dt.timedelta(minutes=10) if state.is_over else None,
        )
        self.session.add(row)
        self.session.flush()
        for number, point in enumerate(self.points[:visited]):
            moment = due + dt.timedelta(minutes=5 * (number + 1))
            self.session.add(
                PatrolVisit(
                    id=f"{row.id}-{number}",
                    compound=row.compound,
                    client=f"{row.id}-{number}",
                    round=row.id,
                    checkpoint=point.id,
                    how=How.QR,
                    at=moment,
                    received_at=moment,
                )
            )
        self.session.flush()
        return row
