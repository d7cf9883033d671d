"""Devices' rights on real brokers: each publishes on its own topics and is refused elsewhere."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from bus.embedded import DeviceLogin
from bus.login import BrokerLogin
from devices.brokerfiles import Core, render
from devices.credentials import Login, pbkdf2
from devices.directory import DeviceFacts
from devices.rights import rights_of
from tests.support.brokers import _CORE_HASH, CORE, CORE_PASSWORD, Broker, Mosquitto, NatsServer
from tests.support.compound import COMPOUND, SECRET, SECRET_HASH
from tests.support.mqtt import Peer
from tests.support.waiting import wait_until


def device(
    device_id: str, adapter: str, external_id: str | None = None, *, shared: bool = False
) -> DeviceFacts:
    return DeviceFacts(
        device_id, COMPOUND, "gate", "entrance", "door", None, None, 30, True, UTC,
        adapter, external_id, shared_topics=shared,
    )  # fmt: skip


DEVICES = (
    device("cam-1", "native"),
    device("cam-2", "native"),
    device("face-1", "facesluice", "1305433"),
    device("face-2", "facesluice", "1305434", shared=True),
    device("dots-1", "yilandu", "8K01.A"),
    device("lift-1", "luozhi", "10089", shared=True),
    device("vto-1", "dahua", "DahuaVTO"),
    device("vto-2", "dahua", "vto-2"),
)
LOGINS = [
    Login(one.device_id, one.device_id, COMPOUND, SECRET_HASH, pbkdf2(SECRET), rights_of(one))
    for one in DEVICES
]
CORE_LOGIN = Core(CORE, _CORE_HASH, pbkdf2(CORE_PASSWORD))

# Who, on which topic of their own.
OWN = [
    ("cam-1", f"rw/v1/{COMPOUND}/cam-1/up/event"),
    ("face-1", "mqtt/face/1305433/Rec"),
    ("face-1", "mqtt/face/1305433/heartbeat"),
    ("face-2", "mqtt/face/basic"),
    ("dots-1", "face.8K01.A.response"),
    ("lift-1", "/hiot/record_message"),
    ("vto-1", "DahuaVTO/DoorStatus/Event"),
    ("vto-2", "rw/gw/vto-2/DoorStatus/Event"),
]
OTHERS = [
    ("cam-1", f"rw/v1/{COMPOUND}/cam-2/up/event"),
    ("cam-1", f"rw/v1/{COMPOUND}/cam-1/down/ack"),
    ("cam-1", "rw/v1/elsewhere/cam-1/up/event"),
    ("face-1", "mqtt/face/1305434/Rec"),
    ("face-1", "mqtt/face/1305433"),
    # Not configured so: there nobody could prove who it is.
    ("face-1", "mqtt/face/basic"),
    ("face-2", "mqtt/face/1305433/Rec"),
    ("dots-1", "face.8K02.A.response"),
    ("dots-1", "face/8K01/A/response"),
    ("lift-1", "hiot/record_message"),
    ("vto-2", "DahuaVTO/DoorStatus/Event"),
    ("vto-1", "rw/gw/vto-2/DoorStatus/Event"),
]
# Who listens to which topic that the core writes.
LISTENING = [
    ("cam-1", f"rw/v1/{COMPOUND}/cam-1/down/#", f"rw/v1/{COMPOUND}/cam-1/down/command"),
    ("face-1", "mqtt/face/1305433", "mqtt/face/1305433"),
    ("dots-1", "face.8K01.A.request", "face.8K01.A.request"),
    ("lift-1", "/hiot/10089/add_data", "/hiot/10089/add_data"),
]


@pytest.fixture(scope="module", params=["nats-server", pytest.param("mosquitto", marks=pytest.mark.broker)])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    made: Broker
    if request.param == "nats-server":
        made = NatsServer(
            folder,
            [
                DeviceLogin(
                    one.device_id,
                    COMPOUND,
                    one.bcrypt_hash,
                    one.user,
                    one.rights.publish,
                    one.rights.subscribe,
                )
                for one in LOGINS
            ],
        )
    else:
        made = Mosquitto(folder, render("mosquitto", LOGINS, CORE_LOGIN).texts)
    made.start()
    yield made
    made.stop()


def login(broker: Broker, user: str, label: str) -> BrokerLogin:
    """Of a name of its own each time: a session that is taken over would be a different test."""
    tail = hashlib.blake2b(f"{user}{label}".encode(), digest_size=4).hexdigest()
    return broker.login(user, client_id=f"{user}-{tail}")


@pytest.mark.parametrize(("user", "topic"), OWN)
def test_device_is_heard_on_its_own_topics(broker: Broker, user: str, topic: str) -> None:
    with Peer(login(broker, CORE, topic)) as core, Peer(login(broker, user, topic)) as one:
        assert core.subscribe(topic)
        one.publish(topic, b"heard")
        assert core.next().topic == topic


@pytest.mark.parametrize(("user", "topic"), OTHERS)
def test_device_is_not_heard_on_topics_that_are_not_its_own(broker: Broker, user: str, topic: str) -> None:
    # Who may: somebody has to, or the silence would prove nothing.
    marker = f"rw/v1/{COMPOUND}/cam-2/up/event" if topic != f"rw/v1/{COMPOUND}/cam-2/up/event" else None
    with Peer(login(broker, CORE, f"{user} {topic}")) as core:
        assert core.subscribe(topic)
        assert core.subscribe(marker or f"rw/v1/{COMPOUND}/cam-2/up/state")
        # On a connection of its own: both brokers close one on which they denied something.
        with Peer(login(broker, user, topic)) as stranger:
            sent = stranger.client.publish(topic, b"forged", qos=1)
            wait_until(
                lambda: sent.is_published() or not stranger.client.is_connected(), "it was turned away"
            )
        with Peer(login(broker, "cam-2", f"{user} {topic}")) as honest:
            honest.publish(marker or f"rw/v1/{COMPOUND}/cam-2/up/state", b"true")
        assert core.next().payload == b"true"
        assert core.heard.empty()


@pytest.mark.parametrize(("user", "wanted", "topic"), LISTENING)
def test_device_hears_what_is_said_to_it(broker: Broker, user: str, wanted: str, topic: str) -> None:
    with Peer(login(broker, CORE, topic)) as core, Peer(login(broker, user, wanted)) as one:
        assert one.subscribe(wanted)
        core.publish(topic, b"an order")
        assert one.next().payload == b"an order"


def test_device_does_not_hear_what_is_said_to_another(broker: Broker) -> None:
    with Peer(login(broker, CORE, "x")) as core, Peer(login(broker, "face-2", "x")) as other:
        # Mosquitto grants it and delivers nothing, nats-server refuses it.
        other.subscribe("mqtt/face/1305433")
        assert other.subscribe("mqtt/face/1305434")
        core.publish("mqtt/face/1305433", b"to the first")
        core.publish("mqtt/face/1305434", b"to the second")
        assert other.next().payload == b"to the second"
        assert other.heard.empty()


def test_emqx_is_given_the_same_rights_in_its_own_words() -> None:
    texts = render("emqx", LOGINS, CORE_LOGIN).texts
    rules = texts["acl.conf"].splitlines()
    assert rules[-1] == "{deny, all}."
    assert '{allow, {username, "vto-2"}, publish, ["rw/gw/vto-2/+/Event"]}.' in rules
    assert '{allow, {username, "face-1"}, subscribe, ["mqtt/face/1305433"]}.' in rules
    assert not any("mqtt/face/basic" in rule for rule in rules if '"face-1"' in rule)
    # Every rule is one tuple: comments aside, nothing else is in the file.
    assert all(
        re.fullmatch(r"%% .*|\{(allow, \{username, \"[\w.-]+\"\}, \w+, \[.+\]|deny, all)\}\.", one)
        for one in rules
    )
    head, core, *users = texts["ringward-users.csv"].splitlines()
    assert head == "user_id,password_hash,salt,is_superuser"
    assert core.startswith(f"{CORE},$2a$04$")
    assert len(users) == len(DEVICES)


def test_secret_without_mosquittos_hash_is_left_out_and_named() -> None:
    old = Login("old-1", "old-1", COMPOUND, SECRET_HASH, None, LOGINS[0].rights)
    files = render("mosquitto", [old, LOGINS[1]], CORE_LOGIN)
    assert files.left_out == ("old-1",)
    assert "old-1" not in files.texts["ringward.passwd"] + files.texts["ringward.acl"]


@pytest.mark.parametrize("broker_name", ["mosquitto", "emqx", "nats"])
def test_name_that_would_say_more_than_itself_is_refused(broker_name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        render(broker_name, LOGINS, Core('ring"ward\n', "h", "h"))
