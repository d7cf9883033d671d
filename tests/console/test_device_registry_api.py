"""An administrator puts devices into service through the API."""

import pytest
from sqlalchemy import select

from devices import candidates, observations
from devices.models import Device
from devices.observations import Heard
from storage.audit import AuditRow

JPEG = b"\xff\xd8\xff\xe0 a sign \xff\xd9"


@pytest.fixture
def api(administrator, world):
    return administrator


async def registered(api, **more) -> dict:
    given = {"id": "cam-7", "zone": "gate", "kind": "face_camera"} | more
    answer = await api.post("/api/v1/devices", json=given)
    assert answer.status_code == 201, answer.text
    return answer.json()


def show(database, clock, device_id="cam-7", **what) -> None:
    said = {"sign_of_life": True, "proved": True, "picture": True} | what
    with database.write() as session:
        observations.observed(session, [Heard(device_id, clock.now(), **said)])


async def test_secret_is_in_one_answer_and_nowhere_else(api, database):
    made = await registered(api, adapter="facesluice", external_id="1305433")
    assert made["user"] == "cam-7"
    assert "mqtt/face/1305433/Rec" in made["publish"]
    for path in ("/devices", "/devices/cam-7", "/devices/cam-7/onboarding", "/audit"):
        answer = await api.get(f"/api/v1{path}")
        assert answer.status_code == 200
        assert made["secret"] not in answer.text
    with database.read() as session:
        hashed = session.get_one(Device, "cam-7").secret_hash
    assert hashed not in (await api.get("/api/v1/devices/cam-7")).text


async def test_camera_is_put_into_service_step_by_step(api, database, clock):
    await registered(api)
    refused = await api.post("/api/v1/devices/cam-7/stage", json={"to": "tested"})
    assert (refused.status_code, refused.json()["code"], refused.json()["missing"]) == (
        409, "not_ready", ["not_heard"],
    )  # fmt: skip
    show(database, clock)
    tested = await api.post("/api/v1/devices/cam-7/stage", json={"to": "tested"})
    assert (tested.json()["stage"], tested.json()["missing"]) == ("tested", ["sign_photo", "privacy_check"])
    photo = await api.post("/api/v1/devices/cam-7/sign-photo", files={"file": JPEG})
    picture = await api.get(f"/api/v1/media/{photo.json()['sign_photo']}")
    assert picture.content == JPEG
    await api.post("/api/v1/devices/cam-7/privacy-check")
    approved = await api.post("/api/v1/devices/cam-7/stage", json={"to": "approved"})
    assert (approved.json()["stage"], approved.json()["next"]) == ("approved", None)
    assert approved.json()["approved_by"] == api.user.id
    with database.read() as session:
        done = session.scalars(select(AuditRow.action).where(AuditRow.subject == "device:cam-7")).all()
    assert done == [
        "device.registered", "device.tested", "device.sign_checked", "device.privacy_checked", "device.approved",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "code"),
    [({"file": b"<html>"}, "no_picture"), ({"other": JPEG}, "file_missing"), ({"file": b""}, "no_picture")],
)
async def test_what_is_no_picture_is_no_photo_of_a_sign(api, files, code):
    await registered(api)
    answer = await api.post("/api/v1/devices/cam-7/sign-photo", files=files)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_direction_test_shows_what_the_device_said(api, database, clock):
    await registered(api, kind="door", lane="gate-in", direction="in")
    await api.post("/api/v1/devices/cam-7/walk", json={"direction": "in"})
    show(database, clock, directions=(("access.granted", "out"),))
    seen = (await api.get("/api/v1/devices/cam-7/onboarding")).json()
    assert (seen["shown"]["walk_said"], seen["missing"]) == ("out", ["walked_otherwise"])


async def test_candidate_leaves_the_list_when_it_is_registered(api, database, clock):
    with database.write() as session:
        candidates.note(session, "facesluice", None, "1305433", clock.now(), {"ip": "10.0.0.7"})
    (one,) = (await api.get("/api/v1/devices/candidates")).json()["items"]
    assert (one["adapter"], one["external_id"], one["facts"]) == ("facesluice", "1305433", {"ip": "10.0.0.7"})
    await registered(api, adapter="facesluice", external_id="1305433")
    assert (await api.get("/api/v1/devices/candidates")).json()["items"] == []


async def test_secret_is_renewed_with_the_overlap_that_was_set(api, database, clock):
    first = await registered(api)
    second = (await api.post("/api/v1/devices/cam-7/secret", json={})).json()
    assert second["user"] == "cam-7.2"
    assert second["secret"] != first["secret"]
    with database.read() as session:
        until = session.get_one(Device, "cam-7").previous_secret_until
    assert (until - clock.now()).total_seconds() == 3600
    third = (await api.post("/api/v1/devices/cam-7/secret", json={"overlap_minutes": 0})).json()
    assert third["user"] == "cam-7.2"
    with database.read() as session:
        assert session.get_one(Device, "cam-7").previous_secret_hash is None


async def test_edit_changes_what_was_sent_and_nothing_else(api):
    await registered(api, lane="gate-in", vendor="facesluice")
    await api.patch("/api/v1/devices/cam-7", json={"direction": "in", "gb28181_code": "53050201011320000017"})
    device = (await api.get("/api/v1/devices/cam-7")).json()
    assert (device["lane"], device["direction"], device["vendor"]) == ("gate-in", "in", "facesluice")
    bad = await api.patch("/api/v1/devices/cam-7", json={"gb28181_code": "53050201019990000017"})
    assert (bad.status_code, bad.json()["code"], bad.json()["part"]) == (409, "gb28181_bad", "type")


async def test_retired_device_is_done_with(api):
    await registered(api)
    gone = await api.post("/api/v1/devices/cam-7/retirement")
    assert gone.json()["retired_at"] is not None
    for path, body in (("stage", {"to": "quarantined"}), ("secret", {}), ("retirement", None)):
        answer = await api.post(f"/api/v1/devices/cam-7/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "device_retired")
    assert (await api.get("/api/v1/devices/nobody/onboarding")).status_code == 404


async def test_id_of_another_compounds_device_is_taken_although_nobody_here_sees_it(api):
    answer = await api.post("/api/v1/devices", json={"id": "cam-9", "zone": "gate", "kind": "door"})
    assert (answer.status_code, answer.json()["code"]) == (409, "device_exists")
    assert (await api.get("/api/v1/devices/cam-9/onboarding")).status_code == 404
