"""The network thread: one loop that reads, writes and reconnects, and can be woken.

paho's own thread is woken with a byte for every packet another thread sends. Here the
writer wakes the loop once a batch, and everything that touches the socket stays in one
thread.
"""

import contextlib
import select
import ssl
import threading
from collections.abc import Callable, Sequence
from socket import socketpair
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import MQTTErrorCode

log = structlog.get_logger(__name__)

KEEPALIVE_S = 30
RECONNECT_S = (0.5, 1.0, 2.0, 5.0)
# How long a stop waits for the last acknowledgements to leave.
FLUSH_S = 5.0
_OK = MQTTErrorCode.MQTT_ERR_SUCCESS


class NetworkThread:
    """Drives a paho client through its external-loop interface. `on_wake` runs in this thread.

    Of several `hosts`, each with its port, the next one is tried where one is away. While
    `may_connect` says no, a connection that is lost is not made again.
    """

    def __init__(
        self,
        client: mqtt.Client,
        hosts: Sequence[tuple[str, int]],
        on_wake: Callable[[], None],
        may_connect: Callable[[], bool] = lambda: True,
    ) -> None:
        self._client = client
        self._hosts = tuple(hosts)
        self._at = 0
        self._on_wake = on_wake
        self._may_connect = may_connect
        self._stopping = threading.Event()
        # Not a pipe: the number of a closed one may belong to another file by then.
        self._wake_read, self._wake_write = socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="ingest-network", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """The broker that is tried or served: host and port."""
        return self._hosts[self._at % len(self._hosts)]

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Makes the loop call `on_wake` now; may be called from any thread."""
        # Full means that it is awake already, closed that it has ended.
        with contextlib.suppress(OSError):
            self._wake_write.send(b"w")

    def send(self, packets: bytes) -> bool:
        """Sends whole packets at once; False when the connection is not there any more.

        For `on_wake` only, in this thread. What paho itself has begun to send goes first.
        """
        while (socket := self._client.socket()) is not None:
            if self._client.want_write():
                if self._client.loop_write() is not _OK:
                    return False
                self._wait_writable(socket)
                continue
            if not packets:
                return True
            try:
                packets = packets[socket.send(packets) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self._wait_writable(socket)
            except OSError:
                # Closed under us; the client notices at its next step.
                return False
        return False

    def _wait_writable(self, socket: Any) -> None:
        with contextlib.suppress(OSError, ValueError):
            select.select([], [socket], [], 1.0)

    def stop(self) -> None:
        """Sends what is settled, leaves the broker, ends the thread."""
        self._stopping.set()
        self.wake()
        self._thread.join(FLUSH_S + KEEPALIVE_S)

    def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            if not self._may_connect():
                self._stopping.wait(RECONNECT_S[0])
                continue
            host, port = self.address
            try:
                self._client.connect(host, port, KEEPALIVE_S)
            except OSError as error:
                log.warning("ingest.broker_away", error=type(error).__name__)
            else:
                attempt = 0
                self._serve()
            self._at += 1
            if not self._stopping.is_set():
                self._stopping.wait(RECONNECT_S[min(attempt, len(RECONNECT_S) - 1)])
                attempt += 1
        self._wake_read.close()
        self._wake_write.close()

    def _serve(self) -> None:
        """Serves one connection until it ends."""
        while (socket := self._client.socket()) is not None:
            reading: list[Any] = [socket, self._wake_read]
            writing: list[Any] = [socket] if self._client.want_write() else []
            try:
                readable, writable, _ = select.select(reading, writing, [], 1.0)
            except (OSError, ValueError):
                # The socket was closed under us; the client notices at its next step.
                readable, writable = [socket], []
            if self._wake_read in readable:
                with contextlib.suppress(BlockingIOError):
                    self._wake_read.recv(4096)
                self._on_wake()
            failed = socket in readable and self._client.loop_read() is not _OK
            failed = failed or (socket in writable and self._client.loop_write() is not _OK)
            if failed or self._client.loop_misc() is not _OK:
                return
            if self._stopping.is_set():
                self._leave()
                return

    def _leave(self) -> None:
        self._on_wake()
        self._client.disconnect()
        for _ in range(int(FLUSH_S / 0.05)):
            socket = self._client.socket()
            if socket is None or not self._client.want_write():
                return
            select.select([], [socket], [], 0.05)
            self._client.loop_write()
