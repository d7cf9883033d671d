"""The guard's page: the list without a network, codes, near plates, opening by hand."""

import datetime as dt
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from console.context import Rooms
from devices.commands.models import CommandState, DeviceCommand
from registry.models import PassUse, VisitorPass
from registry.passes.visiting import token_hash
from storage import new_id

Visit = Callable[..., TestClient]
Browse = Callable[..., Page]
SHOTS = os.environ.get("PHONE_SHOTS")
TOKEN = "RWP1-invented-token-of-a-visitor"
GATE = "/registry/gate"


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def expected(rooms: Rooms, plate: str | None, *, token: str | None = None, zone: str = "gate-north") -> str:
    now, key = rooms.clock.now(), new_id()
    with rooms.database.write() as session:
        session.add(
            VisitorPass(
                id=key,
                compound=rooms.compound,
                kind="visitor",
                state="approved",
                plate=plate,
                starts_at=now - dt.timedelta(hours=1),
                ends_at=now + dt.timedelta(hours=5),
                zones=[zone],
                token_hash=token_hash(token) if token else None,
                version=1,
            )
        )
    return key


def uses(rooms: Rooms) -> list[tuple[str, dt.datetime]]:
    with rooms.database.read() as session:
        return [(row.visitor_pass, row.at) for row in session.scalars(select(PassUse).order_by(PassUse.at))]


def commands(rooms: Rooms) -> list[DeviceCommand]:
    with rooms.database.read() as session:
        rows = list(session.scalars(select(DeviceCommand)))
        session.expunge_all()
    return rows


def opening(client: TestClient) -> dict[str, str]:
    html = client.get(GATE).text
    device = re.search(r'<select id="device".*?value="([^"]+)"', html, re.DOTALL)
    key = re.search(r'name="key" value="([^"]+)"', html)
    assert device
    assert key
    return {"device": device[1], "key": key[1]}


def test_a_near_plate_is_a_question_with_both_plates_in_it(visit: Visit) -> None:
    client = visit("guard")
    html = client.post(f"{GATE}/plate", data={"plate": "云A1Z345", "purpose": "monitoring"}).text
    assert "读成云A1Z345，登记为云A12345：一样吗？" in html
    form = {"plate": "云A12345", "read": "云A1Z345", "purpose": "monitoring"}
    assert "人工核对：云A1Z345 即 云A12345" in client.post(f"{GATE}/plate", data=form).text


def test_only_this_page_may_use_the_camera(visit: Visit) -> None:
    client = visit("guard")
    for path, allowed in ((GATE, True), (f"{GATE}/offline", True), ("/registry", False), ("/my", False)):
        policy = client.get(path).headers["Permissions-Policy"]
        assert ("camera=(self)" in policy) is allowed, path


def test_an_opening_needs_a_reason_and_is_one_command_however_often_it_is_sent(
    visit: Visit, seeded: Rooms
) -> None:
    client = visit("guard", "en")
    form = opening(client)
    for reason in ("", "because", "other"):
        answer = client.post(f"{GATE}/open", data={**form, "reason": reason})
        assert answer.status_code == 422
        assert "Say why it is opened" in answer.text
    assert commands(seeded) == []
    places = set()
    for _ in range(2):
        answer = client.post(f"{GATE}/open", data={**form, "reason": "delivery"})
        assert answer.status_code == 303
        places.add(answer.headers["location"])
    (command,) = commands(seeded)
    assert (command.kind, command.reason, len(places)) == ("open", "delivery", 1)
    with seeded.database.write() as session:
        session.get_one(DeviceCommand, command.id).state = CommandState.UNCERTAIN
    html = client.get(places.pop().split("#")[0]).text
    assert "Look at the gate before you ask again" in html


def test_a_guard_opens_nothing_of_another_gate(visit: Visit, seeded: Rooms) -> None:
    client = visit("guard", "en")
    form = {**opening(client), "device": "turn-east", "reason": "delivery"}
    answer = client.post(f"{GATE}/open", data=form)
    assert answer.status_code == 409
    assert "posted at another gate" in answer.text
    assert commands(seeded) == []


def test_the_shells_know_nobody(visit: Visit) -> None:
    for path in ("/phone/offline", f"{GATE}/offline"):
        stranger, guard = visit(None).get(path), visit("guard").get(path)
        assert stranger.status_code == 200
        assert "csrf" not in guard.text
        assert "guard" not in re.sub(r'(href|src|class)="[^"]*"', "", guard.text).lower()


@pytest.mark.browser
def test_the_list_works_without_a_network_and_tells_afterwards_once(browse: Browse, served: Any) -> None:
    rooms: Rooms = served.rooms
    plated = expected(rooms, "云M12845")
    coded = expected(rooms, None, token=TOKEN)
    expected(rooms, "云M55555", zone="gate-east")
    page = browse("guard", width=390, height=844, has_touch=True, is_mobile=True, loses_line=True)
    page.goto(f"{served.url}{GATE}")
    expect(page.locator("#list li")).to_have_count(2)
    shot(page, "gate")
    page.wait_for_function(
        """async () => {
          await navigator.serviceWorker.ready;
          const cache = await caches.open("ringward-shell");
          const found = await Promise.all(["/registry/gate/offline", "/static/gate-offline.js",
            "/static/gatelist.js", "/static/pressing.js", "/static/presses.js"].map((one) => cache.match(one)));
          return navigator.serviceWorker.controller !== null && found.every(Boolean);
        }"""
    )
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_text("无法远程打开")).to_be_visible()
    expect(page.locator("#list li")).to_have_count(2)
    # Read wrongly by one sign: it is asked, not assumed.
    page.locator("#list-search").fill("云M12B45")
    expect(page.get_by_text("输入云M12B45，预约的是云M12845：一样吗？")).to_be_visible()
    shot(page, "gate-near-offline")
    page.get_by_role("button", name="一样 · 放行").tap()
    page.locator("#list-search").fill(TOKEN)
    expect(page.locator("#list li")).to_have_count(1)
    page.locator(f"[data-pass='{coded}']").get_by_role("button", name="放行").tap()
    page.wait_for_function("() => document.body.dataset.waiting === '2'")
    assert uses(rooms) == []
    page.context.set_offline(False)
    page.wait_for_function("() => document.body.dataset.waiting === '0'")
    expect(page.locator("#open-form")).to_be_visible()
    assert {key for key, _ in uses(rooms)} == {plated, coded}
    assert len(uses(rooms)) == 2


@pytest.mark.browser
def test_the_list_goes_at_sign_out(browse: Browse, served: Any) -> None:
    expected(served.rooms, "云M12845")
    page = browse("guard", width=768, height=1024, locale="en-GB", session_ends=True)
    page.goto(f"{served.url}{GATE}")
    expect(page.locator("#list li")).to_have_count(1)
    shot(page, "gate-tablet")
    page.wait_for_function("async () => (await Presses.kept('gate')) !== null")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    kept = page.evaluate(
        """() => new Promise((done) => {
          const asked = indexedDB.open("ringward-phone");
          asked.onsuccess = () => {
            const rows = asked.result.transaction("kept").objectStore("kept").getAll();
            rows.onsuccess = () => done(rows.result.length);
          };
        })"""
    )
    assert kept == 0
