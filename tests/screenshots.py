"""Takes the pictures of docs/screenshots from a running demo: `python -m tests.screenshots`.

It starts a demo of its own on free ports, waits until each ring has an incident, chooses
passwords through the links that the demo prints, works as the operator does, and looks at
the pages in Chromium: in Chinese and in English, as a screen and as a phone.
"""

import contextlib
import io
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import paho.mqtt.client as mqtt
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from ringward.ports import free_port

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "screenshots"
CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SCREEN: Final = {"width": 1366, "height": 768}
PHONE: Final = {"width": 390, "height": 844}
LANGUAGES: Final = {"zh": "zh-CN", "en": "en"}
START_S: Final = 150.0
STORY_S: Final = 150.0
LARGEST_BYTES: Final = 300_000
# What the pictures need of the story: all three rings, a forced door, a watch-list hit, a
# covered camera. The rule that waits longest answers 60 s after its plate.
WANTED: Final = frozenset({"R-E04", "R-E09", "R-B05", "R-D02"})
RINGS: Final = frozenset({"entrance", "common", "building"})

_T = TypeVar("_T")


@dataclass(frozen=True)
class Demo:
    """A running demo and what it printed."""

    base: str
    mqtt_port: int
    operator_link: str
    volunteer_link: str
    guest: str
    guest_secret: str


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ringward-shots-") as folder, running_demo(Path(folder)) as demo:
        say_something_wrong(demo)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            try:
                take(browser, demo)
            finally:
                browser.close()


def take(browser: Browser, demo: Demo) -> None:
    """Plays operator and volunteer, and takes each picture in both languages."""
    password = secrets.token_urlsafe(18)
    for link in (demo.operator_link, demo.volunteer_link):
        choose_password(browser, link, password)
    staff = {
        key: signed_in(browser, demo, "operator", password, tag, SCREEN) for key, tag in LANGUAGES.items()
    }
    patrol = {
        key: signed_in(browser, demo, "volunteer", password, tag, PHONE) for key, tag in LANGUAGES.items()
    }
    first_staff, first_patrol = staff["en"], patrol["en"]

    found = until(lambda: story(first_staff, demo), STORY_S, "an incident in each ring")
    sent = found["R-B05"]
    responder = first_patrol.request.get(f"{demo.base}/api/v1/me").json()["responder_id"]
    send_somebody(first_staff, demo, sent, responder)
    handover = hand_over(first_staff, demo)

    for key in LANGUAGES:
        with contextlib.closing(staff[key].new_page()) as page:
            page.goto(f"{demo.base}/console?incident={found['R-E09']}")
            settle(page)
            hear(page)
            shoot(page, f"console-{key}")
            page.set_viewport_size(PHONE)
            page.goto(f"{demo.base}/console?incident={found['R-E09']}")
            settle(page)
            hear(page)
            shoot(page, f"console-narrow-{key}")
            # Higher than a screen, so that one picture holds the whole of an incident.
            page.set_viewport_size({"width": SCREEN["width"], "height": 1900})
            page.goto(f"{demo.base}/console?incident={sent}")
            settle(page)
            shoot(page, f"incident-{key}", of="#detail article")
            page.set_viewport_size(SCREEN)
            page.goto(f"{demo.base}/console/devices")
            shoot(page, f"devices-{key}")
            page.goto(f"{demo.base}/console/refused")
            shoot(page, f"refused-{key}")
            page.goto(f"{demo.base}/console/roster")
            shoot(page, f"roster-{key}")
            page.goto(handover)
            shoot(page, f"handover-{key}")
        with contextlib.closing(patrol[key].new_page()) as page:
            page.goto(f"{demo.base}/phone")
            page.locator("[data-task][data-state=offered]").first.wait_for()
            settle(page)
            hear(page)
            shoot(page, f"phone-{key}")
    accept(first_patrol, demo)
    for key in LANGUAGES:
        with contextlib.closing(patrol[key].new_page()) as page:
            page.goto(f"{demo.base}/phone")
            page.locator("[data-task][data-state=accepted]").first.wait_for()
            settle(page)
            hear(page)
            shoot(page, f"phone-task-{key}", of="[data-task][data-state=accepted]")


# ── The demo ─────────────────────────────────────────────────────────────────


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
        yield until(lambda: announced(child, said), START_S, "the demo's links")
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(90)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def announced(child: "subprocess.Popen[bytes]", said: Path) -> Demo | None:
    """What the demo printed, once it has printed all of it."""
    text = said.read_text()
    if child.poll() is not None:
        raise SystemExit(f"the demo ended:\n{text[-2000:]}")
    if "Ctrl-C stops it." not in text:
        return None

    def find(pattern: str) -> re.Match[str]:
        match = re.search(pattern, text)
        if match is None:
            raise SystemExit(f"the demo does not print {pattern}:\n{text[-2000:]}")
        return match

    guest = find(r"as user (\S+), password (\S+), topic")
    return Demo(
        find(r"Ringward is at (http\S+)")[1],
        int(find(r"MQTT on port (\d+)")[1]),
        find(r"operator\b.*?(http\S+/setup/\S+)")[1],
        find(r"volunteer\b.*?(http\S+/setup/\S+)")[1],
        guest[1],
        guest[2],
    )


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


