"""A message on the test bench goes the whole way, and nothing is left of it."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bus.deadletters import DeadLetter
from console.tryout import Tried, TriedMessage
from devices.candidates import DeviceCandidate
from devices.models import Device, DeviceStatus, Stage
from registry.models import Compound, Ring, Zone
from ringward.schema import metadata
from ringward.tryout import try_out
from storage import Database, KeyRing, MediaStore
from storage.events import EventRow, OutboxRow
from storage.keys import install_ring

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def media(tmp_path: Path) -> MediaStore:
    ring = KeyRing({1: bytes(range(32))})
    install_ring(ring)
    return MediaStore(tmp_path / "media", ring)


@pytest.fixture
def database(media: MediaStore, tmp_path: Path) -> Iterator[Database]:
    database = Database.at(tmp_path / "try.db")
    metadata.create_all(database.engine)
    with database.write() as session:
        for compound in ("here", "there"):
            session.add(Compound(id=compound, name=compound, time_zone="Asia/Shanghai"))
            session.flush()
            session.add(
                Zone(
                    id=f"z-{compound}",
                    compound=compound,
                    name="z",
                    ring=Ring.BUILDING,
                    kind="building",
                    outline=[],
                )
            )
            session.flush()
        for device, compound, stage in (
            ("door-1", "here", Stage.APPROVED),
            ("door-2", "here", Stage.QUARANTINED),
            ("door-3", "there", Stage.APPROVED),
        ):
            session.add(
                Device(
                    id=device, compound=compound, zone=f"z-{compound}", kind="door", name=device,
                    lane="l", direction="in", secret_hash="$2b$x", stage=stage,
                )
            )  # fmt: skip
    yield database
    database.close()


def tried(database: Database, media: MediaStore, device: str = "door-1", **said: object) -> Tried:
    compound = "there" if device == "door-3" else "here"
    body = {"v": 1, "id": "r-1", "type": "door.forced", "at": NOW.isoformat()} | said
    message = TriedMessage(f"rw/v1/{compound}/{device}/up/event", json.dumps(body).encode())
    return try_out(database, media, "here", message, NOW)


def left(database: Database) -> dict[str, int]:
    tables = (EventRow, OutboxRow, DeadLetter, DeviceStatus, DeviceCandidate)
    with database.read() as session:
        counts = {one.__tablename__: session.scalar(select(func.count()).select_from(one)) for one in tables}
    return {name: count for name, count in counts.items() if count}


def test_forced_door_would_raise_and_nothing_is_left(database: Database, media: MediaStore) -> None:
    found = tried(database, media)
    (event,) = found.events
    assert (event.type, event.device, event.zone, event.direction) == (
        "door.forced",
        "door-1",
        "z-here",
        "in",
    )
    assert [one.kind for one in found.incidents] == ["door.forced"]
    assert left(database) == {}


def test_picture_is_named_and_not_kept(database: Database, media: MediaStore, tmp_path: Path) -> None:
    jpeg = "/9j/" + "A" * 400
    found = tried(database, media, type="face.captured", images=[{"role": "face", "jpeg": jpeg}])
    assert [one.pictures for one in found.events] == [("face",)]
    assert found.heard == 0
    assert [one for one in (tmp_path / "media").rglob("*") if one.is_file()] == []


@pytest.mark.parametrize(
    ("device", "said", "reason"),
    [
        ("door-1", {"type": "weather"}, "unknown_type"),
        ("door-2", {}, "quarantined_device"),
        ("door-9", {}, "unknown_device"),
        ("door-3", {}, None),
    ],
)
def test_what_is_refused_says_why_and_leaves_no_letter(
    database: Database, media: MediaStore, device: str, said: dict[str, object], reason: str | None
) -> None:
    found = tried(database, media, device, **said)
    assert (found.refused[0] if found.refused else None) == reason
    # Of another compound's device nothing is told, whatever becomes of its message.
    assert found.events == ()
    assert left(database) == {}


def test_what_comes_late_is_history_and_raises_nothing(database: Database, media: MediaStore) -> None:
    late = NOW - dt.timedelta(hours=3)
    found = tried(database, media, at=late.isoformat(), late=True)
    assert [one.late for one in found.events] == [True]
    assert found.incidents == ()
