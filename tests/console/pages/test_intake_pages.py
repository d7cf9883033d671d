"""Telling the control room, disputes, work orders and drills, on a desk and on a phone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page
from sqlalchemy import select
from test_screens import overflows

from alerts import reactions
from alerts.drills import playing
from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.actor import Actor
from alerts.incidents.models import Incident
from alerts.intake import orders, reaction
from alerts.intake.models import Dispute, IntakeReport, WorkOrder
from alerts.intake.orders import Fault
from console.accounts.models import User

PICTURE = b"\xff\xd8\xff"


def follow(rooms: Any) -> None:
    while reactions.react(rooms.database, [("intake", reaction.follow)], rooms.clock.now):
        pass


def all_of(rooms: Any, table: Any) -> list[Any]:
    with rooms.database.read() as session:
        rows = list(session.scalars(select(table)))
        session.expunge_all()
    return rows


@pytest.fixture
def teams(seeded: Any) -> Any:
    """A mediator among the users, and somebody who repairs."""
    with seeded.database.write() as session:
        compound = seeded.compound
        session.add(Team(id="t-med", compound=compound, name="调解队", kind=TeamKind.MEDIATION))
        session.add(Team(id="t-prop", compound=compound, name="物业维修", kind=TeamKind.PROPERTY))
        session.flush()
        session.add(Responder(id="r-mei", team="t-med", name="梅调解", leads=True))
        session.add(Responder(id="r-tian", team="t-prop", name="田师傅", skills=["technical"]))
        session.get_one(User, "u-wang").responder_id = "r-mei"
    return seeded


def tell(client: Any, path: str = "/phone/report", **given: str) -> Any:
    fields = {"kind": "fire", "danger": "none", "place": "building:", "words": "", "when": ""} | given
    if fields["place"] == "building:":
        page = client.get(path).text
        fields["place"] = page.split('value="building:')[1].split('"')[0]
        fields["place"] = f"building:{fields['place']}"
    return client.post(path, data=fields)


@pytest.mark.parametrize(("who", "path"), [("guard", "/phone/report"), ("resident", "/my/reports")])
def test_a_report_is_sent_and_says_whom_to_call(visit: Any, seeded: Any, who: str, path: str) -> None:
    client = visit(who, "en")
    sent = tell(client, path, words="smoke on the fifth floor")
    assert sent.status_code == 303
    page = client.get(sent.headers["location"]).text
    assert "Call 119" in page
    assert "Received" in page
    [report] = all_of(seeded, IntakeReport)
    assert report.words == "smoke on the fifth floor"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": ""}, "Choose what it is."),
        ({"place": "zone:nowhere"}, "There is no such place here."),
        ({"when": "yesterday"}, "Only what happened within the last two days"),
        ({"when": "2020-01-01T10:00"}, "Only what happened within the last two days"),
    ],
)
def test_what_is_refused_is_said_and_what_was_written_stays(visit: Any, given: Any, words: str) -> None:
    answer = tell(visit("guard", "en"), **{"words": "half a page of words"} | given)
    assert answer.status_code in {409, 422}
    assert words in answer.text
    assert "half a page of words" in answer.text


def test_a_picture_that_is_none_is_refused_and_nothing_is_kept(visit: Any, seeded: Any) -> None:
    client = visit("guard", "en")
    place = client.get("/phone/report").text.split('value="building:')[1].split('"')[0]
    data = {"kind": "fire", "place": f"building:{place}"}
    answer = client.post("/phone/report", data=data, files={"photo": ("a.jpg", PICTURE + b"no")})
    assert answer.status_code == 422
    assert all_of(seeded, IntakeReport) == []


def test_words_are_shown_as_words(visit: Any, seeded: Any) -> None:
    tell(visit("guard"), words="<script>alert(1)</script>")
    [report] = all_of(seeded, IntakeReport)
    page = visit("operator").get(f"/console?incident={report.incident}").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_resident_sees_what_became_of_it_and_nobody_else(visit: Any, seeded: Any) -> None:
    resident = visit("resident", "en")
    tell(resident, "/my/reports", words="mine alone")
    incident = next(one for one in all_of(seeded, Incident) if one.rule == "intake")
    operator = visit("operator")
    operator.post(f"/console/incidents/{incident.id}/acknowledge", data={"version": incident.version})
    page = resident.get("/my/reports").text
    assert "The control room is looking at it" in page
    # What was, with its time, and what is to come.
    steps = re.findall(r'<li class="(\w+)"[^>]*><(?:strong|span)>([^<]+)<', page)
    assert steps == [("past", "Received"), ("now", "Looked at"), ("ahead", "On the way"), ("ahead", "Done")]
    assert len(re.findall(r'<time datetime="[^"]+">today \d\d:\d\d</time>', page)) == 2
    assert "operator" not in page.split("<main")[1].lower()
    first = resident.get("/my").text
    assert "The control room is looking at it" in first
    assert "mine alone" not in first
    assert "Fire or smoke</strong>" not in visit("guard", "en").get("/phone/report").text


def test_who_has_no_account_reports_nothing(visit: Any) -> None:
    assert visit(None).get("/phone/report").status_code == 303
    assert visit("auditor").get("/phone/report").status_code == 403


def test_a_mediator_takes_and_settles_a_dispute_and_others_see_counts(visit: Any, teams: Any) -> None:
    tell(visit("guard"), kind="dispute", words="楼上漏水")
    follow(teams)
    mediator = visit("wang", "en")
    assert "楼上漏水" not in mediator.get("/console/disputes").text
    [row] = all_of(teams, Dispute)
    taken = mediator.post(f"/console/disputes/{row.id}/accepted", data={"version": row.version})
    assert taken.status_code == 303
    assert "楼上漏水" in mediator.get("/console/disputes").text
    [row] = all_of(teams, Dispute)
    bare = mediator.post(f"/console/disputes/{row.id}/settled", data={"version": row.version})
    assert (bare.status_code, "What did the parties agree on?" in bare.text) == (409, True)
    meeting = {"version": row.version, "meeting_at": "2026-11-24T19:30", "parties": "301 / 401"}
    mediator.post(f"/console/disputes/{row.id}/meeting", data=meeting)
    [row] = all_of(teams, Dispute)
    given = {"version": row.version, "agreement": "修好水管", "follow_up_on": "2026-12-07"}
    assert mediator.post(f"/console/disputes/{row.id}/settled", data=given).status_code == 303
    page = mediator.get("/console/disputes").text
    assert "修好水管" in page
    for other in ("manager", "li", "operator"):
        seen = visit(other, "en").get("/console/disputes").text
        assert "修好水管" not in seen
        assert "for its mediator alone" in seen


def test_a_work_order_is_opened_given_away_and_done(visit: Any, teams: Any) -> None:
    manager = visit("manager", "en")
    place = manager.get("/console/work-orders").text.split('value="building:')[1].split('"')[0]
    made = manager.post(
        "/console/work-orders", data={"fault": "lamp", "place": f"building:{place}", "note": "暗"}
    )
    assert made.status_code == 303
    [row] = all_of(teams, WorkOrder)
    steps = f"/console/work-orders/{row.id}"
    manager.post(f"{steps}/assigned", data={"version": row.version, "responder": "r-tian"})
    page = manager.get("/console/work-orders").text
    assert "田师傅" in page
    stale = manager.post(f"{steps}/done", data={"version": 1})
    assert stale.status_code == 409
    [row] = all_of(teams, WorkOrder)
    assert manager.post(f"{steps}/done", data={"version": row.version, "note": "换灯"}).status_code == 303
    assert "换灯" in manager.get("/console/work-orders?show=all").text
    assert visit("grid").get("/console/work-orders").status_code == 200
    assert visit("grid").post(f"{steps}/verified", data={"version": 4}).status_code == 403
    nothing = manager.post("/console/work-orders", data={"fault": "lamp"})
    assert (nothing.status_code, "Say where it is." in nothing.text) == (422, True)


def test_a_drill_is_begun_seen_everywhere_as_one_and_ended(visit: Any, teams: Any) -> None:
    manager = visit("manager", "en")
    begun = manager.post("/console/drills", data={"scenario": "forced_door", "minutes": "10"})
    assert begun.status_code == 303
    where = begun.headers["location"]
    assert "Forced door" in manager.get(where).text
    assert "DRILL" in visit("operator", "en").get("/console").text
    again = manager.post("/console/drills", data={"scenario": "sos", "minutes": "10"})
    assert (again.status_code, "A drill is running already." in again.text) == (409, True)
    assert manager.post(f"{where}/end").status_code == 303
    page = manager.get(where).text
    assert "Not done" in page
    assert manager.get("/console/drills").text.count("Ended") == 1
    assert visit("operator").get("/console/drills").status_code == 403


def test_what_is_real_stands_above_a_drill_however_grave(visit: Any, teams: Any) -> None:
    with teams.database.write() as session:
        playing.start(session, teams.compound, "sos", Actor("u", "administrator"), teams.clock.now())
    page = visit("operator").get("/console/fragments/queue").text
    drill = page.index("chip drill")
    real = [page.index(f'id="item-{one.id}"') for one in all_of(teams, Incident)
            if not one.drill and f'id="item-{one.id}"' in page and one.state in {"raised", "confirmed"}]  # fmt: skip
    assert real
    assert max(real) < drill


PATHS = {
    "guard": ["/phone/report"],
    "resident": ["/my/reports"],
    "wang": ["/console/disputes", "/phone/report"],
    "manager": ["/console/disputes", "/console/work-orders", "/console/drills", "drill"],
}


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("who", PATHS)
def test_nothing_of_these_reaches_beyond_the_edge(
    browse: Callable[..., Page], served: Any, teams: Any, visit: Any, who: str, locale: str
) -> None:
    for one in ("guard", "resident"):
        path = "/phone/report" if one == "guard" else "/my/reports"
        tell(visit(one), path, kind="dispute", words="夜里装修" * 30)
    follow(teams)
    with teams.database.write() as session:
        now = teams.clock.now()
        fault = Fault("lamp", zone=session.scalars(select(Incident.zone)).first(), note="长备注" * 60)
        orders.open_order(session, teams.compound, fault, now)
        drill = playing.start(session, teams.compound, "intrusion", Actor("u", "administrator"), now).id
        row = session.scalars(select(Dispute)).first()
        assert row is not None
        row.mediator, row.state, row.parties = "r-mei", "accepted", "三零一与四零一" * 20
    for width, height in ((1366, 768), (390, 844)):
        page = browse(who, width=width, height=height, locale=locale)
        for path in PATHS[who]:
            page.goto(served.url + (f"/console/drills/{drill}" if path == "drill" else path))
            assert overflows(page) == [], (path, width)
