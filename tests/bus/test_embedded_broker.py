from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from bus.embedded import parse_refusal
from tests.support.brokers import NatsServer
from tests.support.mqtt import Peer
from tests.support.native import topic
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    folder: Path = tmp_path_factory.mktemp("embedded")
    server = NatsServer(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def core(server: NatsServer) -> Iterator[Peer]:
    """Somebody who hears what devices say."""
    with Peer(server.login(client_id="core")) as core:
        assert core.subscribe("rw/v1/+/+/up/#")
        yield core


def device(server: NatsServer, device_id: str) -> Peer:
    return Peer(server.login(device_id, client_id=device_id))


def refusal(server: NatsServer, reason: str, client: str, topic: str = ""):
    def find():
        found = [parse_refusal(line) for line in server.lines]
        return [r for r in found if r and r.reason == reason and r.client == client and topic in r.topic]

    return wait_until(find, f"the broker says {reason} of {client}")[0]


def test_device_speaks_on_its_own_branch(server: NatsServer, core: Peer) -> None:
    with device(server, "cam-1") as cam:
        cam.publish(topic("cam-1"), b"mine")
    message = core.next()
    assert (message.topic, message.payload) == (topic("cam-1"), b"mine")


@pytest.mark.parametrize(
    "branch", [topic("cam-2"), topic("cam-1", compound="meilin"), "rw/v1/honghua/cam-1/down/ack"]
)
@pytest.mark.parametrize("qos", [0, 1])
def test_device_in_anothers_branch_is_not_heard(
    server: NatsServer, core: Peer, branch: str, qos: int
) -> None:
    with Peer(server.login(client_id="downlinks")) as down:
        assert down.subscribe("rw/v1/+/+/down/#")
        with device(server, "cam-1") as cam:
            cam.client.publish(branch, b"not mine", qos)
        said = refusal(server, "broker_forbidden_topic", "cam-1", branch)
        assert said.topic == branch
        # What is heard next is what was said next.
        with device(server, "cam-1") as cam:
            cam.publish(topic("cam-1"), b"mine")
        assert core.next().payload == b"mine"
        down.publish("rw/v1/honghua/cam-1/down/ack", b"ours")
        assert down.next().payload == b"ours"


@pytest.mark.parametrize(
    "wish", ["rw/v1/honghua/cam-2/down/ack", "rw/v1/honghua/cam-1/up/event", "rw/v1/+/+/down/#", "#"]
)
def test_device_may_not_listen_elsewhere(server: NatsServer, wish: str) -> None:
    with device(server, "cam-1") as cam:
        assert not cam.subscribe(wish)
        assert cam.subscribe("rw/v1/honghua/cam-1/down/ack")
    assert refusal(server, "broker_forbidden_topic", "cam-1").detail == ""


def test_core_answers_a_device(server: NatsServer, core: Peer) -> None:
    with device(server, "cam-2") as cam:
        assert cam.subscribe("rw/v1/honghua/cam-2/down/ack")
        assert cam.subscribe("rw/v1/honghua/cam-2/down/command")
        core.publish("rw/v1/honghua/cam-2/down/ack", b'{"id":"1","ok":true}')
        assert cam.next().payload == b'{"id":"1","ok":true}'


@pytest.mark.parametrize(
    ("user", "password"), [("cam-1", "wrong"), ("cam-9", "a-device-secret"), ("cam-1", "")]
)
def test_stranger_is_turned_away_and_named(server: NatsServer, user: str, password: str) -> None:
    answers: list[bool] = []
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"stranger-{user}", protocol=MQTTv311)
    client.username_pw_set(user, password)
    client.on_connect = lambda _c, _u, _f, reason, _p: answers.append(reason.is_failure)
    client.connect("127.0.0.1", server.mqtt_port)
    client.loop_start()
    try:
        assert wait_until(lambda: answers, "the broker's answer")[0] is True
    finally:
        client.disconnect()
        client.loop_stop()
    assert refusal(server, "broker_auth_failed", f"stranger-{user}").detail == user


def test_nine_megabytes_reach_us_so_that_we_can_say_why_not(server: NatsServer, core: Peer) -> None:
    payload = b"x" * (9 * 1024 * 1024)
    with device(server, "cam-1") as cam:
        cam.publish(topic("cam-1"), payload)
    assert core.next().payload == payload


def test_seventeen_megabytes_are_the_brokers_own_refusal(server: NatsServer) -> None:
    with device(server, "cam-2") as cam:
        cam.client.publish(topic("cam-2"), b"x" * (17 * 1024 * 1024), 1)
        said = refusal(server, "broker_too_large", "cam-2")
    assert said.detail.endswith(f"vs {16 * 1024 * 1024}")
