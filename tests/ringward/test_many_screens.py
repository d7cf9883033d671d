"""Fifty consoles and three hundred phones follow one console process while incidents flow."""

import asyncio
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.dispatch.telling import announce
from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.actor import SYSTEM
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import record
from console.accounts.models import Role
from console.accounts.service import Client, create_user, open_session
from console.security import SESSION_COOKIE
from registry.models import Compound, Ring
from ringward.bench.console import served
from ringward.bench.rig import COMPOUND, FACE_CAMERA, Rig, rig
from ringward.roles import RelayRole
from storage import new_id
from tests.support.feeds import Feed
from tests.support.waiting import until

CONSOLES, PHONES, SLOW = 50, 300, 3
WAVES, OF_A_WAVE, ASKED = 3, 20, 5
ELSEWHERE = "elsewhere"
DEADLINE_S = 180.0


@dataclass(frozen=True)
class Told:
    """One change as it was written, in the words of the stream."""

    kind: str
    id: str
    state: str
    incident: str
    responder: str | None = None
    compound: str = COMPOUND


@dataclass
class Flow:
    """Writes incidents and who is asked to them, and keeps the order in which it did."""

    ground: Rig
    told: list[Told] = field(default_factory=list)

    def wave(self, number: int) -> None:
        """Each phone is asked once over all waves, and hears what becomes of that incident from then on."""
        for place in range(number * OF_A_WAVE, (number + 1) * OF_A_WAVE):
            with self.ground.foundation.database.write() as session:
                incident = self._raise(session)
                asked = [self._ask(session, incident, place * ASKED + n) for n in range(ASKED)]
                if place % 4 == 0:
                    self._raise(session, ELSEWHERE)
            with self.ground.foundation.database.write() as session:
                self._step(session, incident, State.ACKNOWLEDGED)
                self._answer(session, asked[0], DispatchState.ACCEPTED)
                self._step(session, incident, State.CONFIRMED)

    def end(self) -> None:
        """One more, to which everybody is asked: after it nothing is left to come."""
        with self.ground.foundation.database.write() as session:
            incident = self._raise(session)
            for number in range(PHONES):
                self._ask(session, incident, number)

    def _raise(self, session: Session, compound: str = COMPOUND) -> str:
        at = self._now()
        row = Incident(
            id=new_id(),
            compound=compound,
            rule="R-B05",
            kind="door.forced",
            ring=Ring.ENTRANCE,
            zone="gate",
            device_id=FACE_CAMERA,
            lane="lane",
            severity=2,
            state=State.RAISED,
            version=0,
            happened_at=at,
            raised_at=at,
            last_signal_at=at,
            needs_comparison=False,
            reason="door_forced",
            reason_args={},
        )
        session.add(row)
        session.flush()
        self._step(session, row.id, State.RAISED)
        return row.id

    def _step(self, session: Session, incident: str, to: State) -> None:
        row = session.get_one(Incident, incident)
        record(session, row, to, SYSTEM, self._now())
        self.told.append(Told("incident", incident, to, incident, compound=row.compound))

    def _ask(self, session: Session, incident: str, number: int) -> str:
        row = Dispatch(
            id=new_id(),
            incident=incident,
            compound=COMPOUND,
            responder=f"r-{number}",
            state=DispatchState.OFFERED,
            offered_at=self._now(),
        )
        session.add(row)
        session.flush()
        self._say(session, row)
        return row.id

    def _answer(self, session: Session, dispatch: str, state: DispatchState) -> None:
        row = session.get_one(Dispatch, dispatch)
        row.state = state
        session.flush()
        self._say(session, row)

    def _say(self, session: Session, row: Dispatch) -> None:
        announce(session, row, self._now())
        self.told.append(Told("dispatch", row.id, row.state, row.incident, row.responder))

    def _now(self) -> dt.datetime:
        return self.ground.foundation.clock.now()


def for_console(told: Iterable[Told]) -> list[Told]:
    return [one for one in told if one.compound == COMPOUND]


def for_phone(told: Sequence[Told], responder: str, away: range = range(0)) -> list[Told]:
    """Their dispatches, and the incidents of these from when they were asked.

    Whoever was away meanwhile has been asked when they come back: to all that was written in `away`.
    """
    concerned: set[str] = set()
    seen = []
    for place, one in enumerate(told):
        if place == away.start:
            concerned |= {told[n].incident for n in away if told[n].responder == responder}
        if one.responder == responder:
            concerned.add(one.incident)
        elif one.kind == "dispatch" or one.incident not in concerned:
            continue
        seen.append(one)
    return seen


def heard(feed: Feed) -> list[tuple[str, str, str]]:
    return [(kind, data["id"], data["state"]) for _, kind, data in feed.came]


def as_heard(told: Iterable[Told]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.id, one.state) for one in told]


@dataclass
class Process:
    """What the console's process holds, as the system counts it."""

    id: int
    base: str

    def held(self) -> dict[str, int]:
        links = []
        for one in Path(f"/proc/{self.id}/fd").iterdir():
            try:
                links.append(str(one.readlink()))
            except FileNotFoundError:
                continue  # Closed while we looked.
        return {
            "sockets": sum(link.startswith("socket:") for link in links),
            "files": sum(not link.startswith("socket:") for link in links),
            "threads": len(list(Path(f"/proc/{self.id}/task").iterdir())),
        }

    async def watchers(self) -> float:
        async with httpx.AsyncClient(base_url=self.base, trust_env=False) as client:
            text = (await client.get("/metrics")).text
        name = "ringward_console_live_watchers "
        return float(next(line for line in text.splitlines() if line.startswith(name)).removeprefix(name))


