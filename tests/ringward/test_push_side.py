import asyncio
import socket
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import select

import ingest.push.drain
import ringward.pushside
from devices.directory import DeviceDirectory
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ringward.foundation import Foundation
from ringward.pushside import PushSide
from storage.events import EventRow
from tests.support.compound import SECRET
from tests.support.native import event
from tests.support.waiting import until


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringward.pushside, "RETRY_S", 0.02)
    monkeypatch.setattr(ingest.push.drain, "RETRY_S", 0.02)


@pytest.fixture
def roomy(ground: Foundation) -> Foundation:
    """A foundation that asks for no free disk, whatever this machine has."""
    return replace(ground, settings=ground.settings.model_copy(update={"spool_keep_free_mb": 0}))


def push_side(ground: Foundation, wakes: list[int] | None = None) -> PushSide:
    metrics = IntakeMetrics(ground.metrics)
    intake = Intake(ground.database, ground.media, DeviceDirectory(ground.database), metrics)
    return PushSide(ground, intake, metrics, lambda: (wakes if wakes is not None else []).append(1))


def stored(ground: Foundation) -> list[str]:
    with ground.database.read() as session:
        return list(session.scalars(select(EventRow.record_id).where(EventRow.type == "door.opened")))


async def push(ground: Foundation, record: str) -> int:
    async with httpx.AsyncClient(auth=("cam-1", SECRET)) as client:
        address = f"{ground.settings.push_url}/cam-1/event"
        return (await client.post(address, content=event(record))).status_code


async def test_devices_push_to_the_settings_address_and_the_relay_is_woken(roomy: Foundation) -> None:
    wakes: list[int] = []
    side = push_side(roomy, wakes)
    side.start()
    await until(lambda: side.ready, "it listens")
    assert await push(roomy, "r-1") == 200
    await until(lambda: stored(roomy) == ["r-1"] and wakes, "the event is stored and told")
    assert roomy.metrics.get_sample_value("ringward_ingest_spool_messages") == 0
    await side.stop()
    assert not side.ready
    with pytest.raises(httpx.ConnectError):
        await push(roomy, "r-2")


@pytest.mark.usefixtures("quick")
async def test_port_that_is_taken_is_waited_for(roomy: Foundation) -> None:
    with socket.create_server(("127.0.0.1", roomy.settings.push_port)):
        side = push_side(roomy)
        side.start()
        await until(lambda: side._pushing._started, "the spool is open")
        assert not side.ready
    await until(lambda: side.ready, "it listens once the port is free")
    assert await push(roomy, "r-1") == 200
    await side.stop()


@pytest.mark.usefixtures("quick")
async def test_second_process_waits_until_the_spool_is_free(roomy: Foundation) -> None:
    first = push_side(roomy)
    first.start()
    await until(lambda: first.ready, "it listens")
    other = replace(roomy, metrics=type(roomy.metrics)())
    second = push_side(other)
    second.start()
    await asyncio.sleep(0)
    assert not second.ready
    await first.stop()
    await until(lambda: second.ready, "it takes over")
    assert await push(roomy, "r-1") == 200
    await second.stop()


async def test_without_a_port_the_spool_is_emptied_all_the_same(roomy: Foundation) -> None:
    closed = replace(roomy, settings=roomy.settings.model_copy(update={"push_port": 0}))
    side = push_side(closed)
    side.start()
    await until(lambda: side.ready, "it is ready")
    side._pushing._spool.put("cam-1", "/event", event("left"), None)
    await until(lambda: stored(roomy) == ["left"], "what was left is stored")
    await side.stop()


async def test_stop_before_the_start_is_through_ends_cleanly(roomy: Foundation) -> None:
    side = push_side(roomy)
    side.start()
    await side.stop()
    assert not side.ready
