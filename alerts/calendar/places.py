"""Where something lies that no device has seen, and an observation of it."""

import datetime as dt
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.rules import Observation
from devices.models import Device
from registry.days import time_zone
from registry.models import Ring, Zone
from storage import content_id


class Places:
    """One compound's zones and clock, each read when it is first asked for."""

    def __init__(self, session: Session, compound: str) -> None:
        self._session = session
        self.compound = compound

    @cached_property
    def clock(self) -> ZoneInfo:
        """The compound's own."""
        return time_zone(self._session, self.compound)

    @cached_property
    def rings(self) -> dict[str, str]:
        """Zone → ring."""
        query = select(Zone.id, Zone.ring).where(Zone.compound == self.compound)
        return {row.id: str(row.ring) for row in self._session.execute(query)}

    @cached_property
    def gate(self) -> str:
        """The first entrance of the plan: for what belongs to none in particular; empty without one."""
        gates = sorted(zone for zone, ring in self.rings.items() if ring == str(Ring.ENTRANCE.value))
        return gates[0] if gates else ""

    @cached_property
    def _devices(self) -> dict[str, tuple[str, str | None]]:
        query = select(Device.id, Device.zone, Device.lane).where(Device.compound == self.compound)
        return {row.id: (row.zone, row.lane) for row in self._session.execute(query)}

    def observation(
        self, kind: str, at: dt.datetime, *identity: str, zone: str, device: str = "", **facts: Any
    ) -> Observation:
        """An observation whose id is that of the same thing whenever it is asked for."""
        name = content_id(self.compound, kind, *identity)
        return Observation(
            id=name,
            event_id=name,
            type=kind,
            at=at,
            received_at=at,
            device=device,
            zone=zone,
            ring=self.rings.get(zone, str(Ring.ENTRANCE.value)),
            **facts,
        )

    def of_device(self, device: str) -> tuple[str, str | None] | None:
        """The zone and the lane of a device; None for what is none of this compound."""
        return self._devices.get(device)
