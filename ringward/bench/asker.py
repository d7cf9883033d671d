"""A device that publishes at a calm rate and notes how long it waits to be told that each event is safe.

Run as a process: python -m ringward.bench.asker PORT COUNT SIZE FIRST_ID RATE
It prints one JSON list: milliseconds from publish to the application's acknowledgement.
"""

import json
import sys
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ringward.bench.publisher import event
from ringward.bench.rig import COMPOUND, PLATE_CAMERA, SECRET

DEADLINE_S = 60.0


def main() -> None:
    port, count, size, first = (int(value) for value in sys.argv[1:5])
    rate = float(sys.argv[5])
    sent: dict[str, float] = {}
    waited: list[float] = []
    subscribed, done = threading.Event(), threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=PLATE_CAMERA, protocol=mqtt.MQTTv311)
    client.username_pw_set(PLATE_CAMERA, SECRET)

    def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        at = time.monotonic()
        begun = sent.pop(json.loads(message.payload)["id"], None)
        if begun is None:
            return
        waited.append((at - begun) * 1000)
        if len(waited) == count:
            done.set()

    client.on_message = on_message
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    branch = f"rw/v1/{COMPOUND}/{PLATE_CAMERA}"
    client.subscribe(f"{branch}/down/#", qos=0)
    if not subscribed.wait(DEADLINE_S):
        raise TimeoutError("the broker did not grant the subscription")
    started = time.monotonic()
    for number in range(first, first + count):
        time.sleep(max(0.0, started + (number - first) / rate - time.monotonic()))
        payload = event(number, size)
        sent[f"r-{number}"] = time.monotonic()
        client.publish(f"{branch}/up/event", payload, qos=1)
    if not done.wait(DEADLINE_S):
        raise TimeoutError(f"{len(waited)} of {count} events were acknowledged")
    client.disconnect()
    client.loop_stop()
    sys.stdout.write(json.dumps(waited))


if __name__ == "__main__":
    main()
