import signal
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from paho.mqtt.client import Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import select, update

from bus.deadletters import DeadLetter
from bus.login import BrokerLogin
from devices.models import Device, DeviceKind
from ringward import brokerchild
from ringward.brokerchild import BrokerChild
from ringward.foundation import Foundation, mqtt_login
from tests.support.clock import VirtualClock
from tests.support.compound import SECRET, device
from tests.support.mqtt import Peer
from tests.support.native import event, topic
from tests.support.ports import listens
from tests.support.waiting import wait_until


@pytest.fixture
def broker(ground: Foundation) -> Iterator[BrokerChild]:
    broker = BrokerChild(ground)
    broker.start()
    yield broker
    broker.child.stop(20)


def login(ground: Foundation, device_id: str, secret: str = SECRET) -> BrokerLogin:
    return BrokerLogin("127.0.0.1", ground.settings.mqtt_port, device_id, secret, device_id)


def letters(ground: Foundation, reason: str) -> list[DeadLetter]:
    with ground.database.read() as session:
        found = list(
            session.scalars(select(DeadLetter).where(DeadLetter.reason == reason).order_by(DeadLetter.id))
        )
        session.expunge_all()
    return found


def is_let_in(ground: Foundation, device_id: str, secret: str = SECRET) -> bool:
    answers: list[bool] = []
    client = Client(CallbackAPIVersion.VERSION2, client_id=device_id, protocol=MQTTv311)
    client.username_pw_set(device_id, secret)
    client.on_connect = lambda _c, _u, _f, reason, _p: answers.append(not reason.is_failure)
    client.connect("127.0.0.1", ground.settings.mqtt_port)
    client.loop_start()
    try:
        return bool(wait_until(lambda: answers, "the broker's answer")[0])
    finally:
        client.disconnect()
        client.loop_stop()


def test_started_broker_listens(broker: BrokerChild, ground: Foundation) -> None:
    assert broker.child.pid is not None
    assert listens(ground.settings.mqtt_port)
    assert listens(ground.settings.nats_port)


def test_configuration_holds_secrets_and_is_its_owners_only(broker: BrokerChild, ground: Foundation) -> None:
    path = ground.settings.broker_dir / "nats.conf"
    assert path.stat().st_mode & 0o777 == 0o600
    assert ground.bus.password not in path.read_text()


def test_first_device_is_heard_although_ingest_was_not_there_yet(
    broker: BrokerChild, ground: Foundation
) -> None:
    wait_until(lambda: is_let_in(ground, "cam-1"), "devices may sign in")
    with Peer(login(ground, "cam-1")) as cam:
        cam.publish(topic(), event("first"))
    with Peer(mqtt_login(ground.settings), clean=False) as ingest:
        assert ingest.next().payload == event("first")


def test_new_device_may_sign_in_and_a_disabled_one_no_more(broker: BrokerChild, ground: Foundation) -> None:
    wait_until(lambda: is_let_in(ground, "cam-1"), "devices may sign in")
    assert not is_let_in(ground, "cam-3")
    assert not is_let_in(ground, "old-1")
    assert broker.refresh() is False
    pid = broker.child.pid
    with ground.database.write() as session:
        session.add(device("cam-3", DeviceKind.SCENE_CAMERA))
        session.execute(update(Device).where(Device.id == "cam-2").values(enabled=False))
    assert broker.refresh() is True
    broker.child.signal(signal.SIGHUP)
    wait_until(lambda: is_let_in(ground, "cam-3"), "the new device is let in")
    assert not is_let_in(ground, "cam-2")
    assert broker.child.pid == pid


def test_wrong_secret_is_a_dead_letter_with_a_count(broker: BrokerChild, ground: Foundation) -> None:
    for _ in range(3):
        assert not is_let_in(ground, "cam-1", "wrong")
    found = wait_until(
        lambda: [letter for letter in letters(ground, "broker_auth_failed") if letter.count >= 3],
        "all are counted",
    )
    assert [(letter.source, letter.device_id, letter.raw) for letter in found] == [("broker", "cam-1", None)]


def test_forbidden_topic_is_a_dead_letter_with_its_topic(broker: BrokerChild, ground: Foundation) -> None:
    wait_until(lambda: is_let_in(ground, "cam-1"), "devices may sign in")
    with Peer(login(ground, "cam-1")) as cam:
        for _ in range(4):
            cam.client.publish(topic("door-1"), event(), qos=0)
        (letter,) = wait_until(
            lambda: [found for found in letters(ground, "broker_forbidden_topic") if found.count >= 4],
            "all are counted",
        )
    assert (letter.topic, letter.compound, letter.device_id) == (topic("door-1"), "honghua", "door-1")
    assert letter.context == {"client": "cam-1"}


LINE = '[ERR] 127.0.0.1:5 - mid:2 - "cam-1" - authentication error - User "{}"'


def test_same_refusal_later_is_a_new_letter(ground: Foundation, clock: VirtualClock) -> None:
    broker = BrokerChild(ground)
    for _ in range(3):
        broker._on_line(LINE.format("cam-1"))
    broker._on_line(LINE.format("cam-2"))
    clock.advance(brokerchild.REPEAT.total_seconds() - 1)
    broker._on_line(LINE.format("cam-1"))
    clock.advance(1)
    broker._on_line(LINE.format("cam-1"))
    found = letters(ground, "broker_auth_failed")
    assert sorted((letter.device_id, letter.count) for letter in found) == [
        ("cam-1", 1),
        ("cam-1", 4),
        ("cam-2", 1),
    ]


def test_other_lines_of_the_log_are_no_letters(ground: Foundation) -> None:
    broker = BrokerChild(ground)
    for line in ("[INF] Server is ready", "[ERR] something else", "", "\ufffd"):
        broker._on_line(line)
    with ground.database.read() as session:
        assert session.scalars(select(DeadLetter)).all() == []


def test_broker_that_does_not_come_up_is_said(ground: Foundation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokerchild, "START_DEADLINE_S", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        unheard = ground.settings.model_copy(update={"mqtt_port": taken.getsockname()[1]})
        broker = BrokerChild(replace(ground, settings=unheard))
        with pytest.raises(TimeoutError, match="does not listen"):
            broker.start()
        broker.child.stop(20)
