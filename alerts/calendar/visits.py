"""Visits that are over by their pass, and passes that were given a later end."""

import datetime as dt
from collections.abc import Iterator, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from alerts.calendar.places import Places
from alerts.knowing import Register
from alerts.knowing.asking import rows
from alerts.rules import Observation
from registry.models import VisitorPass
from registry.passes.models import PassState, PassUse


def between(session: Session, places: Places, start: dt.datetime, end: dt.datetime) -> Iterator[Observation]:
    """`visitor.expired` at a pass's end; `visitor.extended` when one that had begun was decided anew."""
    ours = (VisitorPass.compound == places.compound, VisitorPass.state == PassState.APPROVED)
    over = session.execute(
        select(VisitorPass.id, VisitorPass.ends_at).where(
            *ours, VisitorPass.ends_at >= start, VisitorPass.ends_at < end
        )
    ).all()
    prolonged = session.execute(
        select(VisitorPass.id, VisitorPass.ends_at, VisitorPass.decided_at).where(
            *ours,
            VisitorPass.decided_at >= start,
            VisitorPass.decided_at < end,
            # A pass that is decided before it begins is given, not prolonged.
            VisitorPass.decided_at > VisitorPass.starts_at,
        )
    ).all()
    named = sorted({row.id for row in (*over, *prolonged)})
    if not named:
        return
    register = Register(session, places.compound)
    register.visits.learn(ids=named, tokens=(), cards=(), plates=())
    used = _uses(session, named)
    for name, ends_at in over:
        yield _said(places, register, "visitor.expired", ends_at, name, ends_at, used)
    for name, ends_at, decided_at in prolonged:
        assert decided_at is not None
        yield _said(places, register, "visitor.extended", decided_at, name, ends_at, used)


def touched(start: dt.datetime, end: dt.datetime) -> Iterator[Select[str]]:
    """Compounds of which `between` may have something to say."""
    for moment in (VisitorPass.ends_at, VisitorPass.decided_at):
        yield select(VisitorPass.compound).where(moment >= start, moment < end)


_Use = tuple[dt.datetime, str | None, str]


def _uses(session: Session, named: Sequence[str]) -> dict[str, list[_Use]]:
    found: dict[str, list[_Use]] = {}
    for row in rows(
        session,
        named,
        lambda some: (
            select(PassUse.visitor_pass, PassUse.at, PassUse.zone, PassUse.direction)
            .where(PassUse.visitor_pass.in_(some))
            .order_by(PassUse.at, PassUse.id)
        ),
    ):
        found.setdefault(row.visitor_pass, []).append((row.at, row.zone, str(row.direction)))
    return found


def _said(
    places: Places,
    register: Register,
    kind: str,
    at: dt.datetime,
    name: str,
    ends_at: dt.datetime,
    used: dict[str, list[_Use]],
) -> Observation:
    visit = register.visits.by_id(name)
    before = [use for use in used.get(name, ()) if use[0] <= at]
    # Where the visitor was last seen with it: there somebody asks first.
    seen_in = [zone for _, zone, _ in before if zone in places.rings]
    last = {"last_use": before[-1][2]} if before else {}
    return places.observation(
        kind,
        at,
        name,
        at.isoformat(),
        zone=seen_in[-1] if seen_in else places.gate,
        visit=visit.facts(at) if visit is not None else None,
        until=ends_at,
        attributes=last,
    )
