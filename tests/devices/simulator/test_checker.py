"""The history checker finds what was lost, doubled and invented, and calls nothing so that was not."""

import datetime as dt
import hashlib
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bus import deadletters
from devices.simulator.checker import Verdict, check
from devices.simulator.history import Entry, History, read
from storage import Database
from storage.events import EVENT_COLUMNS, store

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
LATER = NOON + dt.timedelta(seconds=5)


def told(what: str, number: str | None = "1", happening: int = 1, **more: object) -> Entry:
    facts = {"kind": "door.opened", "said": NOON, "number": number} | more
    return Entry(NOON.timestamp(), "cam-1", what, happening, **facts)  # type: ignore[arg-type]


def add(
    session: Session,
    record: str,
    kind: str = "door.opened",
    at: dt.datetime = NOON,
    body: dict[str, object] | None = None,
) -> None:
    values = {
        "id": hashlib.blake2b(f"{record}{kind}{at}".encode(), digest_size=16).hexdigest(),
        "compound": "yard",
        "device_id": "cam-1",
        "record_id": record,
        "type": kind,
        "ring": "entrance",
        "zone": "gate",
        "device_time": at,
        "corrected_time": at,
        "received_at": LATER,
        "late": 0,
        "marks": [],
        "body": body or {},
        "content_hash": "",
        "resent": 0,
    }
    store(session, [tuple(values.get(name) for name in EVENT_COLUMNS)])


@pytest.fixture
def judge(database: Database):
    def judged(entries: list[Entry], *events: tuple[object, ...]) -> Verdict:
        with database.write() as session:
            for event in events:
                add(session, *event)
        with database.read() as session:
            return check(entries, session, {"cam-1"}, NOON)

    return judged


def test_what_was_acknowledged_and_stored_is_clean(judge) -> None:
    verdict = judge([told("told"), told("acknowledged")], ("rec:1",))
    assert verdict.clean
    assert (verdict.happened, verdict.acknowledged, verdict.stored) == (1, 1, 1)


def test_what_was_acknowledged_and_is_missing_is_lost(judge) -> None:
    verdict = judge([told("told"), told("acknowledged")])
    assert (verdict.lost, verdict.clean) == (1, False)
    assert verdict.differences == ["lost: cam-1 door.opened 1 2026-11-23T04:00:00+00:00"]


def test_what_nobody_acknowledged_may_be_missing(judge) -> None:
    verdict = judge([told("told"), told("lost", "2", 2)])
    assert verdict.clean
    assert verdict.unanswered == 2


def test_one_happening_with_two_events_is_doubled(judge) -> None:
    verdict = judge([told("told"), told("acknowledged")], ("rec:1",), ("other:1",))
    assert (verdict.doubled, verdict.clean) == (1, False)


def test_an_event_that_nobody_told_of_is_invented(judge) -> None:
    verdict = judge([told("told"), told("acknowledged")], ("rec:1",), ("rec:2",))
    assert (verdict.invented, verdict.lost) == (1, 0)


@pytest.mark.parametrize("record", ["1", "rec:1", "car:1", "1/plate", "structure:1.0", "shot/1@3,4/x"])
def test_a_number_is_known_in_whatever_dress(judge, record: str) -> None:
    assert judge([told("acknowledged")], (record,)).clean


def test_another_number_or_time_is_another_record(judge) -> None:
    assert judge([told("acknowledged")], ("rec:11",)).lost == 1
    late = told("acknowledged", "7")
    assert judge([late], ("rec:7", "door.opened", LATER)).lost == 1


def test_without_a_number_time_and_count_decide(judge) -> None:
    two = [told("acknowledged", None, 1), told("acknowledged", None, 2)]
    assert judge(two, ("~aa",), ("~bb",)).clean
    assert judge([*two, told("acknowledged", None, 3)]).lost == 1


def test_without_number_and_time_the_count_decides(judge) -> None:
    states = [told("acknowledged", None, number, said=None) for number in (1, 2)]
    assert judge(states, ("~aa@1",), ("~aa@2", "door.opened", LATER)).clean


def test_one_happening_told_again_is_one(judge) -> None:
    again = [told("told"), told("told"), told("acknowledged"), told("acknowledged")]
    assert judge(again, ("rec:1",)).clean


def test_what_ringward_notes_by_itself_is_not_invented(judge) -> None:
    assert judge([], ("device.offline@2026-11-23T04:00:00+00:00", "device.offline")).clean


def test_what_a_flood_was_counted_instead_of_stored_is_not_lost(judge) -> None:
    mad = [told("acknowledged", str(number), number, mad=True) for number in range(10)]
    flood = ("device.fault@x", "device.fault", NOON, {"attributes": {"suppressed": {"door.opened": 7}}})
    verdict = judge(mad, ("rec:1",), ("rec:2",), ("rec:3",), flood)
    assert verdict.clean
    assert verdict.suppressed == 7
    assert judge([*mad, told("acknowledged", "99", 99)]).lost == 1


def test_a_broken_message_must_lie_with_the_dead_letters(database: Database) -> None:
    raw = b'{"v":1,"id'
    digest = hashlib.blake2b(raw, digest_size=16).hexdigest()
    entries = [
        Entry(NOON.timestamp(), "cam-1", what, digest=digest)  # type: ignore[arg-type]
        for what in ("broken", "broken_acknowledged")
    ]
    with database.read() as session:
        assert check(entries, session, {"cam-1"}, NOON).lost_letters == 1
    with database.write() as session:
        letter = deadletters.letter("mqtt", "malformed_json", LATER, device_id="cam-1", raw=raw)
        deadletters.record(session, [letter])
    with database.read() as session:
        verdict = check(entries, session, {"cam-1"}, NOON)
        assert (verdict.clean, verdict.letters) == (True, 1)
        # The same letter without a broken message is a whole one that was refused.
        assert check([], session, {"cam-1"}, NOON).strange_letters == 1


@pytest.mark.parametrize(("reason", "strange"), [("broker_auth_failed", 0), ("broker_forbidden_topic", 1)])
def test_a_sign_in_before_its_time_is_no_message_and_a_forbidden_topic_is_one(
    database: Database, reason: str, strange: int
) -> None:
    with database.write() as session:
        deadletters.record(session, [deadletters.letter("broker", reason, LATER, device_id="cam-1")])
    with database.read() as session:
        assert check([], session, {"cam-1"}, NOON).strange_letters == strange


def test_a_history_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    history = History(tmp_path / "deep" / "history.ndjson")
    history.add(told("told", ms=1.5, by="puback"))
    history.add(Entry(NOON.timestamp(), "cam-1", "cut"))
    history.close()
    assert list(read(tmp_path / "deep" / "history.ndjson")) == history.entries
