"""Silences: made by somebody, for a reason, with an end; what they would keep quiet is shown beforehand."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.routing.gathering import facts_of
from alerts.routing.matching import Matcher, MatcherError, match, parse
from alerts.routing.models import Silence, Telling
from alerts.routing.quiet import Quieting
from registry import rows
from registry.errors import RefusedError
from storage import audit, new_id
from storage.audit import AuditEntry

LONGEST: Final = dt.timedelta(days=31)
"""What has to be quiet for longer is changed in the routes, where it is seen."""

COMMENT_LONGEST: Final = 200
MATCHERS_MOST: Final = 10
PURPOSE: Final = "incident_handling"
_OPEN: Final = tuple(state for state in State if state.is_open)
_PREVIEWED: Final = 200


def listed(session: Session, compound: str, at: dt.datetime, *, ended: bool = False) -> Sequence[Silence]:
    """Silences that hold or will, the next to end first; with `ended` also those that are over."""
    query = select(Silence).where(Silence.compound == compound)
    if not ended:
        query = query.where(Silence.ends_at > at, Silence.lifted_at.is_(None))
    return session.scalars(query.order_by(Silence.ends_at, Silence.id)).all()


def in_force(session: Session, compound: str, at: dt.datetime) -> list[Quieting]:
    """Those that hold at a moment, as values."""
    held = listed(session, compound, at)
    return [as_value(row) for row in held if row.starts_at <= at]


def as_value(row: Silence) -> Quieting:
    return Quieting(
        row.id, tuple(parse(text) for text in row.matchers), row.gravest, row.starts_at, row.ends_at
    )


def make(
    session: Session,
    compound: str,
    matchers: Sequence[str],
    gravest: int,
    ends_at: dt.datetime,
    comment: str,
    by: Actor,
    at: dt.datetime,
    *,
    starts_at: dt.datetime | None = None,
) -> Silence:
    """Keeps what matches quiet, audited.

    Raises `RefusedError`: silence_all (no matcher, or none that narrows), silence_matcher,
    comment_required, silence_empty, silence_too_long, silence_over, silence_safety (what it names is
    fire, SOS or duress, which are never silenced).
    """
    read = checked(matchers)
    starts = max(at, starts_at or at)
    if not comment.strip():
        raise RefusedError("comment_required")
    if ends_at <= at:
        raise RefusedError("silence_over")
    if ends_at <= starts:
        raise RefusedError("silence_empty")
    if ends_at - starts > LONGEST:
        raise RefusedError("silence_too_long", days=LONGEST.days)
    row = Silence(
        id=new_id(),
        compound=compound,
        matchers=[str(one) for one in read],
        gravest=gravest,
        starts_at=starts,
        ends_at=ends_at,
        made_at=at,
        author=by.id,
        comment=comment.strip()[:COMMENT_LONGEST],
    )
    session.add(row)
    session.flush()
    _note(session, row, "silence.made", by, at)
    return row


def lift(session: Session, compound: str, silence_id: str, by: Actor, at: dt.datetime) -> Silence:
    """Ends a silence before its time. What it kept quiet and is still open is told now.

    Raises `MissingError`, `RefusedError("silence_over")`.
    """
    rows.lock(session, Silence, compound, [silence_id], "silence")
    row = rows.find(session, Silence, compound, silence_id, "silence")
    if row.lifted_at is not None or row.ends_at <= at:
        raise RefusedError("silence_over")
    row.lifted_at, row.lifted_by = at, by.id
    session.execute(
        update(Telling)
        .where(Telling.compound == compound, Telling.quiet_by == row.id)
        .values(again_at=at)
        .execution_options(synchronize_session=False)
    )
    session.flush()
    _note(session, row, "silence.lifted", by, at)
    return row


def preview(session: Session, compound: str, matchers: Sequence[str], gravest: int) -> list[Incident]:
    """The open incidents that a silence would keep quiet, newest first; at most two hundred are looked at.

    Raises `RefusedError` like `make`.
    """
    read = checked(matchers)
    rows_ = session.scalars(
        select(Incident)
        .where(Incident.compound == compound, Incident.state.in_(_OPEN), Incident.severity >= gravest)
        .order_by(Incident.raised_at.desc(), Incident.id)
        .limit(_PREVIEWED)
    ).all()
    found = []
    for row in rows_:
        given = facts_of(session, row)
        if not given.safety and not given.silent and match(read, given.labels):
            found.append(row)
    return found


def checked(matchers: Sequence[str]) -> tuple[Matcher, ...]:
    """Matchers that narrow something. Raises `RefusedError` like `make`."""
    wanted = [text for text in (one.strip() for one in matchers) if text]
    if len(wanted) > MATCHERS_MOST:
        raise RefusedError("silence_matcher", matcher=wanted[MATCHERS_MOST])
    read = []
    for text in wanted:
        try:
            read.append(parse(text))
        except MatcherError:
            raise RefusedError("silence_matcher", matcher=text[:64]) from None
    # As in Alertmanager one matcher at least must not match the empty text.
    if not any(not one.test({}) for one in read):
        raise RefusedError("silence_all")
    if any(match([one], {"safety": "true"}) and one.label == "safety" for one in read):
        raise RefusedError("silence_safety")
    return tuple(read)


def _note(session: Session, row: Silence, action: str, by: Actor, at: dt.datetime) -> None:
    detail = f"{', '.join(row.matchers)} S{row.gravest}… until {row.ends_at.isoformat(timespec='minutes')}"
    entry = AuditEntry(by.id, by.role, action, PURPOSE, f"silence:{row.id}", detail, row.compound)
    audit.append(session, at, entry)
