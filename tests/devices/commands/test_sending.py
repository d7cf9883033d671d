"""A command from the asking to its end: sent once, answered, expired or uncertain."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from devices import presence
from devices.adapters import ADAPTERS
from devices.adapters.contract import CommandResult, UnsupportedError
from devices.commands import desk
from devices.commands.desk import Asking, DeviceAwayError
from devices.commands.kinds import UnlawfulCommandError
from devices.commands.models import CommandState, DeviceCommand
from devices.commands.sender import CommandSender, SenderMetrics
from devices.directory import DeviceDirectory, facts_of
from devices.models import Device, DeviceKind, Stage
from storage import Database, new_id, tracing
from storage.audit import AuditRow
from tests.support.clock import VirtualClock
from tests.support.compound import COMPOUND, device, settle_in
from tests.support.spans import kept


@dataclass
class Wire:
    """A broker's connection: keeps what was published."""

    up: bool = True
    sent: list[tuple[str, dict, int]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, qos: int) -> bool:
        if self.up:
            self.sent.append((topic, json.loads(payload), qos))
        return self.up


class Post:
    """A compound with an entrance and an exit, and somebody who gives commands."""

    def __init__(self, database: Database, clock: VirtualClock) -> None:
        settle_in(database)
        with database.write() as session:
            session.add(device("gate-out", DeviceKind.BARRIER, direction="out", lane="gate-out"))
            session.add(device("gate-in", DeviceKind.BARRIER, direction="in", lane="gate-in"))
            session.flush()
            presence.ensure_rows(session, clock.now())
            for name in ("gate-out", "gate-in"):
                presence.change(session, facts_of(session, name), clock.now(), online=True, cause="heartbeat")
        self.database, self.clock, self.wire = database, clock, Wire()
        self.directory = DeviceDirectory(database)
        self.restart()

    def restart(self) -> None:
        """Another process takes over."""
        self.metrics = CollectorRegistry()
        self.sender = CommandSender(
            self.database, self.directory, self.wire, self.clock, SenderMetrics(self.metrics)
        )

    def ask(self, kind: str = "open", at: str = "gate-in", key: str = "k-1", **arguments: object) -> str:
        with self.database.write() as session:
            facts = facts_of(session, at)
            asking = Asking("li", "operator", "a guest waits", key)
            return desk.ask(session, facts, kind, arguments, asking, self.clock.now()).id

    def answer(self, result: CommandResult, at: str = "gate-in") -> bool:
        with self.database.write() as session:
            return desk.settle(session, at, result, self.clock.now())

    def one(self, command_id: str) -> DeviceCommand:
        with self.database.read() as session:
            row = session.get_one(DeviceCommand, command_id)
            session.expunge_all()
        return row

    def set(self, name: str, **changes: object) -> None:
        with self.database.write() as session:
            row = session.get_one(Device, name)
            for key, value in changes.items():
                setattr(row, key, value)
        self.directory.refresh()


@pytest.fixture
def post(either_database: Database, clock: VirtualClock) -> Iterator[Post]:
    return Post(either_database, clock)


def test_command_is_sent_in_the_devices_words_and_settled_by_its_answer(post: Post) -> None:
    command = post.ask(door=1, seconds=2)
    assert post.one(command).state == CommandState.PENDING
    assert post.sender.round() == 1
    ((topic, body, qos),) = post.wire.sent
    assert topic == f"rw/v1/{COMPOUND}/gate-in/down/command"
    assert (body["id"], body["kind"], body["arguments"]) == (command, "open", {"door": 1, "seconds": 2.0})
    assert qos == 0, "a broker that keeps it would open the door when the device comes back"
    assert post.one(command).state == CommandState.SENT
    assert post.answer(CommandResult(command, ok=True, code="200", text="done"))
    row = post.one(command)
    assert (row.state, row.code, row.text) == (CommandState.ACKED, "200", "done")


def test_refusal_of_the_device_is_a_failure_with_its_own_code(post: Post) -> None:
    command = post.ask()
    post.sender.round()
    post.answer(CommandResult(command, ok=False, code="410", text="busy"))
    assert (post.one(command).state, post.one(command).code) == (CommandState.FAILED, "410")


def test_silence_makes_it_uncertain_and_it_is_never_sent_again(post: Post) -> None:
    command = post.ask()
    post.sender.round()
    post.clock.advance(4.9)
    post.sender.round()
    assert post.one(command).state == CommandState.SENT
    post.clock.advance(0.2)
    for _ in range(3):
        post.restart()
        post.sender.round()
    assert (post.one(command).state, post.one(command).code) == (CommandState.UNCERTAIN, "no_answer")
    assert len(post.wire.sent) == 1


def test_answer_that_comes_late_still_tells(post: Post) -> None:
    command = post.ask()
    post.sender.round()
    post.clock.advance(60)
    post.sender.round()
    assert post.answer(CommandResult(command, ok=True))
    assert post.one(command).state == CommandState.ACKED


