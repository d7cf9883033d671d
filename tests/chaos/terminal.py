"""Face terminals of the facesluice family: QoS 0, one record at a time, said again until its PushAck.

The bytes are written here by hand: what is tested must not be what tests it.
"""

import datetime as dt
import json
import threading
import time
from typing import Any
from zoneinfo import ZoneInfo

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.chaos.journal import Journal, Record
from tests.chaos.work import Work

AGAIN_S = 1.0
KIND = "access.granted"
ZONE = ZoneInfo("Asia/Shanghai")


class Terminals:
    """`run()` returns when every record has its PushAck."""

    def __init__(self, work: Work, journal: Journal) -> None:
        self._work = work
        self._terminals = [_Terminal(name, work, journal) for name in work.devices]

    def run(self) -> None:
        threads = [threading.Thread(target=one.run, args=(self._work,)) for one in self._terminals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        for terminal in self._terminals:
            terminal.close()


class _Terminal:
    def __init__(self, name: str, work: Work, journal: Journal) -> None:
        self._name = name
        self._journal = journal
        self._asked = 0
        self._answered = threading.Event()
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311
        )
        listening = threading.Event()
        client.username_pw_set(name, work.secret)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda *_: client.subscribe(f"mqtt/face/{name}", 0)
        client.on_subscribe = lambda *_: listening.set()
        client.on_message = self._on_message
        client.connect_async(work.host, work.port, keepalive=10)
        client.loop_start()
        assert listening.wait(60), f"{name} was not let in"

    def run(self, work: Work) -> None:
        started = time.monotonic()
        for number in range(work.first + 1, work.first + work.count + 1):
            if work.rate:
                time.sleep(max(0.0, started + (number - work.first) / work.rate - time.monotonic()))
            self._say_until_answered(number)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _say_until_answered(self, number: int) -> None:
        at = dt.datetime.now(ZONE).replace(microsecond=0)
        info = {
            "customId": "p-1", "personId": "1", "RecordID": str(number), "VerifyStatus": "1", "PersonType": "0",
            "similarity1": "91.000000", "Sendintime": 1, "facesluiceId": self._name,
            "time": at.strftime("%Y-%m-%d %H:%M:%S"), "PushType": 0,
        }  # fmt: skip
        said = json.dumps({"operator": "RecPush", "info": info})
        self._answered.clear()
        self._asked = number
        record = Record(self._name, KIND, str(number), at, time.time())
        self._journal.told(record)
        while True:
            self._client.publish(f"mqtt/face/{self._name}/Rec", said, qos=0)
            if self._answered.wait(AGAIN_S):
                break
        self._journal.answered(record, "answer")

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        answer = json.loads(message.payload)
        if answer.get("operator") == "PushAck" and int(answer["info"]["SnapOrRecordID"]) == self._asked:
            self._answered.set()
