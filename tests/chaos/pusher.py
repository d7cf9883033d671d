"""Cameras that push by HTTP in HaAn's format: one record at a time, until it is answered 200."""

import datetime as dt
import http.client
import json
import threading
import time
from zoneinfo import ZoneInfo

from tests.chaos.journal import Journal, Record
from tests.chaos.work import Work

AGAIN_S = 0.5
KIND = "face.captured"
TIMEOUT_S = 10.0
ZONE = ZoneInfo("Asia/Shanghai")


class Pushers:
    """`run()` returns when every record is answered."""

    def __init__(self, work: Work, journal: Journal) -> None:
        self._work = work
        self._journal = journal

    def run(self) -> None:
        threads = [threading.Thread(target=self._push_all, args=(name,)) for name in self._work.devices]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """They hold no connection."""

    def _push_all(self, name: str) -> None:
        work = self._work
        started = time.monotonic()
        for number in range(work.first, work.first + work.count):
            if work.rate:
                time.sleep(max(0.0, started + (number - work.first) / work.rate - time.monotonic()))
            at = dt.datetime.now(ZONE).replace(microsecond=0)
            body = json.dumps(
                {
                    "cmd": "face",
                    "sequence_no": number,
                    "cap_time": at.strftime("%Y-%m-%d %H:%M:%S"),
                    "device_sn": name,
                    "match_result": 0,
                    "is_realtime": 1,
                }
            )
            record = Record(name, KIND, str(number), at, time.time())
            self._journal.told(record)
            while not self._push(name, body):
                time.sleep(AGAIN_S)
            self._journal.answered(record, "http")

    def _push(self, name: str, body: str) -> bool:
        connection = http.client.HTTPConnection(self._work.host, self._work.port, timeout=TIMEOUT_S)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/push/{name}/key-{self._work.secret}/event", body, headers)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
