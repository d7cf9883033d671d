"""Patrols over the API: set up by the property office, walked by a guard, read by the control room."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from console_world import COMPOUND
from sqlalchemy import select

from alerts.duty.models import Responder
from alerts.patrols import keeping
from alerts.patrols.models import Checkpoint, PatrolVisit
from console.accounts.models import Role
from storage import Database
from storage.audit import AuditRow

API = "/api/v1/patrols"


@pytest.fixture
def manager(signed_in: Callable[..., Any], world: Any) -> Any:
    return signed_in(Role.PROPERTY_MANAGER)


@pytest.fixture
def li(signed_in: Callable[..., Any], world: Any) -> Any:
    return signed_in(Role.VOLUNTEER, responder_id="li")


@pytest.fixture
def team(database: Database, world: Any) -> str:
    with database.read() as session:
        return session.scalars(select(Responder.team).where(Responder.id == "li")).one()


async def set_up(manager: Any, team: str, **more: Any) -> tuple[str, dict[str, str]]:
    """A route over two codes, due from now on: its id, and path by checkpoint."""
    paths: dict[str, str] = {}
    for name, zone in (("east", "gate"), ("shed", "yard")):
        made = await manager.post(f"{API}/points", json={"name": name, "zone": zone, "kind": "qr"})
        assert made.status_code == 201
        paths[made.json()["point"]["id"]] = made.json()["code"]
    asked = {"name": "夜巡", "team": team, "points": list(paths)} | more
    route = await manager.post(f"{API}/routes", json=asked)
    assert route.status_code == 201, route.text
    # The world's present is three in the afternoon of a Monday.
    hours = {"times": [15 * 60 + 1], "weekdays": [0], "lasts_min": 30}
    made = await manager.post(f"{API}/routes/{route.json()['id']}/schedules", json=hours)
    assert made.status_code == 201
    return route.json()["id"], paths


def turn(database: Database, clock: Any) -> None:
    with database.write() as session:
        keeping.keep(session, clock.now())


async def test_a_round_is_walked_and_its_report_says_so(
    manager: Any, li: Any, team: str, database: Database, clock: Any
) -> None:
    _, paths = await set_up(manager, team)
    turn(database, clock)
    (due,) = (await li.get(f"{API}/rounds/mine")).json()
    begun = await li.post(f"{API}/rounds/{due['id']}/start")
    assert begun.json()["state"] == "under_way"
    for number, code in enumerate(paths.values()):
        clock.advance(minutes=3)
        told = {"client": f"visit-000{number}", "code": code}
        assert (await li.post(f"{API}/visits", json=told)).status_code == 201
        # The phone has not heard the answer.
        assert (await li.post(f"{API}/visits", json=told)).status_code == 200
    shown = (await manager.get(f"{API}/rounds/{due['id']}")).json()
    assert (shown["state"], shown["findings"]) == ("done", [])
    assert all(point["came_at"] for point in shown["points"])
    visits = (await manager.get(f"{API}/visits", params={"limit": 1})).json()
    assert (len(visits["items"]), visits["next_cursor"] is not None) == (1, True)
    (counted,) = (await manager.get(f"{API}/report", params={"month": "2026-11"})).json()
    assert (counted["rounds"], counted["done"], counted["points_missed"]) == (1, 1, 0)
    sheet = await manager.get(f"{API}/report", params={"month": "2026-11", "format": "csv"})
    assert sheet.headers["content-type"].startswith("text/csv")
    assert "夜巡,1,1,0,0" in sheet.text


async def test_no_name_of_a_route_becomes_a_formula(manager: Any, team: str) -> None:
    await set_up(manager, team, name="=1+2")
    sheet = await manager.get(f"{API}/report", params={"month": "2026-11", "format": "csv"})
    assert ",'=1+2," in sheet.text


async def test_a_visit_that_waited_has_its_own_time_and_a_mark(
    manager: Any, li: Any, team: str, database: Database, clock: Any
) -> None:
    _, paths = await set_up(manager, team)
    turn(database, clock)
    clock.advance(minutes=40)
    # The phone's clock is an hour fast.
    sent = clock.now() + dt.timedelta(hours=1)
    told = {
        "client": "visit-0001",
        "code": next(iter(paths.values())),
        "at": (sent - dt.timedelta(minutes=20)).isoformat(),
        "sent_at": sent.isoformat(),
    }
    made = (await li.post(f"{API}/visits", json=told)).json()
    assert made["told_late"] is True
    assert dt.datetime.fromisoformat(made["at"]) == clock.now() - dt.timedelta(minutes=20)
    told |= {"client": "visit-0002", "at": (sent - dt.timedelta(hours=25)).isoformat()}
    refused = await li.post(f"{API}/visits", json=told)
    assert (refused.status_code, refused.json()["code"]) == (409, "patrol_too_old")


async def test_a_code_is_said_once_and_kept_as_a_digest(manager: Any, team: str, database: Database) -> None:
    _, paths = await set_up(manager, team)
    listed = (await manager.get(f"{API}/points")).text
    with database.read() as session:
        rows = [(row.id, row.code_digest, row.former_digest) for row in session.scalars(select(Checkpoint))]
    for point, digest, _ in rows:
        assert len(paths[point]) == 32
        assert paths[point] not in listed
        assert paths[point] not in digest
    renewed = (await manager.post(f"{API}/points/{rows[0][0]}/code")).json()
    assert renewed["code"] != paths[rows[0][0]]
    assert renewed["path"] == f"/phone/patrol/scan/{renewed['code']}"
    with database.read() as session:
        assert session.get_one(Checkpoint, rows[0][0]).former_digest == rows[0][1]


async def test_a_guessed_code_is_no_visit(li: Any, database: Database) -> None:
    answer = await li.post(f"{API}/visits", json={"client": "visit-0001", "code": "guessed"})
    assert (answer.status_code, answer.json()["code"]) == (404, "patrol_point_not_found")
    nothing = await li.post(f"{API}/visits", json={"client": "visit-0001"})
    assert nothing.json()["code"] == "patrol_what_point"
    with database.read() as session:
        assert session.scalars(select(PatrolVisit)).all() == []


async def test_two_phones_may_choose_one_id(
    manager: Any, li: Any, signed_in: Any, team: str, database: Database, clock: Any
) -> None:
    _, paths = await set_up(manager, team)
    turn(database, clock)
    wang = signed_in(Role.GUARD, responder_id="wang")
    for who in (li, wang):
        told = {"client": "visit-0001", "code": next(iter(paths.values()))}
        assert (await who.post(f"{API}/visits", json=told)).status_code == 201


async def test_nobody_breaks_off_anothers_round_but_the_control_room(
    manager: Any, li: Any, operator: Any, signed_in: Any, team: str, database: Database, clock: Any
) -> None:
    await set_up(manager, team)
    turn(database, clock)
    (due,) = (await operator.get(f"{API}/rounds")).json()
    path, why = f"{API}/rounds/{due['id']}", {"reason": "lightning"}
    await li.post(f"{path}/start")
    wang = signed_in(Role.GUARD, responder_id="wang")
    assert (await wang.post(f"{path}/abort", json=why)).status_code == 404
    assert (await operator.post(f"{path}/abort", json=why)).json()["reason"] == "lightning"
    again = await operator.post(f"{path}/abort", json=why)
    assert (again.status_code, again.json()["code"]) == (409, "patrol_round_over")


async def test_whoever_is_no_responder_walks_nothing(operator: Any, world: Any) -> None:
    answer = await operator.get(f"{API}/rounds/mine")
    assert answer.json()["code"] == "no_responder"


async def test_nothing_of_another_compound(manager: Any, team: str, world: Any) -> None:
    foreign = await manager.post(f"{API}/points", json={"name": "far", "zone": "far", "kind": "qr"})
    assert foreign.json()["code"] == "zone_not_found"


async def test_what_changes_patrols_is_audited(manager: Any, team: str, database: Database) -> None:
    route, paths = await set_up(manager, team)
    await manager.post(f"{API}/routes/{route}/retirement")
    for point in paths:
        assert (await manager.post(f"{API}/points/{point}/retirement")).status_code == 204
    with database.read() as session:
        done = [row.action for row in session.scalars(select(AuditRow)) if row.action.startswith("patrol.")]
        assert {row.compound for row in session.scalars(select(Checkpoint))} == {COMPOUND}
    assert done == [
        "patrol.point_added",
        "patrol.point_added",
        "patrol.route_added",
        "patrol.schedule_added",
        "patrol.route_retired",
        "patrol.point_retired",
        "patrol.point_retired",
    ]
    assert (await manager.get(f"{API}/routes")).json() == []
    assert (await manager.get(f"{API}/points")).json() == []


async def test_a_point_that_a_route_comes_by_stays(manager: Any, team: str) -> None:
    _, paths = await set_up(manager, team)
    kept = await manager.post(f"{API}/points/{next(iter(paths))}/retirement")
    assert (kept.status_code, kept.json()["code"]) == (409, "patrol_point_in_use")


async def test_a_route_sent_twice_under_one_key_is_one(manager: Any, team: str) -> None:
    _, paths = await set_up(manager, team)
    asked = {"name": "Morning", "team": team, "points": list(paths)}
    key = {"Idempotency-Key": "a"}
    first = await manager.post(f"{API}/routes", json=asked, headers=key)
    again = await manager.post(f"{API}/routes", json=asked, headers=key)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    taken = await manager.post(f"{API}/routes", json=asked)
    assert taken.json()["code"] == "patrol_name_taken"


async def test_a_month_of_too_many_days_is_not_asked_at_once(manager: Any, clock: Any) -> None:
    span = {"since": "2026-09-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
    assert (await manager.get(f"{API}/rounds", params=span)).status_code == 422
