"""Reviews, measures, the month and ratings as people meet them on a page."""

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
from sqlalchemy.orm import Session
from test_screens import overflows

from alerts.handover.models import Handover, HandoverSignature
from alerts.handover.writing import make
from alerts.incidents.actor import SYSTEM, Actor
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.patrols.models import RoundState
from alerts.review import ratings
from alerts.review.models import IncidentRating, IncidentReview, Measure, Need
from alerts.review.rules import MeasureState
from alerts.routing import silences
from console.accounts.models import Role, User
from console.context import Rooms
from registry.models import Zone
from storage import new_id
from tests.support.rounds import Walked

Visit = Callable[..., TestClient]
Browse = Callable[..., Page]
COMPOUND = "honghua"


@pytest.fixture
def resolved(seeded: Rooms) -> str:
    """An incident that the operator resolved an hour ago, about a plate that a review must not show."""
    at = seeded.clock.now() - dt.timedelta(hours=1)
    row = Incident(
        id=new_id(),
        compound=COMPOUND,
        rule="R-B05",
        kind="door.forced",
        ring="building",
        zone="sheds",
        device_id="door-1",
        severity=2,
        state=State.RESOLVED,
        version=2,
        happened_at=at,
        raised_at=at,
        last_signal_at=at,
        reason="door_forced",
        reason_args={},
        subject_kind="plate",
        subject="云A77777",
        resolution="王小明修好了",
        due_at=at + dt.timedelta(hours=48),
    )
    with seeded.database.write() as session:
        session.add(row)
        session.flush()
        for version, before, to, actor in (
            (1, None, State.CONFIRMED, "u-operator"),
            (2, State.CONFIRMED, State.RESOLVED, "u-operator"),
        ):
            session.add(
                Transition(
                    id=new_id(),
                    incident=row.id,
                    version=version,
                    from_state=before,
                    to_state=to,
                    actor=actor,
                    role="operator",
                    at=at,
                )
            )
        session.add(
            User(
                id="u-second",
                name="second",
                password_hash="$argon2id$none",
                role=Role.OPERATOR,
                created_at=at,
            )
        )
        return row.id


@pytest.fixture
def handed(seeded: Rooms) -> str:
    with seeded.database.write() as session:
        row = make(session, COMPOUND, SYSTEM, seeded.clock.now())
        assert row is not None
        return row.id


REVIEW = {"score": "4", "cause": "lighting", "alert": "right", "lesson": "车棚的灯坏了"}


def post(client: TestClient, path: str, **form: str) -> Any:
    html = client.get("/account").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert token
    return client.post(path, data={"csrf_token": token[1], **form})


def test_what_waits_is_listed_and_its_page_shows_neither_plate_nor_words_of_the_case(
    visit: Visit, resolved: str
) -> None:
    client = visit("manager", "en")
    assert resolved in client.get("/console/reviews").text
    page = client.get(f"/console/reviews/{resolved}").text
    assert "Review it" in page
    for word in ("云A77777", "王小明"):
        assert word not in page


def test_manager_reviews_it_with_a_measure_that_blocks_and_later_is_done(
    visit: Visit, resolved: str, seeded: Rooms
) -> None:
    client = visit("manager", "en")
    day = (seeded.clock.now() + dt.timedelta(days=7)).date().isoformat()
    measure = {
        "what": "装灯",
        "missing": "没有灯",
        "zone": "sheds",
        "by": "team:t-guard",
        "due": day,
        "blocking": "1",
    }
    assert post(client, f"/console/reviews/{resolved}", **REVIEW, **measure).status_code == 303
    with seeded.database.read() as session:
        assert session.get_one(Incident, resolved).state == State.REVIEWED
        lamp = session.scalars(select(Measure)).one()
        # The end of that day in Shanghai.
        assert (lamp.team, lamp.blocking, lamp.due_at.isoformat()) == (
            "t-guard",
            True,
            f"{day}T16:00:00+00:00",
        )
        key = lamp.id
    closing = visit("operator", "en")
    assert closing.post(f"/console/incidents/{resolved}/close", data={"version": "3"}).status_code == 409
    assert "装灯" in client.get("/console/measures").text
    refused = post(client, f"/console/measures/{key}", state="done", note="")
    assert refused.status_code == 409
    assert "Say what shows" in refused.text
    assert post(client, f"/console/measures/{key}", state="done", note="照片已存").status_code == 303
    assert closing.post(f"/console/incidents/{resolved}/close", data={"version": "3"}).status_code == 303
    with seeded.database.read() as session:
        assert session.get_one(Measure, key).state == MeasureState.DONE
        assert session.get_one(Incident, resolved).state == State.CLOSED


