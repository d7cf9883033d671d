"""From the spool into the database: in order, once, and never held up by one bad message."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

import ingest.push.drain
from bus.deadletters import DeadLetter
from devices import presence
from devices.directory import DeviceDirectory
from ingest.arrival import Arrival, Settled
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from ingest.push.drain import Drainer, SpoolMetrics
from ingest.push.spool import Spool, SpoolLimits
from storage import Database, KeyRing, MediaStore
from storage.events import EventRow
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import settle_in
from tests.support.native import event
from tests.support.waiting import wait_until

AWAY = OperationalError("the server closed the connection", None, Exception())


class Valve:
    """Stands before an intake: `failing` says for each batch what it fails with, or None."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.batches: list[list[bytes]] = []
        self.failing = lambda _payloads: None

    def process(self, arrivals: Sequence[Arrival]) -> list[Settled]:
        payloads = [arrival.payload for arrival in arrivals]
        self.batches.append(payloads)
        error = self.failing(payloads)
        if error is not None:
            raise error
        return self._intake.process(arrivals)


class Works:
    """A spool, an intake behind a valve, and drainers that come one after another."""

    def __init__(
        self, folder: Path, ring: KeyRing, clock: VirtualClock, database: Database, media: MediaStore
    ) -> None:
        settle_in(database)
        with database.write() as session:
            presence.ensure_rows(session, clock.now())
        self.database, self.clock, self.commits = database, clock, 0
        intake = Intake(database, media, DeviceDirectory(database), IntakeMetrics(CollectorRegistry()))
        self.valve = Valve(intake)
        self.folder = folder
        self.spool = Spool(folder, ring, clock, SpoolLimits(2**30, 0))
        self.spool.open()
        self.renew()

    def renew(self, strange: Sequence[str] = ()) -> None:
        """A new drainer, as after a restart."""
        self.metrics = CollectorRegistry()
        metrics = SpoolMetrics(self.metrics, self.spool)
        self.drainer = Drainer(
            self.spool, self.valve, self.database, self.clock, metrics, self._committed, max_age_days=30
        )

    def _committed(self) -> None:
        self.commits += 1

    def push(self, *payloads: bytes, device: str = "cam-1", topic: str = "/event") -> None:
        for payload in payloads:
            self.spool.put(device, topic, payload, "application/json")

    def drain(self, rounds: int = 1) -> int:
        """Rounds without a thread; returns how many failed."""
        failed = 0
        for _ in range(rounds):
            try:
                self.drainer.drain()
            except (OperationalError, ValueError):
                failed += 1
        return failed

    def rows(self, table: type, *order: object) -> list:
        with self.database.read() as session:
            found = list(session.scalars(select(table).order_by(*order)))
            session.expunge_all()
        return found

    def records(self) -> list[str]:
        rows = self.rows(EventRow, EventRow.received_at, EventRow.record_id)
        return [row.record_id for row in rows if not row.type.startswith("device.")]

    def letters(self) -> list[tuple[str, str | None]]:
        return [(one.reason, one.device_id) for one in self.rows(DeadLetter, DeadLetter.received_at)]

    def gauge(self, name: str) -> float | None:
        return self.metrics.get_sample_value(f"ringward_ingest_spool_{name}")


@pytest.fixture
def works(
    tmp_path: Path, ring: KeyRing, clock: VirtualClock, database: Database, media: MediaStore
) -> Iterator[Works]:
    made = Works(tmp_path / "spool", ring, clock, database, media)
    yield made
    made.drainer.stop()
    made.spool.close()


def test_what_was_pushed_is_stored_in_order_and_leaves_the_disk(works: Works) -> None:
    works.push(*[event(f"r-{number}") for number in range(5)])
    works.drain()
    assert works.valve.batches == [[event(f"r-{number}") for number in range(5)]]
    assert works.records() == [f"r-{number}" for number in range(5)]
    assert (list(works.folder.glob("*.msg")), works.commits) == ([], 1)
    row = works.rows(EventRow)[0]
    assert row.device_id == "cam-1"


