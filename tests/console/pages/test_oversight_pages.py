"""Holds, disclosures, requests, retention and the assessment, as pages of those who oversee."""

import datetime as dt
import json
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from alerts.incidents.models import Incident
from console.context import Rooms
from devices.models import Device
from privacy import requests
from privacy.models import DeletionProof, Disclosure, LegalHold, RequestKind, SubjectRequest
from registry.models import Person

Visit = Callable[..., TestClient]
HOLDS, DISCLOSURES, REQUESTS = (f"/oversight/{name}" for name in ("holds", "disclosures", "requests"))
MAY_SEE = {
    HOLDS: {"operator", "admin", "police", "auditor"},
    DISCLOSURES: {"admin", "manager", "police"},
    REQUESTS: {"admin", "manager"},
    "/oversight/retention": {"admin", "auditor"},
    "/oversight/assessments": {"admin", "manager", "auditor"},
    "/audit/questions": {"admin", "auditor"},
}
EVERYBODY = ("operator", "li", "admin", "manager", "guard", "grid", "police", "auditor", "resident")


def incident_of(rooms: Rooms) -> str:
    with rooms.database.read() as session:
        return session.query(Incident).filter(Incident.compound == rooms.compound).first().id


def hold_form(subject: str, **more: str) -> dict[str, str]:
    return {
        "subject_kind": "incident",
        "subject": subject,
        "reason": "inquiry of the district",
        "document_no": "2026-7",
        "ends_on": "2026-12-24",
    } | more


def ask_for(rooms: Rooms, **more: str) -> dict[str, str]:
    day = rooms.clock.now() - dt.timedelta(days=2)
    return {
        "requester_org": "云山派出所",
        "document_no": "公(2026)12号",
        "reason": "theft of a bicycle",
        "kind": "zone",
        "subject": "sheds",
        "from_at": f"{day:%Y-%m-%dT08:00}",
        "to_at": f"{day:%Y-%m-%dT20:00}",
    } | more


@pytest.mark.parametrize("path", MAY_SEE)
def test_pages_open_for_those_who_oversee_and_nobody_else(visit: Visit, path: str) -> None:
    opened = {who for who in EVERYBODY if visit(who).get(path).status_code == 200}
    assert opened == MAY_SEE[path]


def test_hold_of_one_is_approved_by_another_and_never_by_oneself(visit: Visit, seeded: Rooms) -> None:
    incident = incident_of(seeded)
    admin = visit("admin", "en")
    assert admin.post(HOLDS, data=hold_form(incident)).status_code == 303
    page = admin.get(HOLDS).text
    assert "Somebody else has to approve" in page
    assert "/approval" not in page
    hold = re.search(r'<tr id="hold-(\w+)"', page)
    assert hold
    refused = admin.post(f"{HOLDS}/{hold[1]}/approval")
    assert (refused.status_code, "alert" in refused.text) == (409, True)
    with seeded.database.read() as session:
        assert session.get_one(LegalHold, hold[1]).approver is None
    auditor = visit("auditor", "en")
    assert auditor.post(f"{HOLDS}/{hold[1]}/approval").status_code == 303
    page = auditor.get(HOLDS).text
    assert "approved by auditor" in page
    assert auditor.post(f"{HOLDS}/{hold[1]}/release").status_code == 303
    assert "Nothing is held" in auditor.get(HOLDS).text
    assert "inquiry of the district" in auditor.get(f"{HOLDS}?show=all").text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"ends_on": ""}, "A field is empty"),
        ({"ends_on": "never"}, "That is no date"),
        ({"ends_on": "2028-01-01"}, "A hold lasts a year at most"),
        ({"subject": "no-such"}, "There is no such incident"),
        ({"subject_kind": "weather"}, "A field is empty or holds"),
    ],
)
def test_hold_that_cannot_be_says_why_and_keeps_what_was_typed(
    visit: Visit, seeded: Rooms, given: dict[str, str], shown: str
) -> None:
    answer = visit("operator", "en").post(HOLDS, data=hold_form(incident_of(seeded)) | given)
    assert answer.status_code in {404, 409, 422}
    assert shown in answer.text
    assert 'value="inquiry of the district"' in answer.text


def test_link_of_an_incident_fills_the_form(visit: Visit) -> None:
    html = visit("operator").get(f"{HOLDS}?incident=%22%3Ei-1").text
    assert 'value="&#34;&gt;i-1"' in html


def test_disclosure_goes_from_the_police_to_the_office_and_back_as_a_file(
    visit: Visit, seeded: Rooms
) -> None:
    police, manager = visit("police", "en"), visit("manager", "en")
    assert police.post(DISCLOSURES, data=ask_for(seeded)).status_code == 303
    found = re.search(r'<tr id="disclosure-(\w+)"', police.get(DISCLOSURES).text)
    assert found
    path = f"{DISCLOSURES}/{found[1]}"
    early = police.post(f"{path}/delivery")
    assert (early.status_code, "has not been approved" in early.text) == (409, True)
    assert "车棚" not in police.get("/my").text
    page = manager.get(DISCLOSURES).text
    assert "自行车棚" in page
    assert manager.post(f"{path}/decision", data={"verdict": "approve"}).status_code == 303
    file = police.post(f"{path}/delivery")
    assert file.headers["content-type"] == "application/zip"
    with seeded.database.read() as session:
        kept = session.get_one(Disclosure, found[1]).export_hash
    assert kept in police.get(DISCLOSURES).text
    assert police.post(f"{path}/delivery").status_code == 409


