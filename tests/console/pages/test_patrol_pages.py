"""The patrol pages: set up, printed, walked with the phone, looked at; in both sizes and languages."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from test_screens import overflows

from alerts.duty.models import Responder
from alerts.incidents.actor import Actor
from alerts.patrols import checkpoints, keeping, routes, visiting
from alerts.patrols.checkpoints import PointGiven
from alerts.patrols.models import PatrolRound, PatrolVisit, PointKind
from alerts.patrols.routes import RouteGiven, ScheduleGiven
from console.context import Rooms
from registry.models import Zone

Visit = Callable[..., TestClient]
BY = Actor("u-manager", "property_manager")


@pytest.fixture
def walked(seeded: Rooms) -> dict[str, str]:
    """A route of li's team over two points, due now; the codes by the names of the points."""
    now = seeded.clock.now()
    found: dict[str, str] = {}
    with seeded.database.write() as session:
        team = session.scalars(select(Responder.team).where(Responder.id == "r-li")).one()
        ids = []
        for name, zone in zip(("东门", "车棚"), _zones(session), strict=True):
            row, code = checkpoints.add_point(
                session, seeded.compound, PointGiven(name, zone, PointKind.QR), BY, now
            )
            ids.append(row.id)
            found[name] = code or ""
        route = routes.add_route(session, seeded.compound, RouteGiven("夜巡", team, tuple(ids)), BY, now)
        local = now.astimezone(dt.timezone(dt.timedelta(hours=8)))
        minutes = local.hour * 60 + local.minute + 1
        hours = ScheduleGiven((minutes,), 30, weekdays=(local.weekday(),))
        routes.add_schedule(session, seeded.compound, route.id, hours, BY, now)
    with seeded.database.write() as session:
        keeping.keep(session, now)
    return found


def _zones(session: Session) -> list[str]:
    return list(session.scalars(select(Zone.id).order_by(Zone.id).limit(2)))


def round_of(rooms: Rooms) -> PatrolRound:
    with rooms.database.read() as session:
        row = session.scalars(select(PatrolRound).order_by(PatrolRound.due_from)).first()
        assert row is not None
        session.expunge_all()
        return row


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found
    return found[1]


def test_a_manager_adds_a_point_and_prints_its_code_once(visit: Visit, seeded: Rooms) -> None:
    client = visit("manager", "en")
    with seeded.database.read() as session:
        zone = _zones(session)[0]
    page = client.post("/console/patrols/points", data={"name": "Pump room", "zone": zone, "kind": "qr"})
    assert page.status_code == 200
    assert "<svg" in page.text
    assert "style=" not in page.text
    (code,) = re.findall(r"/phone/patrol/scan/([\w-]{32})<", page.text)
    overview = client.get("/console/patrols").text
    assert "Pump room" in overview
    assert code not in overview
    refused = client.post("/console/patrols/points", data={"name": " ", "zone": zone, "kind": "qr"})
    assert refused.status_code == 422


def test_a_manager_adds_a_route_and_when_it_is_walked(visit: Visit, walked: dict, seeded: Rooms) -> None:
    client = visit("manager", "en")
    html = client.get("/console/patrols").text
    points = list(dict.fromkeys(re.findall(r'name="point" value="(\w+)"', html)))
    team = re.search(r'<select name="team" required><option value="([\w-]+)"', html)
    assert team
    asked = {
        "name": "Morning",
        "team": team[1],
        "point": points,
        "number": ["2", "1"],
        "in_order": "1",
        "least_s": "",
        "most_s": "600",
    }
    assert client.post("/console/patrols/routes", data=asked).status_code == 303
    made = next(one for one in client.get("/api/v1/patrols/routes").json() if one["name"] == "Morning")
    assert (made["points"], made["in_order"], made["most_s"]) == (points[::-1], True, 600)
    hours = {"weekday": ["0", "6"], "day_kind": ["holiday"], "times": "22:00, 25:30", "lasts_min": "45"}
    path = f"/console/patrols/routes/{made['id']}"
    assert client.post(f"{path}/schedules", data=hours).status_code == 303
    assert "25:30" in client.get("/console/patrols").text
    assert client.post(f"{path}/schedules", data=hours | {"times": "noon"}).status_code == 422
    # The same name again is refused in words.
    again = client.post("/console/patrols/routes", data=asked)
    assert (again.status_code, "This name is taken" in again.text) == (409, True)
    assert client.post(f"{path}/retirement").status_code == 303


