"""Simulated devices: real MQTT clients of the native protocol, for the demo, tests and benches.

A simulated device is indistinguishable from a real one on the wire. It connects over TCP
with its own credentials, keeps a retained state with a last will, publishes events at
QoS 1, and holds an event for delivered only once the broker has answered.
"""

import base64
import datetime as dt
import socket
import threading
import zlib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from storage import Clock, SystemClock

KEEPALIVE_S: Final = 30
DEADLINE_S: Final = 10.0
"""How long a connection, a subscription or a PUBACK may take before it counts as failed."""


class DeviceRefusedError(Exception):
    """The broker did not take the connection: wrong secret, or nobody there."""

    def __init__(self, device_id: str, reason: str) -> None:
        super().__init__(f"{device_id} could not connect: {reason}")
        self.device_id = device_id
        self.reason = reason


class NotAcknowledgedError(Exception):
    """No PUBACK within the deadline; the event may be sent again under the same record id."""

    def __init__(self, device_id: str, record_id: str) -> None:
        super().__init__(f"no answer to record {record_id} of {device_id}")
        self.device_id = device_id
        self.record_id = record_id


class NativeEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a device has to say, before it has a record id and a time."""

    type: str
    direction: str | None = None
    track: str | None = None
    credential: dict[str, Any] | None = None
    plate: dict[str, Any] | None = None
    match: dict[str, Any] | None = None
    images: tuple[dict[str, str], ...] = ()
    attributes: dict[str, Any] = {}

    def encode(self, record_id: str, at: dt.datetime, *, late: bool = False) -> bytes:
        """The event as it travels. `at` is the device's own time and must carry a zone."""
        if at.tzinfo is None:
            raise ValueError("a device time must carry a time zone")
        head = {"v": 1, "id": record_id, "at": at.isoformat(timespec="milliseconds"), "late": late}
        return msgspec.json.encode({**head, **msgspec.to_builtins(self)})


