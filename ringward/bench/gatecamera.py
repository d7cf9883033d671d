"""A camera that publishes a face now and then, in a thread of its own, while a benchmark looks elsewhere."""

import itertools
import threading
import time
from collections.abc import Sequence
from typing import Final

from devices.simulator import NotAcknowledgedError, SimulatedDevice, face_captured
from ringward.bench.estate import Estate
from ringward.bench.rig import SECRET

_PATIENCE_S: Final = 60.0


class GateCamera:
    """Publishes one of `pictures` every `every_s`, each as a passage of its own."""

    def __init__(
        self, here: Estate, device: tuple[str, str], pictures: Sequence[bytes], every_s: float
    ) -> None:
        compound, name = device
        self._camera = SimulatedDevice(compound, name, SECRET, host="127.0.0.1", port=here.mqtt_port)
        self._pictures = itertools.cycle(pictures)
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gate-camera", daemon=True)
        # Tracks in order, of whatever the broker has taken.
        self.tracks: list[str] = []

    def start(self) -> None:
        """Raises `devices.simulator.DeviceRefusedError`."""
        self._camera.connect(_PATIENCE_S)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._camera.close()

    def _run(self) -> None:
        due = time.monotonic()
        for number in itertools.count():
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            due += self._every_s
            track = f"passage-{number}"
            try:
                self._camera.publish(face_captured(next(self._pictures), track=track), timeout_s=_PATIENCE_S)
            except NotAcknowledgedError:
                continue
            self.tracks.append(track)
