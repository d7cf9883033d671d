"""The search over HTTP: one question in a body, its purpose first, and where it goes on."""

import datetime as dt

import pytest
from console_world import PLATE, START
from sqlalchemy import select

from console.lookback import searching
from storage.audit import AuditRow

WINDOW = {"from": (START - dt.timedelta(days=1)).isoformat(), "to": START.isoformat()}


async def test_a_place_is_searched_and_the_entry_is_in_the_log(operator, world, database) -> None:
    body = {"purpose": "monitoring", "zone": "gate", **WINDOW}
    answer = await operator.post("/api/v1/searches", json=body)
    assert answer.status_code == 200
    found = answer.json()
    assert {hit["kind"] for hit in found["items"]} >= {"event", "incident"}
    assert PLATE not in answer.text, "what went on at a place is told without whom"
    times = [hit["at"] for hit in found["items"]]
    assert times == sorted(times, reverse=True)
    with database.read() as session:
        note = session.scalars(select(AuditRow).where(AuditRow.action == "search.asked")).one()
        assert note.subject == "zone:gate"


async def test_the_list_goes_on_without_a_gap_or_a_thing_twice(operator, world, monkeypatch) -> None:
    body = {"purpose": "review", "zone": "gate", **WINDOW}
    whole = (await operator.post("/api/v1/searches", json=body)).json()["items"]
    monkeypatch.setattr(searching, "SHOWN", 1)
    page = (await operator.post("/api/v1/searches", json=body)).json()
    seen = page["items"]
    while page["next_cursor"]:
        page = (await operator.post("/api/v1/searches", json={"cursor": page["next_cursor"]})).json()
        seen += page["items"]
    assert len(whole) > 2
    assert [(one["kind"], one["id"]) for one in seen] == [(one["kind"], one["id"]) for one in whole]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"zone": "gate", **WINDOW}, 422, "purpose_missing"),
        ({"purpose": "official_request", "person": "adult", **WINDOW}, 422, "purpose_unfit"),
        ({"purpose": "monitoring", "person": "adult", **WINDOW}, 422, "purpose_unfit"),
        ({"purpose": "review", "person": "nobody", **WINDOW}, 404, "person_not_found"),
        ({"purpose": "review", "person": "adult"}, 422, "empty_span"),
        ({"purpose": "review", "plate": "12", **WINDOW}, 422, "plate_too_short"),
        ({"purpose": "review", "face": "x", **WINDOW}, 422, "invalid_request"),
        ({"cursor": "bm9uZQ=="}, 400, "bad_cursor"),
        ({"cursor": "é"}, 400, "bad_cursor"),
    ],
)
async def test_what_is_not_searched_for_is_refused_and_not_written_down(
    operator, world, database, body, status, code
) -> None:
    answer = await operator.post("/api/v1/searches", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    with database.read() as session:
        assert session.scalars(select(AuditRow).where(AuditRow.action == "search.asked")).all() == []


async def test_a_wide_look_at_somebody_asks_for_a_second_thought(operator, world) -> None:
    body = {"purpose": "review", "person": "adult"} | WINDOW | {"from": "2026-10-01T00:00:00Z"}
    first = await operator.post("/api/v1/searches", json=body)
    assert (first.status_code, first.json()["code"], first.json()["days"]) == (409, "search_wide", 53)
    assert (await operator.post("/api/v1/searches", json=body | {"sure": True})).status_code == 200
