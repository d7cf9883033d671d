"""A face at a gate → the door's command: everything between a camera's publish and what the door hears.

The whole embedded system runs, at the demo's scale, as `ringward up` starts it. A camera publishes pictures
of 1280×720 over MQTT; ingest commits, recognition finds and decides, the decision opens, and the command
is back at the door. Each wait is taken apart by what the database noted on the way. The peer of the same
run is the plain face_recognition recipe on the same pictures, with nothing around it.
"""

import datetime as dt
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import msgspec
import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import select

from devices import openings
from devices.commands.models import DeviceCommand
from devices.models import Device
from devices.simulator import NotAcknowledgedError, SimulatedDevice, face_captured
from devices.stages import By
from recognition.engines import DlibEngine, FaceEngine
from recognition.models import DecisionRow
from registry.faces import templates
from registry.models import Person
from ringward.bench import loanmodels
from ringward.bench.crowds import HEIGHT, WIDTH, pixels
from ringward.bench.embedded import Embedded, embedded
from ringward.bench.report import Report, percentile, report
from ringward.demo import cast, enrol_demo, portraits
from ringward.demo.face_scenes import augment, jpeg
from ringward.demo.plan import PREFIX
from ringward.foundation import Foundation
from storage import Database
from storage.events import EventRow

CAMERA: Final = f"{PREFIX}-b03-face"
DOOR: Final = f"{PREFIX}-b03-door"
DEADLINE_S: Final = 60.0
_WARM: Final = 4
_RECIPE_PICTURES: Final = 10
_STEP_S: Final = 0.05


class _Passage(NamedTuple):
    """Milliseconds of one picture: until ingest had it, was decided, was asked for, was at the door."""

    received: float
    decided: float
    asked: float
    heard: float


def run(
    *, seconds: int, rate: float, portraits_dir: Path | None = None, models: Path | None = None
) -> Report:
    """`rate` pictures a second for `seconds`. With `models` the ONNX engine of that folder, else dlib's."""
    folder = portraits_dir or Path(sys.prefix) / "share" / "ringward" / "portraits"
    count = max(1, round(seconds * rate))
    pictures = _pictures(folder, count + _WARM)
    engines: list[FaceEngine] = []

    def prepare(ground: Foundation) -> Mapping[str, str]:
        engine: FaceEngine = DlibEngine()
        if models is not None:
            engine = loanmodels.lend(models, ground.settings.data_dir)
            loanmodels.stretch(engine, _captures(folder, 4), ground.settings.data_dir)
        engines.append(engine)
        enrol_demo(ground.database, ground.media, folder, ground.clock, engine=engine)
        _alone(ground)
        _let_open(ground)
        return {"RINGWARD_FACE_ENGINE": engine.name}

    with embedded(prepare) as here:
        passages, unopened = _pass(here, pictures, rate)
        memory = here.memory_mb()
    recipe = _recipe(pictures[:_RECIPE_PICTURES], _captures(folder, 3, "known"))
    heard = [one.heard for one in passages]
    figures = {
        "picture_to_command_p50_ms": percentile(heard, 0.5),
        "picture_to_command_p99_ms": percentile(heard, 0.99),
        "picture_to_command_max_ms": max(heard),
        "pictures_without_command": float(unopened),
        **_parts(passages),
        "system_memory_mb": sum(memory.values()),
        **{f"{name.replace('-', '_')}_memory_mb": value for name, value in memory.items()},
    }
    ceilings = {
        "recipe_picture_p50_ms": percentile(recipe, 0.5),
        "recipe_picture_p95_ms": percentile(recipe, 0.95),
    }
    settings = {
        "seconds": seconds,
        "rate_per_s": rate,
        "pictures": count,
        "size": f"{WIDTH}×{HEIGHT}",
        "engine": engines[0].name,
        "engine_version": engines[0].version,
        "thresholds": "measured" if models is None else "stand-ins, for speed alone",
        "people": 4737,
    }
    ratios = {"command_p50_over_recipe_p50": figures["picture_to_command_p50_ms"] / percentile(recipe, 0.5)}
    return report("e2e", settings, figures, ceilings, ratios)


