"""The phone's pages: what is on the card, what can be pressed, and that it fits and can be read."""

import datetime as dt
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from fastapi.testclient import TestClient
from playwright.sync_api import Page

from alerts.dispatch.models import ResponderPosition
from alerts.duty.models import Shift
from console.context import Rooms

Visit = Callable[..., TestClient]
Browse = Callable[..., Page]
SHOTS = os.environ.get("PHONE_SHOTS")
PLACES = ["/phone", "/phone/patrol", "/phone/duty", "/phone/report", "/phone/me"]


def shown(html: str, label: str) -> bool:
    """Whether a button of this label is on the card as it stands, not in a part for another state."""
    card = re.sub(r"<(div|p|form|span)[^>]*data-when[^>]* hidden>.*?</\1>", "", html, flags=re.DOTALL)
    return f">{label}</button>" in card


def test_card_has_each_state_and_shows_the_present_one(visit: Visit) -> None:
    client = visit("li", "en")
    html = client.get("/phone").text
    assert shown(html, "Accept")
    for label in ("On my way", "I need help"):
        assert not shown(html, label)
        assert f">{label}</button>" in html
    client.post("/phone/dispatches/d-plate/accept")
    html = client.get("/phone").text
    assert shown(html, "On my way")
    assert not shown(html, "Accept")


def test_card_calls_the_numbers_that_its_advice_names(visit: Visit) -> None:
    html = visit("li", "en").get("/phone").text
    assert re.findall(r'href="tel:(\d+)"', html) == ["110", "120"]


@pytest.mark.parametrize(("x", "drawn"), [(96.0, True), (900.0, False)])
def test_own_position_is_on_ones_own_plan_where_it_was_agreed_to(
    visit: Visit, seeded: Rooms, x: float, drawn: bool
) -> None:
    now = seeded.clock.now()
    assert 'class="me"' not in visit("li").get("/phone").text
    with seeded.database.write() as session:
        said = now - dt.timedelta(seconds=20)
        session.add(
            ResponderPosition(
                responder="r-li",
                compound=seeded.compound,
                consented_at=said,
                x=x,
                y=20.0,
                accuracy=9.0,
                at=said,
            )
        )
    assert ('class="me"' in visit("li").get("/phone").text) is drawn


def test_old_position_is_not_drawn(visit: Visit, seeded: Rooms) -> None:
    said = seeded.clock.now() - dt.timedelta(minutes=6)
    with seeded.database.write() as session:
        session.add(
            ResponderPosition(
                responder="r-li", compound=seeded.compound, consented_at=said, x=96.0, y=20.0, at=said
            )
        )
    assert 'class="me"' not in visit("li").get("/phone").text


@pytest.mark.parametrize(("who", "places"), [("li", PLACES), ("guard", PLACES)])
def test_five_places_are_within_reach_on_each_page(visit: Visit, who: str, places: list[str]) -> None:
    client = visit(who)
    for path in places:
        answer = client.get(path)
        assert answer.status_code == 200
        bar = answer.text.split('class="thumb"')[1].split("</nav>")[0]
        assert re.findall(r'href="([^"]+)"', bar) == PLACES
        assert re.findall(r'href="([^"]+)" aria-current="page"', bar) == [path]


def test_duty_begins_in_one_tap_on_the_first_page(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        shift = session.get_one(Shift, "s-r-wang")
        shift.starts_at = seeded.clock.now() + dt.timedelta(hours=3)
        shift.ends_at = seeded.clock.now() + dt.timedelta(hours=9)
    client = visit("wang", "en")
    assert "I am on duty now" in client.get("/phone").text
    assert client.post("/phone/duty/check-in").status_code == 303
    assert "I go off duty" in client.get("/phone").text


@pytest.mark.browser
@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "light"), ("en-GB", "dark")])
def test_pages_fit_a_small_phone_with_large_letters_and_can_be_read(
    browse: Browse, served: Any, locale: str, scheme: str
) -> None:
    page = browse("guard", width=320, height=640, locale=locale, color_scheme=scheme)
    other = browse("li", width=320, height=640, locale=locale, color_scheme=scheme)
    axe = Axe()
    # Six pages are read through twice: on a busy machine that is no matter of seconds.
    for one in (page, other):
        one.set_default_timeout(30_000)
    for one, path in [(other, "/phone"), *((page, path) for path in (*PLACES[1:], "/registry/gate"))]:
        one.goto(f"{served.url}{path}")
        found = axe.run(one, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [
            (path, bad["id"], node["html"][:160])
            for bad in found
            if bad["impact"] in {"serious", "critical"}
            for node in bad["nodes"]
        ]
        assert grave == []
        small = one.evaluate(
            """() => [...document.querySelectorAll("main .alert button, .thumb a, .calls a")]
              .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 52)
              .map((one) => one.outerHTML.slice(0, 120))"""
        )
        assert small == [], path
        if SHOTS:
            name = f"{path.strip('/').replace('/', '-')}-{locale}"
            one.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
        # Letters twice as large, as a browser's own zoom of text makes them.
        one.evaluate(
            """() => { for (const element of document.querySelectorAll("main *, .thumb *")) {
                 const size = parseFloat(getComputedStyle(element).fontSize);
                 element.dataset.size = size; }
               for (const element of document.querySelectorAll("main *, .thumb *"))
                 element.style.fontSize = `${Math.min(2 * element.dataset.size, 40)}px`; }"""
        )
        assert one.evaluate("document.documentElement.scrollWidth") <= 320, path
        if SHOTS:
            one.screenshot(path=str(Path(SHOTS) / f"{name}-large.png"), full_page=True)
