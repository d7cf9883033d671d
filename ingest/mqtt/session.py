"""The ingest's persistent session at the broker: made before the first device may speak, and forgotten."""

import contextlib
import threading
from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from bus.login import BrokerLogin
from ingest.share import EVERYTHING

DEADLINE_S = 20.0


def open_session(login: BrokerLogin, filters: Sequence[str] = EVERYTHING.filters()) -> None:
    """Subscribes and leaves: from now on the broker keeps what devices publish.

    A broker takes and confirms a message for which there is no subscription yet, and
    drops it; on the very first start that would be a confirmed event lost. Raises
    `TimeoutError`, `PermissionError` and `OSError`.
    """
    answered = threading.Event()
    refused: list[str] = []
    client = _client(login, clean=False)

    def on_connect(connected: mqtt.Client, *_: Any) -> None:
        connected.subscribe([(wanted, 1) for wanted in filters])

    def on_subscribe(_c: mqtt.Client, _d: Any, _m: int, codes: list[ReasonCode], _p: Any) -> None:
        refused.extend(wanted for wanted, code in zip(filters, codes, strict=True) if code.is_failure)
        answered.set()

    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    _connect(client, login)
    client.loop_start()
    try:
        if not answered.wait(DEADLINE_S):
            raise TimeoutError("the broker did not answer ingest's subscription")
        if refused:
            raise PermissionError(f"the broker refused ingest {', '.join(refused)}")
    finally:
        client.disconnect()
        client.loop_stop()


def _connect(client: mqtt.Client, login: BrokerLogin) -> None:
    """To the first host that answers. Raises the last one's `OSError` where none does."""
    *others, last = login.hosts()
    for host, port in others:
        with contextlib.suppress(OSError):
            client.connect(host, port)
            return
    client.connect(*last)


def forget_session(login: BrokerLogin) -> None:
    """Takes a session away with all that the broker still holds for it: for one that nobody will use again.

    Whoever is connected under the name is turned out. Raises `TimeoutError`, `PermissionError`, `OSError`.
    """
    answered = threading.Event()
    refused: list[str] = []
    client = _client(login, clean=True)

    def on_connect(_client: mqtt.Client, _d: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            refused.append(str(reason))
        answered.set()

    client.on_connect = on_connect
    _connect(client, login)
    client.loop_start()
    try:
        if not answered.wait(DEADLINE_S):
            raise TimeoutError("the broker did not answer")
        if refused:
            raise PermissionError(f"the broker refused: {refused[0]}")
    finally:
        client.disconnect()
        client.loop_stop()


def _client(login: BrokerLogin, *, clean: bool) -> mqtt.Client:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=login.client_id,
        clean_session=clean,
        protocol=mqtt.MQTTv311,
        manual_ack=True,
    )
    if login.user is not None:
        client.username_pw_set(login.user, login.password)
    if login.tls is not None:
        client.tls_set_context(login.tls.context())
    return client
