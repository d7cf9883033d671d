"""A resident's own pages: what is held, consents taken back, requests, who looked; everybody's account."""

import json
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from console.accounts.models import User
from console.context import Rooms
from console.security import CSRF_HEADER
from console.texts import load
from privacy.models import Erasure, RequestKind, SubjectRequest
from registry import lookups
from registry.models import Consent, FaceTemplate, Person
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
OTHERS = ["operator", "admin", "manager", "guard", "grid", "police", "auditor", "li"]


def as_person(rooms: Rooms, person_id: str) -> None:
    """The resident's account belongs to somebody else."""
    with rooms.database.write() as session:
        session.get_one(User, "u-resident").person_id = person_id


def test_what_is_held_is_read_in_words_and_no_number_stands_in_full(visit: Visit) -> None:
    html = visit("resident", "en").get("/my/data").text
    for shown in ("张三丰", "10012345678", "3幢2单元18层1801室", "云A12345", "Owner", "Face access"):
        assert shown in html
    # Residences have no end, vehicles no lender: what is not held is said once.
    assert "Nothing is held on you of these" in html
    for code in ("owner_occupier", "face_access", "guard_call", "李不愿"):
        assert code not in html


def test_the_file_is_the_whole_document(visit: Visit, seeded: Rooms) -> None:
    answer = visit("resident").get("/my/data.json")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data-2026-11-23.json"'
    document = json.loads(answer.content)
    assert document["person"]["name"] == "张三丰"
    assert document["residences"][0]["kind"] == "owner_occupier"
    with seeded.database.read() as session:
        looks = session.scalars(select(AuditRow).where(AuditRow.action == "person.exported")).all()
        assert [(look.actor, look.subject) for look in looks] == [("u-resident", "person:p-1")]


def test_a_name_that_would_be_markup_is_text(visit: Visit, seeded: Rooms) -> None:
    as_person(seeded, "p-3")
    html = visit("resident").get("/my/data").text
    assert "王&lt;b&gt;尖&lt;/b&gt;" in html
    assert "110105********002X" in html
    assert "11010519491231002X" not in html


def test_a_consent_is_withdrawn_with_two_clicks_and_a_receipt_says_what_is_outstanding(
    visit: Visit, seeded: Rooms
) -> None:
    client = visit("resident", "en")
    page = client.get("/my").text
    # One click opens the question, the second is the form's own button.
    form = re.search(
        r'<details class="ask"><summary[^>]*>Withdraw</summary>.*?action="([^"]+)".*?</details>',
        page,
        re.DOTALL,
    )
    assert form
    done = client.post(form[1])
    assert (done.status_code, done.headers["location"]) == (303, "/my/rights?withdrawn=face_access")
    after = client.get(done.headers["location"]).text
    assert "Consent withdrawn: Face access" in after
    assert "Receipt of erasure: Face" in after
    assert "Has forgotten" in after
    assert "Database" in after
    assert form[1] not in after
    with seeded.database.read() as session:
        consent = session.scalars(select(Consent).where(Consent.person == "p-1")).one()
        assert consent.withdrawn_at is not None
        assert session.scalar(select(func.count()).select_from(FaceTemplate)) == 0
        assert session.scalars(select(Erasure.person)).all() == ["p-1"]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/my/consents/face_access/withdraw", {}),
        ("/my/requests", {"kind": "erasure"}),
    ],
)
def test_nothing_happens_without_the_forms_token_or_for_another_role(
    visit: Visit, seeded: Rooms, path: str, form: dict[str, str]
) -> None:
    stranger = visit("resident")
    del stranger.headers[CSRF_HEADER]
    assert stranger.post(path, data=form).status_code == 403
    for who in OTHERS:
        assert visit(who).post(path, data=form).status_code == 403
    with seeded.database.read() as session:
        assert session.scalars(select(Consent.withdrawn_at)).all() == [None]
        assert session.scalars(select(SubjectRequest)).all() == []


def test_a_correction_and_an_erasure_are_asked_for_once(visit: Visit, seeded: Rooms) -> None:
    client = visit("resident", "en")
    asked = client.post(
        "/my/requests", data={"kind": "correction", "what": "phone", "old": "1", "new": "10012340000"}
    )
    assert asked.headers["location"] == "/my/rights?asked=correction"
    client.post("/my/requests", data={"kind": "erasure"})
    again = client.post("/my/requests", data={"kind": "erasure"})
    assert again.status_code == 409
    assert "open already" in again.text
    page = client.get("/my/rights?asked=erasure").text
    assert "Your request has been received" in page
    assert page.count("will be answered by") == 2
    assert "10012340000" not in page
    with seeded.database.read() as session:
        kinds = session.scalars(select(SubjectRequest.kind).order_by(SubjectRequest.kind)).all()
        assert kinds == [RequestKind.CORRECTION, RequestKind.ERASURE]