def story(staff: BrowserContext, demo: Demo) -> dict[str, str] | None:
    """The newest incident of each rule, once the story has come far enough."""
    items = staff.request.get(f"{demo.base}/api/v1/incidents?limit=100").json()["items"]
    found = {item["rule"]: item["id"] for item in reversed(items)}
    rings = {item["ring"] for item in items}
    return found if found.keys() >= WANTED and rings >= RINGS else None


# ── People at the pages ──────────────────────────────────────────────────────


def choose_password(browser: Browser, link: str, password: str) -> None:
    with contextlib.closing(browser.new_context()) as context:
        page = context.new_page()
        page.goto(link)
        page.locator("input[name=password]").fill(password)
        page.locator("input[name=again]").fill(password)
        page.locator("form[action^='/setup/'] button").click()
        # The link signs in as well; each language then signs in for itself.
        page.wait_for_url(lambda url: "/setup/" not in url)


def signed_in(
    browser: Browser, demo: Demo, name: str, password: str, tag: str, size: dict[str, int]
) -> BrowserContext:
    """A browser with somebody's session, in a language and of a size."""
    context = browser.new_context(
        viewport=size, locale=tag, timezone_id="Asia/Shanghai", color_scheme="light", reduced_motion="reduce"
    )
    with contextlib.closing(context.new_page()) as page:
        page.goto(f"{demo.base}/language/{tag}")
        page.goto(f"{demo.base}/sign-in")
        page.locator("input[name=name]").fill(name)
        page.locator("input[name=password]").fill(password)
        page.locator("form[action='/sign-in'] button").click()
        page.wait_for_url(lambda url: not url.endswith("/sign-in"))
    return context


def send_somebody(staff: BrowserContext, demo: Demo, incident: str, responder: str) -> None:
    """Confirms an incident and asks the responder, as the operator does."""
    with contextlib.closing(staff.new_page()) as page:
        page.goto(f"{demo.base}/console?incident={incident}")
        page.locator("#form-confirm button").click()
        form = page.locator("#form-dispatch")
        form.wait_for()
        for box in form.locator("input[name=responder]").all():
            box.set_checked(box.get_attribute("value") == responder)
        form.locator("button").click()
        page.locator("#detail .asked .chip.todo").first.wait_for()


def hand_over(staff: BrowserContext, demo: Demo) -> str:
    """Makes the hand-over of the shift until now; returns where it is."""
    with contextlib.closing(staff.new_page()) as page:
        page.goto(f"{demo.base}/console/handovers")
        page.locator("main form button").first.click()
        page.wait_for_url(re.compile(r"/console/handovers/\w+"))
        return page.url


def accept(patrol: BrowserContext, demo: Demo) -> None:
    """Says yes to the offered task, as the volunteer does."""
    with contextlib.closing(patrol.new_page()) as page:
        page.goto(f"{demo.base}/phone")
        page.locator("[data-task][data-state=offered] button.primary").first.click()
        page.locator("[data-task][data-state=accepted]").first.wait_for()


def hear(page: Page) -> None:
    """Presses for the sound, as everybody does once; letters are read and put away."""
    page.locator("#letters-sound").click()
    for _ in range(page.locator("#letters-list button").count()):
        page.locator("#letters-list button").first.click()


def settle(page: Page) -> None:
    """Until the page is live and its pictures are there."""
    page.locator("#link-state[data-state=live]").wait_for(state="attached")
    page.wait_for_function("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")


def shoot(page: Page, name: str, *, of: str | None = None) -> None:
    """Writes a small PNG: few colours are enough for pages, and the repository stays light."""
    content = page.locator(of).screenshot() if of else page.screenshot()
    image = Image.open(io.BytesIO(content)).convert("RGB")
    path = FOLDER / f"{name}.png"
    for colours in (256, 128, 64):
        image.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < LARGEST_BYTES:
            break
    print(f"{path.relative_to(ROOT)}  {image.width}×{image.height}  {path.stat().st_size // 1000} kB")


def until(ask: Callable[[], _T | None], deadline_s: float, what: str) -> _T:
    """Asks again and again until there is an answer. Ends the program after the deadline."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        answer = ask()
        if answer is not None:
            return answer
        time.sleep(0.5)
    raise SystemExit(f"{what}: not within {deadline_s:.0f} s")


if __name__ == "__main__":
    main()
