"""Retention beside live ingest: rows a second, and whether devices notice.

The same events and decisions are deleted twice: by retention's own batches while events
come in, and, as the ceiling, by one statement a table with nothing else going on. How long a
device waits for its acknowledgement is measured with and without retention beside it.
"""

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from sqlalchemy import delete, insert

from privacy import retention
from privacy.retention.passages import DECISIONS, PASSAGES
from recognition.models import DecisionRow
from ringward import memory
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import COMPOUND, FACE_CAMERA, Rig, publisher, rig
from ringward.bench.timed import DEADLINE_S, TimedIntake, subscriber, wait_for
from storage import content_id
from storage.columns import EncodedJson
from storage.events import EVENT_COLUMNS, EventRow, store

RATE: Final = 200.0
SIZE: Final = 2048
_CHUNK: Final = 5000
# A month's passages, all of them over.
_SPAN: Final = dt.timedelta(days=30)


@dataclass(slots=True)
class _Part:
    """What became of one class; the first batch's rows are counted, its time is not."""

    rows: int = 0
    started: float = 0.0
    took: float = 0.0
    waits: list[float] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        return self.rows / self.took


def run(*, events: int, seconds: int) -> Report:
    """`events` old events with a decision each are deleted while 200 a second come in."""
    memory.settle()
    policy = retention.RetentionPolicy()
    with rig() as ground:
        now = ground.foundation.clock.now()
        intake = TimedIntake(ground)
        receiving = subscriber(ground, intake, "retention")
        receiving.start()
        try:
            wait_for(lambda: receiving.connected)
            alone = _alone(ground, intake, seconds)
            _fill(ground, events, now)
            beside = _beside(ground, intake, policy, now)
        finally:
            receiving.stop()
        _fill(ground, events, now)
        ceilings = _at_once(ground, policy, now)
    events_part, decisions_part = beside[PASSAGES.name], beside[DECISIONS.name]
    return report(
        "retention",
        {"events": events, "decisions": events, "rate_per_s": RATE, "size_bytes": SIZE},
        {
            "events_deleted_per_s": events_part.per_s,
            "decisions_deleted_per_s": decisions_part.per_s,
            "alone_publish_to_commit_p50_ms": percentile(alone, 0.5),
            "alone_publish_to_commit_p99_ms": percentile(alone, 0.99),
            "beside_events_publish_to_commit_p50_ms": percentile(events_part.waits, 0.5),
            "beside_events_publish_to_commit_p99_ms": percentile(events_part.waits, 0.99),
            "beside_decisions_publish_to_commit_p50_ms": percentile(decisions_part.waits, 0.5),
            "beside_decisions_publish_to_commit_p99_ms": percentile(decisions_part.waits, 0.99),
        },
        {
            "one_delete_of_events_per_s": ceilings[PASSAGES.name],
            "one_delete_of_decisions_per_s": ceilings[DECISIONS.name],
        },
        {
            "events_over_one_delete": events_part.per_s / ceilings[PASSAGES.name],
            "decisions_over_one_delete": decisions_part.per_s / ceilings[DECISIONS.name],
            "p99_beside_events_over_alone": percentile(events_part.waits, 0.99) / percentile(alone, 0.99),
            "p99_beside_decisions_over_alone": percentile(decisions_part.waits, 0.99)
            / percentile(alone, 0.99),
        },
    )


def _alone(ground: Rig, intake: TimedIntake, seconds: int) -> list[float]:
    """Milliseconds from publish to commit with nothing else going on."""
    expected = intake.committed + round(seconds * RATE)
    publisher(ground.mqtt_port, round(seconds * RATE), SIZE, 0, RATE).wait(DEADLINE_S)
    wait_for(lambda: intake.committed >= expected)
    return _taken(intake)


