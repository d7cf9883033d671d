"""What people do at the pages of a demo before a picture of them is taken: by the page, as anybody would."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

Do = Callable[[Page], None]
MANY_LETTERS: Final = 50


def choose_password(browser: Browser, link: str, password: str) -> None:
    """Chooses a password by a one-time link; the link signs in as well, which is left behind."""
    with contextlib.closing(browser.new_context()) as context:
        page = context.new_page()
        page.goto(link)
        page.locator("input[name=password]").fill(password)
        page.locator("input[name=again]").fill(password)
        page.locator("form[action^='/setup/'] button").click()
        page.wait_for_url(lambda url: "/setup/" not in url)


def opened(browser: Browser, base: str, tag: str, size: ViewportSize) -> BrowserContext:
    """A browser of nobody, in a language and of a size."""
    context = browser.new_context(
        viewport=size, locale=tag, timezone_id="Asia/Shanghai", color_scheme="light", reduced_motion="reduce"
    )
    with contextlib.closing(context.new_page()) as page:
        page.goto(f"{base}/language/{tag}")
    return context


def sign_in(context: BrowserContext, base: str, name: str, password: str) -> None:
    with contextlib.closing(context.new_page()) as page:
        page.goto(f"{base}/sign-in")
        page.locator("input[name=name]").fill(name)
        page.locator("input[name=password]").fill(password)
        page.locator("form[action='/sign-in'] button").click()
        page.wait_for_url(lambda url: not url.endswith("/sign-in"))


def say_why(context: BrowserContext, base: str, purpose: str) -> None:
    """What the sitting is for: asked once, before anybody is looked at."""
    with contextlib.closing(context.new_page()) as page:
        page.goto(f"{base}/registry/purpose")
        page.locator(f"button[name=purpose][value={purpose}]").click()
        page.wait_for_url(lambda url: "/purpose" not in url)


# ── At the desk ──────────────────────────────────────────────────────────────


def confirm_and_send(page: Page, responder: str) -> None:
    """Confirms the open incident and asks one responder."""
    page.locator("#form-confirm button").click()
    form = page.locator("#form-dispatch")
    # Whom to send opens by itself once it is confirmed.
    form.wait_for()
    for box in form.locator("input[name=responder]").all():
        box.set_checked(box.get_attribute("value") == responder)
    form.locator("button.primary").click()
    page.locator("#detail .asked .chip.todo").first.wait_for()


def searching(plate: str) -> Do:
    """Asks where a plate was seen today, for a review."""

    def do(page: Page) -> None:
        page.locator("input[name=purpose][value=review]").check()
        page.locator("#s-plate").fill(plate)
        page.locator("main form button.primary").first.click()
        page.locator("#hits-title").wait_for()

    return do


def turning_on(way: str) -> Do:
    """Goes on to the next page of what comes in pages, e.g. the week that the rosters fill."""

    def do(page: Page) -> None:
        page.locator(f"a[rel={way}]").first.click()
        page.wait_for_load_state()

    return do


# ── At the registry and the gate ─────────────────────────────────────────────


def finding(words: str) -> Do:
    """Looks for somebody."""

    def do(page: Page) -> None:
        page.locator("#asked").fill(words)
        if page.locator("#purpose").count():
            page.locator("#purpose").select_option("resident_request")
        page.locator(".find button.primary").click()
        page.wait_for_load_state()

    return do


def giving_a_pass(plates: Mapping[str, str], address: str) -> Do:
    """Issues a pass for two hours to a car, another in each language; its code stands on the page that answers."""

    def do(page: Page) -> None:
        page.locator("#visitor").fill(plates[page.locator("html").get_attribute("lang") or ""])
        page.locator("#to").fill(address)
        page.locator("#issue button[name=span]").first.click()
        page.locator("#link").wait_for()

    return do


def asking_for_a_plate(plate: str) -> Do:
    """Types a plate as it was read, which is nearly another's."""

    def do(page: Page) -> None:
        page.locator("#plate").fill(plate)
        page.locator("#purpose-plate").select_option("monitoring")
        page.locator("form[action^='/registry/gate/plate'] button.primary").last.click()
        page.wait_for_load_state()

    return do


# ── At the devices and the rules ─────────────────────────────────────────────


def trying_a_message(device: str) -> Do:
    """Lets the test bench fill in what a camera sends, and tries it."""

    def do(page: Page) -> None:
        fill = page.locator("form[method=get] .go button")
        page.locator("#b-device").select_option(device)
        fill.click()
        page.locator("#b-example").select_option("face.captured")
        fill.click()
        page.locator("form[action='/console/bench'] button.primary").last.click()
        page.locator("#way-title").wait_for()

    return do


# ── On the phone ─────────────────────────────────────────────────────────────


def answer(page: Page, reply: str, state: str) -> None:
    """Presses an answer on the card, and waits for what becomes of it."""
    page.locator(f"[data-task] form[data-press={reply}]:visible button").first.click()
    page.locator(f"[data-task][data-state^={state}]").first.wait_for()


def resolve(page: Page) -> None:
    """Says what came of it, and that it is over."""
    form = page.locator("[data-task][data-state^=arrived] form[data-press=resolve]")
    form.locator("select").select_option(index=1)
    form.locator("button").last.click()
    page.locator("[data-task][data-state^=arrived]").wait_for(state="detached")


def hear(page: Page) -> None:
    """Presses for the sound, as everybody does once; letters are read and put away."""
    desk = page.locator("#sound-button")
    if desk.count():
        desk.click()
        page.keyboard.press("Escape")
    elif page.locator("#letters-sound").is_visible():
        page.locator("#letters-sound").click()
    letters = page.locator("#letters-list button")
    for _ in range(MANY_LETTERS):
        if not letters.count():
            break
        letters.first.click()
    page.evaluate("document.activeElement?.blur(); window.scrollTo(0, 0)")


def settle(page: Page) -> None:
    """Until the page is live, heard, and its pictures are there."""
    if page.locator("#link-state").count():
        page.locator("#link-state[data-state=live]").wait_for(state="attached")
    if page.locator("#sound-button, #letters-sound").count():
        hear(page)
    # What lies below the window is fetched when somebody comes near.
    page.wait_for_function(
        "[...document.images].every(one => one.loading === 'lazy' || (one.complete && one.naturalWidth > 0))"
    )
