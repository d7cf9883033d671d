"""Routes and silences over the API: the tree, a decision with its reasons, and what is kept quiet."""

import datetime as dt

from sqlalchemy import select

from storage.audit import AuditRow

API = "/api/v1"


def asked(clock, **more: object) -> dict:
    ends = clock.now() + dt.timedelta(hours=2)
    return {"matchers": ["ring = building"], "ends_at": ends.isoformat(), "comment": "painters"} | more


async def test_tree_is_shown_as_it_is_routed_by(operator, world) -> None:
    body = (await operator.get(f"{API}/routes")).json()
    assert body["version"]
    assert body["refused"] is False
    assert [one["name"] for one in body["route"]["routes"]][:2] == ["duress", "care"]
    assert {one["name"] for one in body["receivers"]} >= {"control_room", "gate"}


async def test_decision_names_the_way_the_receivers_and_the_reasons(operator, world) -> None:
    params = {"ring": "building", "kind": "door.forced", "severity": 2, "at": "2026-11-23T02:00:00+08:00"}
    body = (await operator.get(f"{API}/routes/decision", params=params)).json()
    assert [one["receiver"] for one in body["receivers"]] == ["control_room", "neighbours"]
    gate = next(one for one in body["looked_at"] if one["name"] == "gate")
    assert (gate["matched"], gate["matcher"]) == (False, "ring = entrance")
    assert all(isinstance(one["on_duty"], list) for one in body["receivers"])


async def test_decision_refuses_a_label_that_there_is_none_of(operator, world) -> None:
    params = {"ring": "building", "kind": "door.forced", "label": "colour=red"}
    refused = await operator.get(f"{API}/routes/decision", params=params)
    assert (refused.status_code, refused.json()["code"]) == (409, "unknown_label")


async def test_silence_is_made_listed_covers_and_is_lifted_all_audited(
    operator, world, clock, database
) -> None:
    made = await operator.post(f"{API}/silences", json=asked(clock))
    assert made.status_code == 201
    silence = made.json()["id"]
    assert [one["id"] for one in (await operator.get(f"{API}/silences")).json()] == [silence]
    params = {"ring": "building", "kind": "door.held_open", "severity": 4}
    body = (await operator.get(f"{API}/routes/decision", params=params)).json()
    assert body["silenced_by"] == silence
    graver = (await operator.get(f"{API}/routes/decision", params=params | {"severity": 2})).json()
    assert graver["silenced_by"] is None
    assert (await operator.delete(f"{API}/silences/{silence}")).status_code == 200
    assert (await operator.get(f"{API}/silences")).json() == []
    assert (await operator.delete(f"{API}/silences/{silence}")).status_code == 409
    with database.read() as session:
        actions = session.scalars(
            select(AuditRow.action).where(AuditRow.subject == f"silence:{silence}")
        ).all()
    assert actions == ["silence.made", "silence.lifted"]


async def test_silence_ends_by_itself(operator, world, clock) -> None:
    await operator.post(f"{API}/silences", json=asked(clock))
    clock.advance(hours=2)
    assert (await operator.get(f"{API}/silences")).json() == []
    (over,) = (await operator.get(f"{API}/silences", params={"ended": True})).json()
    assert over["holds"] is False


async def test_silence_longer_than_a_month_or_of_safety_is_refused(operator, world, clock) -> None:
    late = (clock.now() + dt.timedelta(days=32)).isoformat()
    for more, code in (
        ({"ends_at": late}, "silence_too_long"),
        ({"matchers": ["safety = true"]}, "silence_safety"),
        ({"matchers": ["severity >= 1"]}, "silence_all"),
        ({"matchers": ["nonsense"]}, "silence_matcher"),
        ({"comment": "  "}, "comment_required"),
    ):
        refused = await operator.post(f"{API}/silences", json=asked(clock, **more))
        assert (refused.status_code, refused.json()["code"]) == (409, code), more
