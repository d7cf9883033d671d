"""A volunteer without a network: what is pressed is kept, shown, and sent once when there is a line."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect
from sqlalchemy import select

from alerts.dispatch.actions import accept, send
from alerts.dispatch.models import Dispatch
from alerts.incidents.actor import Actor
from console.context import Rooms
from storage.audit import AuditRow

SHOTS = os.environ.get("PHONE_SHOTS")
Browse = Callable[..., Page]
PHONE = {"width": 360, "height": 760, "has_touch": True, "is_mobile": True, "loses_line": True}
OPERATOR = Actor("u-operator", "operator")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def row_of(rooms: Rooms, key: str = "d-plate") -> Dispatch:
    with rooms.database.read() as session:
        row = session.get_one(Dispatch, key)
        session.expunge(row)
    return row


def answers(rooms: Rooms) -> list[str]:
    """What the server heard of the task, in order."""
    with rooms.database.read() as session:
        query = select(AuditRow.action).where(AuditRow.action.like("dispatch.%"), AuditRow.actor == "u-li")
        return [one.removeprefix("dispatch.") for one in session.scalars(query.order_by(AuditRow.seq))]


def ready(page: Page) -> None:
    """The service worker has this page and its shell."""
    page.wait_for_function(
        """async () => {
          await navigator.serviceWorker.ready;
          const cache = await caches.open("ringward-shell");
          const found = await Promise.all(["/phone/offline", "/static/offline.js", "/static/pressing.js",
            "/static/presses.js", "/static/phone.css"].map((one) => cache.match(one)));
          return navigator.serviceWorker.controller !== null && found.every(Boolean);
        }"""
    )


def cut(context: BrowserContext) -> None:
    context.set_offline(True)


def waiting(page: Page, count: int) -> None:
    page.wait_for_function("(count) => Number(document.body.dataset.waiting) === count", arg=count)


@pytest.mark.browser
def test_accepted_arrived_and_resolved_without_a_network_is_sent_once_in_order(
    browse: Browse, served: Any
) -> None:
    page = browse("li", **PHONE)
    page.goto(f"{served.url}/phone")
    ready(page)
    cut(page.context)
    card = page.locator("[data-task='d-plate']")
    card.get_by_role("button", name="接单").tap()
    expect(card.get_by_text("等待发送")).to_have_count(1)
    card.get_by_role("button", name="我出发了").tap()
    expect(card).to_have_attribute("data-shown", "en_route")
    card.get_by_role("button", name="我已到场").tap()
    waiting(page, 3)
    shot(page, "waits")
    expect(page.locator("#link-state")).to_contain_text("断网")
    # The tab is closed by the phone and opened again: the shell has the task and what waits.
    page.reload()
    expect(page.get_by_text("以下是断网前的情况")).to_be_visible()
    card = page.locator("[data-task='d-plate']")
    expect(card.get_by_text("等待发送")).to_have_count(3)
    card.locator("textarea").fill("司机是访客")
    card.get_by_role("button", name="处置完毕").tap()
    waiting(page, 4)
    shot(page, "shell")
    assert row_of(served.rooms).state == "offered"
    pressed = page.evaluate("Presses.all().then((rows) => rows.map((one) => one.at))")
    page.context.set_offline(False)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    waiting(page, 0)
    row = row_of(served.rooms)
    assert (row.state, row.note) == ("resolved", "司机是访客")
    assert answers(served.rooms) == ["accept", "depart", "arrive", "resolve"]
    # As long after each other as they were pressed, whatever the two clocks say.
    first = dt.datetime.fromisoformat(pressed[0])
    last = dt.datetime.fromisoformat(pressed[-1])
    assert row.answered_at is not None
    assert row.resolved_at is not None
    assert abs((row.resolved_at - row.answered_at) - (last - first)) < dt.timedelta(seconds=5)
    # The task is over: no copy of it is left on the phone.
    page.wait_for_function("async () => (await Presses.kept('tasks')) === null")


@pytest.mark.browser
def test_two_tabs_and_two_taps_send_one_answer(browse: Browse, served: Any) -> None:
    page = browse("li", **PHONE)
    page.goto(f"{served.url}/phone")
    ready(page)
    other = page.context.new_page()
    other.goto(f"{served.url}/phone")
    cut(page.context)
    for one in (page, other):
        # What is pressed in one tab is hidden in the other at once: here the finger was there already.
        one.locator("[data-task='d-plate'] form[data-press='accept'] button").dispatch_event("click")
    for one in (page, other):
        waiting(one, 1)
    page.context.set_offline(False)
    for one in (page, other):
        expect(one.locator("[data-state='accepted']")).to_be_visible()
    assert answers(served.rooms) == ["accept"]


@pytest.mark.browser
def test_whoever_comes_too_late_is_told_so_on_the_card(browse: Browse, served: Any) -> None:
    rooms: Rooms = served.rooms
    page = browse("wang", **PHONE, locale="en-GB")
    with rooms.database.write() as session:
        send(session, "i-door", ["r-li", "r-wang"], OPERATOR, rooms.clock.now())
    page.goto(f"{served.url}/phone")
    ready(page)
    cut(page.context)
    page.get_by_role("button", name="Accept", exact=True).tap()
    page.get_by_role("button", name="On my way").tap()
    waiting(page, 2)
    with rooms.database.write() as session:
        first = session.scalars(
            select(Dispatch).where(Dispatch.incident == "i-door", Dispatch.responder == "r-li")
        ).one()
        accept(session, first.id, "r-li", rooms.clock.now())
    page.context.set_offline(False)
    waiting(page, 0)
    expect(page.get_by_text("was not taken")).to_be_visible()
    assert page.locator(".press-line.refused").count() == 1
    page.locator(".press-line.refused").get_by_role("button", name="Seen").tap()
    expect(page.locator(".press-line.refused")).to_have_count(0)


@pytest.mark.browser
def test_sign_out_asks_and_leaves_nothing_on_the_phone(browse: Browse, served: Any) -> None:
    page = browse("li", **PHONE, locale="en-GB")
    page.goto(f"{served.url}/phone")
    ready(page)
    page.goto(f"{served.url}/phone/me")
    shot(page, "me")
    page.evaluate(
        """Presses.add({url: "/api/v1/dispatches/d-plate/arrive", task: "d-plate", reply: "arrive",
             label: "I am there", body: {}})"""
    )
    page.context.set_offline(True)
    waiting(page, 1)
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        if len(asked) == 1:
            dialog.dismiss()
        else:
            dialog.accept()

    page.on("dialog", answer)
    button = page.locator("main").get_by_role("button", name="Sign out")
    button.tap()
    waiting(page, 1)
    page.context.set_offline(False)
    waiting(page, 0)
