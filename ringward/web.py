"""The console as a role, served in the process's own loop."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from alerts.incidents.actor import Actor
from alerts.plans import Plan, default_plans
from alerts.plans import read as read_plans
from console.accounts.provider import Provider
from console.app import create_app
from console.context import EnrolledPhoto, PhotoRefusedError, Rooms
from ringward.channels import push_key
from ringward.environment import environment_for
from ringward.figures import Listener, OtherProcesses
from ringward.foundation import Foundation
from ringward.rehearsal.because import why
from ringward.rehearsal.saying import as_json
from ringward.rehearsal.trial import TrialRunner
from ringward.roles import Role
from ringward.served import Served
from ringward.settingsbook import Book
from ringward.tryout import try_out

if TYPE_CHECKING:
    from ringward.faces import Faces


class Enroller:
    """Enrols from a photo; the face engine is loaded when the first photo comes."""

    def __init__(self, foundation: Foundation, wake: Callable[[], None]) -> None:
        self._foundation = foundation
        self._wake = wake
        self._faces: Faces | None = None

    def enrol(self, person_id: str, photo: bytes, actor: Actor) -> EnrolledPhoto:
        """Raises `ConsentMissingError` and `PhotoRefusedError`; the caller audits."""
        del actor
        # 40 MB of libraries for pictures, where most consoles never see one.
        from recognition import enrolment
        from ringward.faces import open_faces

        ground = self._foundation
        if self._faces is None:
            self._faces = open_faces(ground)
        try:
            template = self._faces.enrol(ground, person_id, photo)
        except enrolment.PhotoRefusedError as refused:
            raise PhotoRefusedError(refused.code) from refused
        self._wake()
        return EnrolledPhoto(template.id, template.media_id, template.quality)


class _WakeAfterWrites:
    """Tells the relay at once when a request may have put something into the outbox."""

    def __init__(self, app: ASGIApp, wake: Callable[[], None]) -> None:
        self._app = app
        self._wake = wake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http" and scope["method"] not in {"GET", "HEAD", "OPTIONS"}:
                self._wake()


class ConsoleRole(Role):
    """Serves pages, API and live changes."""

    name = "console"

    def __init__(
        self,
        foundation: Foundation,
        wake: Callable[[], None],
        *,
        broker_ready: Callable[[], bool],
        ingest_ready: Callable[[], bool],
    ) -> None:
        settings = foundation.settings
        others = OtherProcesses()
        foundation.metrics.register(others)
        self._listener = Listener(foundation.bus, others)
        rooms = Rooms(
            database=foundation.database,
            media=foundation.media,
            clock=foundation.clock,
            compound=settings.compound,
            nats_url=foundation.bus.servers,
            nats_options=foundation.bus.options(),
            portrait_engine=Enroller(foundation, wake),
            broker_ready=broker_ready,
            ingest_ready=ingest_ready,
            metrics_registry=foundation.metrics,
            retention=settings.retention,
            secret_overlap=dt.timedelta(minutes=settings.device_secret_overlap_minutes),
            camera_networks=settings.near_networks,
            plans=_plans(settings.plans_file),
            push_key=lambda: push_key(foundation),
            receiver_networks=settings.receiver_networks,
            tryout=lambda compound, message: try_out(
                foundation.database, foundation.media, compound, message, foundation.clock.now()
            ),
            rehearse=TrialRunner(foundation.database, foundation.clock, environment_for(settings)),
            settings=Book(settings),
            second_factor_roles=frozenset(filter(None, settings.second_factor_roles.split(","))),
            provider=Provider(found) if (found := settings.provider) else None,
            public_url=settings.public_url,
            explain=lambda compound, incident: as_json(why(foundation.database, compound, incident)),
        )
        self._served = Served(
            _WakeAfterWrites(create_app(rooms), wake),
            settings.http_host,
            settings.http_port,
            # Live streams are open for ever; a stop does not wait for them.
            timeout_graceful_shutdown=2,
            ssl_certfile=settings.http_cert_file,
            ssl_keyfile=settings.http_key_file,
        )

    async def start(self) -> None:
        await self._served.start()
        await self._listener.start()

    async def stop(self) -> None:
        await self._listener.stop()
        await self._served.stop()


def _plans(path: Path | None) -> Callable[[], Sequence[Plan]]:
    """The compound's own response plans, read once; a wrong file ends the start with what is wrong."""
    if path is None:
        return default_plans
    own = read_plans(path.read_text(encoding="utf-8"))
    return lambda: own
