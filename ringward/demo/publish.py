"""Sends a user's own pictures through the demo's guest cameras, to see what comes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2

from devices.simulator import (
    NativeEvent,
    NotAcknowledgedError,
    SimulatedDevice,
    face_captured,
    plate_recognised,
)
from recognition import images
from ringward.demo.credentials import DemoCredentials
from ringward.demo.equipment import GUEST_FACE, GUEST_PLATE
from ringward.demo.face_scenes import jpeg
from storage import Clock

MAX_BYTES: Final = 5_000_000
"""Larger pictures are encoded again: in base64 they would come near the protocol's 8 MB."""

LONG_SIDE: Final = 1920
ANSWER_S: Final = 10.0

_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one file: sent as record `record_id`, or not sent for a `problem` (a code)."""

    file: str
    type: str
    device: str
    record_id: str | None
    stored: bool
    problem: str | None = None


def publish_folder(
    folder: Path,
    mqtt_host: str,
    mqtt_port: int,
    credentials: DemoCredentials,
    clock: Clock,
    *,
    out: Callable[[str], object] = print,
) -> list[Sent]:
    """Publishes each JPEG and PNG of a folder, by name: `plate*` as a car, all others as a face.

    A line for each goes to `out`. Raises `NotADirectoryError` and `DeviceRefusedError`.
    """
    if not folder.is_dir():
        raise NotADirectoryError(str(folder))
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    cameras: dict[str, SimulatedDevice] = {}
    sent: list[Sent] = []
    try:
        for path in files:
            is_plate = path.name.lower().startswith("plate")
            device_id = GUEST_PLATE if is_plate else GUEST_FACE
            if device_id not in cameras:
                camera = SimulatedDevice(
                    credentials.compound,
                    device_id,
                    credentials.secrets[device_id],
                    host=mqtt_host,
                    port=mqtt_port,
                    clock=clock,
                )
                camera.connect()
                cameras[device_id] = camera
            result = _send(path, cameras[device_id], plate_recognised if is_plate else face_captured)
            sent.append(result)
            out(_line(result))
    finally:
        for camera in cameras.values():
            camera.close()
    if not sent:
        out(f"{folder}: no JPEG or PNG")
    return sent


def _send(path: Path, camera: SimulatedDevice, build: Callable[[bytes], NativeEvent]) -> Sent:
    kind = "plate.recognised" if camera.device_id == GUEST_PLATE else "face.captured"
    picture = images.decode(path.read_bytes(), path.name)
    if isinstance(picture, images.BrokenPicture):
        return Sent(path.name, kind, camera.device_id, None, stored=False, problem=picture.reason.value)
    try:
        record = camera.publish(build(_as_jpeg(path.read_bytes(), picture)))
    except NotAcknowledgedError as lost:
        return Sent(path.name, kind, camera.device_id, lost.record_id, stored=False, problem="no_answer")
    stored = camera.wait_acknowledged(record, ANSWER_S)
    return Sent(path.name, kind, camera.device_id, record, stored, None if stored else "not_stored_yet")


def _as_jpeg(original: bytes, picture: images.Picture) -> bytes:
    if picture.kind == "jpeg" and len(original) <= MAX_BYTES:
        return original
    rgb = picture.rgb
    scale = LONG_SIDE / max(picture.width, picture.height)
    if scale < 1.0:
        rgb = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype("uint8")
    return jpeg(rgb, 92)


def _line(sent: Sent) -> str:
    if sent.problem:
        return f"{sent.file}: {sent.type} from {sent.device}: {sent.problem}"
    return f"{sent.file}: {sent.type} from {sent.device}, record {sent.record_id}, stored"
