"""A role around which a lease is held: when it works, when it stands by, and when it gives way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy import text

from ringward import leasing
from ringward.leasing import Leased, Leases, Turn
from ringward.roles import Role
from storage import Database, SystemClock
from storage.leases import Claim, RoleLostError
from tests.support.waiting import until


@dataclass(frozen=True)
class Ground:
    """What of a foundation leases need."""

    database: Database
    clock: SystemClock
    metrics: CollectorRegistry


class Work(Role):
    """A role of one turn; `site` says whether its surroundings let it work."""

    name = "relay"

    def __init__(self, foundation: Any, turn: Turn, site: "Site") -> None:
        Counter("ringward_tests_work", "The same name in each turn.", registry=foundation.metrics)
        self.turn, self.site = turn, site
        self.running = False

    async def start(self) -> None:
        if self.site.refusals:
            self.site.refusals -= 1
            raise OSError
        self.running = True

    async def stop(self) -> None:
        self.running = False

    def ready(self) -> bool:
        return self.running and self.site.able


class Site:
    """A process: its leases, its role, and what becomes of it."""

    def __init__(self, database: Database, name: str) -> None:
        self.able, self.refusals = True, 0
        self.made: list[Work] = []
        # Of another machine: nobody can see that it is dead.
        foundation: Any = ground_of(database)
        self.leases = Leases(foundation, f"{name}:::0:0")
        self.leased = Leased(self.leases, Claim("relay"), foundation, self.make)

    def make(self, foundation: Any, turn: Turn) -> Work:
        self.made.append(Work(foundation, turn, self))
        return self.made[-1]

    @property
    def working(self) -> bool:
        return self.leased.active() and self.leased.ready()


def ground_of(database: Database) -> Any:
    return Ground(database, SystemClock(), CollectorRegistry())


@pytest.fixture
async def sites(database: Database) -> AsyncIterator[tuple[Site, Site]]:
    one, other = Site(database, "one"), Site(database, "other")
    yield one, other
    for site in (one, other):
        if site.leases._users:
            await site.leased.stop()


async def both(one: Site, other: Site) -> None:
    await one.leased.start()
    await until(lambda: one.working, "one works")
    await other.leased.start()
    await until(other.leased.ready, "the other stands by")
    assert not other.leased.active()


async def test_who_ends_hands_over(sites: tuple[Site, Site]) -> None:
    one, other = sites
    await both(one, other)
    await one.leased.stop()
    assert not one.made[0].running
    await until(lambda: other.working, "the other works")


async def test_who_has_lost_it_stops_stands_by_and_writes_nothing(
    sites: tuple[Site, Site], database: Database
) -> None:
    one, other = sites
    await both(one, other)
    with database.write() as session:
        # As if it had slept, and the other had been there in time.
        session.execute(text("UPDATE role_leases SET epoch = epoch + 1, holder = 'somebody'"))
    await until(lambda: len(one.made) == 2, "it has another turn before it")
    former = one.made[0]
    assert not former.running
    with pytest.raises(RoleLostError), database.write() as session:
        former.turn.hold(session)
    await until(lambda: one.working or other.working, "somebody works when that lease has run out")
    assert not (one.leased.active() and other.leased.active())


async def test_who_cannot_work_gives_way_where_somebody_waits(
    sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "_UNREADY_S", 0.5)
    one, other = sites
    await both(one, other)
    one.able = False
    await until(lambda: other.working, "the other works")
    assert not one.leased.active()


async def test_who_is_alone_goes_on_trying(sites: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leasing, "_UNREADY_S", 0.0)
    one, _ = sites
    one.able, one.refusals = False, 2
    await one.leased.start()
    await until(lambda: one.made[0].running, "it has started in the end")
    one.able = True
    await until(lambda: one.working, "it works")
    assert len(one.made) == 1


async def test_two_roles_of_a_process_are_held_together(database: Database) -> None:
    one = Site(database, "one")
    foundation = ground_of(database)
    second = Leased(one.leases, Claim("keeper"), foundation, one.make)
    await one.leased.start()
    await second.start()
    await until(lambda: one.working and second.active(), "both work")
    await second.stop()
    assert one.working
    await one.leased.stop()
