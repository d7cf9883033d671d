"""What the doctor says of the database at work, of the bus and of the MQTT broker."""

import datetime as dt
from pathlib import Path

import nats
import pytest
from sqlalchemy import text

from alerts.reactions import IncidentChange
from bus import deadletters, lanes
from bus.broker import declare_stream
from bus.deadletters import DeadLetter
from bus.subjects import STREAM
from devices.models import DeviceStatus
from ringward.checkup import Finding, Level, bus, mqtt, work
from storage import Database, SystemClock
from storage.audit import AuditEntry, append
from storage.events import OutboxRow
from storage.leases import RoleLease
from tests.support import keeping
from tests.support.brokers import Broker, NatsServer
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, settle_in
from tests.support.tampering import unguard

S = dt.timedelta(seconds=1)


def named(findings: list[Finding]) -> dict[str, Level]:
    return {finding.check: finding.level for finding in findings}


def test_a_schema_that_is_behind_is_found(database: Database) -> None:
    assert work.schema(database).level is Level.OK
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert work.schema(database).level is Level.FAIL


def test_an_outbox_whose_oldest_message_stays_is_found_and_one_that_moves_is_well(database: Database) -> None:
    assert work.outbox(database, lambda _: None).level is Level.OK
    keeping.add(database, OutboxRow(message_id="m", subject="event.x", payload=b""))
    assert work.outbox(database, lambda _: None).level is Level.FAIL

    def relay(_seconds: float) -> None:
        with database.write() as session:
            session.execute(text("DELETE FROM outbox"))

    assert work.outbox(database, relay).level is Level.OK


def test_changes_that_nothing_follows_from_are_found(database: Database) -> None:
    settle_in(database)
    keeping.add(database, IncidentChange(incident="i", version=1, compound=COMPOUND, at=NOON - 20 * S))
    with database.read() as session:
        assert named(list(work.waits(session, NOON)))["reactions"] is Level.OK
        assert named(list(work.waits(session, NOON + 11 * S)))["reactions"] is Level.FAIL


def test_many_refused_messages_are_a_warning(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.read() as session:
        assert list(work.letters(session)) == []
    keeping.add(database, DeadLetter(**deadletters.letter("mqtt", "bad", NOON)))
    with database.read() as session:
        assert named(list(work.letters(session))) == {"refused messages": Level.OK}
        monkeypatch.setattr(work, "LETTERS_MANY", 1)
        assert named(list(work.letters(session))) == {"refused messages": Level.WARN}


@pytest.mark.parametrize(("away", "level"), [(0, Level.OK), (1, Level.WARN), (2, Level.FAIL)])
def test_devices_that_fell_silent_are_told_by_compound(database: Database, away: int, level: Level) -> None:
    settle_in(database)
    for n, device in enumerate(("cam-1", "cam-2", "door-1")):
        keeping.add(database, DeviceStatus(device_id=device, online=n >= away, since=NOON, last_seen=NOON))
    with database.read() as session:
        assert named(list(work.devices(session))) == {f"devices of {COMPOUND}": level}


def test_a_server_whose_clock_is_another_is_a_warning(either_database: Database) -> None:
    def early() -> dt.datetime:
        return SystemClock().now() - dt.timedelta(minutes=1)

    with either_database.read() as session:
        assert work.clock(session, SystemClock().now).level is Level.OK
        wanted = Level.OK if either_database.is_sqlite else Level.WARN
        assert work.clock(session, early).level is wanted


def test_weeks_that_nobody_makes_any_more_are_a_warning(either_database: Database) -> None:
    from storage import partitions

    partitions.make_ahead(either_database, NOON)
    with either_database.read() as session:
        now = list(work.pieces(session, NOON))
        later = list(work.pieces(session, NOON + dt.timedelta(days=300)))
    assert [list(named(found).values()) for found in (now, later)] == (
        [[], []] if either_database.is_sqlite else [[Level.OK], [Level.WARN]]
    )


def test_a_broken_chain_is_found_and_a_long_one_left_to_who_has_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        for action in ("a", "b"):
            append(session, NOON, AuditEntry("u", "operator", action, "p", "s"))
    with database.read() as session:
        assert work.chain(session).level is Level.OK
    unguard(database)
    with database.write() as session:
        session.execute(text("UPDATE audit SET action = 'c' WHERE action = 'b'"))
    with database.read() as session:
        assert work.chain(session).level is Level.FAIL
        monkeypatch.setattr(work, "ROWS_MOST", 1)
        assert work.chain(session).level is Level.OK


def test_a_role_that_nobody_has_is_found(either_database: Database) -> None:
    at = SystemClock().now()
    keeping.add(
        either_database,
        RoleLease(
            role="relay",
            instance="",
            holder="a",
            epoch=1,
            until=at + 60 * S,
            waiting="b",
            waiting_until=at + 60 * S,
        ),
        RoleLease(role="keeper", instance="", holder="a", epoch=3, until=at - S),
    )
    with either_database.read() as session:
        found = list(work.roles(session, SystemClock().now))
    assert named(found) == {"role keeper": Level.FAIL, "role relay": Level.OK}
    assert "one stands by" in found[1].seen


# ── Bus ──────────────────────────────────────────────────────────────────────


def test_a_bus_without_a_stream_or_with_odd_consumers_is_found(nats_server: NatsServer) -> None:
    import asyncio

    async def change(step: str) -> None:
        client = await nats.connect(nats_server.bus.url, **nats_server.bus.options())
        jetstream = client.jetstream()
        if step == "made":
            await declare_stream(jetstream)
            await lanes.declare(jetstream)
        elif step == "odd":
            await jetstream.delete_consumer(STREAM, lanes.REST.durable)
            info = await jetstream.stream_info(STREAM)
            await jetstream.update_stream(info.config.evolve(max_age=3600.0))
        await client.close()

    assert named(list(bus.findings(nats_server.bus)))["stream"] is Level.FAIL
    asyncio.run(change("made"))
    assert set(named(list(bus.findings(nats_server.bus))).values()) == {Level.OK}
    asyncio.run(change("odd"))
    found = named(list(bus.findings(nats_server.bus)))
    assert (found["stream"], found[f"consumer {lanes.REST.durable}"]) == (Level.FAIL, Level.FAIL)
    assert found[f"consumer {lanes.GATES.durable}"] is Level.OK
    nats_server.kill()
    assert named(list(bus.findings(nats_server.bus))) == {"bus": Level.FAIL}


# ── MQTT ─────────────────────────────────────────────────────────────────────


def test_ingest_may_sign_in_or_not(mqtt_broker: Broker) -> None:
    from dataclasses import replace

    login = mqtt_broker.login()
    assert mqtt.sign_in(login).level is Level.OK
    assert mqtt.sign_in(replace(login, password="guessed")).level is Level.FAIL
    mqtt_broker.kill()
    assert mqtt.sign_in(login).level is Level.FAIL


def test_shipped_settings_of_mosquitto_are_well_and_its_own_are_not(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / "deploy" / "mosquitto" / "mosquitto.conf"
    (tmp_path / "mosquitto.conf").write_text("include_dir /etc/mosquitto/conf.d\n")
    found = mqtt.mosquitto_settings(tmp_path)
    assert found.level is Level.FAIL
    assert "max_queued_messages" in found.seen
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "ringward.conf").write_text(shipped.read_text())
    assert mqtt.mosquitto_settings(tmp_path).level is Level.OK
