"""The photo of what came of a task: taken on the phone's card, with and without a network, seen at the desk."""

import re
from collections.abc import Callable

import pytest
from conftest import Served, picture
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from alerts.dispatch.models import Dispatch
from console.api.dispatches import Reply
from console.context import Rooms
from console.texts import load
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
Browse = Callable[..., Page]
TASK = "/phone/dispatches/d-plate"
PHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True, "loses_line": True}


def task(rooms: Rooms) -> Dispatch:
    with rooms.database.read() as session:
        row = session.get_one(Dispatch, "d-plate")
        session.expunge(row)
    return row


def heard(rooms: Rooms) -> list[str]:
    """What the server noted of the volunteer's task, in order."""
    with rooms.database.read() as session:
        query = select(AuditRow.action).where(AuditRow.action.like("dispatch.%"), AuditRow.actor == "u-li")
        return [one.removeprefix("dispatch.") for one in session.scalars(query.order_by(AuditRow.seq))]


@pytest.fixture
def arrived(visit: Visit) -> TestClient:
    client = visit("li")
    for reply in (Reply.ACCEPT, Reply.ARRIVE):
        assert client.post(f"{TASK}/{reply}").status_code == 303
    return client


def resolve_form(html: str) -> str:
    found = re.search(r'<form[^>]*data-press="resolve".*?</form>', html, re.DOTALL)
    assert found
    return found[0]


def test_card_asks_for_one_photo_and_says_what_is_taken_out_of_it(arrived: TestClient) -> None:
    form = resolve_form(arrived.get("/phone").text)
    assert 'enctype="multipart/form-data"' in form
    assert 'data-photo-url="/api/v1/dispatches/d-plate/photo"' in form
    [field] = re.findall(r'<input type="file"[^>]*>', form)
    assert 'accept="image/*"' in field
    assert "multiple" not in field
    assert "required" not in field
    label = re.search(r'id="([^"]+)" name="photo"', field)
    assert label
    assert f'<label for="{label[1]}">现场照片（可不填）</label>' in form
    described = re.search(r'aria-describedby="([^"]+)"', field)
    assert described
    assert re.search(rf'id="{described[1]}">[^<]*位置和手机信息会被去除', form)


def test_whoever_has_not_taken_it_on_is_asked_for_no_photo(visit: Visit) -> None:
    assert 'type="file"' not in visit("li").get("/phone").text.split('data-when="accepted')[0]


def test_photo_comes_with_the_end_without_scripts_and_is_seen_at_the_desk(
    arrived: TestClient, visit: Visit, seeded: Rooms
) -> None:
    done = arrived.post(
        f"{TASK}/resolve", data={"note": "已放行"}, files={"photo": ("a.jpg", picture(200), "image/jpeg")}
    )
    assert done.status_code == 303
    row = task(seeded)
    assert (row.state, row.note) == ("resolved", "已放行")
    assert row.media_id
    assert heard(seeded) == ["accept", "arrive", "resolve", "photo"]

    shown = visit("operator").get("/console?incident=i-plate").text
    figure = re.search(r'<figure class="result-photo">.*?</figure>', shown, re.DOTALL)
    assert figure
    assert f"/api/v1/media/{row.media_id}?purpose=incident_handling" in figure[0]
    # Whoever sees no picture reads whose result it is.
    assert 'alt="李队员的处置结果"' in figure[0]
    assert (
        f"/api/v1/media/{row.media_id}?purpose=review"
        in visit("operator").get("/console/reviews/i-plate").text
    )
    # Who may look at no pictures is not told that there is one.
    assert row.media_id not in visit("manager").get("/console/reviews/i-plate").text


def test_end_stands_where_its_photo_is_no_picture(arrived: TestClient, seeded: Rooms) -> None:
    answer = arrived.post(f"{TASK}/resolve", files={"photo": ("a.jpg", b"no picture", "image/jpeg")})
    assert load("zh_CN")("refused.no_picture") in answer.text
    row = task(seeded)
    assert (row.state, row.media_id) == ("resolved", None)


def test_end_without_a_photo_is_an_end(arrived: TestClient, visit: Visit, seeded: Rooms) -> None:
    assert arrived.post(f"{TASK}/resolve", files={"photo": ("", b"", "")}).status_code == 303
    assert (task(seeded).state, task(seeded).media_id) == ("resolved", None)
    assert "result-photo" not in visit("operator").get("/console?incident=i-plate").text


@pytest.mark.browser
def test_photo_taken_without_a_network_is_sent_once_when_there_is_one(browse: Browse, served: Served) -> None:
    page = browse("li", **PHONE)
    page.goto(f"{served.url}/phone")
    page.wait_for_function(
        """async () => {
          await navigator.serviceWorker.ready;
          const cache = await caches.open("ringward-shell");
          const found = await Promise.all(["/phone/offline", "/static/presses.js"].map((one) => cache.match(one)));
          return navigator.serviceWorker.controller !== null && found.every(Boolean);
        }"""
    )
    card = page.locator("[data-task='d-plate']")
    card.get_by_role("button", name="接单").tap()
    expect(card).to_have_attribute("data-shown", "accepted")
    expect(page.locator("body")).to_have_attribute("data-waiting", "0")
    page.context.set_offline(True)
    card.get_by_role("button", name="我已到场").tap()
    expect(card).to_have_attribute("data-shown", "arrived")
    given = {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": picture(220)}
    card.locator("input[type=file]").set_input_files([given])
    card.locator("textarea").fill("已放行")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    card.get_by_role("button", name="处置完毕").tap()
    expect(page.locator("body")).to_have_attribute("data-waiting", "2")
    assert task(served.rooms).media_id is None

    page.context.set_offline(False)
    expect(page.locator("body")).to_have_attribute("data-waiting", "0")
    row = task(served.rooms)
    assert (row.state, row.note) == ("resolved", "已放行")
    kept = served.rooms.media.get(row.media_id or "")
    assert kept.startswith(b"\xff\xd8\xff")
    # The line goes and comes once more: what has been sent stays sent, and the phone keeps no copy.
    page.context.set_offline(True)
    page.context.set_offline(False)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    assert heard(served.rooms) == ["accept", "arrive", "resolve", "photo"]
    assert page.evaluate("Presses.all().then((rows) => rows.filter((one) => one.photo).length)") == 0
