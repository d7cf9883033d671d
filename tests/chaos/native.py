"""Native devices: QoS 1, a session that persists, sent again by the client until the PUBACK."""

import base64
import datetime as dt
import os
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.chaos.journal import Journal, Record, digest
from tests.chaos.work import Work

# What one device has under way at once: enough to be fast, little enough to be ordinary.
INFLIGHT = 50
STEP_S = 0.005


@dataclass
class _Device:
    """`waiting` are packets that have no PUBACK yet, `said` all records by their id."""

    name: str
    client: mqtt.Client
    confirmed: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    waiting: dict[int, Record] = field(default_factory=dict)
    said: dict[str, Record] = field(default_factory=dict)


class NativeDevices:
    """`run()` returns when every record has its PUBACK; `close()` ends the connections."""

    def __init__(self, work: Work, journal: Journal) -> None:
        self._work = work
        self._journal = journal
        self._devices = [self._connect(name) for name in work.devices]

    def run(self) -> None:
        work = self._work
        started = time.monotonic()
        for number in range(work.count):
            if work.rate:
                time.sleep(max(0.0, started + number / work.rate - time.monotonic()))
            for device in self._devices:
                self._tell(device, work.first + number)
        while any(device.waiting for device in self._devices):
            for device in self._devices:
                self._note(device)
            time.sleep(STEP_S)

    def close(self) -> None:
        for device in self._devices:
            device.client.disconnect()
            device.client.loop_stop()

    def _tell(self, device: _Device, number: int) -> None:
        # Before a packet's number is used again, its confirmation is read.
        self._note(device)
        at = dt.datetime.now(dt.UTC)
        body = self._body(number, at)
        poison = self._is_poison(number)
        record = Record(
            device.name, self._work.says, f"n-{number}", at, at.timestamp(), digest(body) if poison else None
        )
        self._journal.told(record)
        device.said[record.number] = record
        topic = f"rw/v1/{self._work.compound}/{device.name}/up/event"
        device.waiting[device.client.publish(topic, body, qos=1).mid] = record

    def _note(self, device: _Device) -> None:
        while not device.confirmed.empty():
            self._journal.answered(device.waiting.pop(device.confirmed.get_nowait()), "puback")

    def _is_poison(self, number: int) -> bool:
        every = self._work.poison_every
        return bool(every) and number % every == every - 1

    def _body(self, number: int, at: dt.datetime) -> bytes:
        work = self._work
        fields: dict[str, Any] = {"v": 1, "id": f"n-{number}", "type": work.says, "at": at.isoformat()}
        fields |= {"direction": "in", "credential": {"kind": "card", "ref": "c-1"}}
        if work.picture_every and number % work.picture_every == 0:
            jpeg = b"\xff\xd8\xff\xe0" + os.urandom(work.picture_bytes) + b"\xff\xd9"
            fields["images"] = [{"role": "face", "jpeg": base64.b64encode(jpeg).decode()}]
        if self._is_poison(number):
            fields["type"] = "never.heard.of"
        return msgspec.json.encode(fields)

    def _connect(self, name: str) -> _Device:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, clean_session=False, protocol=mqtt.MQTTv311
        )
        device = _Device(name, client)
        branch = f"rw/v1/{self._work.compound}/{name}"
        listening = threading.Event()

        def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
            answer = msgspec.json.decode(message.payload)
            record = device.said.get(answer["id"])
            if record is not None:
                assert answer["ok"] == (record.broken is None), answer
                self._journal.answered(record, "answer")

        client.username_pw_set(name, self._work.secret)
        client.max_inflight_messages_set(INFLIGHT)
        client.max_queued_messages_set(0)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda *_: client.subscribe(f"{branch}/down/ack", 1)
        client.on_subscribe = lambda *_: listening.set()
        client.on_publish = lambda _c, _d, mid, *_: device.confirmed.put(mid)
        client.on_message = on_message
        client.connect_async(self._work.host, self._work.port, keepalive=10)
        client.loop_start()
        assert listening.wait(60), f"{name} was not let in"
        return device
