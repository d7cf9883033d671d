"""The whole way over a real broker: lists go down, answers come up through ingest."""

import json
import threading
from collections.abc import Iterator
from typing import Self

import pytest
from prometheus_client import CollectorRegistry

from devices.downlink import Downlink
from devices.enrolments import OrderState
from devices.lists.metrics import ListMetrics
from devices.lists.models import PushState
from devices.lists.reconciler import Reconciler
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.mqtt.subscriber import Subscriber, SubscriberMetrics
from storage import Database, MediaStore
from tests.support.brokers import Broker, NatsServer
from tests.support.clock import VirtualClock
from tests.support.mqtt import Peer
from tests.support.terminal_post import Post
from tests.support.terminals import FaceTerminal
from tests.support.waiting import wait_until


class Station:
    """The terminal's own connection: it hears its topic and answers on another."""

    def __init__(self, broker: Broker, terminal: FaceTerminal) -> None:
        self._peer = Peer(broker.login(client_id="terminal"))
        self._terminal = terminal
        self._stopped = threading.Event()
        # Set while it is to keep its answers to itself.
        self.mute = threading.Event()

    def __enter__(self) -> Self:
        self._peer.__enter__()
        assert self._peer.subscribe(self._terminal.down)
        self._peer.client.on_message = lambda _c, _u, message: self._hear(message.payload)
        return self

    def __exit__(self, *error: object) -> None:
        self._peer.__exit__(*error)

    def _hear(self, payload: bytes) -> None:
        answer = self._terminal.hear(payload)
        if answer is not None and not self.mute.is_set():
            self._peer.client.publish(self._terminal.up, answer, 0)


class Site:
    """Ingest and the keeping of lists, each startable again."""

    def __init__(self, broker: Broker, post: Post) -> None:
        self._broker, self.post = broker, post
        registry = CollectorRegistry()
        intake = Intake(post.database, post.media, post.directory, IntakeMetrics(registry))
        self._subscriber = Subscriber(
            broker.login(), intake, post.clock, SubscriberMetrics(registry), lambda: None
        )
        self._subscriber.start()
        self._downlinks: list[Downlink] = []
        wait_until(lambda: self._subscriber.connected, "ingest listens")
        self.start()

    def start(self) -> None:
        """The process that keeps lists begins, or begins again after it was killed."""
        downlink = Downlink(self._broker.login(client_id=f"ringward-devices-{len(self._downlinks)}"))
        downlink.start()
        self._downlinks.append(downlink)
        wait_until(lambda: downlink.connected, "the way down is open")
        self.reconciler = Reconciler(
            self.post.database,
            self.post.directory,
            downlink,
            self.post.clock,
            ListMetrics(CollectorRegistry()),
            terminal_url=self.post.url,
        )

    def until_answered(self) -> None:
        wait_until(
            lambda: all(push.state != PushState.SENT for push in self.post.pushes()), "the batch is answered"
        )

    def run(self, rounds: int = 4) -> None:
        for _ in range(rounds):
            self.reconciler.round()
            self.until_answered()

    def stop(self) -> None:
        for downlink in self._downlinks:
            downlink.stop()
        self._subscriber.stop()


@pytest.fixture
def site(
    nats_server: NatsServer, database: Database, media: MediaStore, clock: VirtualClock
) -> Iterator[Site]:
    site = Site(nats_server, Post(database, media, clock))
    yield site
    site.stop()


@pytest.fixture
def station(nats_server: NatsServer, site: Site) -> Iterator[Station]:
    with Station(nats_server, site.post.terminal) as station:
        yield station


def test_terminal_takes_people_in_refuses_one_and_forgets_another(site: Site, station: Station) -> None:
    post = site.post
    for person, number in (("p1", "A1"), ("p2", "B2"), ("p3", "C3")):
        post.resident(person)
        post.card(person, number)
    post.face("p1")
    post.face("p2")
    post.terminal.busy = 1
    # Of two photos, one cannot be fetched.
    fetched: list[str] = []
    post.terminal.fetch = lambda url: fetched.append(url) or (None if len(fetched) == 1 else b"\xff\xd8")
    site.run()
    assert post.there() == {}, "it was busy"
    post.clock.advance(15)
    site.run()
    there = post.there()
    assert {name: card for name, (card, _) in there.items()} == {"p1": "A1", "p2": "B2", "p3": "C3"}
    assert sorted(face for _, face in there.values()) == [False, False, True]
    states = [push.state for push in post.pushes()]
    assert states == [PushState.FAILED, PushState.PARTLY, PushState.CONFIRMED]
    assert [row.code for row in post.rows().values() if row.code] == ["465"]
    post.withdraw("p1")
    post.withdraw("p2")
    post.erase("p3")
    site.run()
    assert post.there() == {"p1": ("A1", False), "p2": ("B2", False)}
    assert {order.state for order in post.orders()} == {OrderState.CONFIRMED}
    batches = [message for message in post.terminal.heard if message["operator"] == "EditPersonsNew"]
    assert all(message["PersonNum"] == len(message["info"]) for message in batches)
    assert "欧阳" not in json.dumps(post.terminal.heard, ensure_ascii=False)


def test_kill_in_the_middle_of_a_batch_leaves_exactly_the_right_people(site: Site, station: Station) -> None:
    post = site.post
    for number in range(8):
        post.resident(f"p{number}")
        post.card(f"p{number}", f"AA{number}")
    station.mute.set()
    site.reconciler.round()
    wait_until(lambda: len(post.terminal.entries) == 8, "the terminal has taken everybody in")
    post.suspend_cards("p0")
    site.start()
    station.mute.clear()
    post.clock.advance(600)
    site.reconciler.round()
    post.clock.advance(15)
    site.run()
    assert post.there() == {f"p{number}": (f"AA{number}", False) for number in range(1, 8)}
    assert {order.state for order in post.orders()} == {OrderState.CONFIRMED}
    assert PushState.UNCERTAIN in {push.state for push in post.pushes()}
