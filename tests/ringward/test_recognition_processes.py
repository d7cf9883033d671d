"""Recognition processes on a real bus: what kills them, and what every event has in the end."""

import asyncio
import datetime as dt
import io
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import nats
import pytest
from PIL import Image
from sqlalchemy import func, insert, select

from bus import subjects
from bus.deadletters import DeadLetter
from bus.lanes import RECOGNITION
from bus.messages import EventStored, Picture, Sighting, decode, encode
from bus.relay import declare
from recognition.models import DecisionRow, RecognitionTry
from ringward.children import Child
from ringward.environment import environment_for
from ringward.foundation import Foundation
from storage import new_id
from storage.events import EventRow, OutboxRow
from tests.support.brokers import NatsServer
from tests.support.compound import COMPOUND
from tests.support.lookers import FACE, HANGS, NOBODY, SEGFAULT, picture
from tests.support.waiting import wait_until


class Site:
    """A deployment whose recognition processes the test starts, watches and kills."""

    def __init__(self, ground: Foundation, server: NatsServer) -> None:
        self.ground, self.server = ground, server
        self.workers: list[Child] = []

    def start_worker(self) -> Child:
        environment = environment_for(self.ground.settings) | {
            "RINGWARD_NATS_URL": self.server.bus.url,
            "RINGWARD_NATS_USER": self.server.bus.user or "",
            "RINGWARD_NATS_PASSWORD": self.server.bus.password or "",
        }
        root = str(Path(__file__).parents[2])
        worker = Child(
            f"looker-{len(self.workers)}",
            [sys.executable, "-m", "tests.support.lookers"],
            environment | {"PYTHONPATH": root},
        )
        worker.start()
        self.workers.append(worker)
        return worker

    def happen(self, pictures: list[bytes], **changes: Any) -> list[EventStored]:
        """Commits an event for each picture and tells it on the bus, where it is not done yet."""
        now = dt.datetime.now(dt.UTC)
        events = []
        for number, data in enumerate(pictures):
            stored = self.ground.media.put(data)
            event = EventStored(
                id=new_id(),
                compound=COMPOUND,
                device_id="cam-1",
                type="face.captured",
                ring=("entrance", "common", "building")[number % 3],
                zone="gate",
                device_time=now,
                at=now,
                received_at=now,
                pictures=(Picture("scene", stored.media_id, stored.size),),
            )
            given = {name: value(number) if callable(value) else value for name, value in changes.items()}
            events.append(msgspec.structs.replace(event, **given))
        with self.ground.database.write() as session:
            session.execute(insert(EventRow), [_row(event) for event in events])
        asyncio.run(self._tell(events))
        return events

    async def _tell(self, events: list[EventStored]) -> None:
        client = await nats.connect(self.server.bus.url, **self.server.bus.options())
        await declare(client.jetstream())
        for event in events:
            subject = subjects.event(event.compound, event.ring, event.type)
            await client.jetstream().publish(subject, encode(event))
        await client.close()

    def decided(self) -> int:
        """Decisions so far; whoever asks also keeps the processes alive, as the supervisor does."""
        for worker in self.workers:
            worker.poll()
        with self.ground.database.read() as session:
            return session.scalar(select(func.count()).select_from(DecisionRow)) or 0

    def rows(self, what: type) -> list[Any]:
        with self.ground.database.read() as session:
            found = list(session.scalars(select(what)))
            session.expunge_all()
        return found

    def told(self) -> list[Sighting]:
        return [
            message for row in self.rows(OutboxRow) if isinstance(message := decode(row.payload), Sighting)
        ]

    def settled(self) -> bool:
        """Whether no lane has anything left."""
        self.decided()
        return asyncio.run(self._left()) == 0

    async def _left(self) -> int:
        client = await nats.connect(self.server.bus.url, **self.server.bus.options())
        infos = [
            await client.jetstream().consumer_info(subjects.STREAM, lane.durable) for lane in RECOGNITION
        ]
        await client.close()
        return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in infos)


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


@pytest.fixture
def site(lay_ground: Callable[[], Foundation], nats_server: NatsServer) -> Iterator[Site]:
    site = Site(lay_ground(), nats_server)
    yield site
    for worker in site.workers:
        worker.stop(20)


