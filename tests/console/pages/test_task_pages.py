"""Tasks on the phone and the incident's page beside them: what can be pressed, seen and shown."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from alerts.dispatch.models import Dispatch, IncidentCall
from console.context import Rooms

Visit = Callable[..., TestClient]
Browse = Callable[..., Page]
SHOTS = os.environ.get("TASK_SHOTS")


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def row_of(rooms: Rooms, key: str) -> Dispatch:
    with rooms.database.read() as session:
        row = session.get_one(Dispatch, key)
        session.expunge_all()
    return row


def test_reason_of_a_refusal_is_kept_and_an_unknown_one_is_none(visit: Visit, seeded: Rooms) -> None:
    visit("li").post("/phone/dispatches/d-plate/decline", data={"reason": "unwell"})
    row = row_of(seeded, "d-plate")
    assert (row.state, row.declined_for) == ("declined", "unwell")


def test_nobody_says_for_the_system_that_they_are_off_duty(visit: Visit, seeded: Rooms) -> None:
    visit("li").post("/phone/dispatches/d-plate/decline", data={"reason": "off_duty"})
    assert row_of(seeded, "d-plate").declined_for is None


def test_card_is_one_line_after_the_end_and_the_picture_is_gone(visit: Visit, seeded: Rooms) -> None:
    phone = visit("li", "en")
    for reply in ("accept", "arrive", "resolve"):
        phone.post(f"/phone/dispatches/d-plate/{reply}", data={"result": "settled"})
    page = phone.get("/phone").text
    assert 'data-task="d-plate"' not in page
    assert phone.get("/phone/dispatches/d-plate/picture").status_code == 410


def test_operator_writes_down_a_call_and_nothing_dials(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    page = client.get("/console?incident=i-door").text
    assert "I called 110" in page
    assert "tel:" not in page
    client.post("/console/incidents/i-door/called", data={"number": "110"})
    with seeded.database.read() as session:
        assert session.scalars(select(IncidentCall.number)).all() == ["110"]
    assert "110 called at" in client.get("/console?incident=i-door").text


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_card_leads_through_its_states_with_one_hand(browse: Browse, served: Any, locale: str) -> None:
    page = browse("li", width=390, height=844, has_touch=True, is_mobile=True, locale=locale)
    words = {
        "zh-CN": ("接单", "我出发了", "我需要支援", "我没事", "我已到场"),
        "en-GB": ("Accept", "On my way", "I need help", "I am all right", "I am there"),
    }[locale]
    page.goto(f"{served.url}/phone")
    shot(page, f"offered-{locale}")
    for word, state in zip(
        words, ("accepted", "en_route", "en_route-help", "en_route", "arrived"), strict=True
    ):
        button = page.get_by_role("button", name=word, exact=True).first
        box = button.bounding_box()
        assert box
        assert box["height"] >= 44
        button.tap()
        expect(page.locator(f"[data-state='{state}']")).to_be_visible()
        shot(page, f"{state}-{word}-{locale}".replace(" ", "_"))
        assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1366, "light"), (390, "dark")])
def test_incident_page_says_what_comes_next_and_fits(
    browse: Browse, served: Any, width: int, scheme: str
) -> None:
    page = browse("operator", width=width, height=900, color_scheme=scheme, locale="en-GB")
    page.goto(f"{served.url}/console?incident=i-door")
    expect(page.locator("#form-called-110")).to_be_visible()
    shot(page, f"incident-{width}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
