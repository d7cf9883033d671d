"""What happens with a picture in hand: how often it is tried, and what becomes of one that kills."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bus.deadletters import DeadLetter
from bus.lanes import Delivery
from bus.messages import DeviceChanged, EventStored, Message, Sighting, decode, encode
from recognition.models import RecognitionTry
from recognition.work.desk import Desk
from recognition.work.metrics import RecognitionMetrics
from recognition.work.tries import Tries
from storage import Database
from tests.support.clock import NOON


class Dies(BaseException):
    """Stands for the end of the process: nothing after it runs."""


class Looker:
    """A worker that does what it is told to, and says what it was asked."""

    def __init__(self) -> None:
        self.ends: list[type[BaseException] | None] = []
        self.looked: list[str] = []
        self.gave_up: list[tuple[str, str]] = []

    def handle(self, message: EventStored) -> list[Sighting]:
        self.looked.append(message.id)
        end = self.ends.pop(0) if self.ends else None
        if end is not None:
            raise end
        return [sighting(message, "unprocessed" if message.late else "identified")]

    def give_up(self, message: EventStored, reason: str) -> list[Sighting]:
        self.gave_up.append((message.id, reason))
        return [sighting(message, "no_usable_picture")]


def event(name: str = "e-1", event_type: str = "face.captured", *, late: bool = False) -> EventStored:
    return EventStored(
        id=name,
        compound="honghua",
        device_id="cam-1",
        type=event_type,
        ring="entrance",
        zone="gate",
        device_time=NOON,
        at=NOON,
        received_at=NOON,
        late=late,
    )


def sighting(message: EventStored, outcome: str) -> Sighting:
    return Sighting(
        id=f"s-{message.id}",
        event_id=message.id,
        compound=message.compound,
        device_id=message.device_id,
        subject_kind=message.type.partition(".")[0],
        outcome=outcome,
        ring=message.ring,
        zone=message.zone,
        at=message.at,
        received_at=message.received_at,
    )


def delivery(message: Message, attempt: int = 1) -> Delivery:
    return Delivery(message, "recognition-gates", "event.honghua.x", encode(message), attempt, 7)


class World:
    def __init__(self, database: Database, clock) -> None:
        self.database, self.looker, self.registry = database, Looker(), CollectorRegistry()
        self.metrics = RecognitionMetrics(self.registry)
        self._clock = clock
        self.desk = self.another_worker()

    def another_worker(self) -> Desk:
        """A desk without memory of what was before, as after a restart."""
        return Desk(self.database, self.looker, self._clock, self.metrics)

    def written(self) -> list[tuple[str, str, int]]:
        with self.database.read() as session:
            rows = session.scalars(select(RecognitionTry)).all()
            return [(row.event_id, row.subject_kind, row.tries) for row in rows]

    def letters(self) -> list[DeadLetter]:
        with self.database.read() as session:
            found = list(session.scalars(select(DeadLetter)))
            session.expunge_all()
        return found

    def count(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ringward_recognition_{name}", labels)

    def dies(self, message: EventStored, attempt: int) -> None:
        self.looker.ends.append(Dies)
        with pytest.raises(Dies):
            self.another_worker().take(delivery(message, attempt))


@pytest.fixture
def world(database: Database, clock) -> World:
    return World(database, clock)


@contextmanager
def database_away(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def away(*_args: object) -> None:
        raise OperationalError("", {}, Exception())

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", away)
        patch.setattr(Database, "read", away)
        yield


def test_first_look_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with database_away(world, monkeypatch):
        world.desk.take(delivery(event()))
    assert world.looker.looked == ["e-1"]
    assert world.count("decisions_total", kind="face", outcome="identified") == 1


def test_second_look_is_written_down_while_it_lasts(world: World) -> None:
    during: list[list[tuple[str, str, int]]] = []
    plain = world.looker.handle

    def looked(message: EventStored) -> list[Sighting]:
        during.append(world.written())
        return plain(message)

    world.looker.handle = looked
    world.desk.take(delivery(event(), attempt=2))
    assert during == [[("e-1", "face", 2)]]
    assert world.written() == []
    assert world.count("tries_total", kind="face") == 1


def test_picture_that_took_two_workers_is_a_dead_letter_and_a_decision(world: World) -> None:
    message = event()
    world.dies(message, 1)
    world.dies(message, 2)
    world.another_worker().take(delivery(message, 3))
    assert world.looker.looked == ["e-1", "e-1"]
    assert world.looker.gave_up == [("e-1", "engine_crashed")]
    (letter,) = world.letters()
    assert (letter.source, letter.reason, letter.device_id, letter.compound, letter.count) == (
        "bus", "picture_kills_worker", "cam-1", "honghua", 1,
    )  # fmt: skip
    assert letter.raw is not None
    assert decode(letter.raw) == message
    assert letter.context == {"event_id": "e-1", "stream_seq": 7, "consumer": "recognition-gates"}
    assert world.written() == []
    assert world.count("gave_up_total", kind="face") == 1
    assert world.count("decisions_total", kind="face", outcome="no_usable_picture") == 1


def test_giving_up_that_was_interrupted_is_one_letter(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    message = event()
    world.dies(message, 1)
    world.dies(message, 2)

    def interrupted(*_args: object) -> list[Sighting]:
        raise Dies

    with monkeypatch.context() as patch:
        patch.setattr(world.looker, "give_up", interrupted)
        with pytest.raises(Dies):
            world.another_worker().take(delivery(message, 3))
    world.another_worker().take(delivery(message, 4))
    assert world.looker.gave_up == [("e-1", "engine_crashed")]
    assert [letter.count for letter in world.letters()] == [2]
    assert world.written() == []


def test_errors_do_not_count_however_many_there_are(world: World) -> None:
    message = event()
    for attempt in range(1, 5):
        world.looker.ends.append(RuntimeError)
        with pytest.raises(RuntimeError):
            world.another_worker().take(delivery(message, attempt))
    world.another_worker().take(delivery(message, 5))
    assert len(world.looker.looked) == 5
    assert (world.letters(), world.written()) == ([], [])
    assert world.count("failures_total", kind="face") == 4


def test_one_death_between_errors_is_one_death(world: World) -> None:
    message = event()
    world.dies(message, 1)
    world.looker.ends.append(RuntimeError)
    with pytest.raises(RuntimeError):
        world.another_worker().take(delivery(message, 2))
    assert world.written() == [("e-1", "face", 1)]
    world.dies(message, 3)
    world.another_worker().take(delivery(message, 4))
    assert (len(world.looker.looked), len(world.letters())) == (3, 1)


def test_outage_that_outlasts_the_look_does_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away also when it is to be written down that the look said a word."""
    message = event()
    plain = world.looker.handle

    def looks_and_cannot_store(message: EventStored) -> list[Sighting]:
        plain(message)
        outage.__enter__()
        raise OperationalError("", {}, Exception())

    world.looker.handle = looks_and_cannot_store
    for attempt in range(1, 5):
        outage = database_away(world, monkeypatch)
        with pytest.raises(OperationalError):
            world.desk.take(delivery(message, attempt))
        outage.__exit__(None, None, None)
    world.looker.handle = plain
    world.desk.take(delivery(message, 5))
    assert len(world.looker.looked) == 5
    assert (world.letters(), world.written()) == ([], [])


def test_face_and_plate_of_an_event_are_tried_apart(either_database: Database, clock) -> None:
    database = either_database
    tries = Tries(database, clock)
    assert tries.begin("e-1", "face", 2).deaths == 1
    assert Tries(database, clock).begin("e-1", "plate", 2).deaths == 1
    assert Tries(database, clock).begin("e-1", "face", 3).too_many
    failed = Tries(database, clock).begin("e-2", "face", 2)
    tries.failed(failed)
    tries.failed(failed)
    assert Tries(database, clock).begin("e-2", "face", 3).deaths == 1


def test_picture_that_waited_too_long_is_counted(world: World, clock) -> None:
    clock.advance(30)
    world.desk.take(delivery(event(late=True)))
    assert world.count("unprocessed_total") == 1
    assert world.count("waited_seconds_sum", lane="recognition-gates") == 30


def test_other_messages_are_done_with_at_once(world: World) -> None:
    world.desk.take(delivery(DeviceChanged("cam-1", "honghua", online=True, at=NOON), attempt=2))
    assert (world.looker.looked, world.written()) == ([], [])
