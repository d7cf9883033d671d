"""Visitor passes in the office and in the visitor's hand."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from console.calendars import PER_MINUTE
from console.context import Rooms
from registry.models import PassKind, PassState, VisitorPass
from registry.passes.hosts import Host, HostKind
from registry.passes.visiting import PassWanted, issue, request, token_hash
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
PHONE = "10012344321"


def give(client: TestClient, **form: str) -> str:
    answer = client.post("/registry/passes", data={"visitor": "", "to": "", "span": "hours_2", **form})
    assert answer.status_code == 201, re.findall(r'role="alert">([^<]*)', answer.text)
    return answer.text


def token_in(html: str) -> str:
    found = re.search(r'/pass/([\w-]{32})"', html)
    assert found
    return str(found[1])


def one(rooms: Rooms) -> VisitorPass:
    with rooms.database.read() as session:
        row = session.scalars(select(VisitorPass)).one()
        session.refresh(row)
        session.expunge(row)
        return row


def made(rooms: Rooms, *, waiting: bool = False, **wanted: object) -> tuple[str, str]:
    with rooms.database.write() as session:
        act = request if waiting else issue
        asked = PassWanted(PassKind.VISITOR, Host(HostKind.HOUSEHOLD, "h-1"), **wanted)  # type: ignore[arg-type]
        new = act(session, rooms.compound, asked, by="u-operator", at=rooms.clock.now())
        return new.visitor_pass.id, new.token.removeprefix("RW1:")


# ── given in the office ───────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["manager", "operator", "admin", "guard"])
def test_two_fields_and_a_press_give_a_pass(visit: Visit, seeded: Rooms, who: str) -> None:
    html = give(visit(who, "en"), visitor="云 a·77777", to="3-2-1801")
    row = one(seeded)
    assert (row.plate, row.host_household, row.state) == ("云A77777", "h-1", PassState.APPROVED)
    assert row.ends_at - row.starts_at == dt.timedelta(hours=2)
    assert row.token_hash == token_hash(f"RW1:{token_in(html)}")
    assert "data:image/png;base64," in html
    assert "张三丰" not in html


def test_a_phone_is_told_from_a_plate(visit: Visit, seeded: Rooms) -> None:
    give(visit("manager"), visitor="100 1234 4321", to="三号楼二单元一八〇一")
    row = one(seeded)
    assert (row.plate, row.phone) == (None, PHONE)


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"to": "9-9-901"}, 404, "There is no such dwelling"),
        ({"to": "5-2-1801"}, 409, ""),
        ({"visitor": "12"}, 409, ""),
        ({"span": "for_ever"}, 422, ""),
        ({"span": "days", "days": "4000"}, 409, "1 to 90 days"),
        ({"span": "days", "days": "3", "kind": "visitor"}, 409, ""),
        ({"starts": "yesterday"}, 422, "no day"),
    ],
)
def test_what_cannot_be_given_is_told_and_what_was_typed_stays(
    visit: Visit, form: dict[str, str], status: int, said: str
) -> None:
    sent = {"visitor": "云A77777", "to": "3-2-1801", "span": "hours_2", **form}
    answer = visit("manager", "en").post("/registry/passes", data=sent)
    assert answer.status_code == status
    notice = re.search(r'role="alert">([^<]+)<', answer.text)
    assert notice
    assert said in notice[1]
    assert f'value="{sent["visitor"]}"' in answer.text
    assert f'value="{sent["to"]}"' in answer.text


def test_pressed_twice_it_is_one_pass(visit: Visit, seeded: Rooms) -> None:
    client = visit("manager", "en")
    first = give(client, once="form-1", to="3-2-1801")
    again = give(client, once="form-1", to="3-2-1801")
    assert "shown once" in again
    assert token_in(first) not in again
    one(seeded)


def test_several_days_later_for_a_builder(visit: Visit, seeded: Rooms) -> None:
    starts = (seeded.clock.now() + dt.timedelta(days=2)).astimezone(dt.timezone(dt.timedelta(hours=8)))
    form = {"kind": "contractor", "span": "days", "days": "3", "starts": f"{starts:%Y-%m-%dT09:00}"}
    give(visit("manager"), to="3-2-1801", **form)
    row = one(seeded)
    assert (row.starts_at.hour, row.ends_at - row.starts_at) == (
        1,
        dt.timedelta(days=2, hours=14, minutes=59, seconds=59),
    )


def test_where_the_host_decides_nothing_opens_yet(visit: Visit, seeded: Rooms) -> None:
    html = give(visit("manager", "en"), to="3-2-1801", ask_host="true")
    assert "has to approve" in html
    assert "data:image" not in html
    assert one(seeded).state == PassState.REQUESTED


@pytest.mark.parametrize("who", ["grid", "police", "auditor", "li", "resident"])
def test_others_give_none(visit: Visit, who: str) -> None:
    client = visit(who)
    assert client.get("/registry/passes").status_code == 403
    assert client.post("/registry/passes", data={"span": "hours_2"}).status_code == 403


def test_the_lists_hold_no_plate_and_no_phone(visit: Visit, seeded: Rooms) -> None:
    pass_id, _ = made(seeded, plate="云A77777", phone=PHONE)
    for who in ("manager", "guard"):
        html = visit(who).get("/registry/passes").text
        assert f"/registry/passes/{pass_id}" in html
        assert "云A77777" not in html
        assert PHONE not in html
    assert "/revocation" in visit("manager").get("/registry/passes").text
    assert "/revocation" not in visit("guard").get("/registry/passes").text


def test_one_pass_is_a_look_for_a_purpose(visit: Visit, seeded: Rooms) -> None:
    pass_id, _ = made(seeded, plate="云A77777", phone=PHONE)
    client = visit("manager")
    assert "云A77777" not in client.get(f"/registry/passes/{pass_id}").text
    client.post("/registry/purpose", data={"purpose": "monitoring"})
    assert "云A77777" in client.get(f"/registry/passes/{pass_id}").text
    with seeded.database.read() as session:
        looks = [(row.action, row.purpose) for row in session.scalars(select(AuditRow))]
    assert looks == [("pass.viewed", "monitoring")]
    guard = visit("guard")
    guard.post("/registry/purpose", data={"purpose": "monitoring"})
    assert "云A77777" not in guard.get(f"/registry/passes/{pass_id}").text


def test_a_pass_is_prolonged_gets_a_new_code_and_is_taken_back(visit: Visit, seeded: Rooms) -> None:
    pass_id, old = made(seeded)
    client = visit("operator", "en")
    client.post("/registry/purpose", data={"purpose": "monitoring"})
    at = f"/registry/passes/{pass_id}"
    before = one(seeded)
    extended = client.post(f"{at}/extension", data={"span": "hours_2", "version": str(before.version)})
    assert extended.headers["location"].endswith("done=pass_extended")
    assert one(seeded).ends_at == seeded.clock.now() + dt.timedelta(hours=2)
    stale = client.post(f"{at}/extension", data={"span": "today", "version": str(before.version)})
    assert stale.status_code == 409
    renewed = client.post(f"{at}/token", data={"version": str(one(seeded).version)})
    new = token_in(renewed.text)
    anybody = visit(None, "en")
    assert anybody.get(f"/pass/{old}").status_code == 404
    assert "Valid" not in anybody.get(f"/pass/{old}").text
    assert anybody.get(f"/pass/{new}").status_code == 200
    client.post(f"{at}/revocation", data={"version": str(one(seeded).version)})
    gone = anybody.get(f"/pass/{new}").text
    assert "Taken back" in gone
    assert "data:image" not in gone


def test_a_request_is_decided_from_the_list(visit: Visit, seeded: Rooms) -> None:
    pass_id, token = made(seeded, waiting=True)
    assert "Not approved yet" in visit(None, "en").get(f"/pass/{token}").text
    client = visit("manager")
    assert "/decision" in client.get("/registry/passes?when=waiting").text
    form = {"verdict": "approve", "version": "1", "back": "list"}
    answer = client.post(f"/registry/passes/{pass_id}/decision", data=form)
    assert answer.headers["location"] == "/registry/passes?done=pass_approve"
    assert one(seeded).state == PassState.APPROVED


# ── in the visitor's hand ─────────────────────────────────────────────────────


def test_the_visitor_sees_a_code_a_time_a_gate_and_nobody(visit: Visit, seeded: Rooms) -> None:
    _, token = made(seeded, plate="云A77777", phone=PHONE)
    answer = visit(None, "en").get(f"/pass/{token}")
    assert answer.status_code == 200
    for shown in ("data:image/png;base64,", f"RW1:{token}", "Until", "东门", "3幢", "last four digits"):
        assert shown in answer.text
    for hidden in ("张三丰", "李不愿", "1801", PHONE, "云A77777", "h-1", "u-operator", "/registry/passes"):
        assert hidden not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_pass_that_is_over_opens_and_shows_nothing(visit: Visit, seeded: Rooms) -> None:
    now = seeded.clock.now()
    _, token = made(seeded, ends_at=now + dt.timedelta(hours=1))
    seeded.clock.advance(hours=2)  # type: ignore[attr-defined]
    html = visit(None, "en").get(f"/pass/{token}").text
    assert "Over" in html
    assert "data:image" not in html
    assert token not in html


def test_a_pass_of_tomorrow_says_so(visit: Visit, seeded: Rooms) -> None:
    begins = seeded.clock.now() + dt.timedelta(days=1)
    _, token = made(seeded, starts_at=begins, ends_at=begins + dt.timedelta(hours=1))
    assert "Not yet" in visit(None, "en").get(f"/pass/{token}").text


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 5000, "..%2f..", "%00"])
def test_whatever_is_no_pass_is_answered_alike(visit: Visit, token: str) -> None:
    answer = visit(None, "en").get(f"/pass/{token}")
    assert answer.status_code == 404


def test_nobody_may_try_often(visit: Visit, app: FastAPI) -> None:
    client = visit(None)
    codes = [client.get("/pass/nope").status_code for _ in range(PER_MINUTE + 1)]
    assert (codes[0], codes[-1]) == (404, 429)
    # Whoever tries passes does not shut out the calendars of the same house.
    assert client.get("/calendar/nope.ics").status_code == 404