def test_an_unclear_correction_is_refused_with_words(visit: Visit) -> None:
    unclear = visit("resident").post("/my/requests", data={"kind": "correction", "what": "name", "new": " "})
    assert unclear.status_code == 409
    assert "请说明" in unclear.text


def test_who_looked_is_told_by_role(visit: Visit) -> None:
    admin = visit("admin")
    admin.post("/registry/purpose", data={"purpose": "incident_handling"})
    admin.get("/registry/people/p-1")
    html = visit("resident", "en").get("/my/looks").text
    assert "Administrator" in html
    assert "opened the entry" in html
    assert "Handling an incident" in html
    assert "u-admin" not in html


def test_who_is_entered_nowhere_is_told_so(visit: Visit, seeded: Rooms) -> None:
    for path in ("/my", "/my/data", "/my/looks", "/my/rights"):
        assert "Nobody is entered" in visit("newcomer", "en").get(path).text
    assert visit("newcomer").get("/my/data.json").status_code == 404
    with seeded.database.write() as session:
        session.get_one(Person, "p-1").erased_at = seeded.clock.now()
    assert "Nobody is entered" in visit("resident", "en").get("/my").text


@pytest.mark.parametrize("who", OTHERS)
def test_every_other_role_sees_the_account_and_no_data(visit: Visit, who: str) -> None:
    client = visit(who, "en")
    html = client.get("/my", follow_redirects=True).text
    assert f"<dd>{who}</dd>" in html
    for theirs in ("Withdraw", "My requests", "/my/data", "/my/visitors", "/my/rights"):
        assert theirs not in html
    assert {client.get(path).status_code for path in ("/my/data", "/my/data.json", "/my/looks")} == {403}


def test_made_up_answers_in_the_address_say_nothing(visit: Visit) -> None:
    html = visit("resident").get("/my/rights?withdrawn=%3Cb%3E&asked=everything").text
    assert 'class="notice' not in html


def test_a_child_sees_the_same_page(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        child = Person(id="p-9", compound=seeded.compound, household="h-1", under_14=True, guardian="p-1")
        lookups.identify(child, name="张小")
        session.add(child)
    as_person(seeded, "p-9")
    html = visit("resident", "en").get("/my/data").text
    assert "张小" in html
    assert "张三丰" not in html


def test_the_first_page_has_each_matter_with_one_way_on(visit: Visit) -> None:
    admin = visit("admin")
    admin.post("/registry/purpose", data={"purpose": "incident_handling"})
    admin.get("/registry/people/p-1")
    client = visit("resident", "en")
    client.get("/my/data")
    html = client.get("/my").text.split("<main")[1].split("</main")[0]
    sections = re.findall(r"<section.*?</section>", html, re.DOTALL)
    ways = [re.findall(r'<p class="on"><a class="[^"]+" href="([^"]+)"', section) for section in sections]
    assert ways == [["/my/visitors"], ["/my/reports"], ["/my/rights"], ["/my/looks"]]
    # Who else looked; what one did oneself is in the list of all.
    assert "Administrator" in sections[3]
    assert "took a copy" not in sections[3]
    # A consent that is in force is taken back from here, too, in two presses.
    assert 'action="/my/consents/face_access/withdraw"' in sections[2]


def test_a_correction_that_is_refused_keeps_what_was_typed(visit: Visit) -> None:
    sharp = '"><script>alert(1)</script>'
    client = visit("resident", "en")
    form = {"kind": "correction", "what": "phone", "old": sharp, "new": ""}
    refused = client.post("/my/requests", data=form)
    assert refused.status_code == 409
    assert re.search(r'<details class="ask" open>', refused.text)
    assert "<script>alert" not in refused.text
    assert "&lt;script&gt;alert" in refused.text


def test_why_a_request_was_refused_is_said(visit: Visit, seeded: Rooms) -> None:
    client = visit("resident", "en")
    client.post("/my/requests", data={"kind": "erasure"})
    with seeded.database.read() as session:
        request_id = session.scalars(select(SubjectRequest.id)).one()
    office = visit("manager")
    form = {"state": "refused", "reason": "kept_by_law"}
    assert office.post(f"/oversight/requests/{request_id}/close", data=form).status_code == 303
    page = client.get("/my/rights").text
    assert load("en").code("request_refusal", "kept_by_law") in page
