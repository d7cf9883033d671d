"""Pictures all at once: does ingest's memory stay within bounds?

A burst waits at the broker and comes as fast as ingest reads. Twice as much has to fit into the
same memory, or nothing bounds it.
"""

import base64
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import paho.mqtt.client as mqtt
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from ingest.mqtt.session import open_session
from ringward.bench.publisher import event
from ringward.bench.report import Report, report
from ringward.bench.rig import COMPOUND, FACE_CAMERA, SECRET, Rig, rig
from ringward.bench.timed import DEADLINE_S, wait_for
from ringward.children import Child
from ringward.environment import environment_for
from ringward.foundation import mqtt_login
from storage.events import EventRow

MEGABYTE: Final = 1024 * 1024
# So many small events, and ingest has imported and made whatever it needs.
_WARM: Final = 200


def run(*, messages: int, megabytes: float) -> Report:
    """`messages` of `megabytes` each at once, then twice as many."""
    size = round(megabytes * MEGABYTE)
    with rig() as ground:
        open_session(mqtt_login(ground.foundation.settings))
        _publish(ground, _WARM, 0, 0)
        with _ingest(ground) as pid:
            wait_for(lambda: _stored(ground) == _WARM)
            before = _memory(pid, "VmRSS")
        peaks, seconds = [], []
        said = _WARM
        for count in (messages, 2 * messages):
            _publish(ground, count, size, said)
            said += count
            started = time.monotonic()
            with _ingest(ground) as pid:
                wait_for(lambda wanted=said: _stored(ground) == wanted)  # type: ignore[misc]
                seconds.append(time.monotonic() - started)
                peaks.append(_memory(pid, "VmHWM"))
    burst = messages * megabytes
    return report(
        "burst",
        {"messages": messages, "megabytes_each": megabytes},
        {
            "rss_before_mb": before,
            "rss_peak_mb": peaks[0],
            "rss_peak_of_twice_as_much_mb": peaks[1],
            "stored_in_s": seconds[0],
            "twice_as_much_stored_in_s": seconds[1],
        },
        {"burst_mb": burst},
        {
            "growth_over_burst": (peaks[0] - before) / burst,
            "growth_of_twice_as_much_over_growth": (peaks[1] - before) / max(1.0, peaks[0] - before),
        },
    )


@contextmanager
def _ingest(ground: Rig) -> Iterator[int]:
    """Ingest as a process of its own."""
    environment = environment_for(ground.foundation.settings) | {
        "RINGWARD_LOG_LEVEL": "warning",
        "RINGWARD_PUSH_PORT": "0",
    }
    child = Child("ingest", [sys.executable, "-m", "ringward", "run", "ingest"], environment)
    child.start()
    try:
        if child.pid is None:
            raise RuntimeError("ingest did not start")
        yield child.pid
    finally:
        child.stop(40)


def _publish(ground: Rig, count: int, size: int, first: int) -> None:
    """Says `count` events of about `size` bytes, and waits until the broker has them."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=FACE_CAMERA, protocol=mqtt.MQTTv311)
    client.username_pw_set(FACE_CAMERA, SECRET)
    client.max_inflight_messages_set(10)
    client.connect("127.0.0.1", ground.mqtt_port)
    client.loop_start()
    topic = f"rw/v1/{COMPOUND}/{FACE_CAMERA}/up/event"
    for number in range(first, first + count):
        # One at a time: what is measured is ingest's memory, not the device's.
        message = client.publish(topic, _event(number, size), qos=1)
        message.wait_for_publish(DEADLINE_S)
        if not message.is_published():
            raise TimeoutError("the broker did not take the burst")
    client.disconnect()
    client.loop_stop()


def _event(number: int, size: int) -> bytes:
    body = msgspec.json.decode(event(number, 0))
    if size:
        jpeg = b"\xff\xd8\xff\xe0" + os.urandom(size * 3 // 4) + b"\xff\xd9"
        body |= {
            "type": "face.captured",
            "images": [{"role": "face", "jpeg": base64.b64encode(jpeg).decode()}],
        }
    return msgspec.json.encode(body)


def _stored(ground: Rig) -> int:
    with ground.foundation.database.read() as session:
        events = sa.select(sa.func.count()).select_from(EventRow).where(EventRow.record_id.like("r-%"))
        return session.scalar(events) or 0


def _memory(pid: int, name: str) -> float:
    """Megabytes of a process: VmRSS now, VmHWM the most so far (proc(5))."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(name)
