import base64
import datetime as dt
import json
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError

from ingest.arrival import Arrival
from ingest.flood import Limit
from ingest.flooding import WINDOW
from storage import Database, MediaStore
from storage.events import EventRow
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import JPEG
from tests.support.gate import Gate, make_gate
from tests.support.native import event, state, topic

LIMIT = Limit(1, 10)
PICTURE = {"role": "face", "jpeg": base64.b64encode(JPEG + b" " * 3000 + b"\xff\xd9").decode()}


@pytest.fixture
def gate(database: Database, media: MediaStore, clock: VirtualClock) -> Gate:
    return make_gate(database, media, clock, LIMIT)


def faults(gate: Gate) -> list[dict]:
    rows = gate.rows(EventRow, EventRow.received_at)
    return [row.body["attributes"] for row in rows if row.type == "device.fault"]


def flood(gate: Gate, count: int, first: int = 0, kind: str = "face.captured", **more: object) -> list:
    now = gate.clock.now()
    return gate.take(*[event(f"r-{number:03}", kind, now, **more) for number in range(first, first + count)])


def test_flood_is_answered_counted_and_told_as_one_event(
    either_database: Database, media: MediaStore, clock: VirtualClock
) -> None:
    gate = make_gate(either_database, media, clock, LIMIT)
    answers = flood(gate, 40)
    # What is not answered comes again.
    assert [json.loads(answer.payload)["ok"] for answer in answers] == [True] * 40
    assert len(gate.events()) == 10
    assert gate.metrics.get_sample_value("ringward_ingest_suppressed_total", {"type": "face.captured"}) == 30
    gate.clock.advance(2)
    flood(gate, 5, first=40, kind="access.denied")
    assert gate.intake.close_floods(gate.clock.now()) == 0, "the window is open"
    gate.clock.advance(WINDOW.total_seconds())
    assert gate.intake.close_floods(gate.clock.now()) == 1
    assert faults(gate) == [
        {
            "cause": "flooding",
            "suppressed": {"access.denied": 3, "face.captured": 30},
            "from": NOON.isoformat(),
            "until": (NOON + dt.timedelta(seconds=2)).isoformat(),
        }
    ]
    # The first few, what the rate let through meanwhile, and how it ended, as history.
    stored = {row.record_id: bool(row.late) for row in gate.events()}
    assert list(stored) == [*(f"r-{number:03}" for number in range(10)), "r-039", "r-040", "r-041", "r-044"]
    assert [record for record, late in stored.items() if late] == ["r-039", "r-044"]
    assert gate.intake.close_floods(gate.clock.now()) == 0, "said once"
    assert gate.letters() == []


def test_nothing_critical_is_dropped(gate: Gate) -> None:
    flood(gate, 20)
    flood(gate, 50, first=100, kind="door.forced")
    flood(gate, 50, first=200, kind="alarm.sos")
    assert len([row for row in gate.events() if row.type != "face.captured"]) == 100


def test_one_mad_device_takes_nothing_from_the_others(gate: Gate) -> None:
    flood(gate, 50)
    gate.take(*[event(f"d-{number}") for number in range(5)], on=topic("door-1"))
    assert len([row for row in gate.events() if row.device_id == "door-1"]) == 5


def test_memory_of_hours_that_is_read_out_at_once_is_no_flood(gate: Gate) -> None:
    flood(gate, 20)
    for step in (1, -1):
        hours = [NOON - dt.timedelta(seconds=60 * number) for number in range(1, 300)][::step]
        gate.take(*[event(f"h-{step}-{at:%H%M}", at=at, late=True) for at in hours], on=topic("cam-2"))
    assert len([row for row in gate.events() if row.device_id == "cam-2"]) == 598


def test_history_of_one_moment_over_and_over_is_a_flood(gate: Gate) -> None:
    then = NOON - dt.timedelta(hours=1)
    gate.take(*[event(f"h-{number}", at=then, late=True) for number in range(100)])
    assert len(gate.events()) == 10


