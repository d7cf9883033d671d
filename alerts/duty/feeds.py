"""Calendar addresses: an unguessable path that opens somebody's or a team's duty, until it is revoked."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.duty.ical import Entry
from alerts.duty.marks import mark
from alerts.duty.models import Responder, Shift, Team
from alerts.duty.people import responder_of
from alerts.duty.rostermodels import DutyFeed
from alerts.incidents.actor import Actor
from registry import rows
from registry.errors import MissingError
from registry.models import Compound, Zone
from storage import new_id

PAST: Final = dt.timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Made:
    """A new address; `path` is stored nowhere."""

    id: str
    path: str


@dataclass(frozen=True, slots=True)
class Found:
    """What an address opens. `language` is the reader's, None: the compound's."""

    title: str
    language: str | None
    entries: tuple[Entry, ...]


def make(
    session: Session,
    compound: str,
    by: Actor,
    at: dt.datetime,
    *,
    responder: str | None = None,
    team: str | None = None,
) -> Made:
    """Of one responder or one team; whatever address they had opens nothing any more. Raises
    `MissingError`.
    """
    if responder is not None:
        responder_of(session, compound, responder)
    else:
        row = session.get(Team, team)
        if row is None or row.compound != compound:
            raise MissingError("team")
    session.execute(
        update(DutyFeed)
        .where(
            DutyFeed.compound == compound,
            DutyFeed.responder == responder if responder is not None else DutyFeed.team == team,
            DutyFeed.revoked_at.is_(None),
        )
        .values(revoked_at=at)
        .execution_options(synchronize_session=False)
    )
    token = secrets.token_urlsafe(32)
    feed = DutyFeed(
        id=new_id(),
        compound=compound,
        token_hash=_digest(token),
        responder=responder,
        team=team,
        author=by.id,
        created_at=at,
    )
    session.add(feed)
    session.flush()
    mark(session, compound, by, at, "duty_feed.made", f"duty_feed:{feed.id}")
    return Made(feed.id, f"/calendar/{token}.ics")


def revoke(
    session: Session, compound: str, feed: str, by: Actor, at: dt.datetime, *, only_of: str | None
) -> None:
    """`only_of`: the responder whose it has to be. Raises `MissingError`."""
    row = rows.find(session, DutyFeed, compound, feed, "duty_feed")
    if only_of is not None and row.responder != only_of:
        raise MissingError("duty_feed")
    if row.revoked_at is None:
        row.revoked_at = at
        session.flush()
        mark(session, compound, by, at, "duty_feed.revoked", f"duty_feed:{row.id}")


def opened(session: Session, token: str, at: dt.datetime) -> Found | None:
    """What is behind a token now, from a month ago on; None for every token that opens nothing."""
    feed = session.scalars(
        select(DutyFeed).where(DutyFeed.token_hash == _digest(token), DutyFeed.revoked_at.is_(None))
    ).one_or_none()
    if feed is None:
        return None
    query = (
        select(Shift, Responder)
        .join(Responder, Responder.id == Shift.responder)
        .where(Responder.active, Shift.ends_at > at - PAST)
        .order_by(Shift.starts_at, Shift.id)
    )
    zones = dict(session.execute(select(Zone.id, Zone.name).where(Zone.compound == feed.compound)).all())
    if feed.responder is not None:
        person = session.get(Responder, feed.responder)
        if person is None or not person.active:
            return None
        found = session.execute(query.where(Shift.responder == feed.responder))
        compound = session.get_one(Compound, feed.compound)
        entries = [_entry(shift.id, [(shift, who)], zones) for shift, who in found]
        return Found(compound.name, person.language, tuple(entries))
    team = session.get_one(Team, feed.team)
    together: dict[str, list[tuple[Shift, Responder]]] = {}
    for shift, who in session.execute(query.where(Responder.team == team.id)):
        times = f"{shift.starts_at.isoformat()}/{shift.ends_at.isoformat()}"
        post = shift.post or who.post or ""
        key = hashlib.sha256(f"{team.id}/{times}/{post}/{shift.on_call}".encode()).hexdigest()[:32]
        together.setdefault(key, []).append((shift, who))
    return Found(team.name, None, tuple(_entry(key, its, zones) for key, its in together.items()))


def _entry(uid: str, its: Iterable[tuple[Shift, Responder]], zones: dict[str, str]) -> Entry:
    rows_ = list(its)
    shift, who = rows_[0]
    post = shift.post or who.post
    return Entry(
        uid,
        shift.starts_at,
        shift.ends_at,
        on_call=shift.on_call,
        place=zones.get(post) if post else None,
        people=len(rows_),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
