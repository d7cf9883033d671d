"""A plan is a function of its seed, and its devices are in the shares of a real compound."""

import datetime as dt
from collections import Counter
from itertools import pairwise

import pytest

from devices.simulator import faults as wrong
from devices.simulator.faults import Clock
from devices.simulator.fleet import MIX, fleet
from devices.simulator.plan import plan
from devices.simulator.wires import WIRES

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


def test_the_same_seed_is_the_same_hour_and_another_seed_another() -> None:
    members = fleet(60)
    first = plan(members, seed=7, minutes=20, faults=wrong.HARSH)
    assert first == plan(fleet(60), seed=7, minutes=20, faults=wrong.HARSH)
    assert first.steps != plan(members, seed=8, minutes=20, faults=wrong.HARSH).steps


def test_three_hundred_devices_are_of_every_vendor_and_have_an_hour_of_real_size() -> None:
    members = fleet(300)
    assert sum(one.purpose is not None for one in members) == 300
    assert {one.wire for one in members} == set(WIRES)
    steps = plan(members, seed=7, minutes=60, faults=wrong.MILD).steps
    assert 10_000 <= len(steps) <= 20_000
    large = [one for one in steps if one.what is not None and one.what.size >= 20_000]
    assert len(large) > 500
    assert max(one.what.size for one in large if one.what) <= 100_000


@pytest.mark.parametrize("devices", [1, 5, 24, 40, 1000])
def test_any_number_of_devices_can_be_had(devices: int) -> None:
    members = fleet(devices)
    assert sum(one.purpose is not None for one in members) == devices
    assert len({one.device_id for one in members}) == len(members)
    behind = [one for one in members if one.gateway is not None]
    assert {one.gateway for one in behind} <= {one.device_id for one in members}


def test_every_member_sees_something_that_its_protocol_can_say() -> None:
    for line in MIX:
        assert fleet(1, [line])[-1].sees, line


def test_mornings_have_a_peak() -> None:
    steps = plan(fleet(300), seed=7, minutes=60).steps
    quarters = Counter(int(step.at_s // 900) for step in steps)
    assert quarters[2] > 1.5 * quarters[0]


def test_steps_come_in_order_and_within_the_time() -> None:
    life = plan(fleet(100), seed=3, minutes=10, faults=wrong.HARSH)
    times = [step.at_s for step in life.steps]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] < 600


def test_a_door_is_closed_before_it_is_opened_again() -> None:
    life = plan(fleet(200), seed=3, minutes=60)
    kinds: dict[str, list[str]] = {}
    for step in life.steps:
        if step.what is not None and step.what.kind.startswith("door."):
            kinds.setdefault(step.device, []).append(step.what.kind)
    assert kinds
    for seen in kinds.values():
        assert all(one != other for one, other in pairwise(seen))


def test_without_faults_nothing_goes_wrong() -> None:
    life = plan(fleet(100), seed=3, minutes=30)
    assert not life.clocks
    assert {step.act for step in life.steps} == {"tell"}
    assert not any(
        step.fate.lost or step.fate.twice or step.fate.broken or (step.what and step.what.cut)
        for step in life.steps
    )


def test_harsh_days_have_every_fault() -> None:
    life = plan(fleet(300), seed=3, minutes=60, faults=wrong.HARSH)
    assert {step.act for step in life.steps} == {"tell", "cut", "reset"}
    for name in ("lost", "twice", "swapped", "broken", "deaf"):
        assert any(getattr(step.fate, name) for step in life.steps), name
    assert any(step.what and step.what.cut for step in life.steps)
    assert sum(step.mad for step in life.steps) == wrong.HARSH.mad_messages
    assert any(clock.ahead >= dt.timedelta(hours=1) for clock in life.clocks.values())
    assert any(clock.gains for clock in life.clocks.values())


def test_a_fault_more_changes_nothing_else_that_happens() -> None:
    calm = plan(fleet(50), seed=3, minutes=30)
    torn = plan(fleet(50), seed=3, minutes=30, faults=wrong.Faults(lost=0.5))
    assert [(step.at_s, step.what) for step in calm.steps] == [(step.at_s, step.what) for step in torn.steps]


def test_a_clock_that_gains_is_wrong_by_more_every_hour() -> None:
    clock = Clock(dt.timedelta(seconds=30), gains=100)
    later = NOON + dt.timedelta(hours=1)
    assert clock.read(NOON, NOON) - NOON == dt.timedelta(seconds=30)
    assert clock.read(later, NOON) - later == dt.timedelta(seconds=30.36)
