"""Publish → decision: from a camera's message to a committed recognition decision.

A camera publishes 640×480 faces and 1280×720 plates over MQTT at a calm rate; ingest, relay
and a recognition process run as they do in `ringward up`. The peer is the same engine
called directly on the same pictures, without bus, database or broker.
"""

import random
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from devices import simulator
from devices.simulator import SimulatedDevice
from recognition import images
from recognition.engines import DlibEngine
from recognition.models import DecisionRow
from recognition.plates import OnnxPlateReader
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import COMPOUND, FACE_CAMERA, PLATE_CAMERA, SECRET, rig
from ringward.children import Child
from ringward.demo import DemoPictures
from ringward.demo.portraits import RESIDENT_A
from ringward.environment import environment_for
from storage import Database
from storage.events import EventRow

WARM_UP = 3
DEADLINE_S = 60.0
PLATES = ("云M12345", "云MA123B", "云MD12345", "云M8K26F")


def run(*, seconds: int, rate: float, portraits: Path | None = None) -> Report:
    """Publishes `rate` faces and `rate` plates a second for `seconds`."""
    folder = portraits or Path(sys.prefix) / "share" / "ringward" / "portraits"
    pictures = DemoPictures(folder)
    chance = random.Random(7)  # noqa: S311 - which picture comes next is no secret
    faces = [pictures.face(RESIDENT_A) for _ in range(4)]
    plates = [pictures.plate(text) for text in PLATES]
    direct = _direct(faces, plates)
    count = max(1, round(seconds * rate))
    with rig() as ground:
        python = [sys.executable, "-m", "ringward", "run"]
        environment = environment_for(ground.foundation.settings) | {"RINGWARD_LOG_LEVEL": "warning"}
        children = [
            Child("core", [*python, "ingest", "relay"], environment),
            Child("recognition", [*python, "recognition"], environment),
        ]
        for child in children:
            child.start()
        cameras = [
            SimulatedDevice(COMPOUND, device, SECRET, host="127.0.0.1", port=ground.mqtt_port)
            for device in (FACE_CAMERA, PLATE_CAMERA)
        ]
        try:
            for camera in cameras:
                camera.connect()
            face_camera, plate_camera = cameras
            for number in range(count + WARM_UP):
                started = time.monotonic()
                # A track each: pictures of one passage share the decision that the first one had.
                face = simulator.face_captured(chance.choice(faces), track=f"t{number}")
                plate = simulator.plate_recognised(chance.choice(plates), track=f"t{number}")
                face_camera.publish(face, timeout_s=30)
                plate_camera.publish(plate, timeout_s=30)
                if number < WARM_UP:
                    _wait(ground.foundation.database, 2 * (number + 1))
                time.sleep(max(0.0, 1 / rate - (time.monotonic() - started)))
            _wait(ground.foundation.database, 2 * (count + WARM_UP))
        finally:
            for camera in cameras:
                camera.close()
            for child in children:
                child.stop(20)
        latencies = _latencies(ground.foundation.database, 2 * WARM_UP)
    figures = {}
    for kind, values in latencies.items():
        figures[f"publish_to_{kind}_decision_p50_ms"] = percentile(values, 0.5)
        figures[f"publish_to_{kind}_decision_p99_ms"] = percentile(values, 0.99)
    return report(
        "decide",
        {"seconds": seconds, "rate_per_s_each": rate, "pictures": 2 * count},
        figures,
        {f"direct_{kind}_p50_ms": value for kind, value in direct.items()},
        {
            f"{kind}_p50_over_direct": percentile(values, 0.5) / direct[kind]
            for kind, values in latencies.items()
        },
    )


def _direct(faces: list[bytes], plates: list[bytes]) -> dict[str, float]:
    """Median milliseconds of the engines alone."""
    engine, reader = DlibEngine(), OnnxPlateReader()
    times: dict[str, list[float]] = {"face": [], "plate": []}
    for turn in range(4):
        for face, plate in zip(faces, plates, strict=True):
            started = time.perf_counter()
            picture = images.decode(face)
            if isinstance(picture, images.Picture):
                for found in engine.detect(picture.rgb)[:1]:
                    engine.embed(picture.rgb, found)
            middle = time.perf_counter()
            picture = images.decode(plate)
            if isinstance(picture, images.Picture):
                reader.read(picture.rgb)
            if turn:
                times["face"].append((middle - started) * 1000)
                times["plate"].append((time.perf_counter() - middle) * 1000)
    return {kind: percentile(values, 0.5) for kind, values in times.items()}


def _wait(database: Database, decisions: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with database.read() as session:
            if (session.scalar(select(func.count()).select_from(DecisionRow)) or 0) >= decisions:
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"fewer than {decisions} decisions in time")
        time.sleep(0.05)


def _latencies(database: Database, skip: int) -> dict[str, list[float]]:
    """Milliseconds from the camera's clock at publish to the decision, by kind; the first are warm-up."""
    with database.read() as session:
        rows = session.execute(
            select(DecisionRow.subject_kind, EventRow.device_time, DecisionRow.decided_at)
            .join(EventRow, EventRow.id == DecisionRow.event_id)
            .order_by(EventRow.device_time)
        ).all()
    latencies: dict[str, list[float]] = {"face": [], "plate": []}
    for kind, sent, decided in rows[skip:]:
        latencies[kind].append((decided - sent).total_seconds() * 1000)
    return latencies
