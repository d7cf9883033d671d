"""Sirens and loudspeakers: heard over the real broker by somebody else's client, and silent where they must be."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from receiving import letter, to
from sqlalchemy import select

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident
from alerts.notify.channels.channel import Outcome, Result
from alerts.notify.channels.sirens import Sirens, may_sound
from bus import subjects
from devices import presence
from devices.adapters import ADAPTERS
from devices.adapters.contract import CommandResult, Incoming, Order
from devices.commands import desk
from devices.commands.models import DeviceCommand
from devices.commands.sender import CommandSender, Publisher, SenderMetrics
from devices.directory import DeviceDirectory, facts_of
from devices.downlink import Downlink
from devices.models import DeviceKind
from storage import Database, KeyRing, new_id
from tests.support.brokers import NatsServer
from tests.support.clock import VirtualClock
from tests.support.compound import COMPOUND, device, settle_in
from tests.support.mqtt import Peer
from tests.support.waiting import wait_until

SIREN, LAMP, RELAY, GONE = "cam-1", "lamp", "relay", "nowhere"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def database(migrated_file: Path, tmp_path: Path, ring: KeyRing, clock: VirtualClock) -> Iterator[Database]:
    path = tmp_path / "ringward.db"
    shutil.copy(migrated_file, path)
    database = Database.at(path)
    settle_in(database)
    with database.write() as session:
        session.add(device(LAMP, DeviceKind.SIREN, adapter="zigbee2mqtt"))
        session.add(device(RELAY, DeviceKind.SIREN, adapter="tasmota"))
        session.flush()
        presence.ensure_rows(session, clock.now())
        for name in (SIREN, LAMP, RELAY):
            presence.change(session, facts_of(session, name), clock.now(), online=True, cause="heartbeat")
    yield database
    database.close()


@dataclass
class Wire:
    """A broker's connection that only remembers."""

    sent: list[tuple[str, dict]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        self.sent.append((topic, json.loads(payload)))
        return True


@pytest.fixture
def channel(database: Database, clock: VirtualClock) -> Sirens:
    return Sirens(database, clock, answer_s=0.5)


def incident(database: Database, rule: str, *, evidence: str | None = None) -> str:
    name, clock = new_id(), VirtualClock()
    with database.write() as session:
        session.add(
            Incident(
                id=name, compound=COMPOUND, rule=rule, kind="door.forced", ring="building", zone="b1",
                device_id="door-1", severity=1, state=State.RAISED, version=1, happened_at=clock.now(), raised_at=clock.now(),
                last_signal_at=clock.now(), signal_count=1, needs_comparison=False, reason="x", reason_args={},
            )
        )  # fmt: skip
        session.flush()
        if evidence is not None:
            session.add(
                Evidence(
                    signal_id=new_id(), incident=name, rule=evidence, severity=1, at=clock.now(), event_ids=[],
                    sighting_ids=[],
                )
            )  # fmt: skip
    return name


def commands(database: Database) -> list[tuple[str, dict]]:
    with database.read() as session:
        rows = session.scalars(select(DeviceCommand).order_by(DeviceCommand.asked_at, DeviceCommand.id))
        return [(row.kind, row.arguments) for row in rows]


async def sent(channel: Sirens, device_id: str = SIREN, **changes: object) -> Outcome:
    settings = changes.pop("settings", {})
    return await channel.send(to(device_id, settings=settings), letter(incident=None, **changes))


@contextmanager
def sending(database: Database, clock: VirtualClock, publisher: Publisher) -> Iterator[CommandSender]:
    metrics = SenderMetrics(CollectorRegistry())
    yield CommandSender(database, DeviceDirectory(database), publisher, clock, metrics)


@pytest.mark.parametrize("answers", [True, False])
async def test_a_siren_of_another_maker_sounds_over_the_broker_and_says_so(
    nats_server: NatsServer, database: Database, clock: VirtualClock, answers: bool
) -> None:
    """The device's side is a plain MQTT client; ours is what a running Ringward has."""
    channel = Sirens(database, clock, answer_s=15 if answers else 1)
    downlink = Downlink(nats_server.login(client_id="down"))
    downlink.start()
    topic = subjects.downlink(COMPOUND, SIREN, "command")
    try:
        with (
            Peer(nats_server.login(SIREN, SIREN)) as siren,
            Peer(nats_server.login(client_id="core")) as core,
            sending(database, clock, downlink) as sender,
        ):
            siren.subscribe(topic)
            core.subscribe(subjects.uplink(COMPOUND, SIREN, "result"))
            wait_until(lambda: downlink.connected, "the way down")
            telling = asyncio.create_task(sent(channel, settings={"do": "sound", "seconds": 20}))
            await asyncio.to_thread(wait_until, sender.round, "the command")
            order = json.loads((await asyncio.to_thread(siren.next)).payload)
            assert (order["kind"], order["arguments"]) == ("sound", {"seconds": 20.0})
            if answers:
                said = json.dumps({"v": 1, "id": order["id"], "ok": True, "code": "", "text": ""})
                await asyncio.to_thread(
                    siren.publish, subjects.uplink(COMPOUND, SIREN, "result"), said.encode()
                )
                came = await asyncio.to_thread(core.next)
                read = ADAPTERS["native"].decode(Incoming(came.topic, came.payload))
                with database.write() as session:
                    assert desk.settle(session, SIREN, read.results[0], clock.now())
            outcome = await telling
    finally:
        downlink.stop()

    assert outcome.result is (Result.RECEIVED if answers else Result.HANDED_OVER)


async def test_a_loudspeaker_says_the_letter(channel: Sirens, database: Database) -> None:
    await sent(channel, settings={"do": "speak"}, title="能去吗？", body="长" * 300)

    ((kind, arguments),) = commands(database)
    assert kind == "speak"
    assert arguments["text"].startswith("能去吗？。长")
    assert len(arguments["text"]) == 100


@pytest.mark.parametrize(
    ("name", "topic", "payload"),
    [
        (
            LAMP,
            f"rw/gw/{LAMP}/{LAMP}/set",
            {"mode": "burglar", "level": "high", "strobe": True, "duration": 20},
        ),
        (RELAY, None, None),
    ],
)
async def test_what_has_no_siren_of_its_own_is_switched_for_a_time(
    channel: Sirens,
    database: Database,
    clock: VirtualClock,
    name: str,
    topic: str | None,
    payload: dict | None,
) -> None:
    await sent(channel, name, settings={"seconds": 20})

    ((kind, arguments),) = commands(database)
    assert (kind, arguments["seconds"]) == ("sound" if topic else "hold", 20)
    if topic:
        wire = Wire()
        with sending(database, clock, wire) as sender:
            sender.round()
        assert wire.sent == [(topic, {"warning": payload})]


async def test_the_same_try_twice_sounds_once(channel: Sirens, database: Database) -> None:
    await sent(channel, attempt="1" * 32)
    await sent(channel, attempt="1" * 32)
    await sent(channel, attempt="2" * 32)

    assert len(commands(database)) == 2


@pytest.mark.parametrize(("rule", "evidence"), [("R-E12", None), ("R-B01", "R-E12")])
async def test_duress_makes_no_sound_whatever_it_is_joined_with(
    channel: Sirens, database: Database, rule: str, evidence: str | None
) -> None:
    name = incident(database, rule, evidence=evidence)

    for settings in ({}, {"do": "speak"}):
        outcome = await channel.send(to(SIREN, settings=settings), letter(incident=name))
        assert (outcome.result, outcome.error) == (Result.REFUSED, "silent")
    assert commands(database) == []


async def test_an_incident_that_cannot_be_found_makes_no_sound(channel: Sirens, database: Database) -> None:
    outcome = await channel.send(to(SIREN), letter(incident=new_id()))

    assert outcome.error == "silent"
    assert commands(database) == []


async def test_what_is_no_duress_is_heard(channel: Sirens, database: Database) -> None:
    await channel.send(to(SIREN), letter(incident=incident(database, "R-B01")))

    assert [kind for kind, _ in commands(database)] == ["sound"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [({}, "no_drills"), ({"do": "speak"}, "no_drills"), ({"drills": True}, "no_words_for_drill")],
)
async def test_an_exercise_is_not_sounded(
    channel: Sirens, database: Database, settings: dict, error: str
) -> None:
    outcome = await sent(channel, settings=settings, drill=True)

    assert (outcome.result, outcome.error) == (Result.REFUSED, error)
    assert commands(database) == []


@pytest.mark.parametrize("title", ["【演练】能去吗？", "能去吗？"])
async def test_an_exercise_is_spoken_with_the_word_for_it(
    channel: Sirens, database: Database, title: str
) -> None:
    await sent(channel, settings={"do": "speak", "drills": True}, drill=True, title=title)

    assert "演练" in commands(database)[0][1]["text"]


async def test_a_device_that_is_away_has_not_sounded(
    channel: Sirens, database: Database, clock: VirtualClock
) -> None:
    with database.write() as session:
        presence.change(session, facts_of(session, SIREN), clock.now(), online=False, cause="silence")

    outcome = await sent(channel)

    assert (outcome.result, outcome.error) == (Result.FAILED, "device_away")


async def test_a_device_of_another_compound_or_none_is_never_switched(
    channel: Sirens, database: Database
) -> None:
    for name, compound in ((GONE, COMPOUND), (SIREN, "meilin")):
        outcome = await channel.send(to(name), letter(incident=None, compound=compound))
        assert (outcome.result, outcome.error) == (Result.GONE, "no_device")
    assert commands(database) == []


async def test_a_device_that_says_it_failed_has_failed(database: Database, clock: VirtualClock) -> None:
    channel = Sirens(database, clock, answer_s=15)
    telling = asyncio.create_task(sent(channel))
    with sending(database, clock, Wire()) as sender:
        await asyncio.to_thread(wait_until, sender.round, "the command")
    with database.write() as session:
        assert desk.settle(session, SIREN, CommandResult(None, ok=False, code="7"), clock.now())

    outcome = await telling
    assert (outcome.result, outcome.error) == (Result.FAILED, "device_failed")


def test_what_may_be_entered_for_a_device_is_what_it_can_do(database: Database) -> None:
    with database.read() as session:
        can = {name: may_sound(facts_of(session, name)) for name in (SIREN, LAMP, RELAY)}

    assert can == {SIREN: {"sound", "speak"}, LAMP: {"sound"}, RELAY: {"sound"}}


def test_a_siren_sounds_for_whole_seconds_on_zigbee(clock: VirtualClock) -> None:
    order = Order("c-1", "sound", LAMP, clock.now(), {"seconds": 30.0})

    (message,) = ADAPTERS["zigbee2mqtt"].encode(order)
    assert json.loads(message.payload)["warning"]["duration"] == 30
