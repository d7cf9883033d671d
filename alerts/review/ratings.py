"""What the reporter or the household thinks of it: asked by a link that works once, or on their own page."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.incidents.models import Incident
from alerts.incidents.record import load
from alerts.review import rules
from alerts.review.guards import resolution
from alerts.review.models import IncidentRating
from alerts.review.rules import RaterKind
from alerts.review.writing import take_up_again
from registry.errors import MissingError, RefusedError
from storage import audit, new_id
from storage.audit import AuditEntry

PURPOSE = "review"

OPEN_FOR = dt.timedelta(days=7)
"""How long somebody may answer."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A question to somebody. `token` is in the link `/rate/<token>` and nowhere else."""

    rating: IncidentRating
    token: str


def invite(
    session: Session,
    incident: Incident,
    at: dt.datetime,
    *,
    kind: RaterKind = RaterKind.REPORTER,
    responder: str | None = None,
    person: str | None = None,
) -> Invitation | None:
    """Asks somebody how a resolved incident was handled; once for each time that it was resolved.

    Without `responder` and `person` whoever holds the link answers. None where it was never resolved,
    or where they have been asked already.
    """
    done = resolution(session, incident.id)
    if done is None:
        return None
    asked = select(IncidentRating.id).where(
        IncidentRating.incident == incident.id,
        IncidentRating.resolved_version == done.version,
        IncidentRating.kind == kind,
        IncidentRating.responder == responder,
        IncidentRating.person == person,
    )
    if session.scalar(asked) is not None:
        return None
    token = secrets.token_urlsafe(24)
    row = IncidentRating(
        id=new_id(),
        incident=incident.id,
        compound=incident.compound,
        resolved_version=done.version,
        kind=kind,
        responder=responder,
        person=person,
        token_hash=_hash(token),
        invited_at=at,
        expires_at=at + OPEN_FOR,
    )
    session.add(row)
    session.flush()
    return Invitation(row, token)


def by_token(session: Session, compound: str, token: str, at: dt.datetime) -> IncidentRating:
    """The question behind a link. Raises `MissingError` where it was answered, has ended or never was."""
    row = session.scalars(
        select(IncidentRating).where(
            IncidentRating.token_hash == _hash(token), IncidentRating.compound == compound
        )
    ).one_or_none()
    if row is None or row.rated_at is not None or row.expires_at <= at:
        raise MissingError("rating")
    return row


def waiting(
    session: Session, compound: str, at: dt.datetime, *, responder: str | None, person: str | None
) -> Sequence[IncidentRating]:
    """What somebody is asked and has not answered, the newest first."""
    mine = [
        column == value
        for column, value in ((IncidentRating.responder, responder), (IncidentRating.person, person))
        if value is not None
    ]
    if not mine:
        return []
    return session.scalars(
        select(IncidentRating)
        .where(
            IncidentRating.compound == compound,
            IncidentRating.rated_at.is_(None),
            IncidentRating.expires_at > at,
            or_(*mine),
        )
        .order_by(IncidentRating.invited_at.desc(), IncidentRating.id)
        .limit(50)
    ).all()


def rate(
    session: Session, rating: IncidentRating, score: int, words: str | None, by: Actor, at: dt.datetime
) -> IncidentRating:
    """Keeps an answer; a score of two or lower takes the incident up again, once.

    Raises `RefusedError`: score_range, rating_given, rating_ended.
    """
    if score not in rules.SCORES:
        raise RefusedError("score_range")
    # The incident first, as everybody takes it: of two answers at once the second sees the first.
    incident = load(session, rating.incident)
    session.refresh(rating, with_for_update=True)
    if rating.rated_at is not None:
        raise RefusedError("rating_given")
    if rating.expires_at <= at:
        raise RefusedError("rating_ended")
    rating.score, rating.words, rating.rated_at = score, (words or "").strip() or None, at
    session.flush()
    entry = AuditEntry(
        by.id,
        by.role,
        "incident.rated",
        PURPOSE,
        incident.id,
        f"{rating.kind} score={score}",
        incident.compound,
    )
    audit.append(session, at, entry)
    rating.reopened = _latest(session, rating) and take_up_again(
        session, incident, score, by, at, by_reviewer=False
    )
    session.flush()
    return rating


def _latest(session: Session, rating: IncidentRating) -> bool:
    """Of what was resolved again since, an older answer is no longer about."""
    done = resolution(session, rating.incident)
    return done is not None and done.version == rating.resolved_version


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