def _beside(
    ground: Rig, intake: TimedIntake, policy: retention.RetentionPolicy, now: dt.datetime
) -> dict[str, _Part]:
    """The same while retention runs, for events and decisions apart."""
    foundation = ground.foundation
    publishing = publisher(ground.mqtt_port, round(DEADLINE_S * RATE), SIZE, 1_000_000, RATE)
    begun = intake.committed
    wait_for(lambda: intake.committed > begun + RATE)
    parts = {name: _Part() for name in (DECISIONS.name, PASSAGES.name)}

    def seen(name: str, count: int) -> None:
        part = parts[name]
        # The class before has left its waits behind.
        if not part.rows:
            part.started = time.monotonic()
            _taken(intake)
        part.rows += count
        part.took = time.monotonic() - part.started
        part.waits += _taken(intake)

    retention.run(foundation.database, foundation.media, foundation.vault, policy, now, seen=seen)
    publishing.terminate()
    publishing.wait(DEADLINE_S)
    return parts


def _taken(intake: TimedIntake) -> list[float]:
    waits, intake.latencies_ms = intake.latencies_ms, []
    return waits


def _at_once(ground: Rig, policy: retention.RetentionPolicy, now: dt.datetime) -> dict[str, float]:
    """Rows a second of one DELETE a table of the same rows."""
    cutoff = policy.cutoff("passages", now)
    ceilings = {}
    for name, row, clock in (
        (DECISIONS.name, DecisionRow, DecisionRow.at),
        (PASSAGES.name, EventRow, EventRow.corrected_time),
    ):
        started = time.monotonic()
        with ground.foundation.database.write() as session:
            gone: Any = session.execute(
                delete(row).where(row.compound == COMPOUND, clock < cutoff),
                execution_options={"synchronize_session": False},
            )
        ceilings[name] = gone.rowcount / (time.monotonic() - started)
    return ceilings


def _fill(ground: Rig, events: int, now: dt.datetime) -> None:
    """Old events as ingest leaves them, and what recognition made of each."""
    end = now - dt.timedelta(days=200)
    body = EncodedJson(
        msgspec.json.encode(
            {
                "track": None,
                "credential": {"kind": "card", "ref": "c-1"},
                "plate": None,
                "match": None,
                "pictures": [],
                "attributes": {"pad": "x" * 300},
            }
        ).decode()
    )
    for start in range(0, events, _CHUNK):
        numbers = range(start, min(events, start + _CHUNK))
        moments = [end - _SPAN * (1 - n / events) for n in numbers]
        with ground.foundation.database.write() as session:
            rows = [_event(n, moment, body) for n, moment in zip(numbers, moments, strict=True)]
            store(session, rows)
            session.execute(insert(DecisionRow), [_decision(row) for row in rows])


def _event(number: int, moment: dt.datetime, body: EncodedJson) -> tuple[Any, ...]:
    values: dict[str, Any] = {
        "id": f"{round(moment.timestamp() * 1000):012x}{content_id('old', str(number))[:20]}",
        "compound": COMPOUND,
        "device_id": FACE_CAMERA,
        "record_id": f"old-{number}",
        "type": "face.captured",
        "ring": "entrance",
        "zone": "gate",
        "lane": "lane",
        "direction": "in",
        "device_time": moment,
        "corrected_time": moment,
        "received_at": moment,
        "late": 0,
        "marks": [],
        "body": body,
        "content_hash": "0" * 32,
        "resent": 0,
        "revision": None,
    }
    return tuple(values[name] for name in EVENT_COLUMNS)


def _decision(row: Sequence[Any]) -> dict[str, Any]:
    at = row[EVENT_COLUMNS.index("corrected_time")]
    event_id = row[0]
    return {
        "sighting_id": content_id("sighting", event_id, "face"),
        "event_id": event_id,
        "compound": COMPOUND,
        "subject_kind": "face",
        "outcome": "identified",
        "person_id": f"p-{int(event_id[-4:], 16) % 4000}",
        "candidates": [{"person_id": "p-1", "distance": 0.31}, {"person_id": "p-2", "distance": 0.52}],
        "reasons": [],
        "evidence": {},
        "milliseconds": 40,
        "at": at,
        "decided_at": at,
    }