def test_police_see_their_own_requests_and_nobody_elses(visit: Visit, seeded: Rooms) -> None:
    assert visit("admin").post(DISCLOSURES, data=ask_for(seeded)).status_code == 303
    assert "公(2026)12号" in visit("manager").get(DISCLOSURES).text
    assert "公(2026)12号" not in visit("police").get(DISCLOSURES).text


def test_correction_is_taken_in_looked_at_and_closed(visit: Visit, seeded: Rooms) -> None:
    manager = visit("manager", "en")
    form = {"person": "p-1", "kind": "correction", "what": "phone", "old": "100", "new": "10087654321"}
    assert manager.post(REQUESTS, data=form).status_code == 303
    listed = manager.get(REQUESTS).text
    assert "10087654321" not in listed
    found = re.search(r'href="/oversight/requests/(\w+)"', listed)
    assert found
    page = f"{REQUESTS}/{found[1]}"
    assert "10087654321" in manager.get(page).text
    empty = manager.post(f"{page}/close", data={"state": "refused", "reason": ""})
    assert empty.status_code == 409
    assert manager.post(f"{page}/close", data={"state": "done"}).status_code == 303
    assert "No requests" in manager.get(REQUESTS).text


def test_overdue_request_stands_out(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        person = session.get_one(Person, "p-1")
        row = requests.receive(session, person, RequestKind.ACCESS, at=seeded.clock.now(), by="u-admin")
        session.get_one(SubjectRequest, row.id).due_at = seeded.clock.now() - dt.timedelta(hours=1)
    assert (
        "Overdue"
        in re.search(r"<tbody>.*", visit("admin", "en").get(f"{REQUESTS}?show=overdue").text, re.DOTALL)[0]
    )  # type: ignore[index]


def test_request_about_nobody_is_refused_at_its_place(visit: Visit) -> None:
    answer = visit("admin", "en").post(REQUESTS, data={"person": "p-404", "kind": "access"})
    assert answer.status_code == 404
    assert 'value="p-404"' in answer.text


def test_retention_says_what_went_and_counts_what_would_go_only_when_asked(
    visit: Visit, seeded: Rooms
) -> None:
    with seeded.database.write() as session:
        for number, name in enumerate(("pictures", "pictures.kept")):
            session.add(
                DeletionProof(
                    id=f"d-{number}",
                    compound=seeded.compound,
                    run="r-1",
                    retention_class=name,
                    cutoff=seeded.clock.now(),
                    count=1200,
                    digest="0" * 64,
                    at=seeded.clock.now() - dt.timedelta(hours=9),
                )
            )
    client = visit("auditor", "en")
    html = client.get("/oversight/retention").text
    assert "2,400" in html
    assert "Would go tonight" not in html
    assert "Would go tonight" in client.get("/oversight/retention?count=true").text
    assert 'max="100000"' in html


def test_assessment_is_due_until_somebody_makes_it(visit: Visit, seeded: Rooms) -> None:
    client = visit("admin", "en")
    page = "/oversight/assessments"
    assert "No assessment has been made yet" in client.get(page).text
    assert client.post(page, data={"text": " "}).status_code == 422
    assert client.post(page, data={"text": "necessary, proportionate"}).status_code == 303
    assert "Version 1 stands" in client.get(page).text
    with seeded.database.write() as session:
        session.get_one(Device, "door-4").enabled = False
    assert "A new assessment is due" in client.get(page).text
    assert "/document?language=en" in visit("auditor").get(page).text


def test_breach_names_whom_to_tell_in_a_file(visit: Visit) -> None:
    client = visit("admin", "en")
    page = "/oversight/assessments/breach"
    assert client.post(page, data={}).status_code == 422
    file = client.post(page, data={"classes": ["faces"]})
    assert [one["id"] for one in json.loads(file.content)["affected"]] == ["p-1"]
    assert "attachment" in file.headers["content-disposition"]
    assert visit("auditor").post(page, data={"classes": ["faces"]}).status_code == 403


@pytest.mark.browser
def test_two_people_and_a_hold(browse: Callable[..., Page], served: object, seeded: Rooms) -> None:
    incident = incident_of(seeded)
    base = served.url  # type: ignore[attr-defined]
    operator = browse("operator", locale="en")
    operator.goto(f"{base}{HOLDS}?incident={incident}")
    operator.get_by_label("Until the end of").fill("2026-12-20")
    operator.get_by_label("Why").fill("police inquiry")
    operator.get_by_role("button", name="Freeze now").click()
    expect(operator.locator("tbody tr")).to_contain_text("frozen for 72 hours")
    auditor = browse("auditor", locale="en")
    auditor.goto(f"{base}{HOLDS}")
    auditor.get_by_role("button", name=f"Approve: {incident}").click()
    expect(auditor.locator("tbody tr")).to_contain_text("In force")
    expect(auditor.get_by_text("approved by auditor")).to_be_visible()
