"""A device's MQTT connection, moved by the running asyncio loop: hundreds of them need no threads."""

import asyncio
import contextlib
import socket
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from devices.simulator.wires import Message

KEEPALIVE_S: Final = 60
RETRY_S: Final = 2.0
_MISC_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Access:
    """Where the broker is, and as whom a device signs in."""

    host: str
    port: int
    user: str
    secret: str

    def __repr__(self) -> str:
        return f"Access({self.host!r}, {self.port}, {self.user!r})"


class Line:
    """One connection that comes back by itself until it is closed; `cut` makes it stay away.

    Everything happens in the loop's thread. `on_up` is called when the broker has granted the
    subscriptions, `on_acknowledged` with what `publish` returned.
    """

    def __init__(
        self,
        access: Access,
        will: Message | None,
        filters: Sequence[tuple[str, int]],
        *,
        on_up: Callable[[], None],
        on_message: Callable[[str, bytes], None],
        on_acknowledged: Callable[[int], None],
    ) -> None:
        self._access = access
        self._filters = filters
        self._on_up, self._heard, self._acknowledged = on_up, on_message, on_acknowledged
        self._loop = asyncio.get_running_loop()
        self._wanted = False
        # Not all in the same instant, or a broker that was overrun is overrun again.
        self._pause_s = RETRY_S * (0.5 + zlib.crc32(access.user.encode()) % 100 / 100)
        self._tick: asyncio.TimerHandle | None = None
        self.up = False
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=access.user, protocol=mqtt.MQTTv311)
        client.username_pw_set(access.user, access.secret)
        if will is not None:
            client.will_set(will.topic, will.body, will.qos, will.retain)
        client.on_socket_open = self._opened
        client.on_socket_close = self._closed
        client.on_socket_register_write = self._wants_to_write
        client.on_socket_unregister_write = self._has_written
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _client, _user, message: self._heard(message.topic, bytes(message.payload))
        client.on_publish = lambda _client, _user, mid, *_: self._acknowledged(mid)
        self._client = client

    def open(self) -> None:
        """Connects, and keeps trying."""
        self._wanted = True
        self._try()
        if self._tick is None:
            self._misc()

    def cut(self) -> None:
        """The cable is pulled: nobody says good-bye, and the last will fires."""
        self._wanted = False
        self.up = False
        connection = self._client.socket()
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Says good-bye."""
        self._wanted = False
        self.up = False
        if self._tick is not None:
            self._tick.cancel()
        self._client.disconnect()

    def publish(self, message: Message) -> int | None:
        """The number under which the broker will acknowledge it; None where nobody will."""
        info = self._client.publish(message.topic, message.body, message.qos, message.retain)
        return info.mid if message.qos else None

    def _try(self) -> None:
        # A broker that is slow to answer has a connection under way: a second one would end it.
        if not self._wanted or self._client.socket() is not None:
            return
        try:
            self._client.connect(self._access.host, self._access.port, KEEPALIVE_S)
        except OSError:
            self._loop.call_later(self._pause_s, self._try)

    def _misc(self) -> None:
        if self._client.socket() is not None:
            self._client.loop_misc()
        self._tick = self._loop.call_later(_MISC_S, self._misc)

    def _opened(self, _client: mqtt.Client, _user: Any, connection: Any) -> None:
        self._loop.add_reader(connection, self._client.loop_read)

    def _closed(self, _client: mqtt.Client, _user: Any, connection: Any) -> None:
        self._loop.remove_reader(connection)
        self._loop.remove_writer(connection)

    def _wants_to_write(self, _client: mqtt.Client, _user: Any, connection: Any) -> None:
        self._loop.add_writer(connection, self._client.loop_write)

    def _has_written(self, _client: mqtt.Client, _user: Any, connection: Any) -> None:
        self._loop.remove_writer(connection)

    def _on_connect(self, client: mqtt.Client, _user: Any, _flags: Any, reason: Any, *_: Any) -> None:
        if reason.is_failure:
            return
        if self._filters:
            client.subscribe(list(self._filters))
        else:
            self._is_up()

    def _on_subscribe(self, *_: Any) -> None:
        self._is_up()

    def _is_up(self) -> None:
        self.up = True
        self._on_up()

    def _on_disconnect(self, *_: Any) -> None:
        self.up = False
        if self._wanted:
            self._loop.call_later(self._pause_s, self._try)
