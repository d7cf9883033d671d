"""The week of duty as a manager works with it: shifts given, moved and ended, swaps, gaps, refusals."""

import datetime as dt
import re
from collections.abc import Callable
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from conftest import Served
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import delete, select

from alerts.duty import swapping
from alerts.duty.coverage import Gap, Need
from alerts.duty.models import Responder, Shift
from alerts.duty.rostermodels import DutyChange, DutyRules, DutySwap, SwapState
from alerts.incidents.actor import Actor
from console.context import Rooms
from console.pages.roster_gaps import Bar, Missing, lacking

Visit = Callable[..., TestClient]
SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = dt.date(2026, 11, 23)
NOTHING_TYPED = {"responder": "", "day": "", "starts": "", "ends": ""}


class Notices(HTMLParser):
    """What a page says in its notices, by the class of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = dict(attrs).get("class") or ""
        if tag == "p" and "notice" in classes.split():
            self._open = classes
            self.said.append((classes, ""))

    def handle_data(self, data: str) -> None:
        if self._open:
            self.said[-1] = (self.said[-1][0], self.said[-1][1] + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._open = ""


def notices(html: str, kind: str) -> list[str]:
    return [text.strip() for classes, text in Notices(html).said if kind in classes.split()]


def field(html: str, form: str, name: str) -> str:
    """The value of an input, or the chosen option of a list, in the form with this action."""
    part = re.search(rf'<form[^>]*action="{re.escape(form)}".*?</form>', html, re.DOTALL)
    assert part, form
    typed = re.search(rf'<input[^>]*name="{name}"[^>]*>', part[0])
    if typed:
        value = re.search(r'value="([^"]*)"', typed[0])
        return value[1] if value else ""
    chosen = re.search(rf'<select name="{name}".*?</select>', part[0], re.DOTALL)
    assert chosen, name
    option = re.search(r'<option value="([^"]*)" selected>', chosen[0])
    return option[1] if option else ""


def section(html: str, key: str) -> str:
    found = re.search(rf'<section[^>]*id="{key}".*?</section>', html, re.DOTALL)
    assert found, key
    return found[0]


@pytest.fixture
def tomorrow(seeded: Rooms) -> dt.date:
    return seeded.clock.now().astimezone(SHANGHAI).date() + dt.timedelta(days=1)


@pytest.fixture
def crew(seeded: Rooms) -> Rooms:
    """Two guards, of whom one has no shift; no rest is asked for between shifts."""
    with seeded.database.write() as session:
        session.add(Responder(id="r-qian", team="t-guard", name="钱保安"))
        session.add(DutyRules(compound=seeded.compound, rest_h=0, check_in_h=4, approve_swaps=True))
    return seeded


@pytest.fixture
def give(visit: Visit, crew: Rooms, tomorrow: dt.date) -> Callable[..., str]:
    """Gives 钱保安 a shift tomorrow as a manager does; returns its id."""

    def one(**given: str) -> str:
        form = {"responder": "r-qian", "day": f"{tomorrow}", "starts": "08:00", "ends": "16:00"} | given
        assert visit("manager").post("/console/roster/shifts", data=form).status_code == 303
        return shifts(crew)[-1].id

    return one


def shifts(rooms: Rooms, responder: str = "r-qian") -> list[Shift]:
    with rooms.database.read() as session:
        rows = session.scalars(
            select(Shift).where(Shift.responder == responder).order_by(Shift.starts_at)
        ).all()
        session.expunge_all()
    return list(rows)


def hours(shift: Shift) -> str:
    return f"{shift.starts_at.astimezone(SHANGHAI):%d %H:%M} {shift.ends_at.astimezone(SHANGHAI):%d %H:%M}"


# ── Shifts ───────────────────────────────────────────────────────────────────


def test_shift_over_midnight_is_given_and_its_week_is_shown_with_what_came_of_it(
    visit: Visit, crew: Rooms, tomorrow: dt.date
) -> None:
    client = visit("manager")
    form = {"responder": "r-qian", "starts": "22:00", "ends": "06:00", "week": f"{MONDAY}"}
    later = tomorrow + dt.timedelta(days=10)
    answer = client.post("/console/roster/shifts", data=form | {"day": f"{later}"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/console/roster?week={later}&done=given",
    )
    [made] = shifts(crew)
    assert hours(made) == f"{later:%d} 22:00 {later + dt.timedelta(days=1):%d} 06:00"
    html = client.get(answer.headers["location"]).text
    assert notices(html, "ok") == ["班次已安排，本人会收到通知。"]
    assert f"shift={made.id}" in html
    assert "22:00–06:00⁺¹" in html


def test_what_is_said_afterwards_is_one_of_few_sentences(visit: Visit, crew: Rooms) -> None:
    assert notices(visit("manager").get("/console/roster?done=nonsense").text, "ok") == []


def test_conflict_is_refused_beside_the_form_and_what_was_typed_stays(
    visit: Visit, crew: Rooms, give: Callable[..., str], tomorrow: dt.date
) -> None:
    give()
    typed = {
        "responder": "r-qian",
        "day": f"{tomorrow}",
        "starts": "15:00",
        "ends": "19:30",
        "post": "garden",
        "on_call": "1",
    }
    answer = visit("manager").post("/console/roster/shifts", data=typed)
    assert answer.status_code == 409
    assert notices(answer.text, "bad") == ["该时段此人已在班。"]
    assert "该时段此人已在班。" in section(answer.text, "give")
    form = "/console/roster/shifts"
    assert {name: field(answer.text, form, name) for name in typed if name != "on_call"} == {
        name: value for name, value in typed.items() if name != "on_call"
    }
    assert re.search(r'name="on_call" value="1" checked', answer.text)
    # The form for stand-ins beside it keeps nothing of it.
    assert field(answer.text, "/console/roster/changes", "responder") == ""
    assert len(shifts(crew)) == 1


@pytest.mark.parametrize("missing", sorted(NOTHING_TYPED))
def test_half_a_form_gives_no_shift(visit: Visit, crew: Rooms, tomorrow: dt.date, missing: str) -> None:
    form = {"responder": "r-qian", "day": f"{tomorrow}", "starts": "08:00", "ends": "16:00"}
    answer = visit("manager").post("/console/roster/shifts", data=form | {missing: ""})
    assert answer.status_code in {404, 422}
    assert len(notices(answer.text, "bad")) == 1
    assert shifts(crew) == []


def test_shift_is_moved_and_a_refused_move_keeps_what_was_typed_in_its_own_form(
    visit: Visit, crew: Rooms, give: Callable[..., str], tomorrow: dt.date
) -> None:
    give(starts="18:00", ends="22:00")
    give(starts="06:00", ends="08:00")
    early = shifts(crew)[0].id
    client = visit("manager")
    path = f"/console/roster/shifts/{early}/move"
    clash = {"day": f"{tomorrow}", "starts": "17:00", "ends": "19:00"}
    refused = client.post(path, data=clash)
    assert refused.status_code == 409
    duty = section(refused.text, "duty")
    assert notices(duty, "bad") == ["该时段此人已在班。"]
    assert {name: field(duty, path, name) for name in clash} == clash
    assert len(shifts(crew)) == 2

    moved = client.post(path, data=clash | {"ends": "18:00"})
    assert moved.headers["location"] == f"/console/roster?week={tomorrow}&done=moved"
    assert [hours(one)[3:8] for one in shifts(crew)] == ["17:00", "18:00"]


def test_future_shift_is_taken_away_and_one_that_runs_is_ended_early(
    visit: Visit, crew: Rooms, give: Callable[..., str]
) -> None:
    client = visit("manager")
    future = give()
    assert "removal" in section(client.get(f"/console/roster?shift={future}").text, "duty")
    gone = client.post(f"/console/roster/shifts/{future}/removal")
    assert gone.headers["location"] == "/console/roster?done=removed"
    assert shifts(crew) == []

    now = crew.clock.now()
    running = shifts(crew, "r-zhao")[0]
    duty = section(client.get(f"/console/roster?shift={running.id}").text, "duty")
    assert "removal" not in duty
    assert "/move" not in duty
    local = now.astimezone(SHANGHAI)
    form = {
        "instead_of": "r-zhao",
        "starts": f"{local + dt.timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "ends": f"{running.ends_at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}",
    }
    ended = client.post("/console/roster/changes", data=form)
    assert ended.headers["location"] == "/console/roster?done=absent"
    assert shifts(crew, "r-zhao")[0].ends_at <= now + dt.timedelta(hours=1)


def test_shift_that_is_gone_is_said_so(visit: Visit, crew: Rooms) -> None:
    answer = visit("manager", "en").post("/console/roster/shifts/s-none/removal")
    assert answer.status_code == 404
    assert len(notices(answer.text, "bad")) == 1
    assert 'id="duty"' not in visit("manager").get("/console/roster?shift=s-none").text


# ── Stand-ins and swaps ──────────────────────────────────────────────────────


def test_refused_stand_in_keeps_what_was_typed(visit: Visit, crew: Rooms, tomorrow: dt.date) -> None:
    typed = {
        "instead_of": "r-zhao",
        "responder": "r-zhao",
        "starts": f"{tomorrow}T08:00",
        "ends": f"{tomorrow}T16:00",
        "reason": "体检",
    }
    answer = visit("manager").post("/console/roster/changes", data=typed)
    assert answer.status_code == 409
    part = section(answer.text, "change")
    assert notices(part, "bad") == ["这是同一个人。"]
    assert {name: field(part, "/console/roster/changes", name) for name in typed} == typed
    with crew.database.read() as session:
        assert session.scalars(select(DutyChange)).all() == []


@pytest.mark.parametrize(
    ("verdict", "said", "state"),
    [
        ("approve", "换班已批准，双方会收到通知。", SwapState.DONE),
        ("refuse", "换班已驳回，班次不变。", SwapState.REFUSED),
    ],
)
def test_swap_that_both_want_waits_for_the_manager_s_word(
    visit: Visit, crew: Rooms, give: Callable[..., str], verdict: str, said: str, state: SwapState
) -> None:
    shift, now = give(), crew.clock.now()
    qian, zhao = Actor("u-qian", "guard"), Actor("u-guard", "guard")
    with crew.database.write() as session:
        swap = swapping.ask(session, crew.compound, shift, "r-qian", "r-zhao", None, qian, now).id
        swapping.accept(session, crew.compound, swap, "r-zhao", zhao, now)
    client = visit("manager")
    assert "钱保安 → 赵保安" in client.get("/console/roster").text
    answer = client.post(f"/console/roster/swaps/{swap}", data={"verdict": verdict})
    html = client.get(answer.headers["location"]).text
    assert notices(html, "ok") == [said]
    assert "钱保安 → 赵保安" not in html
    with crew.database.read() as session:
        assert session.get_one(DutySwap, swap).state == state
    holder = "r-zhao" if verdict == "approve" else "r-qian"
    assert hours(shifts(crew, holder)[-1])[3:8] == "08:00"
    again = client.post(f"/console/roster/swaps/{swap}", data={"verdict": verdict})
    assert again.status_code == 409


def test_swap_without_a_verdict_stays_open(visit: Visit, crew: Rooms) -> None:
    assert visit("manager").post("/console/roster/swaps/x", data={"verdict": "perhaps"}).status_code == 422


# ── Gaps ─────────────────────────────────────────────────────────────────────


def gap(need: Need, start: str, end: str, zone: str | None = None) -> Gap:
    first, last = (dt.datetime.fromisoformat(one).replace(tzinfo=SHANGHAI) for one in (start, end))
    return Gap(need, zone, first, last, 0, 1)


def test_days_that_are_missing_whole_are_one_bar_over_them() -> None:
    found = [gap(Need.GUARD, "2026-11-24T00:00", "2026-11-28T00:00", "g")]
    assert lacking(found, MONDAY, SHANGHAI, {"g": "东门"}).bars == (
        Bar(1, 4, Missing(Need.GUARD, "东门", "", "", 0, 1)),
    )


def test_bar_says_from_when_and_until_when_and_ends_with_the_week() -> None:
    found = [
        gap(Need.OPERATOR, "2026-11-20T09:00", "2026-11-24T08:00"),
        gap(Need.RESPONDER, "2026-11-27T13:20", "2026-12-04T00:00"),
    ]
    its = lacking(found, MONDAY, SHANGHAI, {})
    assert [(bar.first, bar.last, bar.missing.starts, bar.missing.ends) for bar in its.bars] == [
        (0, 1, "", "08:00⁺¹"),
        (4, 6, "13:20", ""),
    ]
    assert its.by_day == {}


def test_night_stands_once_on_the_day_on_which_it_begins() -> None:
    found = [
        gap(Need.GUARD, "2026-11-24T22:00", "2026-11-25T06:00", "g"),
        gap(Need.GUARD, "2026-11-25T00:00", "2026-11-26T00:00", "h"),
        gap(Need.CALENDAR, "2027-01-01T00:00", "2028-01-01T00:00"),
        gap(Need.GUARD, "2026-12-01T22:00", "2026-12-02T06:00", "g"),
    ]
    its = lacking(found, MONDAY, SHANGHAI, {})
    assert its.bars == ()
    assert {day: [(one.starts, one.ends) for one in rows] for day, rows in its.by_day.items()} == {
        1: [("22:00", "06:00⁺¹")],
        2: [("00:00", "24:00")],
    }


def test_week_without_guards_shows_one_bar_for_each_gate(visit: Visit, crew: Rooms) -> None:
    with crew.database.write() as session:
        session.execute(delete(Shift).where(Shift.responder == "r-zhao"))
    week = f"{MONDAY + dt.timedelta(days=7)}"
    html = visit("manager").get("/console/roster", params={"week": week}).text
    table = re.search(r'<table class="duties">.*?</table>', html, re.DOTALL)
    assert table
    bars = re.findall(r'<tr class="gaps bars">.*?</tr>', table[0], re.DOTALL)
    assert [name for name in ("东门", "北门车行道") if sum(name in bar for bar in bars) == 1] == [
        "东门",
        "北门车行道",
    ]
    assert all("全天" in bar for bar in bars if "门" in bar)
    # A row has as many columns as the head has days.
    first = next(bar for bar in bars if "东门" in bar)
    assert sum(int(n) for n in re.findall(r'colspan="(\d+)"', first)) == 7
    # Whoever looks at one team is not told of gaps of the others.
    assert "gaps bars" not in visit("manager").get("/console/roster?team=t-vol&week=" + week).text


def test_today_is_marked_and_no_other_day(visit: Visit, crew: Rooms, tomorrow: dt.date) -> None:
    html = visit("manager").get("/console/roster").text
    # Once in the table and once in the list that a phone has.
    marked = re.findall(r'aria-current="date">(?:\s*<h3>)?(.*?)<span class="mono">([\d-]+)<', html)
    today = tomorrow - dt.timedelta(days=1)
    assert [date for _, date in marked] == [f"{today:%m-%d}"] * 2
    later = visit("manager").get("/console/roster", params={"week": f"{today + dt.timedelta(days=7)}"}).text
    assert 'aria-current="date"' not in later


@pytest.mark.parametrize(("language", "name"), [("zh-CN", "国庆节"), ("en", "National Day")])
def test_rest_days_have_the_names_that_their_reader_knows(
    visit: Visit, crew: Rooms, language: str, name: str
) -> None:
    client = visit("manager", language)
    client.post(
        "/console/roster/days", data={"day": "2026-12-24", "kind": "holiday", "name": "Spring 社区日"}
    )
    calendar = client.get("/console/roster/calendar?year=2026").text
    assert name in calendar
    assert ("Spring Festival" in calendar) == (language == "en")
    # What the compound calls a day is nobody's to translate.
    assert "Spring 社区日" in calendar
    assert name in client.get("/console/roster?week=2026-10-01").text


# ── Who may ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["operator", "guard", "li", "police"])
@pytest.mark.parametrize(
    "path", ["shifts", "shifts/s-r-li/move", "shifts/s-r-li/removal", "changes", "swaps/x"]
)
def test_who_makes_no_rosters_is_refused_and_nothing_changes(
    visit: Visit, crew: Rooms, tomorrow: dt.date, who: str, path: str
) -> None:
    form = {"responder": "r-qian", "day": f"{tomorrow}", "starts": "08:00", "ends": "16:00"}
    answer = visit(who).post(f"/console/roster/{path}", data=form | {"verdict": "approve"})
    assert answer.status_code == 403
    assert shifts(crew) == []
    assert len(shifts(crew, "r-li")) == 1


def test_operator_sees_the_week_and_no_way_to_change_it(visit: Visit, crew: Rooms) -> None:
    html = visit("operator").get("/console/roster").text
    assert "赵保安" in html
    assert 'method="post" action="/console/roster' not in html
    assert "&amp;shift=" not in html
    assert "&amp;give=" not in html


@pytest.mark.parametrize("who", ["resident", "auditor"])
def test_who_has_nothing_to_do_with_duty_does_not_see_it(visit: Visit, crew: Rooms, who: str) -> None:
    assert visit(who).get("/console/roster").status_code == 403


# ── In a browser ─────────────────────────────────────────────────────────────


@pytest.mark.browser
def test_manager_gives_moves_and_ends_a_shift_by_keyboard_and_on_a_phone(
    browse: Callable[..., Page], served: Served, crew: Rooms, tomorrow: dt.date
) -> None:
    page = browse("manager", timezone_id="Asia/Shanghai")
    page.goto(f"{served.url}/console/roster?week={tomorrow}&give={tomorrow}&who=r-qian")
    # The person and the day are filled in; what is asked next has the focus.
    expect(page.locator("#give [name=starts]")).to_be_focused()
    expect(page.locator("#give [name=responder]")).to_have_value("r-qian")
    page.locator("#give [name=starts]").fill("09:00")
    page.locator("#give [name=ends]").fill("17:00")
    page.locator("#give button").click()
    expect(page.locator(".notice.ok")).to_contain_text("班次已安排")

    # Arrow keys go from duty to duty, Enter opens one.
    duty = page.locator(f".duties a[href*='shift={shifts(crew)[0].id}']")
    duty.focus()
    page.keyboard.press("ArrowRight")
    expect(duty).not_to_be_focused()
    assert page.evaluate("document.activeElement.closest('tr').textContent").strip().startswith("钱保安")
    page.keyboard.press("ArrowLeft")
    expect(duty).to_be_focused()
    page.keyboard.press("Enter")
    form = page.locator("#duty form[action$='/move']")
    expect(form.locator("[name=starts]")).to_have_value("09:00")
    form.locator("[name=ends]").fill("18:00")
    form.locator("button").click()
    expect(page.locator(".notice.ok")).to_contain_text("班次时间已改")
    assert [hours(one) for one in shifts(crew)] == [f"{tomorrow:%d} 09:00 {tomorrow:%d} 18:00"]

    phone = browse("manager", width=390, height=844, timezone_id="Asia/Shanghai")
    phone.goto(f"{served.url}/console/roster?week={tomorrow}")
    expect(phone.locator(".grid-holder")).to_be_hidden()
    days = phone.locator(".week > li")
    expect(days).to_have_count(7)
    assert len({round(box["x"]) for box in (one.bounding_box() for one in days.all()) if box}) == 1
    days.locator("a", has_text="钱保安").click()
    phone.locator("#duty form[action$='/removal'] button").click()
    expect(phone.locator(".notice.ok")).to_contain_text("班次已取消")
    assert shifts(crew) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
