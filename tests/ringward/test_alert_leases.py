"""Leases are prolonged whatever a watch under one of them waits for, and end by what they are, not by name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from alerts import leases
from alerts.leases import AlertLease, Come, Lease, LeaseLostError
from alerts.sharing import Member
from ringward import alertside
from ringward.alertside import AlertsRole
from ringward.foundation import Foundation
from tests.support.clock import VirtualClock
from tests.support.compound import COMPOUND
from tests.support.waiting import until


class SlowWatch:
    """A watch that is in the middle of something when it is told to stop."""

    def __init__(self, lease: Lease, *_: object) -> None:
        self.lease = lease
        self.come = self.news = Come()
        self.is_asked_to_stop = False
        self.done = asyncio.Event()

    def start(self) -> None:
        pass

    def noted(self) -> None:
        pass

    async def stop(self) -> None:
        self.is_asked_to_stop = True
        await self.done.wait()


@pytest.fixture
def role(ground: Foundation, monkeypatch: pytest.MonkeyPatch) -> AlertsRole:
    monkeypatch.setattr(alertside, "Watch", SlowWatch)
    monkeypatch.setattr(alertside, "_LOOK_S", 0.0)
    monkeypatch.setattr(alertside, "_TICK_S", 0.0)
    role = AlertsRole(ground, lambda: None)
    role._client = SimpleNamespace(close=_nothing)
    return role


@asynccontextmanager
async def keeping(role: AlertsRole) -> AsyncIterator[None]:
    """Its rounds and its ticks, without a bus."""
    role._tasks = [asyncio.create_task(role._keep_leases()), asyncio.create_task(role._tick())]
    try:
        await until(lambda: role._watches, "nothing was taken")
        yield
    finally:
        for watch in [*role._watches.values(), *role._ending]:
            watch.done.set()
        await role.stop()


def keeps_one(role: AlertsRole) -> None:
    """It is for one compound alone."""
    role.member = Member(role.member.holder, frozenset({COMPOUND}))


def rows(ground: Foundation) -> dict[str, AlertLease]:
    with ground.database.read() as session:
        found = {row.compound: row for row in session.scalars(select(AlertLease))}
        session.expunge_all()
    return found


def another_comes(ground: Foundation) -> None:
    with ground.database.write() as session:
        leases.attend(session, Member("another"), ground.clock.now())


async def test_the_others_are_prolonged_while_one_that_is_given_back_waits(
    role: AlertsRole, ground: Foundation, clock: VirtualClock
) -> None:
    async with keeping(role):
        await until(lambda: len(role._watches) == 2, "both were free")
        watches = dict(role._watches)
        another_comes(ground)
        await until(lambda: any(one.is_asked_to_stop for one in watches.values()), "one is too many")
        clock.advance(leases.TTL.total_seconds() * 0.8)
        another_comes(ground)
        later = clock.now() + leases.TTL
        await until(lambda: {row.until for row in rows(ground).values()} == {later}, "both are held on")
        (given,) = [one for one in watches.values() if one.is_asked_to_stop]
        given.done.set()
        gone = given.lease.compound
        await until(lambda: gone not in role._watches, "it has ended")
        await until(lambda: rows(ground)[gone].until <= clock.now(), "it is free")
        assert list(role._watches) == [name for name in watches if name != gone]


async def test_what_is_under_way_when_the_process_ends_is_under_a_lease_to_its_end(
    role: AlertsRole, ground: Foundation, clock: VirtualClock
) -> None:
    keeps_one(role)
    async with keeping(role):
        ((compound, watch),) = role._watches.items()
        ending = asyncio.create_task(role.stop())
        await until(lambda: watch.is_asked_to_stop, "the process ends")
        clock.advance(leases.TTL.total_seconds() * 0.8)
        later = clock.now() + leases.TTL
        await until(lambda: rows(ground)[compound].until == later, "it is held on")
        watch.done.set()
        await ending
        assert rows(ground)[compound].until <= clock.now()
        role.stop = _nothing


async def _nothing() -> None:
    pass


async def test_word_of_an_older_lease_leaves_the_newer_one_alone(
    role: AlertsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[int] = []

    def tick() -> None:
        if lost:
            raise LeaseLostError(compound, lost.pop())

    keeps_one(role)
    async with keeping(role):
        ((compound, watch),) = role._watches.items()
        monkeypatch.setattr(role.desk, "tick", tick)
        lost.append(watch.lease.epoch - 1)
        await until(lambda: not lost, "it was told")
        # A turn later whatever comes of that has come.
        lost.append(watch.lease.epoch - 1)
        await until(lambda: not lost, "it was told again")
        assert role._watches[compound] is watch
        assert not watch.is_asked_to_stop
        lost.append(watch.lease.epoch)
        await until(lambda: watch.is_asked_to_stop, "that is its own")
