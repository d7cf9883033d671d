"""The audit log and the receipts of erasures, as pages."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from console.context import Rooms
from privacy import erasures
from privacy.models import ErasureKind
from registry.models import Person
from storage import audit
from storage.audit import AuditEntry

Visit = Callable[..., TestClient]


def note(rooms: Rooms, count: int, subject: str = "person:p-1") -> None:
    with rooms.database.write() as session:
        for number in range(count):
            entry = AuditEntry(
                "u-admin",
                "administrator",
                "person.viewed",
                "review",
                subject,
                f"n={number}",
                rooms.compound,
            )
            audit.append(session, rooms.clock.now(), entry)


def erase(rooms: Rooms, person_id: str = "p-1") -> str:
    with rooms.database.write() as session:
        person = session.get_one(Person, person_id)
        made = erasures.order(session, person, ErasureKind.PERSON, at=rooms.clock.now(), by="u-admin")
        return made.id


def test_the_log_shows_who_did_what_to_whom_newest_first(visit: Visit, seeded: Rooms) -> None:
    note(seeded, 2)
    html = visit("auditor", "en").get("/audit").text
    assert re.findall(r"n=(\d)", html) == ["1", "0"]
    for shown in (">admin<", "Administrator", "opened the entry", "person.viewed", "Review"):
        assert shown in html


def test_the_log_is_paged_and_filtered_by_subject(visit: Visit, seeded: Rooms) -> None:
    note(seeded, 60)
    note(seeded, 1, "person:p-2")
    client = visit("auditor", "en")
    first = client.get("/audit?subject=person:p-1").text
    assert "n=59" in first
    assert "person:p-2" not in first
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = client.get(older[1].replace("&amp;", "&")).text
    assert "n=0" in second
    assert "n=59" not in second
    assert 'rel="next"' not in second
    assert "Nothing was noted about this subject" in client.get("/audit?subject=person:nobody").text


def test_a_subject_that_would_be_markup_is_text(visit: Visit) -> None:
    html = visit("auditor").get("/audit", params={"subject": '"><b>'}).text
    assert "<b>" not in html


def test_whether_the_chain_holds_is_asked_for_and_told(visit: Visit, seeded: Rooms) -> None:
    note(seeded, 3)
    client = visit("auditor", "en")
    assert "The chain holds" not in client.get("/audit").text
    assert "The chain holds" in client.get("/audit?check=true").text
    with seeded.database.write() as session:
        # As somebody with the file in hand would do it, past the triggers.
        for name in session.scalars(
            text("select name from sqlite_master where type='trigger' and tbl_name='audit'")
        ).all():
            session.execute(text(f"drop trigger {name}"))
        session.execute(text("update audit set detail = 'n=7' where detail = 'n=1'"))
    assert "The chain is broken at entry" in client.get("/audit?check=true").text


@pytest.mark.parametrize("who", ["operator", "manager", "guard", "grid", "police", "resident", "li"])
def test_the_log_is_for_auditors_and_administrators(visit: Visit, who: str) -> None:
    assert visit(who).get("/audit").status_code == 403


@pytest.mark.parametrize("who", ["admin", "manager", "auditor"])
def test_an_erasure_is_listed_while_open_and_its_receipt_says_where_it_stands(
    visit: Visit, seeded: Rooms, who: str
) -> None:
    client = visit(who, "en")
    assert "No erasure is open" in client.get("/erasures").text
    erasure = erase(seeded)
    listed = client.get("/erasures").text
    assert f"/erasures/{erasure}" in listed
    assert "waiting for confirmation" in listed
    receipt = client.get(f"/erasures/{erasure}").text
    assert "Has not confirmed yet" in receipt
    assert "Database" in receipt
    assert "张三丰" not in receipt


def test_an_erasure_that_is_late_says_so(visit: Visit, seeded: Rooms) -> None:
    erasure = erase(seeded)
    seeded.clock.advance(hours=25)  # type: ignore[attr-defined]
    for path in ("/erasures", f"/erasures/{erasure}"):
        assert "overdue" in visit("auditor", "en").get(path).text


def test_an_unknown_receipt_is_not_found_and_others_may_not_ask(visit: Visit) -> None:
    assert visit("auditor").get("/erasures/no-such").status_code == 404
    for who in ("operator", "guard", "grid", "police", "resident", "li"):
        assert visit(who).get("/erasures").status_code == 403
        assert visit(who).get("/erasures/no-such").status_code == 403
