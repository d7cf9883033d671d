"""The way down to devices: one MQTT connection that publishes, never retained."""

import threading
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from bus.login import BrokerLogin

log = structlog.get_logger(__name__)

KEEPALIVE_S = 30


class Downlink:
    """Publishes to devices. `publish` may be called from any thread."""

    def __init__(self, login: BrokerLogin) -> None:
        self._login = login
        self._connected = threading.Event()
        self._at = 0
        self._stopping = False
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=login.client_id,
            # Nothing is kept for later: a command that waited is a command to somebody else.
            clean_session=True,
            protocol=mqtt.MQTTv311,
        )
        if login.user is not None:
            client.username_pw_set(login.user, login.password)
        if login.tls is not None:
            client.tls_set_context(login.tls.context())
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.reconnect_delay_set(1, 5)
        self._client = client

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    def start(self) -> None:
        """Begins to connect, and keeps trying while the broker is away."""
        self._aim()
        self._client.loop_start()

    def stop(self) -> None:
        self._stopping = True
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        """Whether the message was handed to the connection; False means that it certainly was not."""
        if not self.connected:
            return False
        return self._client.publish(topic, payload, qos, retain=False).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.error("downlink.refused_by_broker", reason=str(reason))
            return
        self._connected.set()

    def _on_disconnect(self, *_: Any) -> None:
        self._connected.clear()
        self._next_host()

    def _on_connect_fail(self, *_: Any) -> None:
        self._next_host()

    def _next_host(self) -> None:
        """In the client's own thread, which connects again after a pause."""
        if len(self._login.hosts()) > 1 and not self._stopping:
            self._at += 1
            self._aim()

    def _aim(self) -> None:
        hosts = self._login.hosts()
        self._client.connect_async(*hosts[self._at % len(hosts)], KEEPALIVE_S)
