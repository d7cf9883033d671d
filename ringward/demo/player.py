"""Plays the day over real MQTT: every device of the compound is a connection of its own."""

import datetime as dt
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

from devices.simulator import (
    DeviceRefusedError,
    NotAcknowledgedError,
    SimulatedDevice,
    face_captured,
    plate_recognised,
)
from ringward.demo import equipment
from ringward.demo.credentials import DemoCredentials
from ringward.demo.day import DAY_S, ComeBack, Cue, FallSilent, Say, Scene, ShowFace, ShowPlate, timeline
from storage import Clock

_RETRY_S: Final = 1.0
_CONNECTING: Final = 8
"""Devices that connect at the same time; the broker writes each session to disk first."""


class Pictures(Protocol):
    """Where the cameras' pictures come from."""

    def face(self, role: str) -> bytes: ...

    def plate(self, plate: str) -> bytes: ...


class StoryLog(Protocol):
    """Who is told of each scene; structlog's loggers fit."""

    def info(self, event: str, /, **fields: Any) -> Any: ...

    def warning(self, event: str, /, **fields: Any) -> Any: ...


class DemoPlayer:
    """Connects the simulated devices and plays the scenes in a thread of its own.

    The first round plays all scenes, later rounds the calm ones, until `stop`. `speed` 2
    plays twice as fast. A broker that is not there yet, or goes away, is waited for.
    """

    def __init__(
        self,
        mqtt_host: str,
        mqtt_port: int,
        credentials: DemoCredentials,
        scenes: Sequence[Scene],
        pictures: Pictures,
        clock: Clock,
        log: StoryLog,
        *,
        speed: float = 1.0,
    ) -> None:
        self._scenes = tuple(scenes)
        self._pictures = pictures
        self._clock = clock
        self._log = log
        self._speed = speed
        self._devices = {
            device_id: SimulatedDevice(
                credentials.compound,
                device_id,
                secret,
                host=mqtt_host,
                port=mqtt_port,
                heartbeat_s=equipment.HEARTBEAT_S,
                clock=clock,
            )
            for device_id, secret in credentials.secrets.items()
            if device_id not in equipment.GUESTS
        }
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo player", daemon=True)

    @property
    def online(self) -> int:
        """How many devices are connected now."""
        return sum(device.online for device in self._devices.values())

    @property
    def devices(self) -> int:
        """How many devices the player has."""
        return len(self._devices)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the story and takes the devices off the broker in good order."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for device in self._devices.values():
            device.close()

    def _run(self) -> None:
        with ThreadPoolExecutor(_CONNECTING, thread_name_prefix="demo connect") as pool:
            ready = all(pool.map(self._connect, self._devices.values()))
        if not ready:
            return
        self._log.info("demo.devices_online", devices=self.online)
        first = True
        while not self._stopping.is_set():
            self._play(timeline(self._scenes, calm_only=not first))
            first = False

    def _connect(self, device: SimulatedDevice) -> bool:
        """Keeps trying until the broker takes the device; False when the player was stopped."""
        while not self._stopping.is_set():
            try:
                device.connect()
            except DeviceRefusedError as refused:
                self._log.warning("demo.device_refused", device=refused.device_id, reason=refused.reason)
                self._stopping.wait(_RETRY_S)
            else:
                return True
        return False

    def _play(self, cues: Sequence[Cue]) -> None:
        began = time.monotonic()
        told: set[str] = set()
        for cue in cues:
            if self._stopping.wait(max(0.0, began + cue.at_s / self._speed - time.monotonic())):
                return
            if cue.scene.label not in told:
                told.add(cue.scene.label)
                self._log.info(
                    "demo.scene", time=cue.scene.time, zh=cue.scene.title_zh, en=cue.scene.title_en
                )
            try:
                self._act(self._devices[cue.step.device], cue)
            except (NotAcknowledgedError, DeviceRefusedError) as error:
                # The broker is away: the story goes on without this sentence.
                self._log.warning("demo.step_lost", device=cue.step.device, reason=type(error).__name__)
        self._stopping.wait(max(0.0, began + DAY_S / self._speed - time.monotonic()))

    def _act(self, device: SimulatedDevice, cue: Cue) -> None:
        now = self._clock.now()
        match cue.step.action:
            case Say(event, late_s):
                device.publish(event, now - dt.timedelta(seconds=late_s), late=late_s > 0)
            case ShowFace(role, direction):
                # Drawn after the time was taken, as a camera's picture is older than its message.
                device.publish(face_captured(self._pictures.face(role), direction=direction), now)
            case ShowPlate(plate, direction):
                device.publish(plate_recognised(self._pictures.plate(plate), direction=direction), now)
            case FallSilent():
                device.go_silent()
            case ComeBack():
                device.connect()
