"""An administrator has a camera's stream read; the password goes in and never out."""

import pytest

from devices.models import DeviceKind
from devices.streams import DeviceStream
from tests.support.compound import device

GIVEN = {"url": "http://192.168.10.21", "username": "reader", "password": "north-gate-7"}
PATH = "/api/v1/devices/hik-1/stream"


@pytest.fixture
def api(administrator, world, database):
    with database.write() as session:
        session.add(device("hik-1", DeviceKind.PLATE_CAMERA, adapter="hikvision"))
    return administrator


async def test_stream_is_put_shown_and_deleted(api, database):
    assert (await api.get(PATH)).status_code == 404
    put = await api.put(PATH, json=GIVEN)
    assert (put.status_code, put.json()["kind"], put.json()["enabled"]) == (200, "hikvision", True)
    shown = await api.get(PATH)
    assert shown.json() == put.json()
    for answer in (put, shown, await api.get("/api/v1/audit"), await api.get("/api/v1/devices/hik-1")):
        assert "north-gate-7" not in answer.text
    off = await api.put(PATH, json=GIVEN | {"enabled": False})
    assert off.json()["enabled"] is False
    with database.read() as session:
        assert session.get_one(DeviceStream, "hik-1").password == "north-gate-7"
    assert (await api.delete(PATH)).status_code == 204
    assert (await api.delete(PATH)).json()["code"] == "stream_not_found"


async def test_new_address_needs_the_password_again(api):
    await api.put(PATH, json=GIVEN)
    answer = await api.put(PATH, json={"url": "http://192.168.10.66", "username": "reader"})
    assert answer.status_code == 422
    assert (await api.get(PATH)).json()["url"] == "http://192.168.10.21"


async def test_address_elsewhere_is_refused(api):
    answer = await api.put(PATH, json=GIVEN | {"url": "http://169.254.169.254"})
    assert (answer.status_code, answer.json()["code"]) == (409, "stream_address_refused")
    assert "north-gate-7" not in answer.text
