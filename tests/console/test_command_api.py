"""Commands over the API: who may, what is refused, and that a key is one command."""

import pytest
from sqlalchemy import select

from console.accounts.models import Role
from devices.commands.models import DeviceCommand
from devices.models import Device, DeviceStatus
from storage.audit import AuditRow

OPEN = {"device": "cam-1", "kind": "open", "arguments": {"seconds": 2}, "reason": "a delivery"}


@pytest.fixture
def guard(signed_in, world, database):
    with database.write() as session:
        session.get_one(Device, "cam-1").direction = "out"
    return signed_in(Role.GUARD, responder_id=world.responder)


async def test_guard_opens_with_a_reason_and_sees_what_came_of_it(guard, database):
    answer = await guard.post("/api/v1/commands", json=OPEN, headers={"Idempotency-Key": "k-1"})
    assert answer.status_code == 202, answer.text
    asked = answer.json()
    assert (asked["state"], asked["kind"], asked["reason"]) == ("pending", "open", "a delivery")
    again = await guard.post("/api/v1/commands", json=OPEN, headers={"Idempotency-Key": "k-1"})
    assert again.json()["id"] == asked["id"]
    assert (await guard.get(f"/api/v1/commands/{asked['id']}")).json()["state"] == "pending"
    listed = (await guard.get("/api/v1/commands", params={"device": "cam-1"})).json()["items"]
    assert [item["id"] for item in listed] == [asked["id"]]
    with database.read() as session:
        assert len(session.scalars(select(DeviceCommand)).all()) == 1
        (audited,) = session.scalars(select(AuditRow).where(AuditRow.action == "command.asked"))
        assert (audited.subject, audited.role) == ("device:cam-1", "guard")


async def test_l23_way_out_cannot_be_locked_by_anybody(guard, signed_in):
    for browser in (guard, signed_in(Role.ADMINISTRATOR)):
        answer = await browser.post("/api/v1/commands", json={**OPEN, "kind": "close", "arguments": {}})
        assert (answer.status_code, answer.json()["code"]) == (422, "egress_never_locked")
        assert answer.json()["clause"] == "L-23"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"arguments": {"seconds": 99}}, "invalid_command"),
        ({"kind": "hold", "arguments": {}}, "invalid_command"),
        ({"kind": "enrol"}, "invalid_request"),
        ({"reason": ""}, "invalid_request"),
    ],
)
async def test_wrong_command_is_refused_with_what_is_wrong(guard, changes, code):
    answer = await guard.post("/api/v1/commands", json=OPEN | changes)
    assert answer.status_code == 422
    if code == "invalid_command":
        assert answer.json()["code"] == code


async def test_device_that_is_away_or_elsewhere_is_said_to_be(guard, database):
    answer = await guard.post("/api/v1/commands", json=OPEN | {"device": "none"})
    assert answer.status_code == 404
    with database.write() as session:
        session.get_one(DeviceStatus, "cam-1").online = False
    answer = await guard.post("/api/v1/commands", json=OPEN)
    assert (answer.status_code, answer.json()["code"], answer.json()["why"]) == (
        409,
        "device_away",
        "offline",
    )
