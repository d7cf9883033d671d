"""Takes the pictures of docs/screenshots from a running demo: `python -m tests.screenshots [NAME …]`.

It starts a demo of its own on free ports, chooses passwords through the links that the demo prints,
works as operator and volunteer do while the day plays, and looks at each page in Chromium: in Chinese
and in English, as a screen and as a phone. Which pages those are stands in `tests.picturebook`. The
played evening lasts eight minutes; what looks back is taken after it, and everything together takes
about a quarter of an hour. With names, only those pages are taken, and nothing is deleted.
"""

import contextlib
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from playwright.sync_api import Error as BrowserError

from console.pages.view import THEME_COOKIE
from tests import picturebook as book
from tests.support import demohands as hands
from tests.support import framing
from tests.support.rundemo import Demo, invited, running_demo, say_something_wrong, until

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
LANGUAGES: Final = {"zh": "zh-CN", "en": "en-GB"}
PURPOSES: Final = {"operator": "incident_handling", "manager": "resident_request", "gate": "monitoring"}
STORY_S: Final = 240.0
EVENING_S: Final = 900.0
PAGE_MS: Final = 20_000
# What the pictures need of the story: a forced door, a car on the watch-list, a covered camera, and
# something in each ring. The rule that waits longest answers 60 s after its plate.
WANTED: Final = {"door": "R-B05", "watched": "R-E09", "covered": "R-D02"}
RINGS: Final = frozenset({"entrance", "common", "building"})
# The evening's incident begins as somebody who slipped in, and has become critical when it is over.
EVENING: Final = ("R-E01", 1)


def main(wanted: Iterable[str]) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="ringward-shots-") as folder,
        running_demo(Path(folder)) as demo,
        sync_playwright() as playwright,
        contextlib.ExitStack() as opened,
    ):
        say_something_wrong(demo)
        browsers = {key: opened.enter_context(browser_in(playwright, tag)) for key, tag in LANGUAGES.items()}
        album = Album(browsers, demo, frozenset(wanted))
        album.take({**demo.links, "gate": invited(demo, "gate", "guard")})
    for fault in album.faults:
        print(f"not taken: {fault}", file=sys.stderr)
    if not album.only:
        # One that failed this time keeps its last picture; what is no page any more goes.
        for path in set(FOLDER.iterdir()) - {FOLDER / f"{name}.webp" for name in book.names(LANGUAGES)}:
            path.unlink()
    return 1 if album.faults else 0


def browser_in(playwright: Playwright, tag: str) -> Browser:
    """What the browser draws itself, dates and the button for a file, follows its own language."""
    tongue = os.environ | {"LANGUAGE": tag.replace("-", "_")}
    return playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*ARGUMENTS, f"--lang={tag}"], env={**tongue}
    )


