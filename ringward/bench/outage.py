"""Devices that say what happened during the last hours, as if they had said it then, and leave.

Run as a process: python -m ringward.bench.outage PORT DEVICES EVENTS_EACH HOURS
"""

import datetime as dt
import json
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from ringward.bench.rig import COMPOUND, SECRET, extra

DEADLINE_S = 120.0


def main() -> None:
    port, devices, each = (int(value) for value in sys.argv[1:4])
    span = dt.timedelta(hours=float(sys.argv[4]))
    now = dt.datetime.now(dt.UTC)
    for name in extra(devices):
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311)
        client.username_pw_set(name, SECRET)
        client.max_inflight_messages_set(each)
        client.max_queued_messages_set(0)
        client.connect("127.0.0.1", port)
        client.loop_start()
        said = [
            client.publish(
                f"rw/v1/{COMPOUND}/{name}/up/event", _event(number, now - span * (1 - number / each)), qos=1
            )
            for number in range(each)
        ]
        for message in said:
            message.wait_for_publish(DEADLINE_S)
        if not all(message.is_published() for message in said):
            raise TimeoutError(f"the broker did not take what {name} said")
        client.disconnect()
        client.loop_stop()


def _event(number: int, at: dt.datetime) -> bytes:
    body = {
        "v": 1,
        "id": f"out-{number}",
        "type": "access.granted",
        "at": at.isoformat(),
        "direction": "in",
        "credential": {"kind": "card", "ref": "c-1"},
        "attributes": {"pad": "x" * 300},
    }
    return json.dumps(body).encode()


if __name__ == "__main__":
    main()
