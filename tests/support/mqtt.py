"""A plain MQTT client for tests: it publishes, listens, and remembers what it was told."""

import queue
import threading
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bus.login import BrokerLogin
from tests.support.waiting import DEADLINE_S, wait_until


class Peer:
    """Signs in on entering the context, leaves on the way out."""

    def __init__(self, login: BrokerLogin, *, clean: bool = True) -> None:
        self.heard: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self._login = login
        self._connected = threading.Event()
        self._granted: queue.Queue[list[Any]] = queue.Queue()
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=login.client_id,
            clean_session=clean,
            protocol=mqtt.MQTTv311,
        )
        if login.user is not None:
            self.client.username_pw_set(login.user, login.password)
        if login.tls is not None:
            self.client.tls_set_context(login.tls.context())
        self.client.on_connect = lambda _c, _u, _f, reason, _p: reason.is_failure or self._connected.set()
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self._granted.put(codes)
        self.client.on_message = lambda _c, _u, message: self.heard.put(message)

    def __enter__(self) -> Self:
        self.client.connect(self._login.host, self._login.port)
        self.client.loop_start()
        assert self._connected.wait(DEADLINE_S), "the broker did not let us in"
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def subscribe(self, topic: str, qos: int = 1) -> bool:
        """Whether the broker granted it."""
        self.client.subscribe(topic, qos)
        return not self._granted.get(timeout=DEADLINE_S)[0].is_failure

    def publish(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        """Returns when the broker has taken it."""
        self.client.publish(topic, payload, qos, retain).wait_for_publish(DEADLINE_S)

    def publish_all(self, topic: str, payloads: list[bytes]) -> None:
        """As `publish`, but confirmations are awaited at the end."""
        sent = [self.client.publish(topic, payload, 1) for payload in payloads]
        wait_until(lambda: all(item.is_published() for item in sent), "everything is confirmed")

    def next(self, deadline_s: float = DEADLINE_S) -> mqtt.MQTTMessage:
        try:
            return self.heard.get(timeout=deadline_s)
        except queue.Empty:
            raise AssertionError("nothing was heard") from None
