"""A person's page: asked for a purpose once, need-to-know by role, and every form on it."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from console.context import Rooms
from registry.models import (
    Consent,
    Credential,
    CredentialKind,
    CredentialStatus,
    Dwelling,
    FaceTemplate,
    Household,
    Person,
    Residence,
)
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
PURPOSE = "incident_handling"


def sitting(client: TestClient, purpose: str = PURPOSE) -> TestClient:
    """Says once what is looked for."""
    assert client.post("/registry/purpose", data={"purpose": purpose}).status_code == 303
    return client


def noted(rooms: Rooms) -> list[tuple[str, str, str]]:
    with rooms.database.read() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq)).all()
        return [(row.action, row.purpose, row.subject) for row in rows]


def person(rooms: Rooms, person_id: str = "p-3") -> Person:
    with rooms.database.read() as session:
        row = session.get_one(Person, person_id)
        session.refresh(row)
        session.expunge(row)
        return row


def version(html: str, action: str) -> str:
    """The version that a form names."""
    form = re.search(rf'action="[^"]*{re.escape(action)}".*?name="version" value="(\d+)"', html, re.DOTALL)
    assert form, action
    return form[1]


# ── what a sitting is for ─────────────────────────────────────────────────────


def test_nobody_is_shown_before_somebody_says_what_for(visit: Visit, seeded: Rooms) -> None:
    client = visit("manager", "en")
    html = client.get("/registry/people/p-1").text
    assert "What are you looking for?" in html
    assert "张三丰" not in html
    assert noted(seeded) == []
    chosen = client.post("/registry/purpose", data={"purpose": PURPOSE, "next": "/registry/people/p-1"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/registry/people/p-1")
    assert "张三丰" in client.get("/registry/people/p-1").text
    assert ("person.viewed", PURPOSE, "person:p-1") in noted(seeded)


def test_the_purpose_is_of_one_sign_in(visit: Visit) -> None:
    first, second = sitting(visit("manager")), visit("operator", "en")
    second.cookies.set("ringward_purpose", first.cookies["ringward_purpose"])
    assert "What are you looking for?" in second.get("/registry/people/p-1").text


@pytest.mark.parametrize("value", ["", "curiosity", "monitoring", "monitoring.0000", "monitoring.é"])
def test_a_purpose_that_nobody_gave_here_is_none(visit: Visit, value: str) -> None:
    client = visit("manager", "en")
    answer = client.get("/registry/people/p-1", headers={"Cookie": f"ringward_purpose={value}".encode()})
    assert "张三丰" not in answer.text


def test_no_purpose_but_those_that_there_are_and_no_way_elsewhere(visit: Visit) -> None:
    client = visit("manager")
    assert client.post("/registry/purpose", data={"purpose": "curiosity"}).status_code == 422
    away = client.post("/registry/purpose", data={"purpose": PURPOSE, "next": "https://evil.example/"})
    assert away.headers["location"] == "/registry"


# ── who sees what ─────────────────────────────────────────────────────────────


def test_the_phone_is_covered_until_it_is_asked_for(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("operator", "en"))
    html = client.get("/registry/people/p-1").text
    assert "100****5678" in html
    assert "10012345678" not in html
    assert "10012345678" in client.post("/registry/people/p-1/phone").text
    assert ("person.phone_viewed", PURPOSE, "person:p-1") in noted(seeded)


def test_each_role_sees_what_it_needs(visit: Visit) -> None:
    pages = {
        who: sitting(visit(who, "en")).get("/registry/people/p-1").text
        for who in ("manager", "operator", "grid")
    }
    assert all("张三丰" in html and "3幢2单元18层1801室" in html for html in pages.values())
    assert {who for who, html in pages.items() if "Give out" in html} == {"manager"}
    assert {who for who, html in pages.items() if "Correct" in html} == {"manager"}
    assert {who for who, html in pages.items() if "Record a consent" in html} == {"manager", "operator"}
    assert {who for who, html in pages.items() if "Lives here" in html and "/verified" in html} == {
        "manager",
        "grid",
    }
    assert "云A12345" in pages["grid"]


def test_a_grid_worker_sees_nobody_beyond_the_own_grid(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        away = session.scalars(select(Dwelling).where(Dwelling.unit == "house-b5-u2")).first()
        assert away
        session.get_one(Residence, "res-p-3").dwelling = away.id
    client = sitting(visit("grid"))
    assert client.get("/registry/people/p-3").status_code == 404
    assert client.post("/registry/people/p-3/phone").status_code == 404


@pytest.mark.parametrize("who", ["guard", "police", "auditor", "resident", "li"])
def test_others_see_nobody(visit: Visit, who: str) -> None:
    client = sitting(visit(who))
    for path in ("people/p-1", "dwellings/x", "households/h-1", "vehicles/v-1", "buildings/house-b3"):
        assert client.get(f"/registry/{path}").status_code == 403, path


@pytest.mark.parametrize("who", ["operator", "grid"])
def test_who_may_not_edit_is_refused_whatever_is_sent(visit: Visit, who: str) -> None:
    client = sitting(visit(who))
    for path in ("edit", "residences", "move-out", "credentials", "erasure", "residences/res-p-3"):
        assert client.post(f"/registry/people/p-3/{path}", data={"version": "1"}).status_code == 403, path


def test_a_name_that_would_be_markup_is_shown_as_text(visit: Visit) -> None:
    html = sitting(visit("manager")).get("/registry/people/p-3").text
    assert "王&lt;b&gt;尖&lt;/b&gt;" in html
    assert "<b>尖" not in html


# ── the forms ─────────────────────────────────────────────────────────────────


def test_a_name_is_corrected_and_the_phone_stays_unless_it_is_given(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("manager", "en"))
    html = client.get("/registry/people/p-3").text
    form = {"version": version(html, "/edit"), "name": "王建国", "phone": "", "hukou": "yes"}
    answer = client.post("/registry/people/p-3/edit", data=form)
    assert answer.headers["location"].endswith("/registry/people/p-3?done=edited")
    changed = person(seeded)
    assert (changed.name, changed.phone, changed.hukou_registered_here) == ("王建国", "10012349999", True)
    stale = client.post("/registry/people/p-3/edit", data={**form, "name": "别人"})
    assert stale.status_code == 409
    assert 'value="别人"' in stale.text
    again = version(client.get("/registry/people/p-3").text, "/edit")
    client.post("/registry/people/p-3/edit", data={"version": again, "name": "王建国", "no_phone": "true"})
    assert person(seeded).phone is None


def test_what_is_wrong_with_a_form_is_told_and_what_was_typed_stays(visit: Visit) -> None:
    client = sitting(visit("manager", "en"))
    form = {"address": "9-9-901", "kind": "lodger", "since": "2026-01-01"}
    answer = client.post("/registry/people/p-3/residences", data=form)
    assert answer.status_code == 404
    assert "There is no such dwelling" in answer.text
    assert 'value="9-9-901"' in answer.text
    assert re.search(r'<option value="lodger" selected', answer.text)


def test_somebody_moves_and_leaves_everything_else_the_day_before(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("manager"))
    today = seeded.clock.now().date()
    form = {"address": "5幢2单元1802", "kind": "tenant", "since": today.isoformat(), "moves": "true"}
    assert client.post("/registry/people/p-3/residences", data=form).status_code == 303
    with seeded.database.read() as session:
        homes = session.scalars(select(Residence).where(Residence.person == "p-3")).all()
        spans = {home.id == "res-p-3": (home.since, home.until) for home in homes}
        assert spans[True][1] == today - dt.timedelta(days=1)
        assert spans[False] == (today, None)
    out = client.post("/registry/people/p-3/move-out", data={"last_day": today.isoformat()})
    assert out.headers["location"].endswith("done=moved_out")


def test_a_home_is_corrected_and_verified(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("manager"))
    html = client.get("/registry/people/p-3").text
    number = version(html, "/residences/res-p-3")
    form = {"version": number, "kind": "lodger", "since": "2024-03-01", "until": ""}
    assert client.post("/registry/people/p-3/residences/res-p-3", data=form).status_code == 303
    html = client.get("/registry/people/p-3").text
    number = version(html, "/residences/res-p-3/verified")
    client.post("/registry/people/p-3/residences/res-p-3/verified", data={"version": number})
    with seeded.database.read() as session:
        home = session.get_one(Residence, "res-p-3")
        assert (home.kind, home.until, home.verified_by) == ("lodger", None, "u-manager")


def test_a_card_is_given_out_lost_and_the_last_way_in_stays(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("manager", "en"))
    issued = client.post("/registry/people/p-3/credentials", data={"kind": "card", "ref": "00A1B2C3"})
    assert issued.headers["location"].endswith("done=issued")
    html = client.get("/registry/people/p-3").text
    assert "00A1B2C3" not in html
    assert "B2C3" in html
    with seeded.database.read() as session:
        rows = session.scalars(select(Credential).where(Credential.person == "p-3")).all()
        (card, at_card), (call, at_call) = sorted(
            ((row.id, str(row.version)) for row in rows),
            key=lambda one: session.get_one(Credential, one[0]).kind != CredentialKind.CARD,
        )
    client.post(f"/registry/people/p-3/credentials/{card}/lose", data={"version": at_card})
    refused = client.post(f"/registry/people/p-3/credentials/{call}/end", data={"version": at_call})
    assert refused.status_code == 409
    with seeded.database.read() as session:
        assert session.get_one(Credential, card).status == CredentialStatus.LOST
        assert session.get_one(Credential, call).status == CredentialStatus.ACTIVE


def test_a_consent_is_recorded_withdrawn_and_its_face_goes(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("operator", "en"))
    words = {"consent": "elder_care", "given_by": "self", "channel": "paper", "wording": "同意"}
    assert (
        client.post("/registry/people/p-1/consents", data=words).headers["location"].endswith("done=agreed")
    )
    client.post("/registry/people/p-1/consents/face_access/withdrawn")
    with seeded.database.read() as session:
        given = session.scalars(select(Consent).where(Consent.person == "p-1")).all()
        assert {one.purpose: one.withdrawn_at is None for one in given} == {
            "elder_care": True,
            "face_access": False,
        }
        assert session.scalars(select(FaceTemplate).where(FaceTemplate.person == "p-1")).all() == []


def test_a_child_agrees_by_a_guardian_only(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        session.get_one(Person, "p-2").under_14 = True
    client = sitting(visit("manager", "en"))
    html = client.get("/registry/people/p-2").text
    assert "Under 14: only a guardian agrees" in html
    assert re.search(r'<option value="guardian" selected', html)
    own = {"consent": "face_access", "given_by": "self", "channel": "paper", "wording": "同意"}
    refused = client.post("/registry/people/p-2/consents", data=own)
    assert refused.status_code == 409
    assert "guardian" in refused.text
    with seeded.database.read() as session:
        assert session.scalars(select(Consent).where(Consent.person == "p-2")).all() == []


def test_no_photo_without_consent_or_without_a_file(visit: Visit) -> None:
    client = sitting(visit("manager", "en"))
    assert client.post("/registry/people/p-1/photo").status_code == 422
    photo = {"photo": ("a.jpg", b"\xff\xd8\xff", "image/jpeg")}
    answer = client.post("/registry/people/p-2/photo", files=photo)
    assert answer.status_code in {422, 503}
    assert 'role="alert"' in answer.text


def test_an_absence_is_noted_and_ended(visit: Visit, seeded: Rooms) -> None:
    words = {"consent": "elder_care", "given_by": "self", "channel": "paper", "wording": "同意"}
    sitting(visit("manager")).post("/registry/people/p-1/consents", data=words)
    client = sitting(visit("grid", "en"))
    day = (seeded.clock.now().date() + dt.timedelta(days=3)).isoformat()
    assert client.post("/registry/people/p-1/absences", data={"last_day": day}).status_code == 303
    html = client.get("/registry/people/p-1").text
    ends = re.search(r'action="(/registry/people/p-1/absences/[^"]+/end)"', html)
    assert ends
    assert client.post(ends[1]).headers["location"].endswith("done=returned")


def test_an_erasure_is_confirmed_and_leads_to_its_receipt(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("manager", "en"))
    unsure = client.post("/registry/people/p-3/erasure", data={"kind": "person"})
    assert unsure.status_code == 422
    assert "Confirm that it is to be erased" in unsure.text
    assert person(seeded).erased_at is None
    sure = client.post("/registry/people/p-3/erasure", data={"kind": "person", "sure": "true"})
    assert sure.headers["location"].startswith("/erasures/")
    assert person(seeded).erased_at is not None


def test_somebody_new_is_registered_with_a_home(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("manager", "en"))
    form = {"name": "赵小河", "phone": "10012340000", "address": "5-2-1801", "kind": "tenant", "since": ""}
    answer = client.post("/registry/people/new/form", data=form)
    assert answer.status_code == 303
    html = client.get(answer.headers["location"]).text
    assert "赵小河" in html
    assert "5幢2单元18层1801室" in html
    for wrong in ({**form, "name": ""}, {**form, "phone": "12"}, {**form, "address": "9-9-901"}):
        refused = client.post("/registry/people/new/form", data=wrong)
        assert refused.status_code in {404, 409, 422}
        assert 'role="alert"' in refused.text
    with seeded.database.read() as session:
        assert len(session.scalars(select(Person)).all()) == 4


def test_what_ends_soon_stands_first(visit: Visit) -> None:
    html = sitting(visit("manager", "en")).get("/registry/people/p-3").text
    assert "What ends soon" in html
    assert "Home ends" in html
    assert "What ends soon" not in sitting(visit("manager", "en")).get("/registry/people/p-1").text


def test_an_erased_person_has_no_forms(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        row = session.get_one(Person, "p-3")
        row.erased_at, row.sealed_name, row.sealed_phone = seeded.clock.now(), None, None
    html = sitting(visit("manager", "en")).get("/registry/people/p-3").text
    assert "was erased" in html
    assert "/edit" not in html


def test_a_household_changes_its_head_and_its_members(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("manager", "en"))
    html = client.get("/registry/households/h-1").text
    assert {"张三丰", "李不愿"} <= set(re.findall(r">([^<>]+)</a></span>", html))
    form = {"version": version(html, "/head"), "head": "p-2"}
    assert client.post("/registry/households/h-1/head", data=form).status_code == 303
    stays = client.post("/registry/households/h-1/members", data={"person": "nobody"})
    assert stays.status_code == 404
    assert client.post("/registry/households/h-1/members", data={"person": "p-3"}).status_code == 303
    assert person(seeded).household == "h-1"
    left = version(client.get("/registry/households/h-1").text, "/members/p-3/left")
    assert client.post("/registry/households/h-1/members/p-3/left", data={"version": left}).status_code == 303
    with seeded.database.read() as session:
        assert session.get_one(Household, "h-1").head_person_id == "p-2"
        assert session.get_one(Person, "p-3").household is None
    home = version(client.get("/registry/households/h-1").text, "/home")
    moved = client.post("/registry/households/h-1/home", data={"version": home, "address": "5-2-1801"})
    assert moved.status_code == 303
    assert "5幢2单元18层1801室" in client.get("/registry/households/h-1").text


def test_a_vehicle_is_registered_handed_on_lent_and_taken_out(visit: Visit, seeded: Rooms) -> None:
    client = sitting(visit("manager", "en"))
    form = {"plate": "云a 88888", "kind": "resident", "owner": "p-3"}
    made = client.post("/registry/vehicles/new", data=form)
    assert made.status_code == 303
    at = made.headers["location"].partition("?")[0]
    assert "云A88888" in client.get(at).text
    taken = client.post("/registry/vehicles/new", data=form)
    assert taken.status_code == 409
    assert 'value="云a 88888"' in taken.text
    assert client.post("/registry/vehicles/new", data={"plate": "云A77777"}).status_code == 409
    number = version(client.get(at).text, "/edit")
    handed = client.post(f"{at}/edit", data={"version": number, "plate": "云A88888", "owner": "p-1"})
    assert handed.status_code == 303
    today = seeded.clock.now().date().isoformat()
    assert client.post(f"{at}/drivers", data={"person": "p-2", "since": today}).status_code == 303
    html = client.get(at).text
    ends = re.search(rf'action="({at}/drivers/[^"]+/end)"', html)
    assert ends
    assert client.post(ends[1]).status_code == 303
    number = version(client.get(at).text, "/removed")
    gone = client.post(f"{at}/removed", data={"version": number})
    assert gone.headers["location"] == "/registry?done=vehicle_removed"
    assert client.get(at).status_code == 404
