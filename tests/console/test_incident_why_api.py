"""Why an incident was raised, over HTTP: for those who decide on it, and audited where somebody is named."""

import dataclasses

import pytest
from console_world import COMPOUND
from sqlalchemy import select

from console.accounts.models import Role
from storage.audit import AuditRow


@pytest.fixture
def rooms(rooms):
    def explain(compound: str, incident: str) -> dict:
        return {"incident": incident, "compound": compound, "signals": 1, "because": [{"rule": "R-E04"}]}

    return dataclasses.replace(rooms, explain=explain)


async def test_operator_hears_why(operator, world, database) -> None:
    answer = await operator.get(f"/api/v1/incidents/{world.sent}/why")
    assert answer.status_code == 200
    assert answer.json() == {
        "incident": world.sent,
        "compound": COMPOUND,
        "signals": 1,
        "because": [{"rule": "R-E04"}],
    }
    with database.read() as session:
        looks = session.scalars(select(AuditRow.action)).all()
    assert "incident.viewed" in looks


async def test_incident_that_is_not_there(operator, world) -> None:
    answer = await operator.get("/api/v1/incidents/nothing/why")
    assert (answer.status_code, answer.json()["code"]) == (404, "incident_not_found")


async def test_who_is_sent_is_not_told_why(signed_in, world) -> None:
    asked = await signed_in(Role.VOLUNTEER).get(f"/api/v1/incidents/{world.sent}/why")
    assert asked.status_code == 403


async def test_process_that_cannot_read_the_past_says_so(app, operator, world) -> None:
    app.state.rooms = dataclasses.replace(app.state.rooms, explain=None)
    answer = await operator.get(f"/api/v1/incidents/{world.sent}/why")
    assert (answer.status_code, answer.json()["code"]) == (503, "explaining_unavailable")