@dataclass
class Site:
    ground: Rig
    process: Process
    consoles: list[str]
    phones: list[str]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The console as `ringward run console` starts it, and cookies of everybody."""
    with rig() as ground, served(ground) as (base, process):
        consoles, phones = _people(ground)
        yield Site(ground, Process(process, base), consoles, phones)


def _people(ground: Rig) -> tuple[list[str], list[str]]:
    at = ground.foundation.clock.now()
    client = Client("127.0.0.1", "many screens")
    with ground.foundation.database.write() as session:
        session.add(Compound(id=ELSEWHERE, name=ELSEWHERE))
        session.add(Team(id="team", compound=COMPOUND, name="team", kind=TeamKind.VOLUNTEER_POLICE, zones=[]))
        session.flush()
        session.add_all(Responder(id=f"r-{number}", team="team", name="r") for number in range(PHONES))
        session.flush()

        def cookie(name: str, role: Role, **more: Any) -> str:
            return open_session(session, create_user(session, name, role, at, **more), client, at).token

        consoles = [cookie(f"console-{n}", Role.OPERATOR) for n in range(CONSOLES)]
        phones = [cookie(f"phone-{n}", Role.VOLUNTEER, responder_id=f"r-{n}") for n in range(PHONES)]
    return consoles, phones


async def _warm(site: Site) -> None:
    """Every thread and every connection to the database that it ever wants is there."""
    limits = httpx.Limits(max_connections=CONSOLES)
    async with httpx.AsyncClient(
        base_url=site.process.base, limits=limits, timeout=60, trust_env=False
    ) as web:
        asked = [web.get("/console", headers={"Cookie": f"{SESSION_COOKIE}={one}"}) for one in site.consoles]
        for answer in await asyncio.gather(*asked):
            answer.raise_for_status()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_everybody_hears_what_is_theirs_once_and_in_order_and_leaves_nothing_behind(
    site: Site,
) -> None:
    flow = Flow(site.ground)
    relay = RelayRole(site.ground.foundation)
    await relay.start()
    base = site.process.base
    consoles = [Feed(base, one) for one in site.consoles[SLOW:]]
    slow = [Feed(base, one, slow=True) for one in site.consoles[:SLOW]]
    phones = [Feed(base, one) for one in site.phones]
    everybody = [*consoles, *slow, *phones]
    try:
        await _warm(site)
        before = site.process.held()
        for feed in everybody:
            feed.open()
        await until(lambda: all(one.opened.is_set() for one in everybody), "all are open", DEADLINE_S)

        await asyncio.to_thread(flow.wave, 0)
        await _all_heard(flow, consoles, phones)
        # Phones lose the network for a while; consoles lose it in the middle of the next wave.
        gone = phones[::7]
        for feed in gone:
            await feed.cut()
        away = range(len(flow.told), len(flow.told) + _size_of_a_wave(flow))
        flowing = asyncio.create_task(asyncio.to_thread(flow.wave, 1))
        for feed in consoles[::5]:
            await _more(feed, len(feed.came) + 1)
            await feed.cut()
            feed.open()
        await flowing
        assert len(flow.told) == away.stop
        for feed in gone:
            feed.open()
        await until(lambda: all(one.opened.is_set() for one in gone), "all are back", DEADLINE_S)
        await asyncio.to_thread(flow.wave, 2)
        await asyncio.to_thread(flow.end)

        wanted = as_heard(for_console(flow.told))
        await _until_last(consoles, wanted)
        assert [heard(feed) for feed in consoles] == [wanted] * len(consoles)
        for number, feed in enumerate(phones):
            own = for_phone(flow.told, f"r-{number}", away if feed in gone else range(0))
            await _until_last([feed], as_heard(own))
            assert heard(feed) == as_heard(own)
        # All that was heard while three read nothing: now they do.
        assert all(not feed.came for feed in slow)
        for feed in slow:
            feed.read()
        await _until_last(slow, wanted)
        assert [heard(feed) for feed in slow] == [wanted] * len(slow)
        assert all(one.refused == [] for one in everybody)
        assert all(feed.connections == 2 for feed in (*gone, *consoles[::5]))
    finally:
        for feed in everybody:
            await feed.cut()
        await relay.stop()
    await until(lambda: _within(site.process.held(), before), f"back to {before}", DEADLINE_S)
    assert await site.process.watchers() == 0


def _size_of_a_wave(flow: Flow) -> int:
    return len(flow.told)


async def _all_heard(flow: Flow, consoles: Sequence[Feed], phones: Sequence[Feed]) -> None:
    count = len(for_console(flow.told))
    await until(lambda: all(len(one.came) >= count for one in consoles), "consoles have all", DEADLINE_S)
    for number, feed in enumerate(phones):
        await _more(feed, len(for_phone(flow.told, f"r-{number}")))


async def _more(feed: Feed, count: int) -> None:
    await until(lambda: len(feed.came) >= count, f"{count} changes", DEADLINE_S)


async def _until_last(feeds: Sequence[Feed], wanted: Sequence[tuple[str, str, str]]) -> None:
    """Until each has the last one: whatever was to come has come by then, and so has what was not to."""
    last = wanted[-1]

    def there() -> bool:
        return all(feed.came and heard(feed)[-1] == last for feed in feeds)

    await until(there, "the last one is heard", DEADLINE_S)


def _within(now: dict[str, int], before: dict[str, int]) -> bool:
    return all(now[name] <= before[name] for name in before)
