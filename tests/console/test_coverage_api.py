"""What could not have been seen, over HTTP."""

import datetime as dt

import pytest
from console_world import COMPOUND, START
from sqlalchemy import select

from devices.models import Device, Stage
from storage.events import EventRow


def told(database, kind: str, device: str, at: dt.datetime, **attributes: object) -> None:
    with database.write() as session:
        known = session.get_one(Device, device)
        session.add(
            EventRow(
                id=f"{kind}-{at:%H%M%S}", compound=COMPOUND, device_id=device, record_id=f"{kind}-{at}", type=kind,
                ring="entrance", zone=known.zone, device_time=at, corrected_time=at, received_at=at, late=False,
                marks=[], body={"attributes": attributes}, content_hash="",
            )
        )  # fmt: skip


@pytest.fixture
def camera(world, database) -> str:
    with database.write() as session:
        device = session.scalars(select(Device).where(Device.id == "cam-1")).one()
        device.stage, device.enabled = Stage.APPROVED, True
    return "cam-1"


async def test_a_camera_that_was_away_is_blind_and_its_zone_dark(operator, camera, database, clock) -> None:
    begins = START - dt.timedelta(hours=2)
    told(database, "device.offline", camera, begins + dt.timedelta(minutes=15), cause="last_will")
    told(database, "device.online", camera, begins + dt.timedelta(minutes=45), cause="heartbeat")
    window = {"from": begins.isoformat(), "to": (begins + dt.timedelta(hours=1)).isoformat()}
    zones = {
        zone["zone"]: zone for zone in (await operator.get("/api/v1/coverage", params=window)).json()["zones"]
    }
    with database.read() as session:
        zone = session.get_one(Device, camera).zone
    seen = zones[zone]
    assert [(one["device"], one["why"]) for one in seen["blind"]] == [(camera, "offline")]
    assert seen["share"] < 1
    nobody = [zone for zone in zones.values() if not zone["devices"]]
    assert all(zone["share"] == 0 for zone in nobody), "where nobody looks, nothing is covered"


@pytest.mark.parametrize(("hours", "long"), [(0, 0), (5, -1), (0, 24 * 7 + 1)])
async def test_a_window_that_is_none_is_refused(operator, world, hours: int, long: int) -> None:
    begins = START - dt.timedelta(days=10) + dt.timedelta(hours=hours)
    window = {"from": begins.isoformat(), "to": (begins + dt.timedelta(hours=long)).isoformat()}
    answer = await operator.get("/api/v1/coverage", params=window)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_window")
