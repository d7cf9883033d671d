"""Refused messages on their pages: found, read, read again, given up."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from bus.deadletters import DeadLetter
from console.context import Rooms
from console.pages.bytesshown import shown
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
PAGE = "/console/refused"


def letters(html: str) -> list[str]:
    return re.findall(r'href="/console/refused/([\w-]+)"', html)


def letter(rooms: Rooms, letter_id: str) -> DeadLetter:
    with rooms.database.read() as session:
        row = session.get_one(DeadLetter, letter_id)
        session.refresh(row)
        session.expunge(row)
        return row


def many(rooms: Rooms, count: int) -> None:
    with rooms.database.write() as session:
        for number in range(count):
            session.add(
                DeadLetter(
                    id=f"m-{number:03}",
                    source="mqtt",
                    reason="unknown_type",
                    detail="",
                    topic="x",
                    compound=rooms.compound,
                    device_id="door-2",
                    received_at=rooms.clock.now() - dt.timedelta(days=1, minutes=number),
                    size=1,
                    raw=b"x",
                )
            )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["l-0", "l-1", "l-2", "l-3"]),
        ("reason=bad_base64", ["l-2"]),
        ("device=cam-north", ["l-0"]),
        ("since=2020-01-01T00:00&until=2020-01-02T00:00", []),
        ("reason=no_such", []),
    ],
)
def test_list_shows_what_fits(visit: Visit, query: str, found: list[str]) -> None:
    assert letters(visit("operator", "en").get(f"{PAGE}?{query}").text) == found


def test_time_that_is_none_is_said_and_nothing_breaks(visit: Visit) -> None:
    answer = visit("operator", "en").get(f"{PAGE}?since=yesterday")
    assert answer.status_code == 422
    assert "That is no date and time" in answer.text


def test_list_is_paged_and_keeps_its_filter(visit: Visit, seeded: Rooms) -> None:
    many(seeded, 70)
    client = visit("operator", "en")
    first = client.get(f"{PAGE}?reason=unknown_type").text
    assert len(letters(first)) == 50
    more = re.search(r'rel="next" href="([^"]+)"', first)
    assert more
    assert len(letters(client.get(more[1].replace("&amp;", "&")).text)) == 20


def test_all_of_a_filter_is_read_again_and_never_all_at_one_press(visit: Visit, seeded: Rooms) -> None:
    many(seeded, 60)
    client = visit("admin", "en")
    assert f'action="{PAGE}/replay"' not in client.get(PAGE).text
    assert client.post(f"{PAGE}/replay", data={}).status_code == 422
    answer = client.post(f"{PAGE}/replay", data={"reason": "unknown_type"})
    assert answer.status_code == 303
    after = client.get(answer.headers["location"]).text
    assert "Done for 60 messages" in after
    assert letter(seeded, "m-059").replay_asked_at is not None
    assert letter(seeded, "l-0").replay_asked_at is None
    assert visit("operator").post(f"{PAGE}/replay", data={"reason": "unknown_type"}).status_code == 403


def test_what_is_given_up_leaves_the_list_and_says_why(visit: Visit, seeded: Rooms) -> None:
    client = visit("admin", "en")
    assert client.post(f"{PAGE}/l-0/giving-up", data={"why": "because"}).status_code == 422
    assert client.post(f"{PAGE}/l-0/giving-up", data={"why": "vendor_fault"}).status_code == 303
    assert letter(seeded, "l-0").outcome == "given_up.vendor_fault"
    assert "l-0" not in letters(client.get(PAGE).text)
    everything = client.get(f"{PAGE}?state=all").text
    assert "given up: the vendor has to mend it" in everything
    with seeded.database.read() as session:
        (noted,) = session.scalars(select(AuditRow).where(AuditRow.action == "dead_letter.given_up"))
        assert noted.subject == "dead_letter:l-0"


def test_bytes_are_shown_to_administrators_who_ask_and_written_down(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        session.get_one(DeadLetter, "l-0").raw = b'{"name": "<script>alert(1)</script>"'
        session.get_one(DeadLetter, "l-0").adapter = "native"
    admin = visit("admin", "en")
    assert "script&gt;alert" not in admin.get(f"{PAGE}/l-0").text
    html = admin.get(f"{PAGE}/l-0?raw=text").text
    assert "&lt;script&gt;alert(1)" in html
    assert "<script>alert" not in html
    assert "It would be refused again" in html
    assert "7b 22 6e 61" in admin.get(f"{PAGE}/l-0?raw=hex").text
    assert "script&gt;alert" not in visit("operator", "en").get(f"{PAGE}/l-0?raw=text").text
    with seeded.database.read() as session:
        looks = session.scalars(select(AuditRow.actor).where(AuditRow.action == "dead_letter.viewed")).all()
    assert looks == ["u-admin", "u-admin"]


def test_pictures_in_letters_and_bytes_that_cannot_be_printed_are_no_riddle() -> None:
    body = b'{"jpeg": "' + b"A" * 4000 + b'", "id": "7\x1b[2J\xe2\x80\xae"}'
    told = shown(body)
    assert "A" * 60 not in told.text
    assert "(4000 characters)" in told.text
    assert '"id": "7\\x1b[2J\\x202e"' in told.text
    assert shown(b"\xff\xd8\xff").text.startswith("000000  ff d8 ff")
    assert shown(b"x y " * 5000).left_out == 20_000 - 4096
