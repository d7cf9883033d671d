"""What lies in deploy/ fits the program and the servers it is written for."""

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from bus.embedded import find_server
from bus.subjects import MQTT_UPLINK, downlink, uplink
from devices.adapters.contract import MAX_BYTES, Rights
from devices.brokerfiles import Core, render
from devices.credentials import Login

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
DEADLINE_S = 15.0


def test_unit_starts_what_exists() -> None:
    unit = (DEPLOY / "systemd" / "ringward.service").read_text()
    assert re.search(r"^ExecStart=\S+/ringward up --data-dir /var/lib/ringward$", unit, re.MULTILINE)
    assert "StateDirectory=ringward\n" in unit
    assert "NoNewPrivileges=yes\n" in unit


def test_mosquitto_keeps_what_waits_and_takes_the_largest_event() -> None:
    settings = dict(
        line.split(maxsplit=1)
        for line in (DEPLOY / "mosquitto" / "mosquitto.conf").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert settings["max_queued_messages"] == "0"
    assert settings["persistence"] == "true"
    assert settings["allow_anonymous"] == "false"
    assert int(settings["max_packet_size"]) > MAX_BYTES


def test_emqx_keeps_what_waits_and_lets_nobody_do_what_no_rule_allows() -> None:
    text = (DEPLOY / "emqx" / "emqx.conf").read_text()
    for setting in ("max_mqueue_len = infinity", "no_match = deny", "session_expiry_interval = 365d"):
        assert f"  {setting}\n" in text
    assert re.search(r"durable_sessions \{\n  enable = true", text)


def test_nats_server_reads_the_shipped_file_with_the_users_that_are_written(tmp_path: Path) -> None:
    users = tmp_path / "ringward"
    users.mkdir()
    rights = Rights(("/hiot/record_message", "face.8K01.response"), ())
    known = [Login("face-1.2", "face-1", "willow", "$2b$04$x", None, rights)]
    for name, text in render("nats", known, Core("ringward", "$2b$04$y", "")).texts.items():
        (users / name).write_text(text)
    text = (DEPLOY / "nats" / "nats.conf").read_text()
    (tmp_path / "nats.conf").write_text(text)
    done = subprocess.run(
        [find_server(), "-t", "-c", tmp_path / "nats.conf"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    # What the embedded server is given, an own one is given too.
    for line in ("max_payload: 16MB", "sync_interval: always", 'ack_wait: "2s"', "max_ack_pending: 2000"):
        assert line in text


# ── A real Mosquitto with the shipped configuration ──────────────────────────


@dataclass
class Peer:
    """A client and what it has heard."""

    client: mqtt.Client
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    granted: list[int] = field(default_factory=list)
    reason: list[Any] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, holds: Any) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: holds(self), DEADLINE_S)


def peer(port: int, name: str, password: str, client_id: str | None = None) -> Peer:
    """Connects; the answer is in `reason`."""
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=client_id or name, protocol=mqtt.MQTTv311
    )
    client.username_pw_set(name, password)
    made = Peer(client)

    def note(target: list[Any], value: Any) -> None:
        with made.changed:
            target.append(value)
            made.changed.notify_all()

    client.on_connect = lambda _c, _u, _f, reason, _p: note(made.reason, reason)
    client.on_subscribe = lambda _c, _u, _m, codes, _p: note(made.granted, codes[0].value)
    client.on_message = lambda _c, _u, message: note(made.heard, (message.topic, message.payload))
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert made.wait(lambda p: p.reason)
    return made


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """Mosquitto with the shipped files; only listener, paths and user are changed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    acl, passwords, store = tmp_path / "acl", tmp_path / "passwd", tmp_path / "store"
    store.mkdir()
    acl.write_text((DEPLOY / "mosquitto" / "acl").read_text())
    passwords.touch()
    for name in ("ringward", "cam-1", "cam-2"):
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), name, f"{name}-secret"], check=True)
    for path in (acl, passwords):
        path.chmod(0o600)
    config = tmp_path / "mosquitto.conf"
    text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()
    for old, new in (
        ("listener 1883 127.0.0.1", f"listener {port} 127.0.0.1\nuser root"),
        ("/etc/mosquitto/ringward.passwd", str(passwords)),
        ("/etc/mosquitto/ringward.acl", str(acl)),
        ("/var/lib/mosquitto/", f"{store}/"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    config.write_text(text)
    said = tmp_path / "said.txt"
    with said.open("w") as out:
        server = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=out, stderr=out)
    try:
        end = time.monotonic() + DEADLINE_S
        while not listens(port):
            assert server.poll() is None, said.read_text()
            assert time.monotonic() < end, said.read_text()
        yield port
    finally:
        server.terminate()
        server.wait(10)


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return True
    except OSError:
        return False


@pytest.mark.broker
@pytest.mark.broker
def test_mosquitto_holds_a_device_to_its_own_branch(broker: int) -> None:
    core = peer(broker, "ringward", "ringward-secret")
    core.client.subscribe(MQTT_UPLINK, qos=1)
    assert core.wait(lambda p: p.granted)
    camera = peer(broker, "cam-1", "cam-1-secret")
    other = peer(broker, "cam-2", "cam-2-secret")
    for one in (camera, other):
        one.client.subscribe(downlink("willow", "cam-1", "ack"), qos=1)
        assert one.wait(lambda p: p.granted)

    # On connections of their own: Mosquitto closes one on which it denied something.
    for name, topic in (
        ("cam-2", uplink("willow", "cam-1", "event")),
        ("cam-1", downlink("willow", "cam-1", "ack")),
    ):
        forger = peer(broker, name, f"{name}-secret", "forger")
        forger.client.publish(topic, b"forged", qos=1).wait_for_publish(DEADLINE_S)
        forger.client.disconnect()
        forger.client.loop_stop()
    camera.client.publish(uplink("willow", "cam-1", "event"), b"true", qos=1).wait_for_publish(DEADLINE_S)
    camera.client.publish(uplink("willow", "cam-1", "state"), b"on", qos=1, retain=True).wait_for_publish(
        DEADLINE_S
    )
    assert core.wait(lambda p: len(p.heard) >= 2)
    core.client.publish(downlink("willow", "cam-1", "ack"), b"committed", qos=1).wait_for_publish(DEADLINE_S)
    assert camera.wait(lambda p: p.heard)

    assert core.heard == [
        (uplink("willow", "cam-1", "event"), b"true"),
        (uplink("willow", "cam-1", "state"), b"on"),
    ]
    assert camera.heard == [(downlink("willow", "cam-1", "ack"), b"committed")]
    assert other.heard == []
    for one in (core, camera, other):
        one.client.disconnect()
        one.client.loop_stop()


@pytest.mark.broker
@pytest.mark.broker
def test_mosquitto_refuses_a_wrong_secret(broker: int) -> None:
    guessed = peer(broker, "cam-1", "guessed")
    try:
        assert guessed.reason[0].is_failure
    finally:
        guessed.client.disconnect()
        guessed.client.loop_stop()
