"""People on duty with subscribed browsers, and the push service that these subscribed at."""

import base64
import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.notify.channels.subscription import written
from alerts.notify.models import ChannelKind, Contact
from registry.models import Compound, Ring, Zone
from ringward.bench.rig import COMPOUND
from ringward.foundation import Foundation, lay
from ringward.settings import Settings
from storage import migrate, new_id

_DAY: Final = dt.timedelta(days=1)


@contextmanager
def ground_of(responders: int) -> Iterator[Foundation]:
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder:
        foundation = lay(
            Settings(data_dir=Path(folder), compound=COMPOUND, notify_networks="127.0.0.0/8", notify_cool_s=0)
        )
        migrate.upgrade(foundation.database)
        try:
            _furnish(foundation, responders)
            yield foundation
        finally:
            foundation.database.close()


def _furnish(ground: Foundation, responders: int) -> None:
    """A hundred houses, each with a control room of its own, so that each incident is a few people's."""
    now = ground.clock.now()
    with ground.database.write() as session:
        session.add(Compound(id=COMPOUND, name=COMPOUND))
        session.flush()
        for number in range(100):
            house = f"house-{number}"
            session.add(
                Zone(id=house, compound=COMPOUND, name=house, ring=Ring.BUILDING, kind="door", outline=[])
            )
            session.add(Team(id=house, compound=COMPOUND, name=house, kind=TeamKind.OPERATOR, zones=[house]))
        session.flush()
        for number in range(responders):
            key = f"responder-{number}"
            session.add(Responder(id=key, team=f"house-{number % 100}", name=key))
            session.flush()
            session.add(Shift(id=key, responder=key, starts_at=now - _DAY, ends_at=now + _DAY))


def subscribe(ground: Foundation, port: int, *, gone: int) -> None:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = _text(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    now = ground.clock.now()
    with ground.database.write() as session:
        for number, responder in enumerate(session.scalars(select(Responder.id)).all()):
            # Whoever's old phone is no more has a new one.
            for end in [str(number), *([f"{number}/gone"] if number < gone else [])]:
                session.add(
                    Contact(
                        id=new_id(),
                        compound=COMPOUND,
                        responder=responder,
                        kind=ChannelKind.WEB_PUSH,
                        name="bench",
                        address=written(f"http://127.0.0.1:{port}/{end}", key, _text(b"0123456789abcdef")),
                        settings={},
                        enabled=True,
                        created_at=now,
                        failures=0,
                    )
                )


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass(slots=True)
class PushBox:
    process: subprocess.Popen[str]
    port: int

    def end(self) -> list[list[str | float]]:
        """Everything that it was sent."""
        out, _ = self.process.communicate("", timeout=30)
        taken: list[list[str | float]] = json.loads(out)
        return taken


@contextmanager
def push_box(faults: int) -> Iterator[PushBox]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ringward.bench.pushbox", str(faults)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield PushBox(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
