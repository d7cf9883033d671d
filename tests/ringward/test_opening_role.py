"""The devices role hears of whoever was recognised and has the door opened, over the real bus."""

import datetime as dt
from dataclasses import replace

import nats
from sqlalchemy import select, update

from bus.messages import Sighting, encode
from bus.subjects import sighting as subject_of
from devices import openings, presence
from devices.commands.models import DeviceCommand
from devices.models import Device, DeviceStatus
from devices.stages import By
from registry.models import Vehicle
from ringward.foundation import Foundation
from ringward.roles import DevicesRole
from tests.support.brokers import NatsServer
from tests.support.compound import COMPOUND, device
from tests.support.waiting import until


async def test_car_that_is_told_of_is_let_in_once(ground: Foundation, nats_server: NatsServer) -> None:
    foundation = replace(ground, bus=nats_server.bus)
    now = foundation.clock.now()
    with foundation.database.write() as session:
        session.add(device("barrier", "barrier", lane="gate-in", direction="in"))
        session.add(Vehicle(id="v1", compound=COMPOUND, plate="云M12345"))
        session.flush()
        presence.ensure_rows(session, now)
        session.execute(update(DeviceStatus).values(online=True))
        camera, barrier = session.get_one(Device, "cam-2"), session.get_one(Device, "barrier")
        openings.allow(session, camera, barrier, 0, now, By("u", "administrator"))
    role = DevicesRole(foundation, lambda: None)
    await role.start()
    client = await nats.connect(foundation.bus.url, **foundation.bus.options())
    try:
        for name in ("s-1", "s-1", "s-2"):
            told = Sighting(
                id=name,
                event_id="e",
                compound=COMPOUND,
                device_id="cam-2",
                subject_kind="plate",
                outcome="identified",
                ring="entrance",
                zone="gate",
                at=now,
                received_at=now,
                direction="in",
                vehicle_id="v1",
                plate="云M12345",
                valid_until=now + dt.timedelta(seconds=3) if name == "s-1" else None,
            )
            await client.jetstream().publish(subject_of(COMPOUND, "plate", "identified"), encode(told))

        def counted() -> float:
            name = "ringward_devices_opening_sightings_total"
            results = ("opened", "repeated", "stale")
            return sum(foundation.metrics.get_sample_value(name, {"result": one}) or 0 for one in results)

        await until(lambda: counted() == 3, "all three are taken")
        with foundation.database.read() as session:
            commands = session.scalars(select(DeviceCommand)).all()
            assert [(one.device, one.kind, one.reason) for one in commands] == [
                ("barrier", "open", "sighting s-1")
            ]
    finally:
        await client.close()
        await role.stop()
