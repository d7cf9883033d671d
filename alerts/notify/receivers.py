"""Whoever notifications are for: their contacts, their rules, their hours; many at once, in few queries."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.notify import plan
from alerts.notify.holding import Quiet
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    ContactStep,
    Notification,
    NotificationAttempt,
    Purpose,
)
from registry.models import Compound

_Row = TypeVar("_Row")

USUAL_LANGUAGE = "zh-CN"
LONGEST_PAUSE = dt.timedelta(minutes=15)
"""A pause that ends later than this was asked for before the clock was set back."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A responder, or a channel of the compound (without team)."""

    active: bool
    language: str
    team: TeamKind | None
    quiet: Quiet | None


@dataclass(frozen=True, slots=True)
class Circle:
    """What is known of a handful of notifications' receivers, and of what was tried."""

    receivers: Mapping[str, Receiver]
    contacts: Mapping[str, Contact]
    owned: Mapping[str, Sequence[Contact]]
    rules: Mapping[tuple[str, bool], Sequence[ContactStep]]
    attempts: Mapping[str, Sequence[NotificationAttempt]]

    def receiver(self, row: Notification) -> Receiver:
        found = self.receivers.get(row.responder) if row.responder else None
        return found or Receiver(active=row.responder is None, language=USUAL_LANGUAGE, team=None, quiet=None)

    def steps(self, row: Notification, usable: "Usable") -> list[plan.Step]:
        """The receiver's rule: of what is important its own, else the default one, else the usual."""
        return [
            plan.Step(contact, self.contacts[contact].kind, after, usable.since(self.contacts[contact], row))
            for contact, after in self._rule(row)
            if contact in self.contacts
        ]

    def tried(self, row: Notification) -> list[plan.Tried]:
        return [
            plan.Tried(one.step, one.round, ChannelKind(one.kind), AttemptState(one.state), one.at, one.error)
            for one in self.attempts.get(row.id, ())
        ]

    def _rule(self, row: Notification) -> list[tuple[str, float]]:
        if row.channel is not None:
            return [(row.channel, 0.0)]
        if row.responder is None:
            return []
        for important in (True, False) if row.important else (False,):
            made = self.rules.get((row.responder, important))
            if made:
                return [(one.contact, float(one.after_s)) for one in made]
        return plan.usual([(one.id, ChannelKind(one.kind)) for one in self.owned.get(row.responder, ())])


@dataclass(frozen=True, slots=True)
class Usable:
    """Which contacts may be tried for a notification: `kinds` there are, and of them those for drills."""

    kinds: Collection[ChannelKind]
    inside: Collection[ChannelKind]
    now: dt.datetime

    def since(self, contact: Contact, row: Notification) -> dt.datetime | None:
        """From when on; None: never."""
        if not contact.enabled or contact.compound != row.compound:
            return None
        if contact.kind not in (self.inside if row.drill else self.kinds):
            return None
        paused = contact.paused_until
        if paused is None or paused <= self.now or paused > self.now + LONGEST_PAUSE:
            return self.now
        # What is grave, and a test, try a dead one all the same; a pause that was asked for is kept.
        if contact.dead_since is not None and (row.severity <= plan.GRAVE or row.purpose == Purpose.TEST):
            return self.now
        return paused


def around(session: Session, rows: Collection[Notification]) -> Circle:
    """Everything that decides what comes next for these notifications."""
    responders = {row.responder for row in rows if row.responder}
    channels = {row.channel for row in rows if row.channel}
    contacts = [
        *(_some(session, Contact, Contact.responder, responders)),
        *(_some(session, Contact, Contact.id, channels)),
    ]
    owned: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        if contact.responder is not None:
            owned[contact.responder].append(contact)
    rules: dict[tuple[str, bool], list[ContactStep]] = defaultdict(list)
    for step in sorted(
        _some(session, ContactStep, ContactStep.responder, responders), key=lambda one: one.number
    ):
        rules[step.responder, step.important].append(step)
    attempts: dict[str, list[NotificationAttempt]] = defaultdict(list)
    tries = _some(session, NotificationAttempt, NotificationAttempt.notification, {row.id for row in rows})
    for attempt in sorted(tries, key=lambda one: one.number):
        attempts[attempt.notification].append(attempt)
    return Circle(
        receivers=_receivers(session, responders),
        contacts={contact.id: contact for contact in contacts},
        owned=owned,
        rules=rules,
        attempts=attempts,
    )


def _some(
    session: Session, model: type[_Row], column: InstrumentedAttribute[Any], wanted: Collection[str]
) -> Sequence[_Row]:
    return session.scalars(select(model).where(column.in_(wanted))).all() if wanted else []


def _receivers(session: Session, responders: Collection[str]) -> dict[str, Receiver]:
    if not responders:
        return {}
    found = session.execute(
        select(Responder, Team.kind, Compound.time_zone)
        .join(Team, Team.id == Responder.team)
        .join(Compound, Compound.id == Team.compound)
        .where(Responder.id.in_(responders))
    )
    return {
        row.id: Receiver(
            active=row.active,
            language=row.language or USUAL_LANGUAGE,
            team=TeamKind(kind),
            quiet=Quiet(row.quiet_from, row.quiet_to, ZoneInfo(zone))
            if row.quiet_from is not None and row.quiet_to is not None
            else None,
        )
        for row, kind, zone in found
    }
