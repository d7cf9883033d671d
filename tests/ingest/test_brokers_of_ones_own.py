"""Ingest at a Mosquitto whose users and access list Ringward wrote: a face terminal is heard and answered."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from bus.login import BrokerLogin
from devices import credentials, presence, registration
from devices.brokerfiles import Core, render
from devices.credentials import Credential
from devices.directory import DeviceDirectory
from devices.models import Device
from devices.observations import DeviceObservation
from devices.registration import Facts
from devices.stages import By, approve_untested, privacy_seen, sign_seen
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.mqtt.subscriber import Subscriber, SubscriberMetrics
from storage import Database, MediaStore
from storage.events import EventRow
from tests.support.brokers import CORE, CORE_PASSWORD, Mosquitto
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import COMPOUND, settle_in
from tests.support.mqtt import Peer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

ADMIN = By("u-admin", "administrator")
BRANCH = "mqtt/face/1305433"


class Gate:
    """A compound with one face terminal in quarantine, its broker, and ingest at it."""

    def __init__(self, database: Database, media: MediaStore, clock: VirtualClock, folder: Path) -> None:
        self.database = database
        settle_in(database)
        with database.write() as session:
            facts = Facts(
                zone="gate", profile="face-terminal", external_id="1305433", lane="l", direction="in"
            )
            _, self.credential = registration.register(session, COMPOUND, "face-1", facts, NOON, ADMIN)
        with database.write() as session:
            presence.ensure_rows(session, NOON)
            known = credentials.logins(session, NOON)
        hashed = bcrypt.hashpw(CORE_PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        core = Core(CORE, hashed, credentials.pbkdf2(CORE_PASSWORD))
        self.broker = Mosquitto(folder, render("mosquitto", known, core).texts)
        self.broker.start()
        self.directory = DeviceDirectory(database)
        intake = Intake(database, media, self.directory, IntakeMetrics(CollectorRegistry()))
        metrics = SubscriberMetrics(CollectorRegistry())
        self.ingest = Subscriber(self.broker.login(), intake, clock, metrics, lambda: None)
        self.ingest.start()
        wait_until(lambda: self.ingest.connected, "ingest listens")

    def terminal(self) -> Peer:
        assert isinstance(self.credential, Credential)
        login = BrokerLogin(
            "127.0.0.1", self.broker.mqtt_port, self.credential.user, self.credential.secret, "1305433"
        )
        return Peer(login)

    def close(self) -> None:
        self.ingest.stop()
        self.broker.stop()


@pytest.fixture
def gate(database: Database, media: MediaStore, clock: VirtualClock, tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(database, media, clock, tmp_path / "broker")
    yield gate
    gate.close()


def record(number: int) -> bytes:
    moment = NOON.astimezone(dt.timezone(dt.timedelta(hours=8))) - dt.timedelta(seconds=2)
    info = {
        "facesluiceId": "1305433",
        "RecordID": str(number),
        "time": f"{moment:%Y-%m-%d %H:%M:%S}",
        "customId": "guest-17",
        "VerifyStatus": "1",
        "similarity1": "93.5",
    }
    return json.dumps({"operator": "RecPush", "info": info}).encode()


def test_terminal_is_heard_and_answered_first_by_the_installer_and_then_as_an_event(gate: Gate) -> None:
    with gate.terminal() as terminal:
        assert terminal.subscribe(BRANCH)
        terminal.publish(f"{BRANCH}/Rec", record(389), qos=0)
        # Kept aside, and yet told that it need not send it again.
        told = json.loads(terminal.next().payload)
        assert told["operator"] == "PushAck"
        assert told["info"]["SnapOrRecordID"] == 389
        with gate.database.read() as session:
            assert session.scalars(select(EventRow)).all() == []
            seen = session.get_one(DeviceObservation, "face-1")
            assert (seen.signed_in_at, sum(seen.types.values())) == (NOON, 1)
        with gate.database.write() as session:
            device = session.get_one(Device, "face-1")
            sign_seen(session, device, "ab" * 32, NOON, ADMIN)
            privacy_seen(session, device, NOON, ADMIN)
            approve_untested(session, device, NOON, ADMIN)
        gate.directory.expire()
        terminal.publish(f"{BRANCH}/Rec", record(390), qos=0)
        assert json.loads(terminal.next().payload)["info"]["SnapOrRecordID"] == 390
    with gate.database.read() as session:
        rows = session.scalars(select(EventRow).where(EventRow.device_id == "face-1")).all()
        assert [row.record_id for row in rows if row.type == "access.granted"] == ["rec:390"]


def test_terminal_of_another_number_is_not_heard_under_this_one(gate: Gate) -> None:
    with gate.terminal() as terminal:
        sent = terminal.client.publish("mqtt/face/1305434/Rec", record(389), qos=1)
        wait_until(lambda: sent.is_published() or not terminal.client.is_connected(), "it was turned away")
    with gate.terminal() as terminal:
        assert terminal.subscribe(BRANCH)
        terminal.publish(f"{BRANCH}/Rec", record(390), qos=0)
        terminal.next()
    with gate.database.read() as session:
        assert session.scalars(select(DeviceObservation.types)).one() == {"access.granted": 1}
