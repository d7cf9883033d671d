"""The watch-list's pages: two people, a reason and an end, and who may know what."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from console.context import Rooms
from registry.models import ApplicationState, Person, WatchlistApplication, WatchlistEntry
from storage.audit import AuditRow

Visit = Callable[..., TestClient]


def sitting(client: TestClient) -> TestClient:
    client.post("/registry/purpose", data={"purpose": "official_request"})
    return client


def order(rooms: Rooms, **changes: str | list[str]) -> dict[str, str | list[str]]:
    last = rooms.clock.now().date() + dt.timedelta(days=20)
    return {
        "subject_kind": "plate",
        "subject": "云A99999",
        "legal_basis": "owners_resolution",
        "document_no": "业2026-7",
        "applicant_org": "物业",
        "reason": "多次逆行冲岗",
        "rings": ["entrance", "common"],
        "priority": "2",
        "last_day": last.isoformat(),
        **changes,
    }


def applied(rooms: Rooms) -> str:
    with rooms.database.read() as session:
        return session.scalars(select(WatchlistApplication.id)).one()


def entries(rooms: Rooms) -> list[str]:
    with rooms.database.read() as session:
        return list(session.scalars(select(WatchlistEntry.subject).where(WatchlistEntry.id != "w-7")))


def test_nothing_is_shown_before_somebody_says_what_for(visit: Visit, seeded: Rooms) -> None:
    assert "(2026)云01号" not in visit("police").get("/console/watchlist").text
    html = sitting(visit("police", "en")).get("/console/watchlist").text
    assert "(2026)云01号" in html
    with seeded.database.read() as session:
        looks = {(row.action, row.purpose) for row in session.scalars(select(AuditRow))}
    assert ("watchlist.listed", "official_request") in looks


def test_who_need_not_know_sees_only_that_there_is_an_entry(visit: Visit) -> None:
    for who in ("manager", "admin"):
        client = sitting(visit(who, "en"))
        for path in ("/console/watchlist", "/console/watchlist/w-7"):
            html = client.get(path).text
            assert "told only that there is an entry" in html
            for secret in ("(2026)云01号", "p-1", "officer-a", "Court"):
                assert secret not in html, (who, path, secret)


@pytest.mark.parametrize("who", ["guard", "grid", "li", "resident"])
def test_others_see_nothing(visit: Visit, who: str) -> None:
    client = sitting(visit(who))
    for path in ("", "/new", "/w-7"):
        assert client.get(f"/console/watchlist{path}").status_code == 403
    assert "/console/watchlist" not in client.get("/registry").text


@pytest.mark.parametrize("who", ["operator", "auditor"])
def test_who_only_reads_has_nothing_to_press(visit: Visit, seeded: Rooms, who: str) -> None:
    sitting(visit("manager")).post("/console/watchlist/new", data=order(seeded))
    client = sitting(visit(who, "en"))
    html = client.get("/console/watchlist").text
    assert "does not decide on this" in html
    assert "/decision" not in html
    assert client.get("/console/watchlist/new").status_code == 403
    form = {"verdict": "approve"}
    assert (
        client.post(f"/console/watchlist/applications/{applied(seeded)}/decision", data=form).status_code
        == 403
    )


def test_two_people_make_an_entry_and_the_first_is_told_why_not(visit: Visit, seeded: Rooms) -> None:
    first = sitting(visit("admin", "en"))
    asked = first.post("/console/watchlist/new", data=order(seeded))
    assert asked.headers["location"].endswith("done=applied")
    html = first.get("/console/watchlist").text
    assert "You asked for it: somebody else has to decide." in html
    assert "/decision" not in html
    at = f"/console/watchlist/applications/{applied(seeded)}/decision"
    own = first.post(at, data={"verdict": "approve"})
    assert own.status_code == 409
    assert 'role="alert"' in own.text
    assert entries(seeded) == []
    second = sitting(visit("police", "en"))
    assert at in second.get("/console/watchlist").text
    assert second.post(at, data={"verdict": "approve"}).headers["location"].endswith("done=watch_approve")
    assert entries(seeded) == ["云A99999"]
    assert "What became of yours" in first.get("/console/watchlist").text
    again = second.post(at, data={"verdict": "refuse"})
    assert again.status_code == 409


def test_a_manager_asks_an_administrator_refuses_and_the_manager_hears_it(
    visit: Visit, seeded: Rooms
) -> None:
    manager = sitting(visit("manager", "en"))
    manager.post("/console/watchlist/new", data=order(seeded))
    at = f"/console/watchlist/applications/{applied(seeded)}"
    assert sitting(visit("admin")).post(f"{at}/decision", data={"verdict": "refuse"}).status_code == 303
    html = manager.get("/console/watchlist").text
    assert "What became of yours" in html
    assert re.search(r"chip bad\">Refused", html)
    assert manager.post(f"{at}/withdrawal").status_code == 409


def test_an_applicant_takes_it_back(visit: Visit, seeded: Rooms) -> None:
    manager = sitting(visit("manager"))
    manager.post("/console/watchlist/new", data=order(seeded))
    gone = manager.post(f"/console/watchlist/applications/{applied(seeded)}/withdrawal")
    assert gone.headers["location"].endswith("done=watch_withdrawn")
    with seeded.database.read() as session:
        assert session.scalars(select(WatchlistApplication)).one().state == ApplicationState.WITHDRAWN


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_day": ""},
        {"last_day": "2027-11-01"},
        {"last_day": "2020-01-01"},
        {"reason": ""},
        {"document_no": ""},
        {"legal_basis": ""},
        {"rings": []},
        {"subject": "???"},
        {"legal_basis": "police_order"},
        {"subject_kind": "person", "subject": "p-1"},
    ],
)
def test_what_the_law_wants_said_is_asked_for_and_what_was_typed_stays(
    visit: Visit, seeded: Rooms, wrong: dict[str, str | list[str]]
) -> None:
    answer = sitting(visit("manager", "en")).post("/console/watchlist/new", data=order(seeded, **wrong))
    assert answer.status_code in {409, 422}
    assert 'role="alert"' in answer.text
    assert 'value="物业"' in answer.text
    with seeded.database.read() as session:
        assert session.scalars(select(WatchlistApplication)).all() == []


def test_the_form_offers_a_role_what_it_may_ask_for(visit: Visit) -> None:
    manager, police = (
        sitting(visit(who)).get("/console/watchlist/new").text for who in ("manager", "police")
    )
    assert 'value="police_order"' not in manager
    assert 'value="person"' not in manager
    assert 'value="police_order"' in police
    assert 'value="person"' in police


def test_the_police_look_for_a_registered_person_and_no_child(visit: Visit, seeded: Rooms) -> None:
    police = sitting(visit("police", "en"))
    wanted = order(seeded, subject_kind="person", subject="p-3", legal_basis="court_order")
    assert police.post("/console/watchlist/new", data=wanted).status_code == 303
    html = sitting(visit("admin", "en")).get("/console/watchlist").text
    assert "p-3" not in html
    assert "does not decide on this" in html
    with seeded.database.write() as session:
        session.get_one(Person, "p-2").under_14 = True
    child = police.post("/console/watchlist/new", data={**wanted, "subject": "p-2"})
    assert child.status_code == 409


def test_an_entry_is_prolonged_by_a_second_person_or_lifted(visit: Visit, seeded: Rooms) -> None:
    police = sitting(visit("police", "en"))
    html = police.get("/console/watchlist/w-7").text
    assert "Prolong" in html
    last = (seeded.clock.now().date() + dt.timedelta(days=60)).isoformat()
    form = {"document_no": "(2026)云02号", "applicant_org": "派出所", "reason": "案件未结", "last_day": last}
    assert police.post("/console/watchlist/w-7/renewal", data=form).status_code == 303
    refused = police.post("/console/watchlist/w-7/renewal", data={**form, "last_day": ""})
    assert refused.status_code == 422
    assert 'value="(2026)云02号"' in refused.text
    assert sitting(visit("manager")).post("/console/watchlist/w-7/lifting").status_code == 409
    assert police.post("/console/watchlist/w-7/lifting").headers["location"].endswith("done=watch_lifted")
    assert "lifted" in police.get("/console/watchlist/w-7").text


def test_an_entry_that_ends_soon_is_marked(visit: Visit, seeded: Rooms) -> None:
    police = sitting(visit("police", "en"))
    assert "ends soon" not in police.get("/console/watchlist").text
    with seeded.database.write() as session:
        session.get_one(WatchlistEntry, "w-7").ends_at = seeded.clock.now() + dt.timedelta(days=3)
    assert "ends soon" in police.get("/console/watchlist").text
