"""The pages of duty: the week and the manager's desk, and one's own duty on a phone."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from conftest import Served
from fastapi.testclient import TestClient
from playwright.sync_api import Page
from sqlalchemy import delete, select

from alerts.duty import gaps, rostering, swapping
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.duty.roster import Rotation, Slot
from alerts.duty.rostermodels import CalendarDay, DutyChange, DutyRules, DutySwap
from alerts.incidents.actor import Actor
from console.context import Rooms

Visit = Callable[..., TestClient]
MANAGER = Actor("u-manager", "property_manager")


@pytest.fixture
def planned(seeded: Rooms) -> Rooms:
    """The guards have a roster from tomorrow on, and a colleague."""
    now = seeded.clock.now()
    begins = now.date() + dt.timedelta(days=1)
    with seeded.database.write() as session:
        session.add(Responder(id="r-qian", team="t-guard", name="钱保安"))
        session.add(Team(id="t-office", compound=seeded.compound, name="物业", kind=TeamKind.PROPERTY))
        session.flush()
        session.add(Responder(id="r-boss", team="t-office", name="孙经理", leads=True))
        session.flush()
        slot = Slot("day", dt.time(8), dt.time(16), Rotation((("r-zhao",),), begins), post="gate-north")
        given = rostering.Definition("t-guard", "北门白班", (slot,), begins)
        rostering.create(session, seeded.compound, given, MANAGER, now)
    return seeded


def shift_of(rooms: Rooms, responder: str) -> Shift:
    with rooms.database.read() as session:
        row = session.scalars(
            select(Shift)
            .where(Shift.responder == responder, Shift.starts_at > rooms.clock.now())
            .order_by(Shift.starts_at)
        ).first()
        assert row is not None
        session.expunge(row)
        return row


def test_week_shows_who_stands_where_and_who_is_on_now_and_next(visit: Visit, planned: Rooms) -> None:
    html = visit("operator", "en").get("/console/roster").text
    assert "赵保安" in html
    assert re.search(r'<li class="on"><span class="mono">[\d:]+–[\d:]+</span> 赵保安', html)
    assert "from" in html
    assert "北门白班" in visit("operator", "en").get("/console/roster/rules").text
    later = visit("operator", "en").get("/console/roster", params={"week": "2026-10-05"}).text
    # Saturday the tenth of October is worked.
    assert "make-up working day" in later
    assert later.count("holiday") >= 3


@pytest.mark.parametrize(
    ("hours", "ends"), [(4, "16:00"), (12, "24:00"), (24, "12:00⁺¹"), (36, "24:00⁺¹"), (44, "08:00⁺²")]
)
def test_a_duty_says_how_many_days_later_it_ends(visit: Visit, seeded: Rooms, hours: int, ends: str) -> None:
    zone = dt.timezone(dt.timedelta(hours=8))
    noon = dt.datetime.combine(seeded.clock.now().astimezone(zone).date(), dt.time(12), zone)
    with seeded.database.write() as session:
        session.execute(delete(Shift))
        shift = Shift(
            id="s-long", responder="r-zhao", starts_at=noon, ends_at=noon + dt.timedelta(hours=hours)
        )
        session.add(shift)
    html = visit("operator", "en").get("/console/roster").text
    assert f">12:00–{ends}</span> 赵保安" in html


def test_volunteer_sees_the_own_team_and_nothing_to_decide(visit: Visit, planned: Rooms) -> None:
    html = visit("li", "en").get("/console/roster").text
    assert "李队员" in html
    assert "赵保安" not in html
    assert "<form" not in re.sub(r"<header.*?</header>", "", html, flags=re.DOTALL)


def test_manager_puts_somebody_in_and_takes_it_back(visit: Visit, planned: Rooms) -> None:
    client = visit("manager", "en")
    shift = shift_of(planned, "r-zhao")
    local = [
        moment.astimezone(dt.timezone(dt.timedelta(hours=8))) for moment in (shift.starts_at, shift.ends_at)
    ]
    form = {
        "instead_of": "r-zhao",
        "responder": "r-qian",
        "starts": f"{local[0]:%Y-%m-%dT%H:%M}",
        "ends": f"{local[1]:%Y-%m-%dT%H:%M}",
        "reason": "体检",
    }
    answer = client.post("/console/roster/changes", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/roster?done=changed")
    assert shift_of(planned, "r-qian").starts_at == shift.starts_at
    html = client.get("/console/roster").text
    assert "钱保安 stands in for 赵保安" in html
    with planned.database.read() as session:
        change = session.scalars(select(DutyChange.id)).one()
    client.post(f"/console/roster/changes/{change}/end")
    assert shift_of(planned, "r-zhao").starts_at == shift.starts_at
    refused = client.post("/console/roster/changes", data=form | {"ends": "nonsense"})
    assert refused.status_code == 422
    assert "not complete" in refused.text


def test_manager_says_what_a_day_is(visit: Visit, planned: Rooms) -> None:
    client = visit("manager", "en")
    client.post("/console/roster/days", data={"day": "2026-12-24", "kind": "holiday", "name": "社区日"})
    with planned.database.read() as session:
        assert session.scalars(select(CalendarDay.name)).all() == ["社区日"]
    assert "社区日" in client.get("/console/roster", params={"week": "2026-12-24"}).text
    client.post("/console/roster/days", data={"day": "2026-12-24"})
    with planned.database.read() as session:
        assert session.scalars(select(CalendarDay.name)).all() == []


def test_swap_goes_from_phone_to_phone_to_the_manager(visit: Visit, planned: Rooms) -> None:
    with planned.database.write() as session:
        session.add(DutyRules(compound=planned.compound, rest_h=11, check_in_h=4, approve_swaps=True))
    shift = shift_of(planned, "r-zhao")
    guard = visit("guard", "en")
    assert "Ask the team" in guard.get("/phone/duty").text
    asked = guard.post("/phone/duty/swaps", data={"shift": shift.id, "colleague": "r-qian"})
    assert asked.status_code == 303
    assert "You have asked" in guard.get("/phone/duty").text
    with planned.database.write() as session:
        swap = session.scalars(select(DutySwap.id)).one()
        qian = Actor("u-qian", "guard")
        swapping.accept(session, planned.compound, swap, "r-qian", qian, planned.clock.now())
    manager = visit("manager", "en")
    assert "赵保安 → 钱保安" in manager.get("/console/roster").text
    manager.post(f"/console/roster/swaps/{swap}", data={"verdict": "approve"})
    assert shift_of(planned, "r-qian").starts_at == shift.starts_at


def test_check_in_and_out_by_one_button(visit: Visit, planned: Rooms) -> None:
    with planned.database.write() as session:
        session.get_one(Shift, "s-r-li").ends_at = planned.clock.now()
    client = visit("li", "en")
    assert "Not checked in" in client.get("/phone/duty").text
    assert client.post("/phone/duty/check-in").status_code == 303
    html = client.get("/phone/duty").text
    assert "Checked in until" in html
    assert "/phone/duty/check-out" in html
    assert client.post("/phone/duty/check-in").status_code == 409
    client.post("/phone/duty/check-out")
    assert "Not checked in" in client.get("/phone/duty").text


def test_whoever_cannot_come_leaves_the_place_empty_and_nobody_else_s(visit: Visit, planned: Rooms) -> None:
    shift = shift_of(planned, "r-zhao")
    other = visit("li", "en").post("/phone/duty/absences", data={"shift": shift.id})
    assert other.status_code == 409
    assert shift_of(planned, "r-zhao").id == shift.id
    assert visit("guard", "en").post("/phone/duty/absences", data={"shift": shift.id}).status_code == 303
    assert shift_of(planned, "r-zhao").starts_at > shift.starts_at


def test_calendar_address_is_shown_once(visit: Visit, planned: Rooms) -> None:
    client = visit("guard", "en")
    shown = re.search(r"https?://\S+?\.ics", client.post("/phone/duty/feed").text)
    assert shown
    assert ".ics" not in client.get("/phone/duty").text
    assert client.get(shown[0]).headers["content-type"].startswith("text/calendar")


def test_forms_want_the_token_of_their_session(visit: Visit, planned: Rooms) -> None:
    client = visit("guard", "en")
    del client.headers["X-CSRF-Token"]
    assert client.post("/phone/duty/check-in").status_code == 403
    assert visit("guard", "en").post("/console/roster/changes", data={}).status_code == 403


@pytest.mark.parametrize("size", [(390, 844), (1366, 768)])
@pytest.mark.browser
def test_pages_of_duty_fit_a_phone_and_a_desk(
    browse: Callable[..., Page], served: Served, planned: Rooms, size: tuple[int, int]
) -> None:
    with planned.database.write() as session:
        gaps.check(session, planned.compound, planned.clock.now())
    for who, path in (("manager", "/console/roster"), ("guard", "/phone/duty")):
        page = browse(who, width=size[0], height=size[1])
        page.goto(served.url + path)
        assert page.locator("h1").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
