import datetime as dt
import json
import queue
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from bus.embedded import DeviceLogin, EmbeddedConfig, find_server
from devices import simulator
from devices.adapters.native import decode_event, decode_state
from devices.simulator import DeviceRefusedError, NotAcknowledgedError, SimulatedDevice

NOON = dt.datetime(2026, 11, 23, 12, 0, 0, 120_000, tzinfo=dt.timezone(dt.timedelta(hours=8)))
JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"
SECRET = "0123456789abcdef0123456789abcdef"


def eventually(condition: Callable[[], bool], deadline_s: float = 15.0) -> bool:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Broker:
    """A real nats-server in MQTT mode that knows one device, and somebody who hears everything."""

    port: int
    process: subprocess.Popen[bytes]
    core: mqtt.Client
    heard: "queue.Queue[mqtt.MQTTMessage]"

    def next(self, topic_end: str, deadline_s: float = 40.0) -> mqtt.MQTTMessage:
        end = time.monotonic() + deadline_s
        while (left := end - time.monotonic()) > 0:
            try:
                message = self.heard.get(timeout=left)
            except queue.Empty:
                break
            if message.topic.endswith(topic_end):
                return message
        raise AssertionError(f"nothing heard on …{topic_end}")

    def next_state(self, status: str) -> dict:
        while True:
            state = json.loads(self.next("/up/state").payload)
            if state["status"] == status:
                return state


def hashed(secret: str) -> str:
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(4)).decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    folder: Path = tmp_path_factory.mktemp("broker")
    port = free_port()
    config = EmbeddedConfig(
        "127.0.0.1", free_port(), "127.0.0.1", port, folder / "js", "core", hashed("core"),
        [DeviceLogin("cam-1", "c1", hashed(SECRET))],
    )  # fmt: skip
    (folder / "nats.conf").write_text(config.render())
    process = subprocess.Popen(
        [find_server(), "-c", folder / "nats.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert eventually(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        yield port, process
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def broker(server: tuple[int, subprocess.Popen[bytes]]) -> Iterator[Broker]:
    port, process = server
    heard: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
    core = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="core", protocol=mqtt.MQTTv311)
    core.username_pw_set("core", "core")
    subscribed: queue.Queue[bool] = queue.Queue()
    core.on_message = lambda _c, _u, message: heard.put(message)
    core.on_subscribe = lambda *_: subscribed.put(True)
    core.connect("127.0.0.1", port)
    core.subscribe("rw/v1/#", 1)
    core.loop_start()
    subscribed.get(timeout=15)
    yield Broker(port, process, core, heard)
    # A state that stayed retained would be the next test's news.
    core.publish("rw/v1/c1/cam-1/up/state", b"", qos=1, retain=True).wait_for_publish(10)
    core.disconnect()
    core.loop_stop()


@pytest.fixture
def device(broker: Broker) -> Iterator[SimulatedDevice]:
    device = SimulatedDevice("c1", "cam-1", SECRET, host="127.0.0.1", port=broker.port)
    yield device
    device.close()


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (simulator.face_captured(JPEG, track="t-1"), "face.captured"),
        (simulator.plate_recognised(JPEG), "plate.recognised"),
        (simulator.plate_recognised(text="云M12345", confidence=0.93, color="blue"), "plate.recognised"),
        (simulator.access_granted("card", "c-7"), "access.granted"),
        (simulator.access_denied("card", "expired", "c-7"), "access.denied"),
        (simulator.door_opened(cause="exit_button"), "door.opened"),
        (simulator.door_closed(), "door.closed"),
        (simulator.barrier_opened(direction="in"), "barrier.opened"),
        (simulator.barrier_closed(), "barrier.closed"),
        (simulator.line_crossing(direction="out", count=2), "video.line_crossing"),
    ],
)
def test_builders_speak_the_native_format(event: simulator.NativeEvent, kind: str) -> None:
    decoded = decode_event(event.encode("17", NOON))
    assert decoded.type == kind
    assert decoded.record_id == "17"
    assert decoded.device_time == NOON
    assert decoded.late is False
    assert decoded.marks == ()


def test_what_a_builder_was_told_arrives() -> None:
    face = decode_event(simulator.face_captured(JPEG, track="t-1").encode("1", NOON))
    assert (face.direction, face.track, face.pictures) == ("in", "t-1", (("scene", JPEG),))
    plate = simulator.plate_recognised(JPEG, text="云M12345", confidence=0.93, color="blue", direction="out")
    read = decode_event(plate.encode("2", NOON, late=True))
    assert (read.plate.text, read.plate.confidence, read.plate.color) == ("云M12345", 0.93, "blue")
    assert read.pictures == (("vehicle", JPEG),)
    assert read.late is True
    card = decode_event(simulator.access_denied("card", "expired", "c-7").encode("3", NOON))
    assert (card.credential.kind, card.credential.ref, card.attributes) == (
        "card",
        "c-7",
        {"reason": "expired"},
    )