def test_thread_takes_in_what_comes_and_what_was_left(works: Works) -> None:
    works.push(event("left"))
    works.drainer.start()
    wait_until(lambda: works.records() == ["left"], "what the last process left is stored")
    works.push(event("new"))
    wait_until(lambda: set(works.records()) == {"left", "new"}, "what comes is stored")
    works.drainer.stop()
    works.push(event("later"))
    works.renew()
    works.drainer.start()
    wait_until(lambda: len(works.records()) == 3, "what came meanwhile is stored")


def test_database_that_is_away_for_days_sets_nothing_aside(works: Works) -> None:
    works.valve.failing = lambda _: AWAY
    works.push(*[event(f"r-{number}") for number in range(3)])
    assert works.drain(40) == 40
    works.clock.advance(29 * 86400)
    assert works.drain(40) == 40
    assert (works.gauge("messages"), works.gauge("aside")) == (3, 0)
    assert works.gauge("oldest_seconds") == 29 * 86400
    works.valve.failing = lambda _: None
    works.drain()
    assert works.records() == ["r-0", "r-1", "r-2"]
    assert works.letters() == []


def test_thread_tries_again_until_the_database_is_back(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.push.drain, "RETRY_S", 0.01)
    works.valve.failing = lambda _: AWAY
    works.push(event("r-1"))
    works.drainer.start()
    wait_until(lambda: (works.gauge("failures_total") or 0) > 5, "it tries")
    works.valve.failing = lambda _: None
    wait_until(lambda: works.records() == ["r-1"], "it is stored")


def test_message_that_waited_is_history(works: Works) -> None:
    works.push(event("r-1", at=NOON))
    works.clock.advance(60)
    works.push(event("r-2", at=works.clock.now()))
    works.drain()
    assert [(row.record_id, row.late) for row in works.rows(EventRow, EventRow.record_id)][-2:] == [
        ("r-1", 1),
        ("r-2", 0),
    ]
    assert works.rows(EventRow, EventRow.record_id)[-2].received_at == NOON


def test_age_sets_aside_and_the_operator_is_told(works: Works) -> None:
    works.push(event("old"))
    works.clock.advance(30 * 86400 + 1)
    works.push(event("new", at=works.clock.now()))
    works.drain(2)
    assert works.records() == ["new"]
    assert works.letters() == [("spool_expired", None)]
    assert (works.gauge("messages"), works.gauge("aside")) == (0, 1)


def test_corrupt_file_is_set_aside_once_and_blocks_nobody(works: Works) -> None:
    works.push(event("bad"), event("good"))
    spoiled = min(works.folder.glob("*.msg"))
    spoiled.write_bytes(spoiled.read_bytes()[:-1])
    works.drain(3)
    assert works.records() == ["good"]
    (letter,) = works.rows(DeadLetter)
    assert (letter.reason, letter.source, letter.raw) == ("spool_corrupt", "http", None)
    assert spoiled.name in letter.detail
    assert [path.name for path in (works.folder / "aside").iterdir()] == [spoiled.name]