@pytest.mark.parametrize("killer", [SEGFAULT, HANGS], ids=["ends the process", "never ends"])
def test_picture_that_kills_is_a_dead_letter_after_two_tries_and_all_others_are_decided(
    site: Site, killer: tuple[int, int, int]
) -> None:
    worker = site.start_worker()
    colours = [NOBODY] * 20
    colours[7] = killer
    events = site.happen([picture(colour, number) for number, colour in enumerate(colours)])
    wait_until(lambda: site.decided() == len(events), "all are decided", 60)
    wait_until(site.settled, "nothing is left on the bus")
    by_event = {row.event_id: row for row in site.rows(DecisionRow)}
    assert by_event.keys() == {event.id for event in events}
    (given_up,) = [row for row in by_event.values() if row.outcome == "no_usable_picture"]
    assert (given_up.event_id, given_up.reasons) == (events[7].id, ["engine_crashed"])
    assert Counter(row.outcome for row in by_event.values()) == {"no_face": 19, "no_usable_picture": 1}
    (letter,) = site.rows(DeadLetter)
    assert (letter.reason, letter.context["event_id"], letter.count) == (
        "picture_kills_worker", events[7].id, 1,
    )  # fmt: skip
    assert decode(letter.raw) == events[7]
    assert worker.restarts == 2
    assert site.rows(RecognitionTry) == []
    assert Counter(sighting.event_id for sighting in site.told()) == Counter(by_event.keys())


def test_every_event_has_one_decision_and_is_told_once_however_often_workers_are_killed(site: Site) -> None:
    rng = random.Random(11)
    workers = [site.start_worker(), site.start_worker()]
    count = 240
    events = site.happen(
        [picture(FACE if number % 2 else NOBODY, number) for number in range(count)],
        # Three pictures of one passage share a decision; every other event is by itself.
        track=lambda number: f"t-{number // 6}" if number % 2 else None,
        device_id=lambda number: ("cam-1", "cam-2", "door-1")[number // 6 % 3],
        ring="entrance",
    )
    kills = 0
    for share in range(1, 9):
        wait_until(lambda goal=count * share // 10: site.decided() >= goal, "the workers get on", 60)
        victim = rng.choice([worker for worker in workers if worker.pid is not None] or workers)
        if victim.pid is not None:
            os.kill(victim.pid, signal.SIGKILL)
            kills += 1
    wait_until(lambda: site.decided() >= count, "all are decided", 90)
    wait_until(site.settled, "nothing is left on the bus", 60)
    wait_until(lambda: not _untold(site), "all passages are told")
    assert kills >= 4
    decisions = site.rows(DecisionRow)
    assert Counter(row.event_id for row in decisions) == Counter(event.id for event in events)
    first_told = Counter(sighting.id for sighting in site.told() if not sighting.amends)
    assert first_told == Counter({row.leader or row.sighting_id for row in decisions})
    amended = Counter(sighting.id for sighting in site.told() if sighting.amends)
    assert max(amended.values(), default=0) <= 1
    assert max(Counter(row.message_id for row in site.rows(OutboxRow)).values()) == 1


def _untold(site: Site) -> list[str]:
    site.decided()
    return [row.sighting_id for row in site.rows(DecisionRow) if row.leader is None and row.told_at is None]


def test_memory_does_not_grow_with_bad_pictures(site: Site) -> None:
    worker = site.start_worker()
    bad = _bad_pictures()

    def work_off(first: int, count: int) -> float:
        before = site.decided()
        # Other bytes each time: what was seen before is not looked at again.
        site.happen([bad[n % len(bad)] + str(n).encode() for n in range(first, first + count)])
        wait_until(lambda: site.decided() >= before + count, "all are decided", 90)
        pages = int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    work_off(0, 60)
    start = work_off(60, 40)
    end = work_off(100, 300)
    assert worker.restarts == 0
    # A single one of the large pictures, kept, is 432 MB; a small one kept each time is more than this.
    assert end - start < 12
    assert {row.outcome for row in site.rows(DecisionRow)} == {"no_usable_picture", "no_face"}


def _bad_pictures() -> list[bytes]:
    plain = Image.new("RGB", (320, 240), (90, 90, 90))

    def saved(image: Image.Image, kind: str) -> bytes:
        out = io.BytesIO()
        image.save(out, kind)
        return out.getvalue()

    return [
        b"",
        b"this is no picture at all",
        saved(plain, "JPEG")[:400],
        saved(plain, "PNG")[:200],
        saved(Image.new("RGB", (1, 1)), "PNG"),
        saved(Image.new("L", (12_000, 12_000)), "PNG"),
        saved(plain.convert("CMYK"), "JPEG"),
        saved(Image.new("I;16", (320, 240)), "PNG"),
        saved(plain.convert("RGBA"), "PNG"),
        saved(plain, "GIF"),
    ]