def test_absent_values_have_no_default() -> None:
    assert json.loads(simulator.door_closed().encode("1", NOON)) == {
        "v": 1, "id": "1", "type": "door.closed", "at": "2026-11-23T12:00:00.120+08:00", "late": False,
    }  # fmt: skip
    unread = json.loads(simulator.plate_recognised(text="云M12345").encode("1", NOON))
    assert unread["plate"]["confidence"] is None
    with pytest.raises(ValueError, match="reading or a picture"):
        simulator.plate_recognised()


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        simulator.door_closed().encode("1", NOON.replace(tzinfo=None))


def test_connecting_says_online_and_listens(broker: Broker, device: SimulatedDevice) -> None:
    device.connect()
    message = broker.next("/up/state")
    online, at = decode_state(message.payload)
    assert message.topic == "rw/v1/c1/cam-1/up/state"
    assert online
    assert device.online
    assert at is not None
    assert abs(at - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=30)


def test_publish_waits_for_the_brokers_answer_and_counts_records(
    broker: Broker, device: SimulatedDevice
) -> None:
    device.connect()
    assert [device.publish(simulator.door_closed(), NOON), device.publish(simulator.door_closed(), NOON)] == [
        "1",
        "2",
    ]
    first = broker.next("/up/event")
    assert (first.topic, first.qos, first.retain) == ("rw/v1/c1/cam-1/up/event", 1, False)
    assert decode_event(first.payload).device_time == NOON


def test_record_may_be_sent_again_under_its_own_id(broker: Broker, device: SimulatedDevice) -> None:
    device.connect()
    record = device.publish(simulator.door_closed(), NOON)
    assert device.publish(simulator.door_closed(), NOON, record_id=record) == record
    assert broker.next("/up/event").payload == broker.next("/up/event").payload
    assert device.publish(simulator.door_closed(), NOON) == "2"


def test_heartbeat_repeats_the_retained_state(broker: Broker) -> None:
    device = SimulatedDevice("c1", "cam-1", SECRET, host="127.0.0.1", port=broker.port, heartbeat_s=0.2)
    device.connect()
    try:
        times = {broker.next_state("online")["at"] for _ in range(3)}
        assert len(times) == 3
    finally:
        device.close()


def test_last_will_fires_when_the_device_falls_silent(broker: Broker, device: SimulatedDevice) -> None:
    device.connect()
    broker.next_state("online")
    device.go_silent()
    assert not device.online
    assert broker.next_state("offline") == {"v": 1, "status": "offline"}


def test_device_comes_back_after_silence_and_goes_on_counting(
    broker: Broker, device: SimulatedDevice
) -> None:
    device.connect()
    device.publish(simulator.door_closed(), NOON)
    device.go_silent()
    broker.next_state("offline")
    with pytest.raises(NotAcknowledgedError) as lost:
        device.publish(simulator.door_closed(), NOON)
    assert lost.value.record_id == "2"
    device.connect()
    broker.next_state("online")
    assert device.publish(simulator.door_closed(), NOON) == "3"


def test_no_last_will_after_an_orderly_leave(broker: Broker, device: SimulatedDevice) -> None:
    device.connect()
    broker.next_state("online")
    device.close()
    device.connect()
    # The next thing heard of it is that it is back, not that it was gone.
    assert json.loads(broker.next("/up/state").payload)["status"] == "online"


def test_device_remembers_answers_and_commands(broker: Broker, device: SimulatedDevice) -> None:
    device.connect()
    record = device.publish(simulator.door_closed(), NOON)
    assert record not in device.acknowledged
    broker.core.publish("rw/v1/c1/cam-1/down/ack", json.dumps({"id": record, "ok": True}), qos=1)
    assert device.wait_acknowledged(record)
    broker.core.publish("rw/v1/c1/cam-1/down/ack", b"not json", qos=1)
    broker.core.publish("rw/v1/c1/cam-1/down/ack", b"[]", qos=1)
    broker.core.publish("rw/v1/c1/cam-1/down/ack", b'{"id":"9","ok":false,"reason":"invalid_field"}', qos=1)
    broker.core.publish("rw/v1/c1/cam-1/down/command", b'{"id":"k-1","do":"open"}', qos=1)
    assert eventually(lambda: len(device.commands) == 1)
    assert device.commands[0]["do"] == "open"
    assert device.refused == {"9": "invalid_field"}
    assert device.acknowledged == {record}


def test_wrong_secret_is_refused(broker: Broker) -> None:
    device = SimulatedDevice("c1", "cam-1", "wrong", host="127.0.0.1", port=broker.port)
    with pytest.raises(DeviceRefusedError) as refused:
        device.connect()
    assert refused.value.device_id == "cam-1"
    assert "authorized" in refused.value.reason.lower()
    assert not device.online


def test_nobody_listening_is_refused() -> None:
    with pytest.raises(DeviceRefusedError):
        SimulatedDevice("c1", "cam-1", SECRET, host="127.0.0.1", port=free_port()).connect()
