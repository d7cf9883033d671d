"""The two MQTT brokers a site may have, as children that a test starts, kills and starts again."""

import shutil
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import bcrypt

from bus.address import BusAddress
from bus.embedded import DeviceLogin, EmbeddedConfig, find_server
from bus.login import BrokerLogin
from tests.support.compound import COMPOUND, SECRET, SECRET_HASH
from tests.support.ports import free_port, listens
from tests.support.waiting import wait_until

CORE = "ringward"
CORE_PASSWORD = "the-core-password"
_CORE_HASH = bcrypt.hashpw(CORE_PASSWORD.encode(), bcrypt.gensalt(4)).decode()
_DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
DEVICES = ("cam-1", "cam-2", "door-1")


class Broker(ABC):
    """A broker on loopback ports of its own; `lines` is what it has logged so far."""

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.mqtt_host = "127.0.0.1"
        self.mqtt_port = free_port()
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    @abstractmethod
    def command(self) -> list[str]: ...

    def ports(self) -> list[tuple[str, int]]:
        return [(self.mqtt_host, self.mqtt_port)]

    def start(self) -> None:
        process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        self._process = process
        threading.Thread(target=self._read, args=(process,), daemon=True).start()
        wait_until(
            lambda: process.poll() is not None or all(listens(port, host) for host, port in self.ports()),
            f"{self.name} listens",
        )
        assert process.poll() is None, "\n".join(self.lines[-20:])

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def login(self, user: str = CORE, client_id: str = "ringward-ingest") -> BrokerLogin:
        password = CORE_PASSWORD if user == CORE else SECRET
        return BrokerLogin(self.mqtt_host, self.mqtt_port, user, password, client_id)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.lines.append(line.rstrip("\n"))


class NatsServer(Broker):
    """The embedded broker, with the configuration that Ringward itself writes."""

    name = "nats-server"

    def __init__(
        self,
        folder: Path,
        devices: Sequence[DeviceLogin] | None = None,
        mqtt_host: str = "127.0.0.1",
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(folder)
        self.mqtt_host = mqtt_host
        if devices is None:
            devices = [DeviceLogin(device_id, COMPOUND, SECRET_HASH) for device_id in DEVICES]
        self.nats_port = free_port()
        self.bus = BusAddress(f"nats://127.0.0.1:{self.nats_port}", CORE, CORE_PASSWORD)
        config = EmbeddedConfig(
            host=host,
            nats_port=self.nats_port,
            mqtt_host=mqtt_host,
            mqtt_port=self.mqtt_port,
            store=folder / "store",
            core_user=CORE,
            core_password_hash=_CORE_HASH,
            devices=devices,
        )
        self._config = folder / "nats.conf"
        self._config.write_text(config.render())

    def ports(self) -> list[tuple[str, int]]:
        return [*super().ports(), ("127.0.0.1", self.nats_port)]

    def command(self) -> list[str]:
        return [str(find_server()), "-c", str(self._config)]


class Mosquitto(Broker):
    """Mosquitto with the configuration that is shipped in `deploy/`.

    `files` are the access list and the passwords that Ringward wrote; without them the shipped
    list and passwords of Mosquitto's own making.
    """

    name = "mosquitto"

    def __init__(self, folder: Path, files: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        passwords, acl = folder / "passwords", folder / "acl"
        acl.write_text(files["ringward.acl"] if files else (_DEPLOY / "acl").read_text())
        plain = [(CORE, CORE_PASSWORD), *((d, SECRET) for d in DEVICES)]
        passwords.write_text(
            files["ringward.passwd"] if files else "".join(f"{user}:{secret}\n" for user, secret in plain)
        )
        for path in (passwords, acl):
            path.chmod(0o600)
        if not files:
            subprocess.run([_find("mosquitto_passwd"), "-U", str(passwords)], check=True)
        text = (_DEPLOY / "mosquitto.conf").read_text()
        for shipped, ours in (
            ("listener 1883 ", f"listener {self.mqtt_port} "),
            ("/etc/mosquitto/ringward.passwd", str(passwords)),
            ("/etc/mosquitto/ringward.acl", str(folder / "acl")),
            ("/var/lib/mosquitto/", f"{folder}/"),
        ):
            assert shipped in text, f"mosquitto.conf no longer says {shipped}"
            text = text.replace(shipped, ours)
        # Started by root it would change to a user who cannot read the test's folder.
        (folder / "mosquitto.conf").write_text(f"{text}\nuser root\n")

    def command(self) -> list[str]:
        return [_find("mosquitto"), "-c", str(self.folder / "mosquitto.conf")]


def _find(binary: str) -> str:
    found = shutil.which(binary) or shutil.which(binary, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert found is not None, f"{binary} is not installed"
    return found
