"""Many devices in one process, each with a connection of its own; what they are to say comes on its input.

Run as a process: python -m ringward.bench.crowd PORT
The first line names the devices, every further one a stretch of traffic; each is answered with one line.
"""

import datetime as dt
import json
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ringward.bench.rig import SECRET

DEADLINE_S: Final = 120.0
# Behind somebody's flood at the broker an answer takes its time.
_SILENCE_S: Final = 30.0
# The broker writes each session to disk first: more at a time only wait for each other.
_CONNECTING: Final = 8


class _Device:
    """One connection, and what it waits for."""

    def __init__(self, port: int, compound: str, name: str, answered: "_Answers") -> None:
        self.branch = f"rw/v1/{compound}/{name}"
        listening = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311)
        client.username_pw_set(name, SECRET)
        client.max_inflight_messages_set(1000)
        client.max_queued_messages_set(0)
        client.on_subscribe = lambda *_: listening.set()
        client.on_message = lambda _client, _user, message: answered.note(message.payload)
        client.connect("127.0.0.1", port, keepalive=300)
        client.loop_start()
        client.subscribe(f"{self.branch}/down/ack", qos=0)
        if not listening.wait(DEADLINE_S):
            raise TimeoutError(f"{name} is not connected")
        self.client = client

    def say(self, record: str) -> None:
        body = {
            "v": 1,
            "id": record,
            "type": "access.granted",
            "at": dt.datetime.now(dt.UTC).isoformat(),
            "direction": "in",
            "credential": {"kind": "card", "ref": "c-1"},
            "attributes": {"pad": "x" * 300},
        }
        self.client.publish(f"{self.branch}/up/event", json.dumps(body).encode(), qos=1)


class _Answers:
    """When each record was said, and how long it waited to be told that it is safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._said: dict[str, float] = {}
        self.waits: list[float] = []

    def say(self, record: str) -> None:
        with self._changed:
            self._said[record] = time.monotonic()

    def note(self, payload: bytes | bytearray) -> None:
        now = time.monotonic()
        body = json.loads(payload)
        with self._changed:
            said = self._said.pop(str(body.get("id")), None)
            # A record that was refused was not stored: what a flood sheds has no wait.
            if said is not None and body.get("ok", True):
                self.waits.append((now - said) * 1000)
            self._changed.notify_all()

    def wait(self) -> None:
        """Until everything was answered, or nothing more comes."""
        with self._changed:
            while self._said and self._changed.wait(_SILENCE_S):
                pass
            self._said.clear()


def main() -> None:
    port = int(sys.argv[1])
    wanted = json.loads(sys.stdin.readline())["devices"]
    answers = _Answers()
    with ThreadPoolExecutor(_CONNECTING) as several:
        devices = list(several.map(lambda one: _Device(port, one[0], one[1], answers), wanted))
    _tell({"connected": len(devices)})
    number = 0
    for line in sys.stdin:
        asked = json.loads(line)
        answers.waits = []
        count = _speak(devices, answers, number, asked["rate"], asked["seconds"])
        number += count
        answers.wait()
        waits = [round(one, 2) for one in answers.waits]
        _tell({"sent": count, "acknowledged": len(waits), "waits_ms": waits})
    for device in devices:
        device.client.disconnect()
        device.client.loop_stop()


def _speak(devices: Sequence[_Device], answers: _Answers, first: int, rate: float, seconds: float) -> int:
    count = round(rate * seconds)
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        record = f"r-{first + number}"
        answers.say(record)
        devices[(first + number) % len(devices)].say(record)
    return count


def _tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