class Album:
    """The pictures of one demo, and the people who work in it meanwhile."""

    def __init__(
        self, browsers: Mapping[str, Browser], demo: Demo, only: frozenset[str] = frozenset()
    ) -> None:
        self.browsers = browsers
        self.demo = demo
        self.only = only
        self.faults: list[str] = []
        self.story: dict[str, str] = {}
        self.password = secrets.token_urlsafe(18)
        self.people: dict[tuple[str | None, str], BrowserContext] = {}

    def take(self, links: dict[str, str]) -> None:
        """Plays operator and volunteer, and takes each picture when its time has come."""
        for name, link in links.items():
            hands.choose_password(self.browsers["en"], link, self.password)
            self.sign_in(name)
        waiting = any(map(self.asked_for, book.DURING))
        for shot in filter(self.asked_for, book.STANDING):
            # What happens comes in the second minute, and does not wait.
            if waiting and self.happened():
                self.happen()
                waiting = False
            self.shoot([shot])
        if waiting:
            until(self.happened, STORY_S, "an incident in each ring")
            self.happen()
        if any(map(self.asked_for, book.OVER)):
            until(self.over, EVENING_S, "the end of the evening")
            self.shoot(book.OVER)

    def happen(self) -> None:
        """The part of the day in which somebody is sent, and what each sees of it."""
        self.shoot(book.HAPPENING)
        if not any(map(self.asked_for, book.SENDING)):
            return
        self.send(self.story["door"])
        self.shoot(book.OFFERED)
        self.reply("accept", "accepted")
        self.shoot(book.ACCEPTED)
        self.reply("arrive", "arrived")
        self.shoot(book.ARRIVED)
        self.resolve()

    def sign_in(self, name: str) -> None:
        """One session for each language; the picture of nobody's pages has one without."""
        for key, tag in LANGUAGES.items():
            context = hands.opened(self.browsers[key], self.demo.base, tag, book.DESKTOP.window)
            context.set_default_timeout(PAGE_MS)
            hands.sign_in(context, self.demo.base, name, self.password)
            if name in PURPOSES:
                hands.say_why(context, self.demo.base, PURPOSES[name])
            self.people[name, key] = context
            if (None, key) not in self.people:
                self.people[None, key] = hands.opened(
                    self.browsers[key], self.demo.base, tag, book.DESKTOP.window
                )

    def incidents(self) -> list[dict[str, Any]]:
        """What there is, the newest first."""
        asked = self.people["operator", "en"].request.get(f"{self.demo.base}/api/v1/incidents?limit=100")
        items: list[dict[str, Any]] = asked.json()["items"]
        return items

    def happened(self) -> bool | None:
        """Notes the newest incident of each rule, once the story has come far enough."""
        items = self.incidents()
        found = {item["rule"]: item["id"] for item in reversed(items)}
        if not found.keys() >= set(WANTED.values()) or not {item["ring"] for item in items} >= RINGS:
            return None
        self.story |= {name: found[rule] for name, rule in WANTED.items()}
        return True

    def over(self) -> bool | None:
        """Notes the evening's incident and the hand-over, once the played people have signed it."""
        evening = [one["id"] for one in self.incidents() if (one["rule"], one["severity"]) == EVENING]
        with contextlib.closing(self.page("operator", "/console/handovers")) as page:
            handovers = page.locator("main a[href^='/console/handovers/']")
            if not evening or not handovers.count():
                return None
            self.story["handover"] = handovers.first.get_attribute("href") or ""
        self.story["evening"] = evening[0]
        return True

    # ── People at the pages ──────────────────────────────────────────────────

    def page(self, who: str, path: str) -> Page:
        page = self.people[who, "en"].new_page()
        page.goto(f"{self.demo.base}{path}")
        return page

    def send(self, incident: str) -> None:
        me = self.people["volunteer", "en"].request.get(f"{self.demo.base}/api/v1/me").json()
        with contextlib.closing(self.page("operator", f"/console?incident={incident}")) as page:
            hands.confirm_and_send(page, me["responder_id"])

    def reply(self, reply: str, state: str) -> None:
        with contextlib.closing(self.page("volunteer", "/phone")) as page:
            hands.hear(page)
            hands.answer(page, reply, state)

    def resolve(self) -> None:
        with contextlib.closing(self.page("volunteer", "/phone")) as page:
            hands.hear(page)
            hands.resolve(page)

    # ── Pictures ─────────────────────────────────────────────────────────────

    def asked_for(self, shot: book.Shot) -> bool:
        # The visitor's own page needs the pass that another picture gives.
        wanted = {shot.name, "visitor"} if shot.name == "pass-made" else {shot.name}
        return not self.only or not wanted.isdisjoint(self.only)

    def shoot(self, shots: Iterable[book.Shot]) -> None:
        """Takes each in both languages; what fails is noted, and the others are taken."""
        for shot in filter(self.asked_for, shots):
            for key in LANGUAGES:
                context = self.people[shot.who, key]
                with contextlib.closing(context.new_page()) as page:
                    try:
                        self.picture(page, shot, key)
                    except (BrowserError, KeyError) as error:
                        self.faults.append(f"{shot.name}-{key}: {str(error).splitlines()[0]}")
                context.clear_cookies(name=THEME_COOKIE)

    def picture(self, page: Page, shot: book.Shot, key: str) -> None:
        """One page in its sizes. Raises the browser's error where it does not come."""
        names = iter(shot.names(key))
        for number, size in enumerate(shot.sizes):
            page.set_viewport_size(size.window)
            if not number:
                self.open(page, shot)
            elif shot.do is None:
                # Some pages are laid out anew for a phone, and not by their styles alone.
                page.reload()
            self.settled(page, shot)
            if size is book.PHONE and shot.top is not None:
                page.locator(shot.top).first.evaluate("element => element.scrollIntoView()")
            self.keep(page, shot, next(names))
        if shot.dark:
            page.context.add_cookies([{"name": THEME_COOKIE, "value": "dark", "url": self.demo.base}])
            page.set_viewport_size(shot.sizes[0].window)
            page.reload()
            self.settled(page, shot)
            self.keep(page, shot, next(names))

    def open(self, page: Page, shot: book.Shot) -> None:
        answer = page.goto(self.demo.base + shot.path.format(**self.story))
        if answer is None or answer.status != 200:
            raise BrowserError(f"answered {answer.status if answer else 'nothing'}")
        if shot.do is not None:
            shot.do(page)
        if shot.name == "pass-made":
            link = page.locator("#link").input_value()
            self.story["pass"] = re.sub(r"^https?://[^/]+", "", link)

    def settled(self, page: Page, shot: book.Shot) -> None:
        page.locator(shot.wait).first.wait_for()
        hands.settle(page)

    def keep(self, page: Page, shot: book.Shot, name: str) -> None:
        path = FOLDER / f"{name}.webp"
        image = framing.taken(page, faces=shot.faces)
        framing.keep(image, path)
        print(f"{path.name}  {image.width}×{image.height}  {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
