"""A receiver on loopback with everything behind it, and a short way to push to it."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from bus.deadletters import DeadLetter
from devices import presence
from devices.directory import DeviceDirectory
from devices.models import Device, DeviceKind, Stage
from devices.near import networks
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.push.pushing import Pushing, SpoolRules
from ingest.push.spool import SpoolLimits
from ingest.streams.cameras import StreamRules
from ringward.served import Served
from storage import Database, KeyRing, MediaStore
from storage.events import EventRow
from tests.support.clock import VirtualClock
from tests.support.compound import SECRET, device, settle_in
from tests.support.ports import free_port
from tests.support.waiting import until

LIMITS = SpoolLimits(512 * 1024 * 1024, 0)


class PushedSite:
    """The invented compound behind a receiver; `uface-1` calls back, `mqtt-1` does not push."""

    stream_rules = StreamRules(networks("127.0.0.0/8"), 4)

    def __init__(
        self,
        database: Database,
        media: MediaStore,
        ring: KeyRing,
        clock: VirtualClock,
        spool: Path,
        limits: SpoolLimits = LIMITS,
    ) -> None:
        settle_in(database)
        with database.write() as session:
            session.add_all(
                [
                    device("uface-1", DeviceKind.FACE_CAMERA, adapter="uface"),
                    device("mqtt-1", DeviceKind.FACE_CAMERA, adapter="facesluice"),
                    device("new-1", DeviceKind.FACE_CAMERA, stage=Stage.QUARANTINED),
                    device("mute-1", DeviceKind.FACE_CAMERA, secret_hash=""),
                ]
            )
            session.flush()
            presence.ensure_rows(session, clock.now())
        self.database, self.clock, self.spool, self._limits = database, clock, spool, limits
        self.pushing = self.renewed(media, ring)
        self.port = free_port()
        self.served = Served(
            self.pushing.app, "127.0.0.1", self.port, timeout_graceful_shutdown=2, log_config=None
        )
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=20)

    def renewed(self, media: MediaStore, ring: KeyRing) -> Pushing:
        """What takes pushes, as a new process would make it."""
        self.metrics = CollectorRegistry()
        metrics = IntakeMetrics(self.metrics)
        self.intake = Intake(self.database, media, DeviceDirectory(self.database), metrics)
        rules = SpoolRules(self.spool, self._limits, 30)
        return Pushing(
            rules,
            ring,
            self.database,
            self.intake,
            self.clock,
            self.metrics,
            metrics,
            lambda: None,
            stream_rules=self.stream_rules,
        )

    async def push(
        self,
        path: str,
        content: Any = b"",
        *,
        secret: str | None = SECRET,
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        auth = None if secret is None else httpx.BasicAuth("anybody", secret)
        return await self.client.request(method, f"/push/{path}", content=content, auth=auth, headers=headers)

    async def raw(self, text: str, *chunks: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of its own, with what was written to it as it stands."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(text.replace("\n", "\r\n").encode())
        for chunk in chunks:
            writer.write(chunk)
        await writer.drain()
        return reader, writer

    def rows(self, table: type, *order: object) -> list[Any]:
        with self.database.read() as session:
            found = list(session.scalars(select(table).order_by(*order)))
            session.expunge_all()
        return found

    def records(self) -> list[str]:
        rows = self.rows(EventRow, EventRow.record_id)
        return [row.record_id for row in rows if not row.type.startswith("device.")]

    async def stored(self, *records: str) -> None:
        await until(lambda: self.records() == sorted(records), f"exactly {records} are stored")

    async def letters(self, *reasons: str) -> list[DeadLetter]:
        found: list[DeadLetter] = []

        def there() -> bool:
            found[:] = self.rows(DeadLetter, DeadLetter.reason)
            return [one.reason for one in found] == sorted(reasons)

        await until(there, f"exactly the dead letters {reasons}")
        return found

    def rows_of_letters(self) -> list[DeadLetter]:
        return self.rows(DeadLetter, DeadLetter.reason)

    def waiting(self) -> int:
        return len([path for path in self.spool.glob("*") if path.name not in {"lock", "aside"}])

    def counted(self, status: int) -> float:
        return self.metrics.get_sample_value("ringward_ingest_pushes_total", {"status": str(status)}) or 0

    def change(self, device_id: str, **values: Any) -> None:
        with self.database.write() as session:
            row = session.get_one(Device, device_id)
            for name, value in values.items():
                setattr(row, name, value)
        self.pushing._pushers.refresh()

    def later(self, **span: float) -> dt.datetime:
        return self.clock.now() + dt.timedelta(**span)


@contextlib.asynccontextmanager
async def opened(site: PushedSite) -> AsyncIterator[PushedSite]:
    """The site while it takes pushes."""
    await asyncio.to_thread(site.pushing.start)
    await site.served.start()
    try:
        yield site
    finally:
        await site.client.aclose()
        await site.served.stop()
        await asyncio.to_thread(site.pushing.stop)
