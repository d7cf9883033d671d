import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select

import ingest.mqtt.network
import ingest.mqtt.subscriber
from bus.deadletters import DeadLetter
from devices import presence
from devices.directory import DeviceDirectory
from ingest.arrival import Arrival, Settled
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.mqtt.session import forget_session, open_session
from ingest.mqtt.subscriber import Subscriber, SubscriberMetrics
from ingest.share import EVERYTHING, Share, share
from storage import Database, MediaStore
from storage.events import EventRow
from tests.support.brokers import Broker
from tests.support.clock import VirtualClock
from tests.support.compound import COMPOUND, ELSEWHERE, settle_in
from tests.support.mqtt import Peer
from tests.support.native import event, topic
from tests.support.waiting import wait_until


class Valve:
    """Stands before an intake: lets batches through, fails them, or holds them back."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.failing = False
        self.attempts = 0
        self.open = threading.Event()
        self.open.set()

    def process(self, arrivals: Sequence[Arrival]) -> list[Settled]:
        self.attempts += 1
        assert self.open.wait(30)
        if self.failing:
            raise OSError("the disk is full")
        return self._intake.process(arrivals)


class Post:
    """A compound's ingest at a broker; `start()` stands for a new process."""

    def __init__(self, broker: Broker, database: Database, media: MediaStore, clock: VirtualClock) -> None:
        settle_in(database)
        with database.write() as session:
            presence.ensure_rows(session, clock.now())
        self.broker = broker
        self.database = database
        self.valve = Valve(
            Intake(database, media, DeviceDirectory(database), IntakeMetrics(CollectorRegistry()))
        )
        self.commits = 0
        self._clock = clock
        self._running: list[Subscriber] = []

    def start(self, share: Share = EVERYTHING) -> Subscriber:
        self.metrics = CollectorRegistry()
        login = self.broker.login()
        subscriber = Subscriber(
            replace(login, client_id=login.client_id + share.suffix()),
            self.valve,
            self._clock,
            SubscriberMetrics(self.metrics),
            self._committed,
            filters=share.filters(),
        )
        subscriber.start()
        self._running.append(subscriber)
        wait_until(lambda: subscriber.connected, "ingest listens")
        return subscriber

    def _committed(self) -> None:
        self.commits += 1

    def camera(self) -> Peer:
        return Peer(self.broker.login("cam-1", client_id="cam-1"))

    def stored(self) -> dict[str, int]:
        """How often each of the devices' records came again."""
        with self.database.read() as session:
            rows = session.execute(
                select(EventRow.record_id, EventRow.resent).where(EventRow.type == "door.opened")
            )
            return {row.record_id: row.resent for row in rows}

    def wait_stored(self, *records: str) -> None:
        wait_until(lambda: set(self.stored()) >= set(records), f"{len(records)} events are stored")

    def left_at_the_broker(self) -> list[str]:
        """What the broker would still deliver to ingest, which must have stopped."""
        with self.camera() as cam:
            cam.publish(topic(leaf="marker"), b"marker")
        with Peer(self.broker.login(), clean=False) as ingest:
            found = []
            while (message := ingest.next()).payload != b"marker":
                found.append(json.loads(message.payload)["id"])
            return found

    def close(self) -> None:
        self.valve.open.set()
        for subscriber in self._running:
            subscriber.stop()


@pytest.fixture
def post(
    mqtt_broker: Broker,
    database: Database,
    media: MediaStore,
    clock: VirtualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Post]:
    monkeypatch.setattr(ingest.mqtt.subscriber, "RETRY_S", 0.02)
    monkeypatch.setattr(ingest.mqtt.network, "RECONNECT_S", (0.05,))
    post = Post(mqtt_broker, database, media, clock)
    yield post
    post.close()


def test_event_is_stored_and_the_device_is_told(post: Post) -> None:
    post.start()
    with post.camera() as cam:
        assert cam.subscribe(f"rw/v1/{COMPOUND}/cam-1/down/ack")
        cam.publish(topic(), event("r-1"))
        assert json.loads(cam.next().payload) == {"id": "r-1", "ok": True}
        # Told means stored: the answer cannot overtake the commit.
        assert post.stored() == {"r-1": 0}
        cam.client.publish(topic(), event("r-2"), qos=0)
        assert json.loads(cam.next().payload) == {"id": "r-2", "ok": True}
    assert post.commits == 2


