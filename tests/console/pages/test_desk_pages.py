"""The desk without script: putting aside, whose hands, who was faster, whom to phone, what is sent twice."""

import datetime as dt
from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import select

from alerts.incidents.models import Incident, IncidentAside
from console.context import Rooms
from console.desk.hands import GONE_AFTER, Hand, forget
from console.desk.parts import Parts

Visit = Callable[..., TestClient]
PAGE, OTHER = "aa00aa00aa00aa00", "bb00bb00bb00bb00"


def put_aside(client: TestClient, incident: str, version: int = 1, minutes: int = 10) -> object:
    fields = {"version": str(version), "reason": "answer_awaited", "minutes": str(minutes)}
    return client.post(f"/console/incidents/{incident}/put-aside", data=fields)


def test_put_aside_stands_apart_with_who_until_when_and_why(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    assert put_aside(client, "i-face").status_code == 303
    page = client.get("/console/fragments/queue").text
    apart = page.split('data-part="aside"')[1].split("</section>")[0]
    assert 'id="item-i-face"' in apart
    assert "an answer is awaited" in apart
    opened = client.get("/console?incident=i-face").text
    assert "Take it back now" in opened
    assert "put aside until" in opened.split('class="history"')[1].split("</ol>")[0]


def test_it_is_in_front_again_at_its_end_even_before_that_is_written(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    put_aside(client, "i-face")
    seeded.clock.advance(seconds=10 * 60)
    assert 'data-part="aside"' not in client.get("/console/fragments/queue").text


def test_longer_than_its_severity_allows_is_refused_in_words(visit: Visit, seeded: Rooms) -> None:
    answer = put_aside(visit("operator", "en"), "i-face", minutes=31)
    assert answer.status_code == 409
    assert "longer than its severity allows" in answer.text
    with seeded.database.read() as session:
        assert session.scalars(select(IncidentAside)).all() == []


def test_critical_has_no_button_to_put_it_aside(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        session.get_one(Incident, "i-face").severity = 1
    assert "tray-aside" not in visit("operator").get("/console/fragments/incident/i-face").text


def test_second_press_is_told_who_did_what(visit: Visit, seeded: Rooms) -> None:
    visit("admin").post("/console/incidents/i-face/acknowledge", data={"version": "1"})
    late = visit("operator", "en").post(
        "/console/incidents/i-face/false-alarm",
        data={"version": "1", "reason": "courier"},
        headers={"HX-Request": "true"},
    )
    assert "was faster: Acknowledged" in late.text


def said(client: TestClient, page: str, incident: str | None, doing: str = "looking") -> dict[str, object]:
    answer = client.post("/console/hands", json={"page": page, "incident": incident, "doing": doing})
    assert answer.status_code == 200
    hands: dict[str, object] = answer.json()["hands"]
    return hands


def test_two_operators_see_each_others_hands_until_a_page_falls_silent(visit: Visit, seeded: Rooms) -> None:
    one, two = visit("operator"), visit("admin")
    assert said(one, PAGE, "i-face", "deciding") == {}
    [seen] = said(two, OTHER, "i-face")["i-face"]  # type: ignore[misc]
    assert seen["doing"] == "deciding"
    assert list(said(one, PAGE, "i-plate")) == ["i-face"]
    seeded.clock.advance(seconds=GONE_AFTER.total_seconds())
    assert said(two, OTHER, None) == {}
    with seeded.database.write() as session:
        assert forget(session, seeded.clock.now() + dt.timedelta(minutes=5)) == 1
        assert session.scalars(select(Hand)).all() == []


def test_nobody_moves_another_users_page(visit: Visit, seeded: Rooms) -> None:
    said(visit("operator"), PAGE, "i-face")
    said(visit("admin"), PAGE, "i-plate")
    with seeded.database.read() as session:
        row = session.get_one(Hand, PAGE)
        assert (row.user_id, row.incident) == ("u-operator", "i-face")


def test_unknown_incident_is_in_nobodys_hands(visit: Visit, seeded: Rooms) -> None:
    said(visit("operator"), PAGE, "nowhere")
    with seeded.database.read() as session:
        assert session.scalars(select(Hand)).all() == []


def test_queue_that_says_nothing_new_is_not_sent_again(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator")
    first = client.get("/console/fragments/queue")
    tag = {"If-None-Match": first.headers["ETag"]}
    # Ages count on in the browser: they are no news.
    seeded.clock.advance(seconds=1)
    assert client.get("/console/fragments/queue", headers=tag).status_code == 304
    put_aside(client, "i-face")
    assert client.get("/console/fragments/queue", headers=tag).status_code == 200


def test_merge_takes_the_other_in(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator")
    assert 'id="tray-merge"' in client.get("/console/fragments/incident/i-face").text
    client.post("/console/incidents/i-face/merge", data={"version": "1", "other": "i-off"})
    with seeded.database.read() as session:
        merged = {row.id: row.merged_into for row in session.scalars(select(Incident)) if row.merged_into}
    assert merged in ({"i-off": "i-face"}, {"i-face": "i-off"})


def test_each_key_of_the_help_has_its_words(visit: Visit) -> None:
    page = visit("operator", "en").get("/console").text
    help_ = page.split('id="help"')[1].split("</dialog>")[0]
    for key in ("j / k", "a", "c", "f + 1 … 9", "d + Enter", "m", "p", "r", "?", "g d"):
        assert f"<kbd>{key}</kbd>" in help_
    assert 'data-path="/console/devices"' in help_


def test_part_is_made_once_for_all_who_ask_in_the_same_moment() -> None:
    made: list[int] = []

    def make() -> str:
        made.append(1)
        return f'<time data-since="x">{len(made)} s</time>'

    parts = Parts()
    first = parts.get("queue", (1, 1), make)
    assert parts.get("queue", (1, 1), make) is first
    later = parts.get("queue", (1, 2), make)
    assert (len(made), later.tag) == (2, first.tag)
    parts.get("queue", None, make)
    assert len(made) == 3