def _parts(passages: list[_Passage]) -> dict[str, float]:
    """Where the time went, as medians and as the worst of a hundred."""
    parts: dict[str, Callable[[_Passage], float]] = {
        "to_ingest": lambda one: one.received,
        "ingest_to_decision": lambda one: one.decided - one.received,
        "decision_to_asked": lambda one: one.asked - one.decided,
        "asked_to_door": lambda one: one.heard - one.asked,
    }
    return {
        f"part_{name}_{word}_ms": percentile([part(one) for one in passages], share)
        for name, part in parts.items()
        for word, share in (("p50", 0.5), ("p99", 0.99))
    }


def _captures(folder: Path, count: int, seed: str = "captures") -> list[bytes]:
    """Pictures of 640×480 of the resident who comes home, no two alike."""
    (portrait, *_) = portraits.load(portraits.RESIDENT_A, folder)
    chances = (random.Random(f"{seed} {number}") for number in range(count))  # noqa: S311 - noise
    return [augment(portrait, chance) for chance in chances]


def _pictures(folder: Path, count: int) -> list[bytes]:
    """The same as a camera of 1280×720 sees it: the person in the middle, a wall on both sides."""
    made = []
    for capture in _captures(folder, count, "passages"):
        person = pixels(capture)
        wall = cv2.GaussianBlur(cv2.resize(person, (WIDTH, HEIGHT)), (0, 0), 25)
        top, left = (HEIGHT - person.shape[0]) // 2, (WIDTH - person.shape[1]) // 2
        wall[top : top + person.shape[0], left : left + person.shape[1]] = person
        made.append(jpeg(np.ascontiguousarray(wall, np.uint8), 88))
    return made


def _alone(ground: Foundation) -> None:
    """Only who comes home is enrolled: without measured thresholds nobody is told from anybody."""
    with ground.database.write() as session:
        templates.remove(session, session.get_one(Person, cast.RESIDENT_B))


def _let_open(ground: Foundation) -> None:
    with ground.database.write() as session:
        camera, door = session.get_one(Device, CAMERA), session.get_one(Device, DOOR)
        openings.allow(session, camera, door, 0, ground.clock.now(), By("bench", "administrator"))


class _Door:
    """A door that notes when each command came, and says at once that it did it."""

    def __init__(self, here: Embedded) -> None:
        # By command id, on this machine's clock of the day, as the database notes its times.
        self.heard: dict[str, float] = {}
        self._branch = f"rw/v1/{here.credentials.compound}/{DOOR}"
        self._listening = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=DOOR, protocol=mqtt.MQTTv311)
        client.username_pw_set(DOOR, here.credentials.secrets[DOOR])
        client.on_subscribe = lambda *_: self._listening.set()
        client.on_message = self._on_message
        client.connect("127.0.0.1", here.mqtt_port)
        client.loop_start()
        client.subscribe(f"{self._branch}/down/command", qos=1)
        self._client = client
        if not self._listening.wait(DEADLINE_S):
            raise TimeoutError("the door is not connected")
        client.publish(f"{self._branch}/up/state", b'{"v":1,"status":"online"}', qos=1, retain=True)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, client: mqtt.Client, _user: Any, message: mqtt.MQTTMessage) -> None:
        now = time.time()
        command = str(msgspec.json.decode(message.payload)["id"])
        self.heard.setdefault(command, now)
        done = msgspec.json.encode({"v": 1, "id": command, "ok": True})
        client.publish(f"{self._branch}/up/result", done, qos=1)


