"""The MQTT broker: whether ingest may sign in there, and whether a Mosquitto here loses nothing."""

import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bus.login import BrokerLogin
from ringward.checkup.finding import Finding

PATIENCE_S: Final = 5.0
MOSQUITTO: Final = Path("/etc/mosquitto")

_MUST: Final = {
    "max_queued_messages": ("0", "else what waits beyond 1,000 messages is dropped without a word"),
    "persistence": ("true", "else a restart of the broker loses what waits"),
    "allow_anonymous": ("false", "else anybody in the network speaks as any device"),
}


def findings(login: BrokerLogin, *, own: bool, mosquitto: Path = MOSQUITTO) -> Iterator[Finding]:
    """`own` for a broker that Ringward did not start: only there is anything to be set wrongly."""
    yield sign_in(login)
    if own and _is_here(login.host) and (mosquitto / "mosquitto.conf").exists():
        yield mosquitto_settings(mosquitto)


def sign_in(login: BrokerLogin) -> Finding:
    """Signs in with a client id of its own: one that is used again would end ingest's session."""
    answered = threading.Event()
    reasons: list[Any] = []

    def connected(_client: mqtt.Client, _user: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        reasons.append(reason)
        answered.set()

    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=f"{login.client_id}-doctor", protocol=mqtt.MQTTv311
    )
    client.on_connect = connected
    if login.user is not None:
        client.username_pw_set(login.user, login.password)
    advice = "Does the broker run there, and are user, password and certificate right?"
    try:
        if login.tls is not None:
            client.tls_set_context(login.tls.context())
        client.connect(login.host, login.port)
        client.loop_start()
        in_time = answered.wait(PATIENCE_S)
    except (OSError, ValueError) as error:
        return Finding("MQTT sign-in", False, f"{login.host}:{login.port}: {error}", advice)
    finally:
        client.disconnect()
        client.loop_stop()
    if not in_time:
        return Finding("MQTT sign-in", False, f"{login.host}:{login.port} does not answer", advice)
    return Finding(
        "MQTT sign-in", not reasons[0].is_failure, f"{login.host}:{login.port}: {reasons[0]}", advice
    )


def mosquitto_settings(folder: Path) -> Finding:
    """What its files say; of a setting that stands twice the last one."""
    try:
        found = _read(folder)
    except OSError as error:
        return Finding("Mosquitto", True, f"its files cannot be read by this user ({error.strerror})")
    odd = [
        f"{name} is not {value}, {why}" for name, (value, why) in _MUST.items() if found.get(name) != value
    ]
    advice = "deploy/mosquitto/mosquitto.conf has the settings; restart Mosquitto afterwards."
    return Finding(
        "Mosquitto", not odd, "; ".join(odd) or "keeps what waits, and lets nobody in unnamed", advice
    )


def _read(folder: Path) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for path in [folder / "mosquitto.conf", *sorted((folder / "conf.d").glob("*.conf"))]:
        for line in path.read_text(errors="replace").splitlines():
            name, _, value = line.strip().partition(" ")
            if name and not name.startswith("#"):
                found[name] = value.strip()
    return found


def _is_here(host: str) -> bool:
    try:
        return socket.gethostbyname(host).startswith("127.")
    except OSError:
        return False
