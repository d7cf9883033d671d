"""Drills over the API: begun, ended, measured."""

import pytest

from alerts.incidents.models import Incident
from console.accounts.models import Role
from registry.models import Zone


@pytest.fixture
def manager(world, signed_in, database):
    with database.write() as session:
        session.add(
            Zone(id="hall", compound="honghua", name="大厅", ring="building", kind="hall", outline=[[0, 0]])
        )
    return signed_in(Role.PROPERTY_MANAGER)


async def test_a_drill_goes_from_its_beginning_to_its_report(manager, clock, database):
    begun = await manager.post("/api/v1/drills", json={"scenario": "forced_door", "minutes": 10})
    assert begun.status_code == 201
    drill = begun.json()
    assert drill["ended_at"] is None
    clock.advance(seconds=30)
    with database.read() as session:
        [incident] = session.query(Incident).filter_by(drill=True)
        assert (incident.kind, incident.zone) == ("door.forced", "hall")
    report = (await manager.post(f"/api/v1/drills/{drill['id']}/end")).json()
    assert report["ended_by"] == manager.user.id
    [one] = report["incidents"]
    assert one["state"] == "false_alarm"
    assert [(row["step"], row["took_s"], row["limit_s"]) for row in one["times"]] == [
        ("acknowledge", None, 60.0)
    ]
    assert (await manager.get(f"/api/v1/drills/{drill['id']}")).json() == report
    assert [row["id"] for row in (await manager.get("/api/v1/drills")).json()["items"]] == [drill["id"]]


async def test_a_second_one_an_unknown_one_and_one_without_its_ring_are_refused(manager):
    unknown = await manager.post("/api/v1/drills", json={"scenario": "flood"})
    assert unknown.json()["code"] == "scenario_unknown"
    nowhere = await manager.post("/api/v1/drills", json={"scenario": "sos"})
    assert nowhere.json()["code"] == "drill_place"
    await manager.post("/api/v1/drills", json={"scenario": "forced_door"})
    second = await manager.post("/api/v1/drills", json={"scenario": "forced_door"})
    assert (second.status_code, second.json()["code"]) == (409, "drill_running")
    assert (await manager.get("/api/v1/drills/none")).status_code == 404


async def test_the_page_and_the_why_of_a_drills_incident_are_there(manager, operator, database):
    await manager.post("/api/v1/drills", json={"scenario": "forced_door"})
    with database.read() as session:
        [incident] = session.query(Incident.id).filter_by(drill=True)
    page = await operator.get(f"/console?incident={incident.id}", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "DRILL" in page.text
    assert (await operator.get("/console", headers={"Accept-Language": "zh-CN"})).text.count("演练") >= 1
