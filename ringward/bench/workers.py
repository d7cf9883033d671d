"""Recognition processes as they run in a deployment: how fast they are there, and what they take.

A backlog of pictures lies on a real bus; one process works it off, then another backlog two.
"""

import asyncio
import datetime as dt
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import nats
import numpy as np
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from sqlalchemy import func, insert, select

from bus import subjects
from bus.lanes import RECOGNITION
from bus.messages import EventStored, Picture, encode
from bus.relay import declare
from recognition.models import DecisionRow
from registry.models import Ring
from ringward.bench.crowds import Rgb, crowds
from ringward.bench.machine import busy_s, resident_mb, used_s
from ringward.bench.rig import COMPOUND, Rig, extra
from ringward.children import Child
from ringward.demo.face_scenes import jpeg
from ringward.demo.plate_scenes import plate_scene
from ringward.environment import environment_for
from storage import Database, new_id
from storage.events import EventRow

CAMERAS: Final = 40
"""The backlog's pictures are those of so many cameras; the rig must have as many more devices."""

DEADLINE_S: Final = 120.0
STEP_S: Final = 0.01


class Figures(msgspec.Struct):
    """Seconds to work off a backlog with one process and with two, and what a process takes.

    `elsewhere` are the cores that others kept busy meanwhile: with more than none of two the
    second process has no core of its own.
    """

    one_s: float
    two_s: float
    warm_start_s: list[float]
    resident_mb: list[float]
    elsewhere: list[float]


def measure(ground: Rig, pictures: int, portraits: Path) -> Figures:
    """Both runs. Raises `TimeoutError` where a process does not come up or does not decide."""
    scenes = [scene for scene, _ in crowds(12, portraits)]
    starts: list[float] = []
    resident: list[float] = []
    seconds, elsewhere = [], []
    for workers in (1, 2):
        with _working(ground, workers, starts) as children:
            # The first looks also load the gallery and lay out memory, for faces and for plates.
            _work_off(ground, _pictures(ground, scenes, 8 * workers, plates=True))
            backlog = _pictures(ground, scenes, pictures)
            pids = [os.getpid(), *(child.pid for child in children if child.pid is not None)]
            busy, ours = busy_s(), sum(map(used_s, pids))
            seconds.append(_work_off(ground, backlog))
            others = busy_s() - busy - (sum(map(used_s, pids)) - ours)
            elsewhere.append(max(0.0, others) / seconds[-1])
            resident += [resident_mb(child.pid) for child in children if child.pid is not None]
    return Figures(seconds[0], seconds[1], starts, resident, elsewhere)


def costs(ground: Rig, workers: Sequence[int], pictures: int, portraits: Path | None) -> dict[int, float]:
    """Milliseconds of processor time a picture, by how many processes share them, broker included."""
    folder = portraits or Path(sys.prefix) / "share" / "ringward" / "portraits"
    scenes = [scene for scene, _ in crowds(12, folder)]
    found = {}
    for count in workers:
        with _working(ground, count, []) as children:
            _work_off(ground, _pictures(ground, scenes, 8 * count, plates=True))
            backlog = _pictures(ground, scenes, pictures)
            pids = [child.pid for child in (*children, ground.broker.child) if child.pid is not None]
            before = sum(map(used_s, pids))
            _work_off(ground, backlog)
            found[count] = (sum(map(used_s, pids)) - before) / pictures * 1000
    return found


@contextmanager
def _working(ground: Rig, workers: int, starts: list[float]) -> Iterator[Sequence[Child]]:
    environment = environment_for(ground.foundation.settings) | {"RINGWARD_LOG_LEVEL": "warning"}
    command = [sys.executable, "-m", "ringward", "run", "recognition"]
    children = [Child(f"recognition-{number}", command, environment) for number in range(workers)]
    try:
        for number, child in enumerate(children):
            began = time.monotonic()
            child.start()
            asyncio.run(_on_bus(ground, _asking, number + 1))
            starts.append(time.monotonic() - began)
        yield children
    finally:
        for child in children:
            child.stop(20)


