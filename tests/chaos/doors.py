"""Doors that are forced, one after the other: each signs in, says so at QoS 1, and leaves with its PUBACK."""

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.chaos.journal import Journal, Record
from tests.chaos.work import Work

KIND = "door.forced"
# So many doors may be on their way at once: what a broker that is away for a while keeps waiting.
MOST_WAITING = 64


class Doors:
    """`run()` returns when every door has its PUBACK. The doors take turns."""

    def __init__(self, work: Work, journal: Journal) -> None:
        self._work = work
        self._journal = journal

    def run(self) -> None:
        work = self._work
        started = time.monotonic()
        with ThreadPoolExecutor(MOST_WAITING) as at_once:
            waiting = []
            for number in range(work.count):
                time.sleep(max(0.0, started + number / work.rate - time.monotonic()))
                door = work.devices[number % len(work.devices)]
                waiting.append(at_once.submit(self._force, door, work.first + number))
            for one in waiting:
                one.result()

    def close(self) -> None:
        """They hold no connection."""

    def _force(self, door: str, number: int) -> None:
        at = dt.datetime.now(dt.UTC)
        record = Record(door, KIND, f"n-{number}", at, at.timestamp())
        body = msgspec.json.encode({"v": 1, "id": record.number, "type": KIND, "at": at.isoformat()})
        said = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=door, protocol=mqtt.MQTTv311)
        client.username_pw_set(door, self._work.secret)
        client.reconnect_delay_set(1, 1)
        client.connect_timeout = 2.0

        def on_publish(*_: Any) -> None:
            self._journal.answered(record, "puback")
            said.set()

        client.on_publish = on_publish
        client.connect_async(self._work.host, self._work.port, keepalive=5)
        self._journal.told(record)
        client.publish(f"rw/v1/{self._work.compound}/{door}/up/event", body, qos=1)
        client.loop_start()
        said.wait()
        client.disconnect()
        client.loop_stop()