@pytest.mark.parametrize(
    ("who", "form", "status", "says"),
    [
        ("operator", REVIEW, 409, "Reviews are written by"),
        ("manager", REVIEW | {"lesson": " "}, 422, "Write what it taught"),
        ("manager", REVIEW | {"score": "9"}, 422, "Score, cause"),
        ("manager", REVIEW | {"what": "灯"}, 422, "What, by whom"),
    ],
)
def test_what_is_refused_is_said_and_what_was_typed_stays(
    visit: Visit, resolved: str, who: str, form: dict[str, str], status: int, says: str
) -> None:
    answer = post(visit(who, "en"), f"/console/reviews/{resolved}", **form)
    assert answer.status_code == status
    assert says in answer.text
    if who == "manager" and form["lesson"].strip():
        assert form["lesson"] in answer.text


def test_operator_page_leads_to_the_review_and_offers_no_closing(visit: Visit, resolved: str) -> None:
    html = visit("operator", "en").get(f"/console?incident={resolved}").text
    assert f"/console/reviews/{resolved}" in html
    assert "form-close" not in html


def test_link_asks_once_and_names_nothing_but_kind_place_and_time(
    visit: Visit, resolved: str, seeded: Rooms
) -> None:
    made = post(visit("manager", "en"), f"/console/reviews/{resolved}/invitation", kind="household")
    link = re.search(r"/rate/[\w-]+", made.text)
    assert link
    anybody = visit(None, "en")
    page = anybody.get(link[0])
    assert page.status_code == 200
    for word in ("云A77777", "王小明", resolved):
        assert word not in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    given = {"csrf_token": token[1], "score": "1", "words": "没人来"}
    assert "Thank you" in anybody.post(link[0], data=given).text
    assert anybody.post(link[0], data=given).status_code == 410
    assert anybody.get(link[0]).status_code == 410
    assert anybody.get("/rate/guessed").status_code == 410
    with seeded.database.read() as session:
        assert session.get_one(Incident, resolved).state == State.REOPENED
        assert session.scalars(select(IncidentRating.words)).one() == "没人来"


