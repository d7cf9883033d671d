"""kill -9 of the core while events arrive: what was confirmed is there, once."""

import datetime as dt
import json
import os
import signal
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import storage.keys
from tests.acceptance.deployment import Deployment
from tests.support.waiting import wait_until

EVENTS = 2000
DEVICE = "hh-b01-door"


def publish_all(deployment: Deployment, confirmed: set[str], progress: threading.Event) -> None:
    """A door that sends 2,000 records at QoS 1 and notes which the broker has confirmed."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=DEVICE, clean_session=False, protocol=mqtt.MQTTv311
    )
    client.username_pw_set(DEVICE, deployment.secrets[DEVICE])
    client.max_inflight_messages_set(100)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", deployment.mqtt_port)
    client.loop_start()
    sent = []
    for number in range(EVENTS):
        record = f"kill-{number}"
        fields = {"v": 1, "id": record, "type": "door.closed", "at": dt.datetime.now(dt.UTC).isoformat()}
        sent.append((record, client.publish(f"rw/v1/honghua/{DEVICE}/up/event", json.dumps(fields), qos=1)))
    for position, (record, message) in enumerate(sent):
        message.wait_for_publish(60)
        if message.is_published():
            confirmed.add(record)
        if position == EVENTS // 4:
            progress.set()
    client.disconnect()
    client.loop_stop()


@pytest.mark.slow
def test_no_confirmed_event_is_missing_or_doubled_after_kill_9_of_the_core(tmp_path: Path) -> None:
    before = storage.keys._ring
    deployment = Deployment(tmp_path)
    deployment.prepare(faces=False)
    deployment.start()
    try:
        confirmed: set[str] = set()
        progress = threading.Event()
        publisher = threading.Thread(target=publish_all, args=(deployment, confirmed, progress))
        publisher.start()
        assert progress.wait(60)
        core = deployment.running().children["core"]
        assert core
        os.kill(core, signal.SIGKILL)
        # Once more as soon as it is back, in the middle of what the broker sends again.
        wait_until(
            lambda: deployment.running().children["core"] not in {None, core}, "the core is restarted", 60
        )
        second = deployment.running().children["core"]
        assert second
        wait_until(lambda: stored(deployment) > 0, "it stores again", 60)
        os.kill(second, signal.SIGKILL)
        publisher.join(120)
        assert len(confirmed) == EVENTS
        wait_until(lambda: stored(deployment) >= EVENTS, "every event is stored", 120)
        # The bus gets each once too: the outbox empties, and the stream holds no second one.
        wait_until(lambda: deployment.one("SELECT count(*) FROM outbox") == 0, "the outbox is empty", 60)
        records = [
            row[0] for row in deployment.rows("SELECT record_id FROM events WHERE record_id LIKE 'kill-%'")
        ]
        assert len(records) == len(set(records)) == EVENTS
        assert confirmed <= set(records)
        assert deployment.one("SELECT count(*) FROM dead_letters WHERE device_id = ?", DEVICE) == 0
        assert deployment.stop() == 0
    finally:
        if deployment.process and deployment.process.poll() is None:
            deployment.process.kill()
        storage.keys._ring = before


def stored(deployment: Deployment) -> int:
    return int(deployment.one("SELECT count(*) FROM events WHERE record_id LIKE 'kill-%'"))
