"""Putting an incident aside through the API: who may, for how long, and what the list shows."""

import datetime as dt

import pytest
from console_world import START

from alerts.incidents.models import Incident
from storage.audit import AuditRow

BASE = "/api/v1/incidents"
ASKED = {"reason": "graver_first", "minutes": 5}


@pytest.fixture
def warning(world, database) -> str:
    with database.write() as session:
        session.get_one(Incident, world.raised).severity = 3
    return world.raised


async def test_it_is_listed_with_its_end_until_it_is_taken_back(operator, warning, database):
    made = await operator.post(f"{BASE}/{warning}/put-aside", json=ASKED)
    assert made.status_code == 201
    [line] = (await operator.get(f"{BASE}/aside")).json()
    assert line == made.json()
    assert line["incident"] == warning
    assert dt.datetime.fromisoformat(line["until"]) == START + dt.timedelta(minutes=5)
    again = await operator.post(f"{BASE}/{warning}/take-back", json={})
    assert again.status_code == 201
    assert (await operator.get(f"{BASE}/aside")).json() == []
    with database.read() as session:
        did = {row.action for row in session.query(AuditRow)}
    assert {"incident.put_aside", "incident.taken_back"} <= did


@pytest.mark.parametrize(
    ("severity", "minutes", "code"),
    [(1, 1, "aside_never"), (2, 6, "aside_too_long"), (3, 31, "aside_too_long")],
)
async def test_limits_are_refused_with_their_code(operator, warning, database, severity, minutes, code):
    with database.write() as session:
        session.get_one(Incident, warning).severity = severity
    asked = {"reason": "answer_awaited", "minutes": minutes}
    refused = await operator.post(f"{BASE}/{warning}/put-aside", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (409, code)


async def test_second_press_on_the_same_version_is_refused(operator, warning, database):
    with database.read() as session:
        version = session.get_one(Incident, warning).version
    asked = ASKED | {"expected_version": version}
    assert (await operator.post(f"{BASE}/{warning}/put-aside", json=asked)).status_code == 201
    assert (await operator.post(f"{BASE}/{warning}/put-aside", json=asked)).status_code == 409
