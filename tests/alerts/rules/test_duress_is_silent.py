"""Duress makes an incident and nothing else: no order to any device that somebody on site could notice."""

from sqlalchemy import func, select
from timeline import World, at, event, expect, raised

from devices.commands.models import DeviceCommand
from storage.events import OutboxRow


def test_duress_gives_no_order_to_any_device(world: World) -> None:
    world.about = frozenset({"R-E12"})
    world.play(at(+0, event("access.duress", "gate")), expect(+0, raised("R-E12", severity=1)))
    with world.database.read() as session:
        assert session.scalar(select(func.count()).select_from(DeviceCommand)) == 0
        told = set(session.scalars(select(OutboxRow.subject)))
    assert told, "the console has to hear of it"
    assert all("incident" in subject or "dispatch" in subject for subject in told), told
