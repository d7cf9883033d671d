"""The wall: what is open and how late, readable from afar, and nothing of a person."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pages_history
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from console.context import Rooms
from console.texts import load
from registry.models import Ring

Visit = Callable[..., TestClient]
Browse = Callable[..., Page]
PART = "/console/fragments/wall"


def alarm(seeded: Rooms, at: dt.datetime, **more: Any) -> None:
    with seeded.database.write() as session:
        session.add(pages_history.incident(
            "i-alarm", at - dt.timedelta(seconds=30), severity=1, kind="door.forced", zone="b5",
            ring=Ring.BUILDING, **more,
        ))  # fmt: skip


def test_the_wall_names_no_one(visit: Visit, seeded: Rooms) -> None:
    html = visit("admin").get("/console/wall").text
    for secret in ("云M8X21K", "张三丰", "李队员", "王队员", "赵保安", "/api/v1/media/", "(2026)云01号"):
        assert secret not in html
    # Neither who is signed in: the screen is nobody's.
    assert not re.search(r">\s*admin\s*<", html)
    assert "红花义警队" in html


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("kind", ["duress", "watchlist.hit", "watchlist.progress"])
def test_what_the_one_concerned_may_not_learn_is_said_at_the_desk(
    visit: Visit, seeded: Rooms, at: dt.datetime, kind: str, language: str
) -> None:
    with seeded.database.write() as session:
        session.add(pages_history.incident("i-secret", at, severity=1, kind=kind, zone="garden",
                                           ring=Ring.COMMON))  # fmt: skip
    client = visit("operator", language)
    desk, wall, part = (client.get(path).text for path in ("/console", "/console/wall", PART))
    texts = load("en" if language == "en" else "zh_CN")
    # The desk tells it; the wall tells how grave it is, where, and where to read more.
    assert texts.code("kind", kind) in desk
    for html in (wall, part):
        for secret in ("duress", "watchlist.hit", "watchlist.progress"):
            assert secret not in html
            assert texts.code("kind", secret) not in html
        line = re.search(r'<li class="sev-1 waits">.*?</li>', html, re.DOTALL)
        assert line
        assert texts("wall.discreet") in line[0]
        assert "中心花园" in line[0]
        assert f"<title>{texts.code('severity', '1')} · {texts('wall.discreet')}" in html


def test_counters_of_the_rings_add_up(visit: Visit, seeded: Rooms, at: dt.datetime) -> None:
    with seeded.database.write() as session:
        session.get_one(Incident, "i-door").due_at = at - dt.timedelta(seconds=1)
    html = visit("operator", "en").get(PART).text
    rings = re.findall(r'class="wall-ring">.*?</dl>', html, re.DOTALL)
    numbers = [[int(n) for n in re.findall(r"<dd>(\d+)</dd>", ring)] for ring in rings]
    # Open, not taken, late: the entrance has three open ones, of which two nobody has taken.
    assert numbers == [[3, 2, 0], [1, 0, 0], [1, 0, 1]]
    assert "silent: 1 of 10" in html
    assert "Blind: 自行车棚" in html


def test_a_critical_one_that_nobody_took_is_an_alarm_until_somebody_does(
    visit: Visit, seeded: Rooms, at: dt.datetime
) -> None:
    client = visit("operator", "en")
    assert 'data-alarm="no"' in client.get(PART).text
    alarm(seeded, at)
    html = client.get(PART).text
    assert 'data-alarm="yes"' in html
    assert "Critical, nobody has taken it: 1" in html
    with seeded.database.write() as session:
        session.get_one(Incident, "i-alarm").state = State.ACKNOWLEDGED
    assert 'data-alarm="no"' in client.get(PART).text


def test_an_exercise_is_said_and_alarms_nobody(visit: Visit, seeded: Rooms, at: dt.datetime) -> None:
    alarm(seeded, at, drill=True)
    html = visit("operator", "en").get(PART).text
    assert 'data-alarm="no"' in html
    assert "chip drill" in html


def test_only_the_control_room_has_a_wall(visit: Visit) -> None:
    for role in ("li", "guard", "resident", "manager"):
        assert visit(role).get("/console/wall").status_code == 403


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_an_alarm_comes_to_the_wall_by_itself(
    browse: Browse, served: Any, at: dt.datetime, width: int, height: int
) -> None:
    page = browse("operator", width=width, height=height, reduced_motion="reduce")
    page.clock.install()
    page.goto(f"{served.url}/console/wall")
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    expect(page.locator(".alarm-band")).to_be_hidden()
    alarm(served.rooms, at)
    # Nothing was told of it: the screen asks for itself now and then, should the line stay silent by mistake.
    page.clock.run_for(31_000)
    expect(page.locator(".alarm-band")).to_be_visible()
    band = page.locator(".alarm-band").bounding_box()
    assert band is not None
    assert band["height"] > height / 30
    assert page.evaluate("getComputedStyle(document.body, '::after').animationName") == "none"
    kind = page.locator(".wall-lines .what").first
    # Three metres away a letter has to be a hundredth of the screen's width at least.
    assert float(kind.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= width / 100
    assert page.evaluate("document.documentElement.scrollHeight") <= height
    before = page.locator("#wall-time").inner_text()
    page.clock.run_for(3000)
    expect(page.locator("#wall-time")).not_to_have_text(before)
