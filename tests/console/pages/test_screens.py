"""The pages of the registry and of one's own data on a screen and on a phone, by keyboard, in the dark."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Browse = Callable[..., Page]
SIZES = [(1366, 768), (360, 740)]
PAGES = {
    "resident": ["/my", "/my/visitors", "/my/reports", "/my/data", "/my/looks", "/my/rights"],
    "police": ["/account"],
    "guard": ["/registry", "/phone", "/account"],
    "admin": ["/registry", "/registry/gate", "/registry/passes", "/registry/import", "/audit", "/erasures"],
    "manager": [
        f"/registry/reports/{name}" for name in ("consistency", "tenancies", "verification", "vacancies")
    ],
}


def overflows(page: Page) -> list[str]:
    """What reaches beyond the right edge, where the page can be dragged sideways at all."""
    found: list[str] = page.evaluate(
        """() => {
          const root = document.documentElement;
          if (root.scrollWidth <= root.clientWidth) return [];
          return [...document.body.querySelectorAll('*')]
            .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1)
            .map(e => e.tagName + '.' + e.className).slice(0, 5);
        }"""
    )
    return found


def opened(browse: Browse, served: Any, who: str, **more: Any) -> Iterator[tuple[str, Page]]:
    page = browse(who, **more)
    for path in PAGES[who]:
        page.goto(served.url + path)
        yield path, page


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("who", PAGES)
def test_nothing_reaches_beyond_the_edge(browse: Browse, served: Any, who: str, locale: str) -> None:
    for width, height in SIZES:
        for path, page in opened(browse, served, who, width=width, height=height, locale=locale):
            assert overflows(page) == [], (path, width)


def test_a_resident_withdraws_a_consent_by_keyboard_in_two_presses(browse: Browse, served: Any) -> None:
    page = browse("resident", width=360, height=740, locale="en")
    page.goto(f"{served.url}/my")
    page.get_by_text("Withdraw", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Yes, withdraw now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Consent withdrawn: Face access")).to_be_visible()
    expect(page.get_by_role("heading", name="Receipt of erasure: Face")).to_be_visible()


@pytest.mark.parametrize("asked", ["张三丰", "3-2-1801"])
def test_what_is_found_fits_a_phone_in_the_dark(browse: Browse, served: Any, asked: str) -> None:
    page = browse("manager", width=360, height=740, color_scheme="dark")
    page.goto(f"{served.url}/registry")
    expect(page.locator("#asked")).to_be_focused()
    page.keyboard.type(asked)
    page.locator("#purpose").select_option("incident_handling")
    page.locator("#asked").press("Enter")
    expect(page.get_by_text("3幢2单元18层1801室").first).to_be_visible()
    assert overflows(page) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(14, 20, 26)"
