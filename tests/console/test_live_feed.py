"""The live feed against a real nats-server, over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from console_world import COMPOUND, PLATE, START
from live_harness import DEADLINE_S, Bus, Served, until
from prometheus_client import CollectorRegistry

from bus import subjects
from bus.messages import DeviceChanged, DispatchChanged, EventStored, IncidentChanged, Sighting
from console.accounts import service
from console.accounts.models import Role
from console.api import stream as endpoint
from console.app import create_app
from console.live import DroppedError, LiveFeed, Watcher
from console.live_tail import Change
from console.security import SESSION_COOKIE


def incident(number: int, compound: str = COMPOUND) -> IncidentChanged:
    return IncidentChanged(f"i{number}", compound, 1, "raised", 3, "entrance", START)


def sent(incident_id: str, responder: str) -> DispatchChanged:
    return DispatchChanged(f"d-{incident_id}", incident_id, COMPOUND, responder, "offered", START)


SIGHTING = Sighting(
    "s1", "e1", COMPOUND, "cam-1", "plate", "identified", "entrance", "gate", START, START,
    person_id="person-7", household_id="house-7", vehicle_id="vehicle-7", plate=PLATE, score=0.9,
)  # fmt: skip
EVENT = EventStored("e1", COMPOUND, "cam-1", "plate.recognised", "entrance", "gate", START, START, START)
DEVICE = DeviceChanged("cam-1", COMPOUND, online=False, at=START)


@pytest.fixture
async def bus(nats_server) -> AsyncIterator[Bus]:
    async with Bus(nats_server.url) as bus:
        await bus.make_stream()
        yield bus


@pytest.fixture
async def served(live_rooms, world, database, clock, make_user) -> AsyncIterator[Served]:
    app = create_app(live_rooms)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", lifespan="on", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]

    def token_of(role: Role, responder: str | None) -> str:
        user = make_user(f"{role} {clock.now()}", role, responder)
        clock.advance(seconds=1)
        with database.write() as session:
            return service.open_session(session, user, service.Client("x"), clock.now()).token

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_S) as client:
        yield Served(app, client, token_of)
    server.should_exit = True
    await task


async def test_every_kind_arrives_without_personal_data(bus, served):
    async with served.following() as reader:
        last = await bus.say(incident(1), sent("i1", "li"), SIGHTING, DEVICE, EVENT)
        blocks = [await reader.change() for _ in range(5)]
    assert [block.event for block in blocks] == ["incident", "dispatch", "sighting", "device", "event"]
    assert [int(block.id) for block in blocks] == list(range(last - 4, last + 1))
    assert blocks[0].data == {
        "id": "i1", "version": 1, "state": "raised", "severity": 3, "ring": "entrance", "at": "2026-11-23T07:00:00Z",
    }  # fmt: skip
    sighting = json.dumps(blocks[2].data, ensure_ascii=False)
    assert blocks[2].data["outcome"] == "identified"
    for private in (PLATE, "person-7", "house-7", "vehicle-7"):
        assert private not in sighting


async def test_first_block_gives_the_place_to_resume_from(bus, served):
    last = await bus.say(incident(1), incident(2))
    feed = served.app.state.feed
    await until(lambda: feed.position == last)
    async with served.stream() as reader:
        assert (await reader.block()).id == str(last)
        await bus.say(incident(3))
        assert (await reader.change()).data["id"] == "i3"


async def test_resuming_replays_what_was_missed_then_goes_on(bus, served):
    first = await bus.say(incident(1))
    await bus.say(*[incident(number) for number in range(2, 40)])
    async with served.stream(last=first) as reader:
        assert await reader.changes(38) == [f"i{number}" for number in range(2, 40)]
        await bus.say(incident(40), incident(41))
        assert await reader.changes(2) == ["i40", "i41"]


async def test_nothing_is_lost_or_doubled_while_more_comes_in(bus, served):
    first = await bus.say(incident(0))
    publishing = asyncio.create_task(bus.say(*[incident(number) for number in range(1, 200)]))
    async with served.stream(last=first) as reader:
        assert await reader.changes(199) == [f"i{number}" for number in range(1, 200)]
    await publishing


async def test_page_says_where_it_was_rendered_and_the_browser_knows_better(bus, served):
    first = await bus.say(incident(1))
    second = await bus.say(incident(2))
    await bus.say(incident(3))
    async with served.stream(query=f"?after={first}") as reader:
        assert await reader.changes(2) == ["i2", "i3"]
    async with served.stream(query=f"?after={first}", last=second) as reader:
        assert await reader.changes(1) == ["i3"]


async def test_reset_when_what_was_missed_is_gone(bus, served):
    first = await bus.say(incident(1))
    last = await bus.say(incident(2), incident(3), incident(4))
    await bus.jetstream.purge_stream(subjects.STREAM, seq=last)
    async with served.stream(last=first) as reader:
        reset = await reader.change()
        assert (reset.event, int(reset.id)) == ("reset", last)
        await bus.say(incident(5))
        assert await reader.changes(1) == ["i5"]


async def test_reset_when_the_stream_never_had_that_place(bus, served):
    await bus.say(incident(1))
    async with served.stream(last=10_000) as reader:
        assert (await reader.change()).event == "reset"


async def test_reset_when_too_much_was_missed(bus, served, monkeypatch):
    monkeypatch.setattr("console.live.REPLAY_MAX", 3)
    first = await bus.say(incident(0))
    last = await bus.say(*[incident(number) for number in range(1, 5)])
    await until(lambda: served.app.state.feed.position == last)
    async with served.stream(last=first) as reader:
        assert (await reader.change()).event == "reset"
    async with served.stream(last=first + 1) as reader:
        assert await reader.changes(3) == ["i2", "i3", "i4"]


@pytest.mark.parametrize("last", ["x", "-1", "1e3", "9" * 19])
async def test_place_that_is_no_number_is_refused(served, last):
    headers = {"Last-Event-ID": last, "Cookie": f"{SESSION_COOKIE}={served.token_of(Role.OPERATOR, None)}"}
    answer = await served.client.get("/api/v1/stream", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_volunteer_hears_only_what_concerns_them(bus, served, world):
    known = IncidentChanged(world.sent, COMPOUND, 4, "accepted", 1, "building", START)
    told = [
        EVENT, SIGHTING, DEVICE, incident(1), sent("i1", "wang"), known, sent("i2", "li"), incident(2), incident(3),
        sent("i4", "li"),
    ]  # fmt: skip
    async with served.following(Role.VOLUNTEER, responder="li") as reader:
        await bus.say(*told)
        assert await reader.changes(4) == [world.sent, "d-i2", "i2", "d-i4"]
    async with served.stream(Role.VOLUNTEER, responder="li", query="?after=0") as reader:
        assert await reader.changes(4) == [world.sent, "d-i2", "i2", "d-i4"], "and so when resuming"


async def test_place_moves_on_for_a_volunteer_who_hears_nothing(bus, served, monkeypatch):
    monkeypatch.setattr(endpoint, "SKIPPED_MAX", 3)
    async with served.following(Role.VOLUNTEER, responder="li") as reader:
        last = await bus.say(EVENT, EVENT, EVENT)
        block = await reader.block()
    assert (block.id, block.data) == (str(last), None)


async def test_other_compounds_are_not_heard(bus, served):
    async with served.following() as reader:
        await bus.say(incident(1, "sifang"), incident(2))
        assert await reader.changes(1) == ["i2"]


async def test_message_of_a_newer_version_is_passed_over(bus, served):
    async with served.following() as reader:
        await bus.jetstream.publish(subjects.incident(COMPOUND), b'{"kind":"hologram","v":9}')
        await bus.say(incident(1))
        assert await reader.changes(1) == ["i1"]


async def test_keep_alive_comments_hold_the_connection(bus, served, monkeypatch):
    monkeypatch.setattr(endpoint, "KEEP_ALIVE_S", 0.05)
    async with served.following() as reader:
        assert (await reader.block()).comment.startswith("ping")


async def test_stream_ends_with_the_session(bus, served, database, monkeypatch):
    monkeypatch.setattr(endpoint, "CHECKED_EVERY_S", 0.05)
    async with served.following() as reader:
        with database.write() as session:
            session.query(service.UserSession).delete()
        while (block := await reader.block()) is not None:
            assert block.data is None


async def test_feed_comes_back_by_itself_and_misses_nothing(bus, served, nats_server):
    ready = "/readyz"
    async with served.following() as reader:
        await bus.say(incident(1))
        assert await reader.changes(1) == ["i1"]
        assert (await served.client.get(ready)).json()["checks"]["live"] is True
        nats_server.kill()
        await until(lambda: not served.app.state.feed.connected)
        answer = await served.client.get(ready)
        assert (answer.status_code, answer.json()["checks"]["live"]) == (503, False)
        await nats_server.start()
        async with Bus(nats_server.url) as again:
            await again.say(incident(2), incident(3))
        assert await reader.changes(2) == ["i2", "i3"]
        assert (await served.client.get(ready)).status_code == 200


async def test_stream_opened_without_nats_begins_when_it_is_there(bus, served, nats_server):
    await bus.say(incident(1))
    feed = served.app.state.feed
    await until(lambda: feed.connected)
    nats_server.kill()
    await until(lambda: not feed.connected)
    async with served.stream(query="?after=0") as reader:
        await nats_server.start()
        assert await reader.changes(1) == ["i1"]


async def test_stream_made_anew_sends_everybody_back(bus, served):
    await bus.say(incident(1), incident(2), incident(3))
    await until(lambda: served.app.state.feed.position == 3)
    async with served.following() as reader:
        await bus.jetstream.delete_stream(subjects.STREAM)
        await bus.make_stream()
        while (block := await reader.block()) is not None:
            assert block.data is None
    async with served.stream(last=3) as reader:
        assert (await reader.change()).event == "reset"


async def test_who_does_not_keep_up_is_dropped_and_others_are_not(nats_server, bus):
    registry = CollectorRegistry()
    feed = LiveFeed(nats_server.url, {}, COMPOUND, registry)
    feed.start()
    await feed.wait_connected()
    feed.queue_max = 3
    with feed.watch() as slow:
        feed.queue_max = 100
        with feed.watch() as quick:
            await bus.say(*[incident(number) for number in range(5)])
            heard = [(await quick.next(DEADLINE_S)).message.id for _ in range(5)]
            with pytest.raises(DroppedError):
                await slow.next(0)
    await feed.stop()
    assert heard == [f"i{number}" for number in range(5)]
    assert registry.get_sample_value("ringward_console_live_dropped_total") == 1
    assert registry.get_sample_value("ringward_console_live_watchers") == 0


async def test_a_watcher_holds_no_more_than_its_limit():
    watcher = Watcher(2)
    changes = [Change(seq, 0, incident(seq)) for seq in range(3)]
    assert [watcher.offer(change) for change in changes] == [True, True, False]
    with pytest.raises(DroppedError):
        await watcher.next(0)


async def test_watcher_gives_up_waiting_without_losing_its_turn():
    watcher = Watcher(2)
    assert await watcher.next(0) is None
    change = Change(1, 0, incident(1))
    watcher.offer(change)
    assert await watcher.next(0) is change
    assert await watcher.next(0) is None


async def test_consumers_are_removed_when_nobody_reads(bus, served):
    feed = served.app.state.feed
    first = await bus.say(incident(1), incident(2))
    await until(lambda: feed.position == 2)
    async with served.stream(last=first - 1) as reader:
        await reader.changes(1)
    async with asyncio.timeout(DEADLINE_S):
        while len(await bus.jetstream.consumers_info(subjects.STREAM)) != 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