def test_pictures_of_what_is_dropped_are_neither_stored_nor_read(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood(gate, 11)
    read, put = Mock(side_effect=base64.b64decode), Mock(side_effect=gate.media.put)
    monkeypatch.setattr("devices.adapters.native.base64.b64decode", read)
    monkeypatch.setattr(gate.media, "put", put)
    flood(gate, 30, first=11, images=[PICTURE])

    def pictures_read() -> list[str]:
        return [call.args[0] for call in read.call_args_list if call.args[0]]

    assert (pictures_read(), put.call_count) == ([], 0)
    assert gate.letters() == []
    # What is critical is read whole, flood or not.
    flood(gate, 1, first=90, kind="alarm.intrusion", images=[PICTURE])
    assert (len(pictures_read()), put.call_count) == (1, 1)
    # And so is the last one, once the flood is over.
    gate.clock.advance(60)
    gate.intake.close_floods(gate.clock.now())
    assert [len(row.body["pictures"]) for row in gate.events()[-2:]] == [1, 1]


def test_batch_that_could_not_be_committed_finds_its_share_again(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Mock(side_effect=OperationalError("the database is locked", None, Exception()))
    for _ in range(5):
        with monkeypatch.context() as patch:
            patch.setattr("ingest.intake.store", away)
            with pytest.raises(OperationalError):
                flood(gate, 10)
    flood(gate, 10)
    assert len(gate.events()) == 10
    gate.clock.advance(60)
    assert gate.intake.close_floods(gate.clock.now()) == 0


def test_flood_whose_end_could_not_be_written_is_told_later(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood(gate, 20)
    gate.clock.advance(60)
    with monkeypatch.context() as patch:
        patch.setattr("ingest.intake.notice", Mock(side_effect=OperationalError("gone", None, Exception())))
        with pytest.raises(OperationalError):
            gate.intake.close_floods(gate.clock.now())
    assert (faults(gate), len(gate.events())) == ([], 10)
    assert gate.intake.close_floods(gate.clock.now()) == 1
    assert ([one["suppressed"] for one in faults(gate)], len(gate.events())) == ([{"face.captured": 10}], 11)


def test_flood_is_told_before_the_process_ends(gate: Gate) -> None:
    flood(gate, 20)
    assert gate.intake.close_floods(None) == 1
    assert [one["suppressed"] for one in faults(gate)] == [{"face.captured": 10}]


def test_device_that_floods_is_there(gate: Gate) -> None:
    gate.take(state(), on=topic(leaf="state"))
    flood(gate, 20)
    gate.clock.advance(3)
    flood(gate, 20, first=100)
    assert gate.status().last_seen == gate.clock.now()


def test_dead_letters_of_one_device_are_bounded(
    either_database: Database, media: MediaStore, clock: VirtualClock
) -> None:
    gate = make_gate(either_database, media, clock, LIMIT)
    arrivals = [
        Arrival(topic(), b"poison %d" % number, NOON + dt.timedelta(milliseconds=number))
        for number in range(2000)
    ]
    settled = gate.intake.process(arrivals[:1000]) + gate.intake.process(arrivals[1000:])
    assert {one.refused for one in settled} == {"malformed_json"}
    letters = gate.letters()
    assert len(letters) == 501
    (many,) = [letter for letter in letters if letter.count > 1]
    assert (many.count, many.raw, many.received_at) == (1500, b"poison 500", arrivals[500].received_at)
    assert many.last_seen == arrivals[-1].received_at
    assert many.context["many"] is True


def test_stranger_that_floods_is_noted_once_a_batch(gate: Gate) -> None:
    settled = gate.take(*[event(f"r-{number}") for number in range(50)], on=topic("cam-9"))
    assert settled == [None] * 50
    assert len(gate.letters()) == 50, "each may become history once the device is registered"
