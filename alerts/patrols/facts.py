"""What patrols came to: for the hand-over, the month's report, and whoever looks at today."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.patrols.judging import Finding
from alerts.patrols.models import PatrolRound, PatrolRoute, RoundState
from alerts.patrols.standing import Standing, standing

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MissedPoint:
    """A checkpoint that a round did not come by. `why` is `missed`, or `aborted` where it was broken off."""

    route: str
    route_name: str
    round: str
    point: str
    point_name: str
    zone: str
    due_until: dt.datetime
    why: str


@dataclass
class RouteReport:
    """A route's rounds of a time. Rounds are counted; points, late and the findings count points."""

    route: str
    name: str
    rounds: int = 0
    done: int = 0
    missed: int = 0
    aborted: int = 0
    # Not over yet.
    open: int = 0
    points: int = 0
    points_missed: int = 0
    late: int = 0
    findings: Counter[str] = field(default_factory=Counter)

    def take(self, stands: Standing) -> None:
        """Counts a round in."""
        state = RoundState(stands.row.state)
        self.rounds += 1
        self.done += state is RoundState.DONE
        self.missed += state is RoundState.MISSED
        self.aborted += state is RoundState.ABORTED
        self.open += not state.is_over
        self.points += len(stands.points)
        if state.is_over:
            self.points_missed += len(stands.judged.missing)
        found = Counter(str(one.what) for one in stands.judged.findings)
        self.late += found[Finding.LATE]
        self.findings.update(found)


def missed_points(
    session: Session, compound: str, since: dt.datetime, until: dt.datetime
) -> list[MissedPoint]:
    """Points of rounds that ended from `since` (included) to `until` (not), the first to be due first."""
    ended = [
        row
        for row in rounds_between(session, compound, since - dt.timedelta(days=1), until)
        if RoundState(row.state) in {RoundState.MISSED, RoundState.ABORTED}
        and row.schedule is not None
        and row.ended_at is not None
        and since <= row.ended_at < until
    ]
    return [
        MissedPoint(
            stands.row.route,
            stands.row.plan["name"],
            stands.row.id,
            point.id,
            point.name,
            point.zone,
            stands.row.due_until,
            "aborted" if stands.row.state == RoundState.ABORTED else "missed",
        )
        for stands in standing(session, ended, until)
        for point in stands.points
        if point.id in stands.judged.missing
    ]


def rounds_between(
    session: Session, compound: str, since: dt.datetime, until: dt.datetime
) -> Sequence[PatrolRound]:
    """Rounds that are due from `since` (included) to `until` (not)."""
    return session.scalars(
        select(PatrolRound)
        .where(PatrolRound.compound == compound, PatrolRound.due_from >= since, PatrolRound.due_from < until)
        .order_by(PatrolRound.due_from, PatrolRound.id)
    ).all()


def report(
    session: Session, compound: str, since: dt.datetime, until: dt.datetime, now: dt.datetime
) -> list[RouteReport]:
    """What the rounds of a time came to, by route; routes that nobody had to walk among them."""
    names = session.execute(
        select(PatrolRoute.id, PatrolRoute.name)
        .where(PatrolRoute.compound == compound, PatrolRoute.retired_at.is_(None))
        .order_by(PatrolRoute.name)
    ).all()
    found = {row.id: RouteReport(row.id, row.name) for row in names}
    rounds = rounds_between(session, compound, since, until)
    for start in range(0, len(rounds), _AT_ONCE):
        for stands in standing(session, rounds[start : start + _AT_ONCE], now):
            row = stands.row
            found.setdefault(row.route, RouteReport(row.route, row.plan["name"])).take(stands)
    return list(found.values())
