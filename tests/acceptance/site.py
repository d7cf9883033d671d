"""A deployment in this process, at the demo compound's full size: what the law asks of it is asked here.

Database, vault, media store, face engine and API are the real ones; only the clock is
moved by hand.
"""

import datetime as dt
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from console.accounts import service
from console.accounts.models import Role, User
from console.app import create_app
from console.context import Rooms
from console.security import CSRF_HEADER, SESSION_COOKIE
from privacy import erasures
from ringward.demo import registration
from ringward.foundation import Foundation, lay
from ringward.settings import Settings
from ringward.web import Enroller
from storage import migrate
from tests.support.clock import VirtualClock

COMPOUND = "honghua"
START = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
WORDING = "本人单独同意采集面部特征用于门禁;不同意不影响使用门卡出入。"


@dataclass
class Site:
    """`ground` is what every process stands on; `client(role)` is somebody signed in."""

    folder: Path
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    ground: Foundation = field(init=False)
    _clients: dict[str, TestClient] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ground = lay(Settings(data_dir=self.folder))
        migrate.upgrade(self.ground.database)
        rooms = Rooms(
            database=self.ground.database,
            media=self.ground.media,
            clock=self.clock,
            compound=COMPOUND,
            nats_url="nats://127.0.0.1:1",
            nats_options=self.ground.bus.options(),
            portrait_engine=Enroller(self.ground, lambda: None),
            broker_ready=lambda: True,
            ingest_ready=lambda: True,
            metrics_registry=CollectorRegistry(),
        )
        self.app = create_app(rooms)

    def settle(self, seed: int = 1) -> None:
        """4,737 invented people in 23 buildings."""
        with self.ground.database.write() as session:
            registration.write(session, registration.registry_rows(random.Random(seed), START))

    def client(self, role: Role, *, name: str | None = None, **who: Any) -> TestClient:
        """Somebody of a role, signed in; the same client for the same name."""
        name = name or str(role)
        if name not in self._clients:
            with self.ground.database.write() as session:
                user = service.create_user(session, name, role, self.clock.now(), **who)
                opened = service.open_session(session, user, service.Client("10.0.0.9"), self.clock.now())
            client = TestClient(self.app, base_url="http://console.test")
            client.cookies.set(SESSION_COOKIE, opened.token)
            client.headers[CSRF_HEADER] = opened.csrf_token
            self._clients[name] = client
        return self._clients[name]

    def user(self, name: str) -> User:
        with self.ground.database.read() as session:
            found = session.scalars(select(User).where(User.name == name)).one()
            session.expunge(found)
        return found

    def follow_up(self) -> int:
        """What the keeper does every few seconds."""
        return erasures.follow_up(
            self.ground.database, self.ground.media, self.ground.vault, self.clock.now()
        )

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
        self.ground.database.close()
        self.ground.vault.close()
