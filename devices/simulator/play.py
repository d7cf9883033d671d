"""A plan played against a running Ringward: real connections, virtual time pressed together."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from devices.simulator.faults import Clock
from devices.simulator.fleet import Member
from devices.simulator.history import History
from devices.simulator.line import Access
from devices.simulator.plan import Plan
from devices.simulator.push import PushLine
from devices.simulator.unit import MqttUnit, PushUnit, Setting, Unit
from devices.simulator.wires import WIRES, Place
from storage import Clock as Now
from storage import SystemClock

RESEND_S: Final = 10.0
"""After how long a record that was not answered is said again, by the facesluice family's documents."""
_CONNECT_S: Final = 60.0
_QUIET_S: Final = 120.0
_STEP_S: Final = 0.05


class NotConnectedError(Exception):
    """Devices that the broker did not let in."""

    def __init__(self, devices: list[str]) -> None:
        super().__init__(f"{len(devices)} devices are not connected, the first: {', '.join(devices[:3])}")
        self.devices = devices


@dataclass(frozen=True, slots=True)
class Target:
    """Where Ringward is. `secrets` are those of devices that sign in themselves, by device id."""

    compound: str
    time_zone: str
    host: str
    port: int
    push_url: str | None
    secrets: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Target({self.compound!r}, {self.host!r}, {self.port}, {self.push_url!r})"


class Progress(msgspec.Struct, frozen=True):
    """How far it is: virtual seconds of all, messages told of, and those still waiting for an answer."""

    at_s: float
    of_s: float
    connected: int
    told: int
    waiting: int


async def play(
    plan: Plan,
    target: Target,
    history: History,
    *,
    speed: float = 60.0,
    resend_s: float = RESEND_S,
    now: Now | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Connects everybody, lets the plan happen `speed` times as fast, and waits until all is answered.

    Only what happens is pressed together: how long a device waits for an answer is its own
    affair and not speeded up. Raises `NotConnectedError`.
    """
    now = now or SystemClock()
    names = {(one.gateway, one.name): one.device_id for one in plan.members if one.gateway is not None}

    def who(speaker: str, about: str | None) -> str:
        return speaker if about is None else names.get((speaker, about), speaker)

    setting = Setting(history, now, who, now.now(), speed, resend_s, itertools.count(1))
    units = {one.device_id: _unit(one, plan, target, setting) for one in plan.members if one.gateway is None}
    speakers = {one.device_id: units[one.gateway or one.device_id] for one in plan.members}
    try:
        for unit in units.values():
            unit.open()
            await asyncio.sleep(0)
        await _connected(units)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for unit in units.values():
            unit.start_beating()
        for step in plan.steps:
            loop.call_at(began + step.at_s / speed, speakers[step.device].act, step)
        await _until_over(plan, units, history, speed, began, on_progress)
    finally:
        await asyncio.gather(*(unit.close() for unit in units.values()))


def _unit(member: Member, plan: Plan, target: Target, setting: Setting) -> Unit:
    kind = WIRES[member.wire]
    behind = tuple(one.name for one in plan.members if one.gateway == member.device_id)
    place = Place(
        target.compound,
        member.device_id,
        member.name,
        ZoneInfo(target.time_zone),
        # Two of one kind share a broker: each has a branch of its own.
        f"rw/gw/{member.device_id}" if kind.gateway or member.wire == "axis" else None,
        behind,
    )
    wire, clock = kind(place), plan.clocks.get(member.device_id, Clock())
    secret = target.secrets[member.device_id]
    if kind.pushes:
        line = PushLine(target.push_url or "", member.device_id, secret)
        return PushUnit(member.device_id, wire, clock, setting, line)
    access = Access(target.host, target.port, member.device_id, secret)
    return MqttUnit(member.device_id, wire, clock, setting, access)


async def _connected(units: Mapping[str, Unit]) -> None:
    deadline = asyncio.get_running_loop().time() + _CONNECT_S
    while True:
        missing = [name for name, unit in units.items() if isinstance(unit, MqttUnit) and not unit.up]
        if not missing:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise NotConnectedError(missing)
        await asyncio.sleep(_STEP_S)


async def _until_over(
    plan: Plan,
    units: Mapping[str, Unit],
    history: History,
    speed: float,
    began: float,
    on_progress: Callable[[Progress], None],
) -> None:
    """Until the plan's end, and then until nobody waits for an answer any more, or patience ends."""
    loop = asyncio.get_running_loop()
    end = began + plan.minutes * 60 / speed
    shown = 0.0
    while True:
        over = loop.time() > end
        for unit in units.values() if over else ():
            unit.quiet = True
        waiting = sum(unit.waiting for unit in units.values())
        if over and (not waiting or loop.time() > end + _QUIET_S):
            return
        if loop.time() - shown > 1:
            shown = loop.time()
            told = sum(entry.what == "told" for entry in history.entries)
            up = sum(not isinstance(unit, MqttUnit) or unit.up for unit in units.values())
            on_progress(Progress((shown - began) * speed, plan.minutes * 60, up, told, waiting))
        await asyncio.sleep(_STEP_S)