def test_dead_letter_of_what_was_set_aside_waits_for_the_database(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    works.push(event("bad"))
    next(works.folder.glob("*.msg")).write_bytes(b"")
    with monkeypatch.context() as patch:
        patch.setattr("bus.deadletters.record", lambda *_: (_ for _ in ()).throw(AWAY))
        assert works.drain(3) == 3
    assert works.letters() == []
    works.drain(3)
    assert works.letters() == [("spool_corrupt", None)]


def test_strange_file_becomes_a_dead_letter(works: Works) -> None:
    works.drainer.start(["holiday.jpg"])
    wait_until(lambda: works.letters() == [("spool_corrupt", None)], "the operator is told")


def test_refused_message_becomes_a_dead_letter_with_its_bytes(works: Works) -> None:
    works.push(b"no json", event("r-1"))
    works.push(event("r-2"), topic="/somewhere")
    works.push(event("r-3"), device="old-1")
    works.drain()
    assert works.records() == ["r-1"]
    assert sorted(works.letters()) == [
        ("disabled_device", "old-1"),
        ("malformed_json", "cam-1"),
        ("wrong_topic", "cam-1"),
    ]
    (letter,) = [one for one in works.rows(DeadLetter) if one.reason == "malformed_json"]
    assert (letter.source, letter.raw, letter.topic) == ("http", b"no json", "/event")
    assert letter.context["content_type"] == "application/json"
    assert list(works.folder.glob("*.msg")) == []


@pytest.mark.parametrize("size", [0, 5 * 1024 * 1024], ids=["small", "a batch of its own"])
@pytest.mark.parametrize(
    "error", [ValueError("cannot be written"), AWAY], ids=["other", "as if it would pass"]
)
def test_message_that_fails_beside_others_that_do_not_is_set_aside(
    works: Works, error: Exception, size: int
) -> None:
    poison = event("poison", note="x" * size)
    works.valve.failing = lambda payloads: error if poison in payloads else None
    works.push(event("r-1"), poison, *[event(f"r-{number}") for number in range(2, 10)])
    failed = works.drain(20)
    assert set(works.records()) == {f"r-{number}" for number in range(1, 10)}
    assert works.letters() == [("spool_not_stored", None)]
    assert (works.gauge("messages"), works.gauge("aside")) == (0, 1)
    assert failed == ingest.push.drain.PATIENCE + ingest.push.drain.STRIKES


def test_two_bad_messages_side_by_side_do_not_hide_each_other(works: Works) -> None:
    works.valve.failing = lambda payloads: AWAY if any(b"poison" in one for one in payloads) else None
    works.push(event("poison-1"), event("poison-2"), *[event(f"r-{number}") for number in range(8)])
    works.drain(60)
    assert set(works.records()) == {f"r-{number}" for number in range(8)}
    assert works.gauge("aside") >= 1


def test_failure_alone_in_the_spool_is_never_the_messages_fault(works: Works) -> None:
    works.valve.failing = lambda _: ValueError("who knows")
    works.push(event("r-1"))
    assert works.drain(50) == 50
    works.valve.failing = lambda _: None
    works.drain()
    assert (works.records(), works.gauge("aside")) == (["r-1"], 0)


def test_lock_that_is_lifted_in_the_middle_sets_nothing_aside(works: Works) -> None:
    works.push(*[event(f"r-{number}") for number in range(6)])
    attempts = 0

    def flaky(_payloads: list[bytes]) -> Exception | None:
        nonlocal attempts
        attempts += 1
        return AWAY if attempts % 3 else None

    works.valve.failing = flaky
    works.drain(100)
    assert sorted(works.records()) == [f"r-{number}" for number in range(6)]
    assert works.gauge("aside") == 0


def test_crash_between_commit_and_deletion_stores_nothing_twice(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    works.push(event("r-1"), event("r-2", at=None))
    with monkeypatch.context() as patch:
        patch.setattr(works.spool, "done", lambda _number: (_ for _ in ()).throw(ValueError("killed")))
        assert works.drain() == 1
    works.clock.advance(5)
    works.renew()
    works.drain()
    assert sorted(works.records()) == ["r-1", "r-2"]
    assert works.letters() == []


def test_batches_are_bounded_by_bytes(works: Works) -> None:
    works.push(*[event(f"r-{number}", note="x" * 1024 * 1024) for number in range(6)])
    works.drain(2)
    assert [len(batch) for batch in works.valve.batches] == [3, 3]


def test_both_ways_into_the_intake_at_once_lose_and_double_nothing(works: Works) -> None:
    # The same records by broker and by push, as from a device that is set up twice.
    payloads = [event(f"r-{number}", at=NOON + dt.timedelta(seconds=number % 7)) for number in range(200)]
    works.push(*payloads)
    works.drainer.start()
    for payload in payloads:
        works.valve.process([Arrival("rw/v1/honghua/cam-1/up/event", payload, NOON)])
    wait_until(lambda: works.gauge("messages") == 0, "the spool is empty")
    assert sorted(works.records()) == sorted(f"r-{number}" for number in range(200))
    assert works.letters() == []
    assert sum(row.resent for row in works.rows(EventRow)) == 200