def test_crash_between_writing_down_and_sending_never_sends_twice(post: Post) -> None:
    command = post.ask()
    with post.database.write() as session:
        assert [row.id for row in desk.take(session, post.clock.now())] == [command]
    post.restart()
    post.sender.round()
    post.clock.advance(5)
    post.sender.round()
    assert post.wire.sent == []
    assert post.one(command).state == CommandState.UNCERTAIN


def test_command_that_waited_too_long_is_not_sent(post: Post) -> None:
    command = post.ask()
    post.clock.advance(5)
    assert post.sender.round() == 0
    assert (post.one(command).state, post.one(command).code) == (CommandState.FAILED, "expired")
    assert post.wire.sent == []


def test_broker_that_is_away_is_a_certain_failure(post: Post) -> None:
    post.wire.up = False
    command = post.ask()
    post.sender.round()
    assert (post.one(command).state, post.one(command).code) == (CommandState.FAILED, "broker_away")


def test_one_key_is_one_command_and_audited_once(post: Post) -> None:
    assert post.ask(key="same") == post.ask(key="same")
    assert post.ask(key="other") != post.ask(key="same")
    with post.database.read() as session:
        asked = session.scalars(select(AuditRow.detail).where(AuditRow.action == "command.asked")).all()
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"enabled": False}, "disabled"), ({"stage": Stage.QUARANTINED}, "quarantined")],
)
def test_device_that_is_not_trusted_is_not_commanded(
    post: Post, changes: dict[str, object], why: str
) -> None:
    post.set("gate-in", **changes)
    with pytest.raises(DeviceAwayError) as refused:
        post.ask()
    assert refused.value.why == why


def test_device_that_is_quarantined_in_between_hears_nothing(post: Post) -> None:
    command = post.ask()
    post.set("gate-in", stage=Stage.QUARANTINED)
    post.sender.round()
    assert (post.one(command).state, post.one(command).code) == (CommandState.FAILED, "device_away")
    assert post.wire.sent == []


def test_device_that_is_offline_is_not_commanded(post: Post) -> None:
    with post.database.write() as session:
        presence.change(
            session, facts_of(session, "gate-in"), post.clock.now(), online=False, cause="last_will"
        )
    with pytest.raises(DeviceAwayError):
        post.ask()


def test_l23_an_exit_cannot_be_commanded_locked(post: Post) -> None:
    with pytest.raises(UnlawfulCommandError):
        post.ask("close", at="gate-out")
    post.ask("close", at="gate-in")
    post.ask("hold", at="gate-out", key="k-2", seconds=600)


def test_command_that_a_vendor_does_not_know_is_refused_when_it_is_asked(post: Post) -> None:
    post.set("gate-in", adapter=without("speak"))
    with pytest.raises(UnsupportedError):
        post.ask("speak", text="请让一让")


def without(kind: str) -> str:
    """The name of an adapter that has no such command."""
    return next(adapter.name for adapter in ADAPTERS.values() if kind not in adapter.commands)


def test_answer_that_names_no_command_means_the_last_one_of_its_kind(post: Post) -> None:
    first, second = post.ask(key="1"), post.ask("hold", key="2", seconds=5)
    post.sender.round()
    assert post.answer(CommandResult(None, ok=True, command="open"))
    assert post.one(first).state == CommandState.ACKED
    assert post.one(second).state == CommandState.SENT


def test_answer_of_another_device_settles_nothing(post: Post) -> None:
    command = post.ask()
    post.sender.round()
    assert not post.answer(CommandResult(command, ok=True), at="gate-out")
    assert not post.answer(CommandResult("never-asked", ok=True))
    assert post.one(command).state == CommandState.SENT


def test_time_of_a_period_is_the_devices_own(post: Post) -> None:
    post.ask("resend", **{"from": "2026-11-22T23:00:00+00:00", "until": "2026-11-23T00:00:00+00:00"})
    post.sender.round()
    ((_, body, _),) = post.wire.sent
    assert dt.datetime.fromisoformat(body["arguments"]["from"]).utcoffset() == dt.timedelta(hours=8)


def test_command_and_its_answer_are_in_the_trace_in_which_it_was_asked_for(post: Post) -> None:
    event = new_id()
    with kept() as told:
        with tracing.span("openings", tracing.root_of(event)):
            command = post.ask()
        post.sender.round()
        post.answer(CommandResult(command, ok=True, code="200", text=""))
    asked = told.one("openings").place
    assert asked.trace == event
    for name, outcome in (("command.send", "sent"), ("command.answer", "acked")):
        span = told.one(name)
        assert (span.parent, span.attributes["outcome"], span.ended) == (asked, outcome, True)


def test_command_of_nobodys_trace_is_in_none(post: Post) -> None:
    with kept() as told:
        post.ask()
        assert post.sender.round() == 1
    assert told.spans == []
