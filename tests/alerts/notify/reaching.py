"""Somebody to be reached, channels that note what they are handed, and an engine on a virtual clock."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import select
from timeline import COMPOUND, START

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.notify.asking import Ask, ask
from alerts.notify.channels.channel import Address, Channel, Letter, Outcome, Result
from alerts.notify.engine import Engine
from alerts.notify.holding import Limits
from alerts.notify.letters import Told
from alerts.notify.metrics import DeliveryMetrics
from alerts.notify.models import (
    ChannelKind,
    Contact,
    ContactStep,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from storage import Database, new_id
from tests.support.clock import VirtualClock

TAKEN = Outcome(Result.HANDED_OVER)
PHONE, PUSH, CHAT, HOOK = (
    ChannelKind.PHONE_PAGE,
    ChannelKind.WEB_PUSH,
    ChannelKind.APPRISE,
    ChannelKind.WEBHOOK,
)
INSIDE = frozenset({ChannelKind.PHONE_PAGE, ChannelKind.CONSOLE, ChannelKind.MQTT})

Behaviour = Callable[[Address, Letter], Awaitable[Outcome] | Outcome]


class PlainWords:
    """The purpose is the title; what else a letter would have to say is its body."""

    def letter(self, told: Told, language: str) -> tuple[str, str, str | None]:
        return told.purpose.value, f"more={told.more} {language}", None


class Recording:
    """A channel that does as it is told and notes every letter."""

    def __init__(self, kind: ChannelKind, behaviour: Behaviour | Outcome = TAKEN) -> None:
        self.kind = kind
        self.stays_inside = kind in INSIDE
        self.behaviour = behaviour
        self.sent: list[tuple[str, Letter]] = []
        self.under_way: dict[str, int] = {}
        self.most_at_once = 0

    async def send(self, to: Address, letter: Letter) -> Outcome:
        self.sent.append((to.contact, letter))
        self.under_way[to.contact] = self.under_way.get(to.contact, 0) + 1
        self.most_at_once = max(self.most_at_once, self.under_way[to.contact])
        try:
            if isinstance(self.behaviour, Outcome):
                return self.behaviour
            result = self.behaviour(to, letter)
            return result if isinstance(result, Outcome) else await result
        finally:
            self.under_way[to.contact] -= 1


async def hang(_to: Address, _letter: Letter) -> Outcome:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


@dataclass
class Reach:
    """A compound's guard `qian`, steward `sun`, operator `wen` and property manager `fang`."""

    database: Database
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    limits: Limits | None = None
    channels: dict[ChannelKind, Recording] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in (PHONE, PUSH, CHAT, HOOK):
            self.channels.setdefault(kind, Recording(kind))
        teams = {
            "qian": TeamKind.GUARD,
            "sun": TeamKind.STEWARD,
            "wen": TeamKind.OPERATOR,
            "fang": TeamKind.PROPERTY,
        }
        for name, team in teams.items():
            self.add(Team(id=team.value, compound=COMPOUND, name=team.value, kind=team))
            self.add(Responder(id=name, team=team.value, name=name, leads=name == "fang"))
        self.metrics = CollectorRegistry()
        self.numbers = DeliveryMetrics(self.metrics)

    def add(self, *rows: object) -> None:
        with self.database.write() as session:
            for row in rows:
                session.add(row)
                session.flush()

    def on_duty(self, name: str) -> None:
        hour = dt.timedelta(hours=9)
        self.add(Shift(id=new_id(), responder=name, starts_at=START - hour, ends_at=START + hour))

    def contact(self, responder: str | None, kind: ChannelKind, **changes: Any) -> str:
        key = new_id()
        fields = {
            "id": key,
            "compound": COMPOUND,
            "responder": responder,
            "kind": kind,
            "name": kind.value,
            "address": f"https://push.example/{key}",
            "settings": {},
            "enabled": True,
            "created_at": START,
            "failures": 0,
        }
        self.add(Contact(**fields | changes))
        return key

    def rule(self, responder: str, *steps: tuple[str, int], important: bool = False) -> None:
        self.add(
            *(
                ContactStep(
                    responder=responder, important=important, number=number, contact=contact, after_s=after
                )
                for number, (contact, after) in enumerate(steps)
            )
        )

    def tell(self, responder: str | None = "qian", **changes: Any) -> str:
        fields: dict[str, Any] = {
            "compound": COMPOUND,
            "key": new_id(),
            "purpose": Purpose.SHIFT,
            "severity": 3,
            "responder": responder,
        }
        with self.database.write() as session:
            (made,) = ask(session, [Ask(**fields | changes)], self.clock.now())
            return made.id

    def engine(self, holder: str = "one", **changes: Any) -> Engine:
        channels: Mapping[ChannelKind, Channel] = self.channels  # type: ignore[assignment]
        return Engine(
            self.database, self.clock, channels, PlainWords(), holder, self.numbers, self.limits, **changes
        )

    def notification(self, key: str) -> Notification:
        with self.database.read() as session:
            row = session.get_one(Notification, key)
            session.expunge(row)
        return row

    def state(self, key: str) -> NotificationState:
        return NotificationState(self.notification(key).state)

    def attempts(self, key: str) -> Sequence[NotificationAttempt]:
        with self.database.read() as session:
            rows = session.scalars(
                select(NotificationAttempt)
                .where(NotificationAttempt.notification == key)
                .order_by(NotificationAttempt.number)
            ).all()
            session.expunge_all()
        return rows

    def of(self, contact: str) -> Contact:
        with self.database.read() as session:
            row = session.get_one(Contact, contact)
            session.expunge(row)
        return row

    def notifications(self, purpose: Purpose) -> Sequence[Notification]:
        with self.database.read() as session:
            rows = session.scalars(select(Notification).where(Notification.purpose == purpose)).all()
            session.expunge_all()
        return rows

    def sent(self, kind: ChannelKind) -> list[str]:
        return [letter.notification for _, letter in self.channels[kind].sent]
