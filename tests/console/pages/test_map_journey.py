"""The plan in a real browser: nearer and further, by wheel, drag, buttons and keys; layers; a place."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Browse = Callable[..., Page]


def box(page: Page) -> list[float]:
    """The part of the plan that is shown: left, top, width, height."""
    return [float(n) for n in (page.locator("#map").get_attribute("viewBox") or "").split()]


def refreshed(page: Page) -> None:
    """The plan is fetched and drawn again, as after any change."""
    page.evaluate("document.querySelector('#map').dataset.old = 'yes'")
    page.evaluate(
        """async () => {
          const { fetchPart, replace } = await import('/static/live.js');
          const board = document.getElementById('board');
          replace(board, await fetchPart(board.dataset.url));
        }"""
    )
    expect(page.locator("#map[data-old]")).to_have_count(0)


def test_zoom_layers_and_an_opened_place_outlive_a_refresh(browse: Browse, served: Any) -> None:
    page = browse("operator", locale="en-GB")
    page.goto(f"{served.url}/console")
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    whole = box(page)
    expect(page.locator("#plan-out")).to_be_disabled()

    page.locator("#plan-in").click()
    assert box(page)[2] < whole[2]
    shape = page.locator("#map").bounding_box()
    assert shape is not None
    page.mouse.move(shape["x"] + shape["width"] / 2, shape["y"] + shape["height"] / 2)
    page.mouse.wheel(0, -400)
    page.wait_for_function(
        "width => document.querySelector('#map').viewBox.baseVal.width < width", arg=whole[2] / 2
    )
    before = box(page)
    page.mouse.down()
    page.mouse.move(shape["x"] + shape["width"] / 2 + 90, shape["y"] + shape["height"] / 2 + 40, steps=4)
    page.mouse.up()
    dragged = box(page)
    assert dragged[0] < before[0]
    expect(page.locator("#place-panel")).to_be_hidden()

    page.locator("#plan-layers-summary").click()
    page.locator("#layer-devices").uncheck()
    expect(page.locator("#map .device").first).to_be_hidden()
    refreshed(page)
    assert box(page) == dragged
    expect(page.locator("#map .device").first).to_be_hidden()
    expect(page.locator("#layer-devices")).not_to_be_checked()
    page.locator("#layer-devices").check()
    page.locator("#plan-layers-summary").click()
    page.locator("#plan-all").click()
    assert box(page) == whole

    page.locator("#place-sheds").focus()
    page.keyboard.press("Enter")
    panel = page.locator("#place-panel")
    expect(panel).to_be_focused()
    expect(panel.get_by_role("heading", name="自行车棚")).to_be_visible()
    expect(panel.get_by_text("No device here works.")).to_be_visible()
    refreshed(page)
    expect(panel).to_be_visible()
    panel.get_by_role("link", name="Device offline").click()
    expect(page.locator("#detail [data-open=i-off]")).to_be_visible()
    panel.focus()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#place-sheds")).to_be_focused()


def test_keys_move_and_layers_are_remembered_by_the_browser(browse: Browse, served: Any) -> None:
    page = browse("operator", locale="en-GB")
    page.goto(f"{served.url}/console")
    page.locator("#map").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    nearer = box(page)
    page.keyboard.press("ArrowLeft")
    assert box(page)[0] < nearer[0]
    page.keyboard.press("0")
    assert box(page)[0] == 0
    # One stop for the Tab key; from place to place by arrows.
    expect(page.locator("#map a[tabindex='0']")).to_have_count(1)
    page.locator("#place-b1").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#map a:focus")).not_to_have_attribute("id", "place-b1")

    page.locator("#plan-layers-summary").click()
    page.locator("#layer-names").uncheck()
    page.reload()
    expect(page.locator("#map .name").first).to_be_hidden()


def test_two_fingers_draw_it_nearer(browse: Browse, served: Any) -> None:
    page = browse("operator", locale="en-GB", width=390, height=844, has_touch=True)
    page.goto(f"{served.url}/console")
    page.locator("#map").scroll_into_view_if_needed()
    shape = page.locator("#map").bounding_box()
    assert shape is not None
    x, y = shape["x"] + shape["width"] / 2, shape["y"] + shape["height"] / 2
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, apart: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x - apart, "y": y}, {"x": x + apart, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    whole = box(page)
    fingers("touchStart", 20)
    for apart in (30, 45, 60):
        fingers("touchMove", apart)
    fingers("touchEnd", 0)
    page.wait_for_function(
        "width => document.querySelector('#map').viewBox.baseVal.width < width * 0.7", arg=whole[2]
    )
