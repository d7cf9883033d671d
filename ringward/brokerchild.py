"""The embedded broker as a child: its configuration, its users, and what it turned away."""

import datetime as dt
import os
import signal
import socket
import threading
import time
from pathlib import Path

import structlog

from bus import deadletters
from bus.embedded import DeviceLogin, EmbeddedConfig, device_of, find_server, parse_refusal
from devices import credentials
from devices.secrets import hash_secret
from ingest.mqtt.session import open_session
from ringward.children import Child
from ringward.foundation import CORE_USER, Foundation, ingest_login, ingest_share
from ringward.ports import reachable

log = structlog.get_logger(__name__)

START_DEADLINE_S = 20.0
# The same refusal again within this time counts up instead of filling the list.
REPEAT = dt.timedelta(minutes=10)
MOST_REMEMBERED = 500


class BrokerChild:
    """nats-server with the device registry as its user list."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        settings = foundation.settings
        self._config_file = settings.broker_dir / "nats.conf"
        # Made once a start: a hash is salted, and a changed file would look like a changed user.
        password = foundation.bus.password or ""
        self._core_hash = hash_secret(password)
        self._written = ""
        self._recent: dict[tuple[str, str, str], tuple[str, dt.datetime]] = {}
        self._lock = threading.Lock()
        self._reloaded = threading.Event()
        binary = find_server(settings.nats_server)
        self.child = Child(
            "broker", [str(binary), "-c", str(self._config_file)], dict(os.environ), on_line=self._on_line
        )

    def start(self) -> None:
        """Writes the configuration, starts the server and waits until it listens.

        Raises `TimeoutError`.
        """
        settings = self._foundation.settings
        # On the very first start nobody may speak before there is somebody who listens.
        first = not (settings.broker_dir / "store").exists()
        self.refresh(with_devices=not first)
        self.child.start()
        self._wait_listening()
        if first:
            open_session(ingest_login(settings), ingest_share(settings).filters())
            if self.refresh():
                self.reload()
                # Who connects while it reloads is turned away.
                self._reloaded.wait(START_DEADLINE_S)

    def reload(self) -> None:
        """Makes a running server read its users again; connections that are open stay open."""
        self._reloaded.clear()
        self.child.signal(signal.SIGHUP)

    def _wait_listening(self) -> None:
        settings = self._foundation.settings
        deadline = time.monotonic() + START_DEADLINE_S
        for host, port in (("127.0.0.1", settings.nats_port), (settings.mqtt_host, settings.mqtt_port)):
            while not _listens(reachable(host), port):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"the broker does not listen on {host}:{port}")
                time.sleep(0.05)

    def refresh(self, *, with_devices: bool = True) -> bool:
        """Brings the user list up to date; True when a running server must read it again."""
        settings = self._foundation.settings
        with self._foundation.database.read() as session:
            devices = [
                DeviceLogin(
                    one.device_id,
                    one.compound,
                    one.bcrypt_hash,
                    one.user,
                    one.rights.publish,
                    one.rights.subscribe,
                )
                for one in credentials.logins(session, self._foundation.clock.now())
            ]
        text = EmbeddedConfig(
            host="127.0.0.1",
            nats_port=settings.nats_port,
            mqtt_host=settings.mqtt_host,
            mqtt_port=settings.mqtt_port,
            store=(settings.broker_dir / "store").resolve(),
            core_user=CORE_USER,
            core_password_hash=self._core_hash,
            devices=devices if with_devices else [],
        ).render()
        if text == self._written:
            return False
        _write_private(self._config_file, text)
        self._written = text
        return True

    def _on_line(self, line: str) -> None:
        if "Reloaded server configuration" in line:
            self._reloaded.set()
        refusal = parse_refusal(line)
        if refusal is None:
            if "[ERR]" in line or "[FTL]" in line:
                log.warning("broker.error", line=line[-200:])
            return
        compound, device_id = device_of(refusal.topic)
        if refusal.reason == "broker_auth_failed":
            device_id = credentials.device_of(refusal.detail)
        key = (refusal.reason, refusal.client, refusal.topic or refusal.detail)
        now = self._foundation.clock.now()
        with self._lock, self._foundation.database.write() as session:
            known, at = self._recent.get(key, ("", now - REPEAT))
            if known and now - at < REPEAT:
                before = session.get(deadletters.DeadLetter, known)
                if before is not None:
                    before.count += 1
                    return
            # Whoever tries invented names must not fill our memory either.
            self._recent = {old: seen for old, seen in self._recent.items() if now - seen[1] < REPEAT}
            if len(self._recent) >= MOST_REMEMBERED:
                log.warning("broker.many_refusals", remembered=len(self._recent))
                return
            letter = deadletters.letter(
                "broker",
                refusal.reason,
                now,
                detail=refusal.detail,
                topic=refusal.topic,
                compound=compound,
                device_id=device_id or refusal.client,
                context={"client": refusal.client},
            )
            self._recent[key] = (letter["id"], now)
            deadletters.record(session, [letter])


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    partial.replace(path)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False