def test_a_scan_counts_at_the_press_and_once(visit: Visit, walked: dict, seeded: Rooms) -> None:
    client = visit("li", "en")
    start = round_of(seeded)
    assert client.post(f"/phone/patrol/rounds/{start.id}/start").status_code == 303
    path = f"/phone/patrol/scan/{walked['东门']}"
    page = client.get(path)
    assert "东门" in page.text
    with seeded.database.read() as session:
        # An address that was opened is no visit.
        assert session.scalars(select(PatrolVisit)).all() == []
    form = {"client": field(page.text, "client")}
    for _ in range(2):
        answer = client.post(path, data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/phone/patrol?done=here")
    with seeded.database.read() as session:
        assert [one.how for one in session.scalars(select(PatrolVisit))] == ["qr"]
    html = client.get("/phone/patrol?done=here").text
    assert "Your visit is noted" in html
    assert "<strong>车棚</strong>" in html
    # The other one by hand, with a reason.
    hand = re.search(r'action="(/phone/patrol/rounds/\w+/points/\w+)"', html)
    assert hand
    told = {"client": field(html, "client"), "reason": ""}
    assert client.post(hand[1], data=told).status_code == 422
    assert client.post(hand[1], data=told | {"reason": "torn off"}).status_code == 303
    assert round_of(seeded).state == "done"


def test_an_unknown_code_and_one_that_was_replaced_say_so(visit: Visit, walked: dict, seeded: Rooms) -> None:
    client = visit("li", "en")
    unknown = client.get("/phone/patrol/scan/guessed")
    assert (unknown.status_code, "No checkpoint has this code" in unknown.text) == (404, True)
    with seeded.database.write() as session:
        point, _ = visiting.by_code(session, seeded.compound, walked["东门"])
        checkpoints.renew_code(session, seeded.compound, point.id, BY, seeded.clock.now())
    page = client.get(f"/phone/patrol/scan/{walked['东门']}")
    assert "has been replaced" in page.text
    answer = client.post(f"/phone/patrol/scan/{walked['东门']}", data={"client": field(page.text, "client")})
    assert answer.headers["location"] == "/phone/patrol?done=old"


def test_whoever_is_signed_out_comes_to_the_point_after_signing_in(visit: Visit) -> None:
    answer = visit(None).get("/phone/patrol/scan/abc", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].endswith("?next=/phone/patrol/scan/abc")


def test_a_round_is_broken_off_from_the_console_with_a_reason(
    visit: Visit, walked: dict, seeded: Rooms
) -> None:
    client = visit("operator", "en")
    path = f"/console/patrols/rounds/{round_of(seeded).id}/abort"
    assert client.post(path, data={"reason": ""}).status_code == 422
    assert client.post(path, data={"reason": "thunderstorm"}).status_code == 303
    assert "thunderstorm" in client.get("/console/patrols").text
    assert client.get("/console/patrols/report").status_code == 200


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_nothing_reaches_beyond_the_edge_of_the_patrol_pages(
    walked: dict, browse: Callable[..., Page], served: Any, locale: str
) -> None:
    pages = {
        "manager": ["/console/patrols", "/console/patrols/report"],
        "li": ["/phone/patrol", f"/phone/patrol/scan/{walked['东门']}"],
    }
    for width, height in ((1366, 768), (390, 844)):
        for who, paths in pages.items():
            page = browse(who, width=width, height=height, locale=locale)
            for path in paths:
                page.goto(served.url + path)
                for one in page.locator("details").all():
                    one.evaluate("e => e.open = true")
                assert overflows(page) == [], (path, width)