def test_rating_by_link_wants_the_forms_token(visit: Visit, resolved: str, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        invited = ratings.invite(session, session.get_one(Incident, resolved), seeded.clock.now())
        assert invited is not None
    assert visit(None).post(f"/rate/{invited.token}", data={"score": "1"}).status_code == 403


def test_whoever_is_asked_finds_it_on_their_own_page_and_nobody_else(
    visit: Visit, resolved: str, seeded: Rooms
) -> None:
    with seeded.database.write() as session:
        incident = session.get_one(Incident, resolved)
        asked = ratings.invite(session, incident, seeded.clock.now(), responder="r-li")
        assert asked is not None
        key = asked.rating.id
    assert key in visit("li").get("/phone/ratings").text
    assert key not in visit("wang").get("/phone/ratings").text
    assert post(visit("wang"), f"/phone/ratings/{key}", score="1").status_code == 404
    assert post(visit("li"), f"/phone/ratings/{key}", score="5").status_code == 303
    with seeded.database.read() as session:
        assert session.get_one(IncidentRating, key).score == 5


def test_month_is_a_page_a_sheet_and_of_nobody(visit: Visit, resolved: str) -> None:
    client = visit("manager", "en")
    page = client.get("/console/reports/month").text
    assert "Monthly report" in page
    sheet = client.get("/api/v1/reports/month.csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert "alarms,all,total," in sheet.content.decode("utf-8-sig")
    for word in ("云A77777", "王小明", "operator", "李队员"):
        assert word not in page.split("<main")[1]
        assert word not in sheet.text.replace("roster_need.operator", "")
    assert client.get("/console/reports/month?month=2019-13").status_code == 422
    assert client.get("/api/v1/reports/month?month=2040-01").status_code == 422
    assert resolved not in page


def test_two_sign_a_hand_over_and_a_disagreement_stays(
    visit: Visit, handed: str, seeded: Rooms, resolved: str
) -> None:
    first, second = visit("operator", "en"), visit("second", "en")
    path = f"/console/handovers/{handed}"
    page = first.get(path).text
    digest = re.search(r'name="digest" value="(\w{64})"', page)
    assert digest
    assert post(first, f"{path}/entries", text="北门道闸卡顿", side="outgoing").status_code == 303
    stale = post(first, f"{path}/sign", side="outgoing", digest=digest[1])
    assert (stale.status_code, "note came in between" in stale.text) == (409, True)
    digest = re.search(r'name="digest" value="(\w{64})"', first.get(path).text)
    assert digest
    assert post(first, f"{path}/sign", side="outgoing", digest=digest[1]).status_code == 303
    assert post(first, f"{path}/sign", side="incoming", digest=digest[1]).status_code == 409
    assert (
        post(second, f"{path}/entries", text="钥匙没有交", side="incoming", disagrees="1").status_code == 303
    )
    assert post(second, f"{path}/sign", side="incoming", digest=digest[1]).status_code == 303
    shown = second.get(f"{path}/print").text
    for word in ("北门道闸卡顿", "钥匙没有交", "Disagreements", digest[1]):
        assert word in shown
    with seeded.database.read() as session:
        assert {one.user for one in session.scalars(select(HandoverSignature))} == {"u-operator", "u-second"}
        assert session.get_one(Handover, handed).sealed == digest[1]
    assert resolved


@pytest.mark.usefixtures("resolved")
@pytest.mark.parametrize(
    ("locale", "silent", "missed"), [("en", "Told to nobody", "Patrol points missed"), ("zh-CN", "", "")]
)
def test_hand_over_says_what_is_silent_until_when_by_whom_and_why_and_what_was_missed(
    visit: Visit, seeded: Rooms, locale: str, silent: str, missed: str
) -> None:
    now = seeded.clock.now()
    with seeded.database.write() as session:
        silences.make(
            session,
            COMPOUND,
            ["kind=door.forced"],
            3,
            now + dt.timedelta(hours=2),
            "三栋换锁",
            Actor("u-second", "operator"),
            now,
        )
        Walked(session, COMPOUND, made_zone(session), now).round(
            now - dt.timedelta(hours=2), RoundState.MISSED, 1
        )
        row = make(session, COMPOUND, SYSTEM, now)
        assert row is not None
        path = f"/console/handovers/{row.id}"
        author = session.get_one(User, "u-second").name
    for page in (path, f"{path}/print"):
        shown = visit("operator", locale).get(page).text
        (line,) = [one for one in shown.split("<li>") if "三栋换锁" in one]
        assert "door.forced" in line
        assert author in line
        assert silent in line
        assert missed in shown
        assert "夜巡: 车棚" in shown


def made_zone(session: Session) -> str:
    return session.scalars(select(Zone.id).where(Zone.compound == COMPOUND).order_by(Zone.id)).first() or ""


def test_an_operator_makes_one_on_demand_and_others_only_read(visit: Visit, handed: str) -> None:
    made = post(visit("operator"), "/console/handovers")
    assert made.status_code in {303, 409}
    for who, allowed in (("auditor", 200), ("manager", 200), ("guard", 403), ("li", 403)):
        assert visit(who).get(f"/console/handovers/{handed}").status_code == allowed
    assert post(visit("manager"), f"/console/handovers/{handed}/entries", text="x").status_code == 403


def seed_lists(seeded: Rooms) -> None:
    now = seeded.clock.now()
    with seeded.database.write() as session:
        session.add(
            Need(
                id="n1",
                compound=COMPOUND,
                what="自行车棚夜里没有灯，居民看不清有没有人",
                zone="sheds",
                author="u-manager",
                at=now,
                version=1,
            )
        )
        session.flush()
        for number, (state, days) in enumerate(
            [(MeasureState.OPEN, -2), (MeasureState.DOING, 5), (MeasureState.DONE, 1)]
        ):
            session.add(
                Measure(
                    id=f"m{number}",
                    compound=COMPOUND,
                    need="n1",
                    what="在自行车棚安装感应灯",
                    team="t-guard",
                    due_at=now + dt.timedelta(days=days),
                    blocking=number == 0,
                    state=state,
                    note="照片已存",
                    author="u-manager",
                    at=now,
                    ended_at=now if state is MeasureState.DONE else None,
                    reminded=0,
                    version=1,
                )
            )


PAGES = [
    ("manager", "/console/reviews"),
    ("manager", "/console/reviews/{incident}"),
    ("manager", "/console/measures"),
    ("manager", "/console/reports/month"),
    ("operator", "/console/handovers"),
    ("operator", "/console/handovers/{handover}"),
    ("operator", "/console/handovers/{handover}/print"),
    ("li", "/phone/ratings"),
]


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_pages_fit_a_screen_a_phone_and_a_sheet_of_paper(
    browse: Browse, served: Any, resolved: str, handed: str, locale: str
) -> None:
    seed_lists(served.rooms)
    with served.rooms.database.write() as session:
        ratings.invite(
            session, session.get_one(Incident, resolved), served.rooms.clock.now(), responder="r-li"
        )
    # Somebody who wants to look at them names a folder.
    folder = os.environ.get("RINGWARD_LOOK")
    for width, height, scheme in ((1366, 768, "light"), (390, 844, "dark")):
        for number, (who, path) in enumerate(PAGES):
            page = browse(who, width=width, height=height, locale=locale, color_scheme=scheme)
            page.goto(served.url + path.format(incident=resolved, handover=handed))
            expect(page.locator("h1")).to_be_visible()
            assert overflows(page) == [], (path, width)
            if folder:
                page.screenshot(path=str(Path(folder) / f"{number}-{width}-{locale}.png"), full_page=True)
            if width == 1366 and ("print" in path or "month" in path):
                page.emulate_media(media="print")
                page.set_viewport_size({"width": 690, "height": 1000})
                assert overflows(page) == [], path
                expect(page.locator("header.top")).to_be_hidden()
                if folder:
                    page.screenshot(path=str(Path(folder) / f"{number}-print-{locale}.png"), full_page=True)
            page.context.close()


@pytest.mark.browser
def test_review_is_written_in_a_browser(browse: Browse, served: Any, resolved: str) -> None:
    page = browse("manager", locale="en-GB")
    page.goto(f"{served.url}/console/reviews/{resolved}")
    page.get_by_label("5 Very well").check()
    page.locator("#cause").select_option("access_habit")
    page.locator("#alert").select_option("right")
    page.locator("#lesson").fill("Doors are to be shut.")
    page.get_by_role("button", name="Keep the review").click()
    expect(page.get_by_text("Review · 5 of 5")).to_be_visible()
    with served.rooms.database.read() as session:
        assert session.scalars(select(IncidentReview)).one().reviewer == "u-manager"
