"""Processes that evaluate rules, killed and stopped one by one while doors are forced."""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import nats
import sqlalchemy as sa
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

from alerts.incidents.models import Evidence, Incident
from alerts.leases import AlertLease
from bus import subjects
from bus.following import position_of
from bus.messages import EventStored, encode
from bus.relay import declare
from ringward.alertwatch import OLD_DURABLE
from ringward.foundation import lay
from ringward.settings import Settings
from storage import Database, new_id
from storage.events import EventRow, OutboxRow, enqueue
from tests.chaos.site import Program
from tests.support.brokers import CORE, CORE_PASSWORD, NatsServer
from tests.support.compound import COMPOUND, settle_in
from tests.support.waiting import holds_within, wait_until

# Five seconds are promised, and RINGWARD_TAKEOVER_S=5 holds it to that; a machine that is shared gets more.
TAKEOVER_S = float(os.environ.get("RINGWARD_TAKEOVER_S", "20"))
_T = TypeVar("_T")


class Evaluators:
    """A broker, a relay, a database, and processes with the role `alerts` by name.

    Events are written as ingest writes them, one commit with the outbox, so that the test itself
    knows which ones there are. Every one is a door of its own that was forced: one incident each.
    """

    def __init__(
        self, folder: Path, migrated: Path, database_url: str | None, *, compounds: tuple[str, ...] = ()
    ) -> None:
        self.folder = folder
        own = Settings(data_dir=folder / "data", database_url=database_url)
        own.data_dir.mkdir(parents=True)
        if database_url is None:
            shutil.copy(migrated, own.data_dir / "ringward.db")
        self.ground = lay(own)
        settle_in(self.database)
        self.compounds = (COMPOUND, *compounds)
        self.bus = NatsServer(folder / "nats", [])
        self.bus.start()
        ours = {
            "DATA_DIR": str(own.data_dir),
            "NATS_URL": self.bus.bus.url,
            "NATS_USER": CORE,
            "NATS_PASSWORD": CORE_PASSWORD,
            **({"DATABASE_URL": database_url} if database_url else {}),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGWARD_")}
        self._environment = kept | {f"RINGWARD_{name}": value for name, value in ours.items()}
        self.relay = self._program("relay", "relay")
        self.relay.start()
        self.programs: dict[str, Program] = {}
        self.forced: list[str] = []

    @property
    def database(self) -> Database:
        return self.ground.database

    def evaluator(self, name: str) -> Program:
        """A process with the role `alerts`, started."""
        made = self.programs[name] = self._program(name, "alerts")
        made.start()
        return made

    def force_doors(self, count: int = 1, compound: str = COMPOUND) -> list[str]:
        """So many doors are forced now, each in a commit of its own; their lanes."""
        lanes = []
        for _ in range(count):
            lane = f"lane-{new_id()[-12:]}"
            now = self.ground.clock.now()
            event = EventStored(
                id=new_id(),
                compound=compound,
                device_id=lane,
                type="door.forced",
                ring="building",
                zone="b1",
                device_time=now,
                at=now,
                received_at=now,
                lane=lane,
            )
            with self.database.write() as session:
                session.add(
                    EventRow(
                        id=event.id,
                        compound=compound,
                        device_id=lane,
                        record_id=event.id,
                        type=event.type,
                        ring=event.ring,
                        zone=event.zone,
                        lane=lane,
                        device_time=now,
                        corrected_time=now,
                        received_at=now,
                        late=False,
                        marks=[],
                        body={},
                        content_hash="",
                    )
                )
                enqueue(
                    session,
                    [(event.id, subjects.event(compound, event.ring, event.type), encode(event))],
                )
            lanes.append(lane)
        self.forced += lanes
        return lanes

    def others_can_write(self) -> bool:
        """On SQLite: whether nobody holds the one writer's lock for as long as a second."""
        path = self.database.engine.url.database
        assert path is not None
        with contextlib.closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.execute("ROLLBACK")
            return True

    def holder(self, compound: str = COMPOUND) -> AlertLease | None:
        with self.database.read() as session:
            found = session.get(AlertLease, compound)
            session.expunge_all()
        return found

    def held_by(self, name: str, compound: str = COMPOUND) -> bool:
        """Whether the process of a name has the compound."""
        lease = self.holder(compound)
        return lease is not None and f":{self.programs[name].pid}:" in lease.holder

    def told(self) -> list[str]:
        """The lanes of all incidents, one entry an incident."""
        with self.database.read() as session:
            return [lane or "" for lane in session.scalars(sa.select(Incident.lane))]

    def evidence(self) -> int:
        with self.database.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(Evidence)) or 0

    def tells(self, lanes: list[str], within_s: float) -> None:
        """There is an incident for each of these in time."""
        assert holds_within(lambda: set(lanes) <= set(self.told()), within_s), self.how_it_stands()

    def settle(self) -> None:
        """Every door that was forced is one incident, and nothing else is."""
        wait_until(lambda: len(self.told()) >= len(self.forced), "all incidents are there", 30)
        wait_until(lambda: self._outbox() == 0, "the outbox is empty", 30)
        assert sorted(self.told()) == sorted(self.forced)
        assert self.evidence() == len(self.forced)

    def has_old_consumer(self) -> None:
        """Makes the consumer that versions before had."""

        async def make(jetstream: JetStreamContext) -> None:
            await declare(jetstream)
            config = ConsumerConfig(durable_name=OLD_DURABLE, filter_subjects=["event.>", "sighting.>"])
            await jetstream.add_consumer(subjects.STREAM, config)

        self._ask(make)

    def settles_at_old_consumer(self, count: int) -> None:
        """The older version handled so many, and died."""

        async def take(jetstream: JetStreamContext) -> None:
            bound = await jetstream.pull_subscribe_bind(OLD_DURABLE, subjects.STREAM)
            for _ in range(count):
                (message,) = await bound.fetch(1, timeout=20)
                await message.ack_sync()

        self._ask(take)

    def has_old_consumer_still(self) -> bool:
        async def look(jetstream: JetStreamContext) -> bool:
            return await position_of(jetstream, OLD_DURABLE) is not None

        return self._ask(look)

    def _ask(self, work: Callable[[JetStreamContext], Awaitable[_T]]) -> _T:
        async def connected() -> _T:
            client = await nats.connect(self.bus.bus.url, **self.bus.bus.options())
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(connected())

    def close(self) -> None:
        for program in (self.relay, *self.programs.values()):
            if program.alive:
                os.kill(program.pid, signal.SIGCONT)
            program.kill()
        self.bus.stop()
        self.ground.database.close()
        self.ground.vault.close()

    def how_it_stands(self) -> str:
        said = [f"{name}:\n{program.said()[-3000:]}" for name, program in self.programs.items()]
        return "\n---\n".join([*said, f"relay:\n{self.relay.said()[-1000:]}"])

    def _outbox(self) -> int:
        with self.database.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) or 0

    def _program(self, name: str, role: str) -> Program:
        return Program(
            name,
            [sys.executable, "-m", "ringward", "run", role],
            self._environment,
            self.folder / f"{name}.log",
        )
