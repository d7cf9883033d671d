"""A device that publishes `count` access events of `size` bytes, then leaves.

Run as a process: python -m ringward.bench.publisher PORT COUNT SIZE FIRST_ID RATE QOS
"""

import base64
import datetime as dt
import json
import random
import sys
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ringward.bench.rig import COMPOUND, FACE_CAMERA, SECRET

DEADLINE_S = 300.0


# From this size on an event is a picture's, as at a gate; below it only a reader's.
PICTURE_FROM = 10_000


def event(number: int, size: int) -> bytes:
    """A native event of about `size` bytes: padded, or with a picture of its own."""
    body: dict[str, Any] = {
        "v": 1,
        "id": f"r-{number}",
        "type": "access.granted",
        "at": dt.datetime.now(dt.UTC).isoformat(),
        "direction": "in",
        "credential": {"kind": "card", "ref": "c-1"},
        "attributes": {"sent_at": time.time(), "pad": ""},
    }
    if size >= PICTURE_FROM:
        # No two alike: one that is known already would not be written again.
        seen = random.Random(number).randbytes((size - len(json.dumps(body))) * 3 // 4 - 40)  # noqa: S311
        jpeg = base64.b64encode(b"\xff\xd8\xff" + seen + b"\xff\xd9").decode()
        body |= {"type": "face.captured", "images": [{"role": "face", "jpeg": jpeg}]}
    else:
        body["attributes"]["pad"] = "x" * max(0, size - len(json.dumps(body)))
    return json.dumps(body).encode()


def main() -> None:
    port, count, size, first = (int(value) for value in sys.argv[1:5])
    rate, qos = float(sys.argv[5]), int(sys.argv[6])
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=FACE_CAMERA, protocol=mqtt.MQTTv311)
    client.username_pw_set(FACE_CAMERA, SECRET)
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    topic = f"rw/v1/{COMPOUND}/{FACE_CAMERA}/up/event"
    started = time.monotonic()
    last = None
    for number in range(first, first + count):
        if rate:
            time.sleep(max(0.0, started + (number - first) / rate - time.monotonic()))
        last = client.publish(topic, event(number, size), qos=qos)
    if last is not None:
        last.wait_for_publish(DEADLINE_S)
    deadline = time.monotonic() + DEADLINE_S
    while client.want_write() and time.monotonic() < deadline:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main()
