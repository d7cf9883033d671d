"""What an incident hangs together with, on the operator's page: guesses, proposals, merges, blind devices."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pages_linked
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from sqlalchemy import select

from alerts.dispatch.actions import send
from alerts.incidents import merging
from alerts.incidents.actor import Actor
from alerts.incidents.models import Incident, IncidentMerge, MergeProposal
from console.context import Rooms
from console.security import CSRF_HEADER

Visit = Callable[..., TestClient]
FRAGMENT = {"HX-Request": "true"}
OPERATOR = Actor("u-operator", "operator")


@pytest.fixture
def linked(seeded: Rooms, at: dt.datetime) -> Rooms:
    with seeded.database.write() as session:
        pages_linked.guessed(session, at)
        pages_linked.proposed(session, at)
    return seeded


def incident(rooms: Rooms, key: str) -> Incident:
    with rooms.database.read() as session:
        row = session.get_one(Incident, key)
        session.expunge_all()
    return row


def form_of(page: str, name: str) -> dict[str, str]:
    """The hidden fields of a form, as a browser without script would send them."""
    found = re.search(rf'<form[^>]*id="{name}".*?</form>', page, re.DOTALL)
    assert found, name
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found[0]))


def shown(client: TestClient, key: str) -> str:
    return client.get(f"/console/fragments/incident/{key}", headers=FRAGMENT).text


def press(client: TestClient, path: str, **form: str) -> str:
    return client.post(f"/console/incidents/{path}", data=form, headers=FRAGMENT).text


# ── A link that is a guess ───────────────────────────────────────────────────


def test_guess_shows_its_steps_in_order_with_ring_and_place(visit: Visit, linked: Rooms) -> None:
    page = shown(visit("operator", "en"), "i-guess")
    stops = re.search(r'<ol class="stops">(.*?)</ol>', page, re.DOTALL)
    assert stops
    steps = [re.sub(r"<[^>]+>", " ", one) for one in re.findall(r"<li>(.*?)</li>", stops[1], re.DOTALL)]
    assert [next(word for word in ("东门", "花园", "车棚", "3幢") if word in step) for step in steps] == [
        "东门",
        "花园",
        "车棚",
        "3幢",
    ]
    assert "Entrance" in steps[0]
    assert "Building" in steps[3]
    assert re.search(r"\d\d:\d\d:\d\d", steps[0])


def test_guess_is_not_confirmed_in_passing(visit: Visit, linked: Rooms) -> None:
    client = visit("operator", "en")
    told = press(client, "i-guess/confirm", version="1")
    assert "First say whether the linked steps belong together" in told
    assert incident(linked, "i-guess").state == "raised"
    unanswered = press(client, "i-guess/link", version="1")
    assert "First say whether" in unanswered
    assert incident(linked, "i-guess").probable is True


def test_right_link_lets_it_be_confirmed(visit: Visit, linked: Rooms) -> None:
    client = visit("operator", "en")
    page = press(client, "i-guess/link", version="1", answer="right")
    assert 'id="form-link"' not in page
    assert "Somebody says that it is one thing" in page
    row = incident(linked, "i-guess")
    assert (row.probable, row.state) == (False, "raised")
    press(client, "i-guess/confirm", version=str(row.version))
    assert incident(linked, "i-guess").state == "confirmed"


def test_wrong_link_comes_apart_into_incidents_of_their_own(visit: Visit, linked: Rooms) -> None:
    answer = visit("operator").post(
        "/console/incidents/i-guess/link", data={"version": "1", "answer": "wrong"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/console?incident=i-guess")
    row = incident(linked, "i-guess")
    assert (row.probable, row.kind, row.zone) == (False, "person.unknown_passed", "gate-east")
    with linked.database.read() as session:
        keys = session.scalars(select(Incident.key).where(Incident.key.in_(("R-C01:garden", "R-B05:door-3"))))
        assert sorted(keys) == ["R-B05:door-3", "R-C01:garden"]


def test_answer_to_what_has_changed_is_refused(visit: Visit, linked: Rooms) -> None:
    client = visit("operator", "en")
    press(client, "i-guess/acknowledge", version="1")
    assert "was faster" in press(client, "i-guess/link", version="1", answer="right")
    assert incident(linked, "i-guess").probable is True


def test_link_that_is_no_guess_has_no_question(visit: Visit, linked: Rooms) -> None:
    client = visit("operator", "en")
    assert 'id="form-link"' not in shown(client, "i-face")
    assert "no guess" in press(client, "i-face/link", version="1", answer="right")


# ── Proposals and merges ─────────────────────────────────────────────────────


def test_proposal_shows_what_the_two_would_be(visit: Visit, linked: Rooms) -> None:
    page = shown(visit("operator", "en"), "i-face")
    form = re.search(r'<form[^>]*id="form-proposal-mp-1".*?</form>', page, re.DOTALL)
    assert form
    assert "车棚" in form[0]
    assert "Merged into this incident" in form[0]
    assert re.search(r"<dt>Signals</dt><dd>1</dd>", form[0])
    assert "Nobody yet" in form[0]


def test_merge_goes_the_way_in_which_people_are_further(visit: Visit, linked: Rooms, at: dt.datetime) -> None:
    with linked.database.write() as session:
        pages_linked.proposed(session, at, "i-face", "i-plate", key="mp-2")
    client = visit("operator", "en")
    page = shown(client, "i-face")
    assert "Merged into the other incident" in page
    assert "李队员" in page
    fields = form_of(page, "form-proposal-mp-2")
    assert fields["into"] == "i-plate"
    after = press(client, "i-face/proposals/mp-2", **fields, verdict="merge")
    assert incident(linked, "i-face").merged_into == "i-plate"
    assert "is part of another one" in after
    assert 'data-incident="i-plate"' in after


def test_refused_proposal_is_not_asked_again(visit: Visit, linked: Rooms) -> None:
    client = visit("operator", "en")
    nothing = press(client, "i-face/proposals/mp-1", version="1")
    assert "Please choose" in nothing
    page = press(client, "i-face/proposals/mp-1", verdict="refuse")
    assert "form-proposal-mp-1" not in page
    with linked.database.read() as session:
        assert session.get_one(MergeProposal, "mp-1").state == "refused"
    assert "decided that already" in press(client, "i-face/proposals/mp-1", verdict="refuse")


def test_nothing_else_is_merged_than_was_previewed(visit: Visit, linked: Rooms) -> None:
    client = visit("operator", "en")
    fields = form_of(shown(client, "i-face"), "form-proposal-mp-1")
    press(client, "i-face/acknowledge", version="1")
    assert "was faster" in press(client, "i-face/proposals/mp-1", **fields, verdict="merge")
    with linked.database.read() as session:
        assert session.get_one(MergeProposal, "mp-1").state == "open"


def test_proposal_that_cannot_be_says_why_and_can_still_be_refused(
    visit: Visit, linked: Rooms, at: dt.datetime
) -> None:
    with linked.database.write() as session:
        session.get_one(Incident, "i-off").care = True
    page = shown(visit("operator", "en"), "i-face")
    form = re.search(r'<form[^>]*id="form-proposal-mp-1".*?</form>', page, re.DOTALL)
    assert form
    assert "Care and security are kept apart" in form[0]
    assert 'value="merge"' not in form[0]
    assert 'value="refuse"' in form[0]


def test_merge_is_undone_by_a_button_until_somebody_has_worked_on_it(visit: Visit, linked: Rooms) -> None:
    client = visit("operator", "en")
    fields = form_of(shown(client, "i-face"), "form-proposal-mp-1")
    page = press(client, "i-face/proposals/mp-1", **fields, verdict="merge")
    assert "Taken in" in page
    assert "Merged by operator" in page
    with linked.database.read() as session:
        [merge_id] = session.scalars(select(IncidentMerge.id))
    assert f'id="form-undo-{merge_id}"' in page
    back = press(client, f"i-face/merges/{merge_id}/undo")
    assert "Taken out again at" in back
    history = back.partition('class="history"')[2]
    assert re.search(r'data-incident="i-off">the other incident', history)
    assert incident(linked, "i-off").state == "acknowledged"
    assert "undone already" in press(client, f"i-face/merges/{merge_id}/undo")


def test_merge_that_was_worked_on_says_so_instead_of_a_button(
    visit: Visit, linked: Rooms, at: dt.datetime
) -> None:
    with linked.database.write() as session:
        made = merging.merge(session, "honghua", "i-door", "i-face", OPERATOR, at)
        merge_id = made.id
    with linked.database.write() as session:
        send(session, "i-door", ["r-li"], OPERATOR, at + dt.timedelta(seconds=1))
    client = visit("operator", "en")
    page = shown(client, "i-door")
    assert f"form-undo-{merge_id}" not in page
    assert "Can no longer be undone: Somebody has worked on it since" in page
    assert "Somebody has worked on it" in press(client, f"i-door/merges/{merge_id}/undo")
    assert incident(linked, "i-face").merged_into == "i-door"


def test_another_incidents_proposal_and_merge_are_not_there(
    visit: Visit, linked: Rooms, at: dt.datetime
) -> None:
    with linked.database.write() as session:
        merge_id = merging.merge(session, "honghua", "i-door", "i-face", OPERATOR, at).id
    client = visit("operator")
    assert client.post("/console/incidents/i-hit/merges/" + merge_id + "/undo").status_code == 404
    assert (
        client.post("/console/incidents/i-hit/proposals/mp-1", data={"verdict": "refuse"}).status_code == 404
    )
    assert incident(linked, "i-face").merged_into == "i-door"


def test_buttons_are_for_those_who_decide_and_need_their_token(visit: Visit, linked: Rooms) -> None:
    for who in ("guard", "li", "manager", "auditor"):
        answer = visit(who).post("/console/incidents/i-guess/link", data={"version": "1", "answer": "right"})
        assert answer.status_code == 403, who
    client = visit("operator")
    del client.headers[CSRF_HEADER]
    for path in ("i-guess/link", "i-face/proposals/mp-1", "i-face/merges/x/undo"):
        assert client.post(f"/console/incidents/{path}", data={"version": "1"}).status_code == 403
    assert incident(linked, "i-guess").probable is True


# ── Who could not have seen ──────────────────────────────────────────────────


def test_blind_devices_are_named_once_a_span_with_their_reason(visit: Visit, linked: Rooms) -> None:
    page = shown(visit("operator", "en"), "i-guess")
    section = re.search(r'<ul class="blind">(.*?)</ul>', page, re.DOTALL)
    assert section
    lines = [re.sub(r"<[^>]+>", " ", one) for one in re.findall(r"<li>(.*?)</li>", section[1], re.DOTALL)]
    assert ["车棚摄像机" in line for line in lines] == [True, False]
    assert "offline" in lines[0]
    assert "covered" in lines[1]
    assert "Could not have seen" in page
    assert "rules version 4" in page


def test_incident_without_blind_devices_says_nothing_of_them(visit: Visit, linked: Rooms) -> None:
    assert "Could not have seen" not in shown(visit("operator", "en"), "i-face")


# ── In a browser ─────────────────────────────────────────────────────────────


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_link_is_answered_and_a_merge_made_and_undone(
    browse: Callable[..., Page], served: Any, at: dt.datetime, width: int, height: int
) -> None:
    with served.rooms.database.write() as session:
        pages_linked.guessed(session, at)
        pages_linked.proposed(session, at)
    page = browse("operator", width=width, height=height, locale="en")
    page.goto(f"{served.url}/console?incident=i-guess")
    wide = "document.querySelector('#detail').scrollWidth <= document.querySelector('#detail').clientWidth"
    assert page.evaluate(wide)
    page.locator("#form-confirm button").click()
    expect(page.get_by_role("alert")).to_be_in_viewport()
    page.get_by_role("button", name="They do not").click()
    expect(page.locator("#form-link")).to_have_count(0)
    page.goto(f"{served.url}/console?incident=i-face")
    assert page.evaluate(wide)
    page.get_by_role("button", name="Merge", exact=True).click()
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_text("Taken out again at")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
