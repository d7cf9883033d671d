"""How a camera is looked at, through the API."""

import pytest
from sqlalchemy import select

from storage.audit import AuditRow

VIEW = "/api/v1/devices/cam-1/view"
NOTHING_SAID = {
    "device": "cam-1", "region": None, "smallest_face_px": None, "policy": "needed", "fpir": None,
    "threshold_shift": 0.0, "low_score": None, "deadline_ms": None, "changed_at": None, "changed_by": None,
}  # fmt: skip


@pytest.fixture
def api(administrator, world):
    return administrator


async def test_a_view_is_set_whole_and_read_back(api):
    assert (await api.get(VIEW)).json() == NOTHING_SAID
    wanted = {"region": [0.1, 0.2, 0.9, 1.0], "smallest_face_px": 90, "policy": "always", "fpir": 1e-4}
    given = await api.put(VIEW, json=wanted)
    assert given.status_code == 200, given.text
    assert {name: given.json()[name] for name in wanted} == wanted
    assert given.json()["changed_by"] == api.user.id
    assert (await api.get(VIEW)).json() == given.json()
    # What is not sent is back at the settings.
    second = (await api.put(VIEW, json={"deadline_ms": 1500})).json()
    assert (second["region"], second["policy"], second["deadline_ms"]) == (None, "needed", 1500)


async def test_sending_it_twice_is_one_change(api, database):
    for _ in range(2):
        assert (await api.put(VIEW, json={"fpir": 1e-4})).status_code == 200
    with database.read() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "device.view_changed")).all()
        assert [(row.actor, row.subject, row.detail) for row in rows] == [
            (api.user.id, "device:cam-1", "fpir=->0.0001")
        ]


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"region": [0.9, 0, 0.1, 1]}, 409, "view_region_bad"),
        ({"smallest_face_px": 5}, 409, "view_smallest_face_bad"),
        ({"fpir": 0.5}, 409, "view_fpir_bad"),
        ({"low_score": 2}, 409, "view_low_score_bad"),
        ({"deadline_ms": 1}, 409, "view_deadline_bad"),
        ({"region": [0, 1]}, 422, "invalid_request"),
        ({"policy": "sometimes"}, 422, "invalid_request"),
        ({"smallest_face_px": 10**30}, 409, "view_smallest_face_bad"),
    ],
)
async def test_what_cannot_be_is_a_problem_with_its_code(api, given, status, code):
    answer = await api.put(VIEW, json=given)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await api.get(VIEW)).json() == NOTHING_SAID


async def test_a_threshold_is_not_moved_here(api):
    await api.put(VIEW, json={"threshold_shift": 0.3})
    assert (await api.get(VIEW)).json()["threshold_shift"] == 0.0


async def test_another_compounds_camera_is_not_found(api):
    for answer in (
        await api.get("/api/v1/devices/cam-9/view"),
        await api.put("/api/v1/devices/cam-9/view", json={}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "device_not_found")