async def _on_bus(ground: Rig, what: Any, *asked: Any) -> Any:
    address = ground.foundation.bus
    client = await nats.connect(address.servers, **address.options())
    try:
        await declare(client.jetstream())
        return await what(client.jetstream(), *asked)
    finally:
        await client.close()


async def _asking(jetstream: JetStreamContext, workers: int) -> None:
    """Returns when this many processes ask each lane for work: their engines are loaded."""
    deadline = time.monotonic() + DEADLINE_S
    for lane in RECOGNITION:
        while True:
            try:
                info = await jetstream.consumer_info(subjects.STREAM, lane.durable)
            except NotFoundError:
                info = None
            if info is not None and (info.num_waiting or 0) >= workers:
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{workers} recognition processes are not ready")
            await asyncio.sleep(STEP_S)


def _pictures(
    ground: Rig, scenes: Sequence[Rgb], count: int, *, plates: bool = False
) -> Sequence[EventStored]:
    """Commits `count` events with a picture each, half of them of plates where that is asked."""
    database, media = ground.foundation.database, ground.foundation.media
    events = []
    for number in range(count):
        if plates and number % 2:
            stored = media.put(plate_scene("云M12345", random.Random(new_id())))  # noqa: S311 - dirt
            events.append(_event(number, Picture("scene", stored.media_id, stored.size), "plate.recognised"))
            continue
        scene = scenes[number % len(scenes)].copy()
        # A worker remembers a picture that it has seen: no two are the same.
        scene[:8, :8] = np.random.default_rng().integers(0, 255, (8, 8, 3), dtype=np.uint8)
        stored = media.put(jpeg(scene, 88))
        events.append(_event(number, Picture("scene", stored.media_id, stored.size)))
    with database.write() as session:
        session.execute(insert(EventRow), [_row(event) for event in events])
    return events


def _work_off(ground: Rig, events: Sequence[EventStored]) -> float:
    """Seconds from the first picture on the bus to the last decision."""
    database = ground.foundation.database
    before = _decisions(database)
    began = time.monotonic()
    asyncio.run(_on_bus(ground, _publish, events))
    while _decisions(database) < before + len(events):
        if time.monotonic() - began > DEADLINE_S:
            raise TimeoutError("the backlog is not worked off")
        time.sleep(STEP_S)
    return time.monotonic() - began


async def _publish(jetstream: JetStreamContext, events: Sequence[EventStored]) -> None:
    for event in events:
        subject = subjects.event(COMPOUND, Ring.ENTRANCE, event.type)
        await jetstream.publish(subject, encode(event))


def _event(number: int, picture: Picture, event_type: str = "face.captured") -> EventStored:
    now = dt.datetime.now(dt.UTC)
    name = new_id()
    return EventStored(
        id=name,
        compound=COMPOUND,
        device_id=extra(CAMERAS)[number % CAMERAS],
        type=event_type,
        ring=Ring.ENTRANCE,
        zone="gate",
        device_time=now,
        at=now,
        received_at=now,
        # A track each: pictures of one track would share a decision.
        track=name,
        pictures=(picture,),
    )


def _row(event: EventStored) -> dict[str, Any]:
    return {
        "id": event.id,
        "compound": event.compound,
        "device_id": event.device_id,
        "record_id": event.id,
        "type": event.type,
        "ring": event.ring,
        "zone": event.zone,
        "lane": event.lane,
        "direction": None,
        "device_time": event.at,
        "corrected_time": event.at,
        "received_at": event.received_at,
        "late": False,
        "marks": [],
        "body": {"track": event.track, "pictures": msgspec.to_builtins(event.pictures)},
        "content_hash": "",
    }


def _decisions(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(DecisionRow)) or 0