def test_topic_that_is_none_of_the_protocol_is_a_dead_letter_and_not_silence(post: Post) -> None:
    post.start()
    with post.camera() as cam:
        cam.publish(topic(leaf="events"), b"hello")

    def letters() -> list[tuple[str, bytes]]:
        with post.database.read() as session:
            return [tuple(row) for row in session.execute(select(DeadLetter.reason, DeadLetter.raw))]

    assert wait_until(letters, "the dead letter") == [("wrong_topic", b"hello")]


def test_nothing_is_acknowledged_before_it_is_committed(post: Post) -> None:
    post.valve.failing = True
    subscriber = post.start()
    with post.camera() as cam:
        cam.publish_all(topic(), [event(f"r-{number}") for number in range(5)])
    wait_until(lambda: post.valve.attempts >= 3, "the commit fails again and again")
    assert post.metrics.get_sample_value("ringward_ingest_failed_commits_total") >= 2
    subscriber.stop()
    assert post.stored() == {}
    # The broker still has all of them: whoever comes next gets them.
    post.valve.failing = False
    post.start()
    post.wait_stored(*[f"r-{number}" for number in range(5)])


def test_commit_that_works_at_last_is_acknowledged(post: Post) -> None:
    post.valve.failing = True
    subscriber = post.start()
    with post.camera() as cam:
        cam.publish(topic(), event("r-1"))
    wait_until(lambda: post.valve.attempts >= 2, "the commit fails")
    post.valve.failing = False
    post.wait_stored("r-1")
    subscriber.stop()
    assert post.left_at_the_broker() == []


@pytest.mark.parametrize("mqtt_broker", ["nats-server"], indirect=True)
def test_what_the_broker_delivers_again_while_it_is_under_way_is_read_once(post: Post) -> None:
    post.valve.open.clear()
    subscriber = post.start()
    with post.camera() as cam:
        cam.publish(topic(), event("r-1"))
    repeated = "ringward_ingest_repeated_deliveries_total"
    wait_until(lambda: post.metrics.get_sample_value(repeated), "the broker has lost its patience")
    post.valve.open.set()
    post.wait_stored("r-1")
    subscriber.stop()
    assert post.stored() == {"r-1": 0}
    assert post.left_at_the_broker() == []


def test_acknowledgement_of_a_lost_connection_is_not_sent(post: Post) -> None:
    post.valve.open.clear()
    subscriber = post.start()
    with post.camera() as cam:
        cam.publish(topic(), event("r-1"))
        wait_until(lambda: post.valve.attempts == 1, "the batch is on its way")
        listening = subscriber.listening_since
        assert listening is not None
        subscriber.listening_since = None
        subscriber._client.socket().shutdown(socket.SHUT_RDWR)
        wait_until(lambda: subscriber.listening_since, "ingest is back")
        post.valve.open.set()
        # It comes again on the new connection, and counts as the repeat it is.
        wait_until(lambda: post.stored().get("r-1", 0) >= 1, "the event comes again")
        assert post.metrics.get_sample_value("ringward_ingest_stale_acks_total") >= 1
        cam.publish(topic(), event("r-2"))
    post.wait_stored("r-2")
    subscriber.stop()
    assert post.left_at_the_broker() == []


def test_what_is_published_while_ingest_is_away_arrives_afterwards(post: Post) -> None:
    post.start().stop()
    # More than the thousand that Mosquitto keeps unless it is told otherwise.
    records = [f"r-{number}" for number in range(1500)]
    with post.camera() as cam:
        cam.publish_all(topic(), [event(record) for record in records])
    assert post.stored() == {}
    post.start()
    post.wait_stored(*records)
    assert set(post.stored()) == set(records)


def test_two_ingests_share_compounds_and_each_session_keeps_its_own(post: Post) -> None:
    ours, others = share(COMPOUND, "none"), share(ELSEWHERE, "all")
    first, second = post.start(ours), post.start(others)
    first.stop()
    with post.camera() as cam:
        cam.publish(topic(), event("r-1"))
    second.stop()
    post.start(ours)
    post.wait_stored("r-1")
    # Had the other one taken it, too, it would have come again.
    assert post.stored() == {"r-1": 0}


