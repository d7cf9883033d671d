"""A demo of its own on free ports for whoever looks at its pages, and devices that send it nonsense."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import paho.mqtt.client as mqtt

from ringward.ports import free_port

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 150.0
ACCOUNTS: Final = {
    "operator": "operator",
    "volunteer": "volunteer",
    "guard": "guard",
    "manager": "property manager",
    "resident": "resident",
    "admin": "administrator",
}
"""Who may sign in: the account's name, and how the demo speaks of it."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Demo:
    """A running demo and what it printed."""

    base: str
    mqtt_port: int
    links: Mapping[str, str]
    """By account: the link at which its password is chosen."""
    data: Path
    guest: str
    guest_secret: str


@contextlib.contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """`ringward demo` as a child of its own group; what it says goes to a file."""
    taken: set[int] = set()
    ports = {}
    for name, wished in (("HTTP", 18080), ("MQTT", 18830), ("NATS", 14222)):
        ports[name] = free_port("127.0.0.1", wished, frozenset(taken))
        taken.add(ports[name])
    environment = os.environ | {f"RINGWARD_{name}_PORT": str(port) for name, port in ports.items()}
    environment |= {"PYTHONUNBUFFERED": "1", "RINGWARD_LOG_LEVEL": "warning"}
    said = folder / "said.txt"
    with said.open("w") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "ringward", "demo", "--data-dir", str(folder / "data")],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield until(lambda: announced(child, said, folder / "data"), START_S, "the demo's links")
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(90)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def announced(child: "subprocess.Popen[bytes]", said: Path, data: Path) -> Demo | None:
    """What the demo printed, once it has printed all of it."""
    text = said.read_text()
    if child.poll() is not None:
        raise SystemExit(f"the demo ended:\n{text[-2000:]}")
    return read(text, data) if "Ctrl-C stops it." in text else None


def read(text: str, data: Path) -> Demo:
    """What a demo printed. Ends the program where something of it is missing."""

    def find(pattern: str) -> re.Match[str]:
        match = re.search(pattern, text, re.MULTILINE)
        if match is None:
            raise SystemExit(f"the demo does not print {pattern}:\n{text[-2000:]}")
        return match

    guest = find(r"as user (\S+), password (\S+), topic")
    return Demo(
        find(r"Ringward is at (http\S+)")[1],
        int(find(r"MQTT on port (\d+)")[1]),
        {name: find(rf"^ +{title}\b.*?(http\S+/setup/\S+)")[1] for name, title in ACCOUNTS.items()},
        data,
        guest[1],
        guest[2],
    )


def invited(demo: Demo, name: str, role: str) -> str:
    """Adds somebody whom the demo has not, as an administrator does; returns their link."""
    add = ["user", "add", name, "--role", role, "--compound", "honghua", "--data-dir", str(demo.data)]
    done = subprocess.run(
        [sys.executable, "-m", "ringward", *add], cwd=ROOT, check=True, capture_output=True, text=True
    )
    token = re.search(r"/setup/(\S+)", done.stdout)
    if token is None:
        raise SystemExit(f"no link for {name}:\n{done.stdout}")
    return f"{demo.base}/setup/{token[1]}"


def say_something_wrong(demo: Demo) -> None:
    """What badly made devices send, for the page of refused messages.

    All of it is refused: one event that is kept would bring the guest camera online, and
    its silence afterwards would be an incident.
    """
    topic = f"rw/v1/honghua/{demo.guest}/up"
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=demo.guest, protocol=mqtt.MQTTv311)
    client.username_pw_set(demo.guest, demo.guest_secret)
    client.connect("127.0.0.1", demo.mqtt_port)
    client.loop_start()
    for leaf, payload in (
        ("event", b'{"v": 1, "id": "w-1", "type": "face.captured"'),
        ("event", b'{"v": 1, "id": "w-2", "type": "face.seen"}'),
        ("event", b'{"v": 1, "id": "w-3", "type": "plate.recognised", "plate": {"confidence": 93}}'),
        ("log", b"started"),
    ):
        client.publish(f"{topic}/{leaf}", payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    stranger = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="gate9-cam", protocol=mqtt.MQTTv311)
    stranger.username_pw_set("gate9-cam", "guessed")
    stranger.connect("127.0.0.1", demo.mqtt_port)
    answered: list[Any] = []
    stranger.on_connect = lambda *given: answered.append(given)
    stranger.on_disconnect = lambda *given: answered.append(given)
    until(lambda: (stranger.loop(0.1), answered)[1] or None, 10, "the broker's refusal")


def until(ask: Callable[[], _T | None], deadline_s: float, what: str) -> _T:
    """Asks again and again until there is an answer. Ends the program after the deadline."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        answer = ask()
        if answer is not None:
            return answer
        time.sleep(0.5)
    raise SystemExit(f"{what}: not within {deadline_s:.0f} s")