class SimulatedDevice:
    """One device with one MQTT connection of its own.

    `heartbeat_s` is the interval in seconds at which the retained state is said again.
    """

    def __init__(
        self,
        compound: str,
        device_id: str,
        secret: str,
        *,
        host: str,
        port: int,
        heartbeat_s: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        self.device_id = device_id
        self._secret = secret
        self._endpoint = (host, port)
        self._heartbeat_s = heartbeat_s
        self._clock = clock or SystemClock()
        self._branch = f"rw/v1/{compound}/{device_id}"
        self._client: mqtt.Client | None = None
        self._connected = threading.Event()
        # Set once the broker has said yes or no.
        self._answered = threading.Event()
        self._stopped = threading.Event()
        self._refusal: str | None = None
        self._records = 0
        self._heard = threading.Condition()
        self._acknowledged: set[str] = set()
        self._refused: dict[str, str] = {}
        self._commands: list[dict[str, Any]] = []

    @property
    def online(self) -> bool:
        return self._connected.is_set()

    @property
    def acknowledged(self) -> frozenset[str]:
        """Record ids that Ringward has confirmed as committed on `down/ack`."""
        with self._heard:
            return frozenset(self._acknowledged)

    @property
    def refused(self) -> dict[str, str]:
        """Record ids that Ringward could not take, with the reason's code."""
        with self._heard:
            return dict(self._refused)

    @property
    def commands(self) -> tuple[dict[str, Any], ...]:
        """What came on `down/command`, oldest first."""
        with self._heard:
            return tuple(self._commands)

    def connect(self, timeout_s: float = DEADLINE_S) -> None:
        """Connects, listens, and says that it is online. Raises `DeviceRefusedError`."""
        if self._client is not None:
            return
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self.device_id, protocol=mqtt.MQTTv311)
        client.username_pw_set(self.device_id, self._secret)
        client.will_set(f"{self._branch}/up/state", b'{"v":1,"status":"offline"}', qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        self._refusal = None
        self._connected.clear()
        self._answered.clear()
        self._stopped = threading.Event()
        try:
            client.connect(*self._endpoint, keepalive=KEEPALIVE_S)
        except OSError as error:
            raise DeviceRefusedError(self.device_id, str(error)) from error
        self._client = client
        client.loop_start()
        self._answered.wait(timeout_s)
        if not self.online:
            reason = self._refusal or "no answer"
            self.close()
            raise DeviceRefusedError(self.device_id, reason)
        threading.Thread(
            target=self._beat, args=(client, self._stopped), name=f"beat {self.device_id}", daemon=True
        ).start()

    def publish(
        self,
        event: NativeEvent,
        at: dt.datetime | None = None,
        *,
        late: bool = False,
        record_id: str | None = None,
        timeout_s: float = DEADLINE_S,
    ) -> str:
        """Publishes at QoS 1, waits for the PUBACK, and returns the record id.

        `at` is the device's time, now if not given; `record_id` sends an earlier record
        again. Raises `NotAcknowledgedError`.
        """
        if record_id is None:
            self._records += 1
            record_id = str(self._records)
        payload = event.encode(record_id, at or self._clock.now(), late=late)
        if self._client is None:
            raise NotAcknowledgedError(self.device_id, record_id)
        message = self._client.publish(f"{self._branch}/up/event", payload, qos=1)
        # paho raises when there is no connection just now; the device only knows: no answer.
        with suppress(RuntimeError, ValueError):
            message.wait_for_publish(timeout_s)
            if message.is_published():
                return record_id
        raise NotAcknowledgedError(self.device_id, record_id)

    def wait_acknowledged(self, record_id: str, timeout_s: float = DEADLINE_S) -> bool:
        """Whether Ringward confirmed the record on `down/ack` within the time."""
        with self._heard:
            return self._heard.wait_for(lambda: record_id in self._acknowledged, timeout_s)

    def go_silent(self) -> None:
        """Drops the TCP connection without DISCONNECT, as a cut cable does: the last will fires."""
        client, self._client = self._client, None
        if client is None:
            return
        self._stopped.set()
        connection = client.socket()
        if isinstance(connection, socket.socket):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        client.loop_stop()
        self._connected.clear()

    def close(self) -> None:
        """Leaves with DISCONNECT, so that no last will fires."""
        client, self._client = self._client, None
        if client is None:
            return
        self._stopped.set()
        client.disconnect()
        client.loop_stop()
        self._connected.clear()

    def _beat(self, client: mqtt.Client, stopped: threading.Event) -> None:
        # Devices switched on together must not all speak in the same instant for ever.
        first = self._heartbeat_s * (0.5 + 0.5 * (zlib.crc32(self.device_id.encode()) % 100) / 100)
        interval = first
        while not stopped.wait(interval):
            self._say_online(client)
            interval = self._heartbeat_s

    def _say_online(self, client: mqtt.Client) -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        state = msgspec.json.encode({"v": 1, "status": "online", "at": at})
        client.publish(f"{self._branch}/up/state", state, qos=1, retain=True)

    def _on_connect(
        self, client: mqtt.Client, _user: Any, _flags: Any, reason: Any, _properties: Any = None
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            self._answered.set()
            return
        client.subscribe([(f"{self._branch}/down/ack", 1), (f"{self._branch}/down/command", 1)])

    def _on_subscribe(self, client: mqtt.Client, *_: Any) -> None:
        # Online only when it listens: an answer must not be able to overtake the subscription.
        self._say_online(client)
        self._connected.set()
        self._answered.set()

    def _on_disconnect(self, _client: mqtt.Client, *_: Any) -> None:
        self._connected.clear()

    def _on_message(self, _client: mqtt.Client, _user: Any, message: mqtt.MQTTMessage) -> None:
        try:
            body = msgspec.json.decode(message.payload)
        except msgspec.DecodeError:
            return
        if not isinstance(body, dict):
            return
        with self._heard:
            if message.topic.endswith("/down/command"):
                self._commands.append(body)
            elif body.get("id") is not None and body.get("ok", True):
                self._acknowledged.add(str(body["id"]))
            elif body.get("id") is not None:
                self._refused[str(body["id"])] = str(body.get("reason"))
            self._heard.notify_all()


def picture(role: str, jpeg: bytes) -> dict[str, str]:
    """A picture as it travels; `role` is face, plate, vehicle, body or scene."""
    return {"role": role, "jpeg": base64.b64encode(jpeg).decode()}


def face_captured(
    jpeg: bytes, *, direction: str | None = "in", track: str | None = None, role: str = "scene"
) -> NativeEvent:
    return NativeEvent("face.captured", direction, track, images=(picture(role, jpeg),))


def plate_recognised(
    jpeg: bytes | None = None,
    *,
    text: str | None = None,
    confidence: float | None = None,
    color: str | None = None,
    direction: str | None = "in",
    track: str | None = None,
) -> NativeEvent:
    """A plate camera's event: its own reading, a picture to read, or both."""
    if jpeg is None and text is None:
        raise ValueError("a plate event needs a reading or a picture")
    plate = None if text is None else {"text": text, "confidence": confidence, "color": color}
    images = () if jpeg is None else (picture("vehicle", jpeg),)
    return NativeEvent("plate.recognised", direction, track, plate=plate, images=images)


def access_granted(kind: str, ref: str | None = None, *, direction: str | None = "in") -> NativeEvent:
    """`kind` is card, pin, qr, face, phone or pass; `ref` what the reader knows it by."""
    return NativeEvent("access.granted", direction, credential={"kind": kind, "ref": ref})


def access_denied(
    kind: str, reason: str, ref: str | None = None, *, direction: str | None = "in"
) -> NativeEvent:
    return NativeEvent(
        "access.denied", direction, credential={"kind": kind, "ref": ref}, attributes={"reason": reason}
    )


def door_opened(*, cause: str | None = None, direction: str | None = None) -> NativeEvent:
    """`cause` says what released it where the controller knows, for example exit_button."""
    return NativeEvent("door.opened", direction, attributes=_given({"cause": cause}))


def door_closed() -> NativeEvent:
    return NativeEvent("door.closed")


def barrier_opened(*, cause: str | None = None, direction: str | None = None) -> NativeEvent:
    return NativeEvent("barrier.opened", direction, attributes=_given({"cause": cause}))


def barrier_closed() -> NativeEvent:
    return NativeEvent("barrier.closed")


def line_crossing(*, direction: str | None = "in", count: int = 1) -> NativeEvent:
    """`count` people crossed the line together."""
    return NativeEvent("video.line_crossing", direction, attributes={"count": count})


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what is known: an absent value has no key."""
    return {key: value for key, value in values.items() if value is not None}
