"""Answers of devices find the commands that they belong to."""

import json

from prometheus_client import CollectorRegistry

from devices import presence
from devices.commands import desk
from devices.commands.desk import Asking
from devices.commands.models import CommandState, DeviceCommand
from devices.directory import DeviceDirectory, facts_of
from ingest.arrival import Arrival
from ingest.intake import Intake, IntakeMetrics
from storage import Database, MediaStore
from tests.support.clock import VirtualClock
from tests.support.compound import settle_in
from tests.support.native import topic


def test_answer_settles_the_command_once_it_is_committed(
    either_database: Database, media: MediaStore, clock: VirtualClock
) -> None:
    database = either_database
    settle_in(database)
    with database.write() as session:
        presence.ensure_rows(session, clock.now())
        facts = facts_of(session, "cam-1")
        presence.change(session, facts, clock.now(), online=True, cause="heartbeat")
        asking = Asking("li", "operator", "a test", "k")
        command = desk.ask(session, facts, "snapshot", {}, asking, clock.now()).id
        desk.take(session, clock.now())
    intake = Intake(database, media, DeviceDirectory(database), IntakeMetrics(CollectorRegistry()))

    def say(retained: bool = False, **answer: object) -> CommandState:
        body = json.dumps({"v": 1, "id": command, **answer}).encode()
        intake.process([Arrival(topic(leaf="result"), body, clock.now(), retained=retained)])
        with database.read() as session:
            return session.get_one(DeviceCommand, command).state

    assert say(ok=True, retained=True) == CommandState.SENT, "what the broker remembers answers nothing"
    assert say(ok=False, code="17", text="no picture") == CommandState.FAILED
    assert say(ok=True) == CommandState.FAILED, "the first answer stands"