def _pass(here: Embedded, pictures: list[bytes], rate: float) -> tuple[list[_Passage], int]:
    """Everybody passes; what each wait was, and how many never heard of a door."""
    door = _Door(here)
    secret = here.credentials.secrets[CAMERA]
    camera = SimulatedDevice(here.credentials.compound, CAMERA, secret, host="127.0.0.1", port=here.mqtt_port)
    camera.connect(DEADLINE_S)
    database = here.foundation.database
    try:
        _warm_up(camera, door, pictures[:_WARM])
        records: list[str] = []
        began = time.monotonic()
        for number, picture in enumerate(pictures[_WARM:]):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            # A track each: pictures of one passage share the decision that the first one had.
            event = face_captured(picture, track=f"passage-{number}")
            records.append(camera.publish(event, timeout_s=DEADLINE_S))
        _wait_decided(database, records)
        deadline = time.monotonic() + 5
        while len(passages := _passages(database, door, records)) < len(records):
            if time.monotonic() > deadline:
                break
            time.sleep(_STEP_S)
    finally:
        camera.close()
        door.close()
    if not passages:
        raise RuntimeError("no picture opened the door")
    return passages, len(records) - len(passages)


def _warm_up(camera: SimulatedDevice, door: _Door, pictures: list[bytes]) -> None:
    """Until the first command: engines are loaded, the gallery is there, the door is known to be online."""
    deadline = time.monotonic() + 2 * DEADLINE_S
    for number in range(10_000):
        picture = pictures[number % len(pictures)]
        try:
            camera.publish(face_captured(picture, track=f"warm-{number}"), timeout_s=DEADLINE_S)
        except NotAcknowledgedError:
            continue
        patience = time.monotonic() + 3
        while time.monotonic() < patience:
            if len(door.heard) >= _WARM:
                return
            time.sleep(_STEP_S)
        if time.monotonic() > deadline:
            raise TimeoutError("nobody is let in")


def _wait_decided(database: Database, records: list[str]) -> None:
    wanted = set(records)
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with database.read() as session:
            query = (
                select(EventRow.record_id)
                .join(DecisionRow, DecisionRow.event_id == EventRow.id)
                .where(EventRow.device_id == CAMERA)
            )
            if wanted <= set(session.scalars(query)):
                return
        if time.monotonic() > deadline:
            raise TimeoutError("not every picture was decided")
        time.sleep(_STEP_S)


def _passages(database: Database, door: _Door, records: list[str]) -> list[_Passage]:
    with database.read() as session:
        commands = session.execute(
            select(DeviceCommand.id, DeviceCommand.reason, DeviceCommand.asked_at).where(
                DeviceCommand.device == DOOR
            )
        ).all()
        decisions = session.execute(
            select(
                DecisionRow.sighting_id,
                DecisionRow.decided_at,
                EventRow.record_id,
                EventRow.device_time,
                EventRow.received_at,
            )
            .join(EventRow, EventRow.id == DecisionRow.event_id)
            .where(EventRow.device_id == CAMERA, EventRow.record_id.in_(records))
        ).all()
    asked = {reason.removeprefix("sighting "): (command, at) for command, reason, at in commands}
    found = []
    for sighting, decided_at, _record, sent_at, received_at in decisions:
        command, asked_at = asked.get(sighting, (None, None))
        if command in door.heard and asked_at is not None:
            heard_at = dt.datetime.fromtimestamp(door.heard[command], dt.UTC)
            moments = (received_at, decided_at, asked_at, heard_at)
            found.append(_Passage(*((moment - sent_at).total_seconds() * 1000 for moment in moments)))
    return found


def _recipe(shown: list[bytes], known: list[bytes]) -> list[float]:
    """Milliseconds a picture of what the package's own page shows, on one thread of this process."""
    import face_recognition

    enrolled = [one for picture in known for one in face_recognition.face_encodings(pixels(picture))]
    times = []
    for picture in shown:
        started = time.perf_counter()
        rgb = pixels(picture)
        for encoding in face_recognition.face_encodings(rgb, face_recognition.face_locations(rgb)):
            face_recognition.compare_faces(enrolled, encoding)
        times.append((time.perf_counter() - started) * 1000)
    return times[1:] or times
