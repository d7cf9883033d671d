"""A month's figures from the tables: everything is counted, nothing that names anybody is kept."""

import datetime as dt
from collections import Counter
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from alerts.duty.localtime import moment
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.duty.rostermodels import RosterGap
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.patrols import facts as patrols
from alerts.review.counting import Alarm
from alerts.review.figures import Duty, Measures, Month, Patrols, Raised, Reviews, month, overlap_h, scores
from alerts.review.models import IncidentRating, IncidentReview, Measure
from alerts.review.responses import waits
from alerts.review.rules import MeasureState
from registry.days import time_zone
from registry.errors import RefusedError

_OPEN = [state for state in MeasureState if state.is_open]
# Looked up instead of made, for the hundred thousand steps of a large compound's month.
_STATES: Final = {state.value: state for state in State}
_VOLUNTEERS = [kind for kind in TeamKind if kind.volunteers]


def bounds(session: Session, compound: str, first: dt.date) -> tuple[dt.datetime, dt.datetime, dt.date]:
    """From the first local midnight of a month to that of the next, and that day."""
    if first.day != 1:
        raise RefusedError("month_first_day")
    until = (first.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    zone = time_zone(session, compound)
    return moment(first, dt.time(), zone), moment(until, dt.time(), zone), until


def figures(session: Session, compound: str, first: dt.date, now: dt.datetime) -> Month:
    """The month that begins on `first`, as far as it has come. Raises `RefusedError` (`month_first_day`)."""
    start, end, until = bounds(session, compound, first)
    return month(
        first,
        until,
        _raised(session, compound, start, end),
        reviews_of(session, compound, start, end),
        measures_of(session, compound, start, end, now),
        duty_of(session, compound, start, min(end, max(start, now))),
        patrols_of(session, compound, start, end, now),
    )


def _raised(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> list[Raised]:
    within = (Incident.compound == compound, Incident.raised_at >= start, Incident.raised_at < end)
    steps: dict[str, list[tuple[State, dt.datetime]]] = {}
    path = (
        select(Transition.incident, Transition.to_state, Transition.at)
        .join(Incident, Incident.id == Transition.incident)
        .where(*within)
        .order_by(Transition.incident, Transition.version)
    )
    for incident, to, at in session.execute(path):
        steps.setdefault(incident, []).append((_STATES[to], at))
    columns = (
        *(Incident.id, Incident.rule, Incident.kind, Incident.ring, Incident.severity, Incident.state),
        *(Incident.false_alarm_reason, Incident.held, Incident.drill, Incident.care),
    )
    return [
        Raised(
            row.rule,
            Alarm(row.kind, row.ring, row.severity, _STATES[row.state], row.false_alarm_reason),
            row.held,
            row.drill,
            row.care,
            waits(row.severity, steps.get(row.id, [])),
        )
        for row in session.execute(select(*columns).where(*within))
    ]


def reviews_of(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> Reviews:
    written = session.execute(
        select(IncidentReview.score, IncidentReview.cause, IncidentReview.alert, IncidentReview.reopened)
        .join(Incident, Incident.id == IncidentReview.incident)
        .where(
            IncidentReview.compound == compound,
            IncidentReview.at >= start,
            IncidentReview.at < end,
            Incident.drill.is_(False),
        )
    ).all()
    rated = session.execute(
        select(IncidentRating.score, IncidentRating.reopened)
        .join(Incident, Incident.id == IncidentRating.incident)
        .where(
            IncidentRating.compound == compound,
            IncidentRating.rated_at >= start,
            IncidentRating.rated_at < end,
            IncidentRating.score.is_not(None),
            Incident.drill.is_(False),
        )
    ).all()
    return Reviews(
        written=len(written),
        unreviewed=_unreviewed(session, compound, start, end),
        reopened=sum(row.reopened for row in written) + sum(row.reopened for row in rated),
        scores=scores(row.score for row in written),
        ratings=scores(row.score for row in rated if row.score is not None),
        causes=dict(Counter(str(row.cause) for row in written).most_common()),
        alerts=dict(Counter(str(row.alert) for row in written).most_common()),
    )


def _unreviewed(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> int:
    """Of what was last resolved in the month."""
    last = (
        select(Transition.incident, func.max(Transition.at).label("at"))
        # Of the few that wait, not of all there ever were.
        .join(Incident, Incident.id == Transition.incident)
        .where(
            Incident.compound == compound,
            Incident.state == State.RESOLVED,
            Transition.to_state == State.RESOLVED,
            Transition.from_state != State.RESOLVED,
        )
        .group_by(Transition.incident)
        .subquery()
    )
    query = (
        select(func.count())
        .select_from(Incident)
        .join(last, last.c.incident == Incident.id)
        .where(
            Incident.compound == compound,
            Incident.state == State.RESOLVED,
            Incident.drill.is_(False),
            last.c.at >= start,
            last.c.at < end,
        )
    )
    return session.scalar(query) or 0


def measures_of(
    session: Session, compound: str, start: dt.datetime, end: dt.datetime, now: dt.datetime
) -> Measures:
    def count(*conditions: Any) -> int:
        query = select(func.count()).select_from(Measure).where(Measure.compound == compound, *conditions)
        return session.scalar(query) or 0

    ended = (Measure.ended_at >= start, Measure.ended_at < end)
    # At the end of the month, or now while it lasts.
    then = min(end, now)
    still = (Measure.at < then, or_(Measure.state.in_(_OPEN), Measure.ended_at >= then))
    return Measures(
        done=count(Measure.state == MeasureState.DONE, *ended),
        refused=count(Measure.state == MeasureState.REFUSED, *ended),
        open=count(*still),
        late=count(*still, Measure.due_at < then),
    )


def duty_of(session: Session, compound: str, start: dt.datetime, end: dt.datetime) -> Duty:
    gaps = session.execute(
        select(RosterGap.starts_at, RosterGap.ends_at).where(
            RosterGap.compound == compound,
            # One that was closed in time never was.
            or_(RosterGap.closed_at.is_(None), RosterGap.closed_at > RosterGap.starts_at),
            RosterGap.starts_at < end,
            RosterGap.ends_at > start,
        )
    ).all()
    stood = session.execute(
        select(Shift.starts_at, Shift.ends_at)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(
            Team.compound == compound,
            Team.kind.in_(_VOLUNTEERS),
            Shift.starts_at < end,
            Shift.ends_at > start,
        )
    ).all()
    return Duty(
        gaps=len(gaps),
        gap_hours=overlap_h(((row.starts_at, row.ends_at) for row in gaps), start, end),
        volunteer_hours=overlap_h(((row.starts_at, row.ends_at) for row in stood), start, end),
    )


def patrols_of(
    session: Session, compound: str, start: dt.datetime, end: dt.datetime, now: dt.datetime
) -> Patrols:
    routes = patrols.report(session, compound, start, end, now)
    return Patrols(
        rounds=sum(one.rounds for one in routes),
        done=sum(one.done for one in routes),
        points=sum(one.points for one in routes),
        missed=sum(one.points_missed for one in routes),
    )