def test_from_one_ingest_to_two_everything_is_stored_once(post: Post) -> None:
    old = post.start()
    new = [post.start(share(COMPOUND, "none")), post.start(share(ELSEWHERE, "all"))]
    with post.camera() as cam:
        cam.publish_all(topic(), [event(f"r-{number}") for number in range(20)])
        old.stop()
        cam.publish(topic(), event("r-20"))
    post.wait_stored(*(f"r-{number}" for number in range(21)))
    for one in new:
        one.stop()
    login = post.broker.login()
    forget_session(login)
    with post.camera() as cam:
        cam.publish(topic(), event("after"))
    with Peer(login, clean=False) as old, post.camera() as cam:
        assert old.subscribe(topic(leaf="marker"))
        cam.publish(topic(leaf="marker"), b"marker")
        # What was published after the session was forgotten was kept for nobody.
        assert old.next().payload == b"marker"


def test_session_may_be_opened_before_the_first_ingest_starts(post: Post) -> None:
    open_session(post.broker.login())
    with post.camera() as cam:
        cam.publish(topic(), event("r-1"))
    post.start()
    post.wait_stored("r-1")


def test_stop_may_be_asked_for_twice(post: Post) -> None:
    subscriber = post.start()
    subscriber.stop()
    subscriber.stop()
    assert not subscriber.connected


def test_stop_commits_and_acknowledges_what_is_queued(post: Post) -> None:
    post.valve.open.clear()
    subscriber = post.start()
    records = [f"r-{number}" for number in range(50)]
    with post.camera() as cam:
        cam.publish(topic(), event("first"))
        wait_until(lambda: post.valve.attempts == 1, "the writer is held up")
        cam.publish_all(topic(), [event(record) for record in records])
    wait_until(lambda: subscriber._queue.qsize() == 50, "fifty are queued")
    stopping = threading.Thread(target=subscriber.stop)
    stopping.start()
    wait_until(subscriber._stopping.is_set, "the stop has begun")
    post.valve.open.set()
    stopping.join(30)
    assert not stopping.is_alive()
    assert set(post.stored()) == {"first", *records}
    assert post.left_at_the_broker() == []


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_broker_that_goes_and_comes_back_finds_ingest_again(post: Post, how: str) -> None:
    subscriber = post.start()
    with post.camera() as cam:
        cam.publish(topic(), event("r-1"))
        post.wait_stored("r-1")
    getattr(post.broker, how)()
    wait_until(lambda: not subscriber.connected, "ingest notices")
    assert post.metrics.get_sample_value("ringward_ingest_connected") == 0
    post.broker.start()
    wait_until(lambda: subscriber.connected, "ingest is back")
    with post.camera() as cam:
        cam.publish(topic(), event("r-2"))
    post.wait_stored("r-1", "r-2")
    assert post.metrics.get_sample_value("ringward_ingest_connected") == 1


def test_reading_stops_while_too_much_waits(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.mqtt.subscriber, "QUEUE_BYTES", 3000)
    monkeypatch.setattr(ingest.mqtt.subscriber, "BATCH_MESSAGES", 4)
    post.valve.open.clear()
    subscriber = post.start()
    records = [f"r-{number}" for number in range(60)]
    with post.camera() as cam:
        cam.publish_all(topic(), [event(record, attributes={"pad": "x" * 200}) for record in records])
    wait_until(lambda: subscriber._queued_bytes > 3000, "the queue is full")
    held = subscriber._queued_bytes
    assert held < 3000 + 2 * 400
    post.valve.open.set()
    post.wait_stored(*records)
    wait_until(lambda: subscriber._queued_bytes == 0, "nothing waits any more")


def test_batches_are_bounded(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.mqtt.subscriber, "BATCH_MESSAGES", 7)
    sizes: list[int] = []
    take: Callable = post.valve._intake.process
    monkeypatch.setattr(post.valve._intake, "process", lambda batch: sizes.append(len(batch)) or take(batch))
    open_session(post.broker.login())
    records = [f"r-{number}" for number in range(50)]
    with post.camera() as cam:
        cam.publish_all(topic(), [event(record) for record in records])
    post.start()
    post.wait_stored(*records)
    assert max(sizes) <= 7
    with post.database.read() as session:
        assert (
            session.scalar(select(func.count()).select_from(EventRow).where(EventRow.type == "door.opened"))
            == 50
        )
