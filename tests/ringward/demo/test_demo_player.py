import json
import queue
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from devices import simulator
from ringward.demo import DemoPlayer, Scene, publish_folder, weekday
from ringward.demo.day import ComeBack, FallSilent, Say, ShowFace, ShowPlate, Step
from ringward.demo.equipment import GUEST_FACE, GUEST_PLATE, GUESTS
from storage import SystemClock

JPEG = b"\xff\xd8\xff\xe0picture\xff\xd9"
CAMERA, DOOR = "hh-bike-shed-view", "hh-b17-door"


def eventually(condition: Callable[[], bool], deadline_s: float = 30.0) -> bool:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Listener:
    """The core's side of the broker: hears all devices, and answers as ingest would."""

    def __init__(self, port: int) -> None:
        self.events: list[tuple[str, dict]] = []
        self.states: list[tuple[str, str]] = []
        ready: queue.Queue[bool] = queue.Queue()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="core", protocol=mqtt.MQTTv311)
        self.client.username_pw_set("core", "core")
        self.client.on_message = self._hear
        self.client.on_subscribe = lambda *_: ready.put(True)
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("rw/v1/+/+/up/#", 1)
        self.client.loop_start()
        ready.get(timeout=15)

    def _hear(self, _client, _user, message: mqtt.MQTTMessage) -> None:
        _, _, _, device, _, kind = message.topic.split("/")
        body = json.loads(message.payload)
        if kind == "state":
            self.states.append((device, body["status"]))
            return
        self.events.append((device, body))
        answer = json.dumps({"id": body["id"], "ok": True})
        self.client.publish(message.topic.replace("/up/event", "/down/ack"), answer, qos=1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class FakePictures:
    def face(self, role: str) -> bytes:
        return JPEG

    def plate(self, plate: str) -> bytes:
        return JPEG


class FakeLog:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict]] = []

    def info(self, event: str, /, **fields) -> None:
        self.lines.append((event, fields))

    warning = info

    def named(self, event: str) -> list[dict]:
        return [fields for name, fields in self.lines if name == event]


@pytest.fixture
def listener(mqtt_port: int) -> Iterator[Listener]:
    listener = Listener(mqtt_port)
    yield listener
    listener.close()


def scene(*steps: Step, time: str = "06:30", starts_s: float = 0.0, expects: tuple[str, ...] = ()) -> Scene:
    return Scene(time, "场景", "scene", starts_s, steps, expects)


def player(home, port: int, scenes, log, speed: float = 1.0) -> DemoPlayer:
    return DemoPlayer(
        "127.0.0.1", port, home.credentials, scenes, FakePictures(), SystemClock(), log, speed=speed
    )


def test_plays_every_kind_of_step_over_mqtt(home, mqtt_port, listener) -> None:
    log = FakeLog()
    story = scene(
        Step(0.0, "hh-north-face", ShowFace("stranger")),
        Step(0.1, "hh-north-plate-in", ShowPlate("云M6F3K8")),
        Step(0.2, DOOR, Say(simulator.door_opened())),
        Step(0.3, DOOR, Say(simulator.door_closed(), late_s=600)),
        Step(0.4, CAMERA, FallSilent()),
        # Long enough for a busy broker to tell the last will first.
        Step(3.0, CAMERA, ComeBack()),
    )
    demo = player(home, mqtt_port, [story], log)
    demo.start()
    try:
        assert eventually(lambda: listener.states.count((CAMERA, "online")) >= 2)
        assert demo.online == demo.devices == len(home.credentials.secrets) - len(GUESTS)
    finally:
        demo.stop()
    assert [device for device, _ in listener.events] == ["hh-north-face", "hh-north-plate-in", DOOR, DOOR]
    assert [body["late"] for _, body in listener.events] == [False, False, False, True]
    assert [image["role"] for _, body in listener.events[:2] for image in body["images"]] == [
        "scene",
        "vehicle",
    ]
    assert listener.events[3][1]["at"] < listener.events[2][1]["at"]
    assert [status for device, status in listener.states if device == CAMERA] == [
        "online",
        "offline",
        "online",
    ]
    assert log.named("demo.scene") == [{"time": "06:30", "zh": "场景", "en": "scene"}]
    assert demo.online == 0


def test_later_rounds_play_calm_scenes_only(home, mqtt_port, listener) -> None:
    log = FakeLog()
    scenes = [
        scene(Step(0, DOOR, Say(simulator.door_opened())), expects=("R-B05",)),
        scene(Step(1, DOOR, Say(simulator.door_closed())), time="07:00"),
    ]
    demo = player(home, mqtt_port, scenes, log, speed=600.0)
    demo.start()
    try:
        assert eventually(lambda: len(listener.events) >= 4)
    finally:
        demo.stop()
    kinds = [body["type"] for _, body in listener.events]
    assert kinds[:4] == ["door.opened", "door.closed", "door.closed", "door.closed"]


def test_whole_day_is_played_in_order(home, mqtt_port, listener) -> None:
    log = FakeLog()
    demo = player(home, mqtt_port, weekday(), log, speed=120.0)
    demo.start()
    try:
        assert eventually(lambda: {line["time"] for line in log.named("demo.scene")} >= {"06:30", "23:30"})
    finally:
        demo.stop()
    assert [line["time"] for line in log.named("demo.scene")][: len(weekday())] == [s.time for s in weekday()]
    assert not log.named("demo.step_lost")


def test_player_waits_for_a_broker_that_is_not_there_and_stops_at_once(home) -> None:
    log = FakeLog()
    demo = player(home, free_port(), weekday(), log)
    demo.start()
    assert eventually(lambda: bool(log.named("demo.device_refused")))
    demo.stop()
    assert demo.online == 0


def test_folder_is_published_by_file_name(home, mqtt_port, listener, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "anna.jpg"), pixels)
    cv2.imwrite(str(folder / "plate-1.png"), pixels)
    cv2.imwrite(str(folder / "wide.png"), np.zeros((250, 4000, 3), np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (folder / "notes.txt").write_text("no picture")
    lines: list[str] = []
    sent = publish_folder(folder, "127.0.0.1", mqtt_port, home.credentials, SystemClock(), out=lines.append)
    assert [(s.file, s.device, s.stored, s.problem) for s in sent] == [
        ("anna.jpg", GUEST_FACE, True, None),
        ("broken.jpg", GUEST_FACE, False, "truncated_picture"),
        ("plate-1.png", GUEST_PLATE, True, None),
        ("wide.png", GUEST_FACE, True, None),
    ]
    assert lines[0] == f"anna.jpg: face.captured from {GUEST_FACE}, record 1, stored"
    assert "truncated_picture" in lines[1]
    by_device = [(device, body["type"]) for device, body in listener.events]
    assert by_device == [
        (GUEST_FACE, "face.captured"),
        (GUEST_PLATE, "plate.recognised"),
        (GUEST_FACE, "face.captured"),
    ]


def test_folder_that_is_none_is_named(home, tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        publish_folder(tmp_path / "nowhere", "127.0.0.1", 1, home.credentials, SystemClock())


def test_empty_folder_says_so_and_needs_no_broker(home, tmp_path: Path) -> None:
    lines: list[str] = []
    assert publish_folder(tmp_path, "127.0.0.1", 1, home.credentials, SystemClock(), out=lines.append) == []
    assert "no JPEG or PNG" in lines[0]
