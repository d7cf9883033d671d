"""Three NATS servers that keep every message three times, on loopback ports of their own."""

import subprocess
import threading
from pathlib import Path
from typing import Final

from bus.address import BusAddress
from bus.embedded import find_server
from tests.support.brokers import CORE, CORE_PASSWORD
from tests.support.ports import free_port, listens
from tests.support.waiting import wait_until

SIZE: Final = 3


class Node:
    """One server of the cluster; `lines` is what it has logged so far."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.port, self.route_port, self.mqtt_port = free_port(), free_port(), free_port()
        self.lines: list[str] = []
        self.config = folder / "nats.conf"
        self.store = folder / "store"
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def configure(self, routes: list[str]) -> None:
        """Servers of one cluster know each other by these routes."""
        self.config.write_text(
            f"""
server_name: {self.name}
listen: "127.0.0.1:{self.port}"
max_payload: 16MB
jetstream {{ store_dir: "{self.store}", sync_interval: always }}
mqtt {{ listen: "127.0.0.1:{self.mqtt_port}", ack_wait: "2s", max_ack_pending: 1000 }}
cluster {{
  name: ringward
  listen: "127.0.0.1:{self.route_port}"
  routes: [{", ".join(routes)}]
}}
accounts {{ RINGWARD: {{ jetstream: enabled, users: [{{ user: "{CORE}", password: "{CORE_PASSWORD}" }}] }} }}
""",
            encoding="utf-8",
        )

    def start(self) -> None:
        process = subprocess.Popen(
            [str(find_server()), "-c", str(self.config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._process = process
        threading.Thread(target=self._read, args=(process,), daemon=True).start()
        wait_until(lambda: process.poll() is not None or listens(self.port), f"{self.name} listens")
        assert process.poll() is None, "\n".join(self.lines[-20:])

    def kill(self) -> None:
        """kill -9: what it has not on its disk is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)

    def stop(self) -> None:
        if self.alive:
            assert self._process
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                # Without a majority it waits for one before it ends.
                self.kill()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.lines.append(line.rstrip("\n"))


class NatsCluster:
    """All servers of a cluster, in the order of their names: nats-1, nats-2, nats-3."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [Node(folder / f"nats-{number}", f"nats-{number}") for number in range(1, SIZE + 1)]
        routes = [f"nats://127.0.0.1:{node.route_port}" for node in self.nodes]
        for node in self.nodes:
            node.configure(routes)

    @property
    def bus(self) -> BusAddress:
        """All of them, and three copies of everything."""
        return BusAddress(",".join(node.url for node in self.nodes), CORE, CORE_PASSWORD, replicas=SIZE)

    @property
    def mqtt_hosts(self) -> str:
        """For `mqtt_host`: each with its port."""
        return ",".join(f"127.0.0.1:{node.mqtt_port}" for node in self.nodes)

    def node(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    def start(self) -> None:
        """Returns when each listens; that they have chosen a leader is heard from the first stream."""
        for node in self.nodes:
            node.start()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()
