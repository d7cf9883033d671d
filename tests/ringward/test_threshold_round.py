"""The keeper surveys operators' answers once a day, proposes, and says how cameras do in its metrics."""

import datetime as dt

import pytest

from devices.stages import By
from recognition.feedback import answers, proposals
from recognition.models import CameraView, DecisionRow, Verdict
from ringward.foundation import Foundation
from ringward.housekeeping import Housekeeping, HousekeepingMetrics
from storage import new_id
from tests.support.compound import COMPOUND

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
MORNING = dt.datetime(2026, 11, 25, 9, tzinfo=SHANGHAI)


@pytest.fixture
def housekeeping(ground: Foundation) -> Housekeeping:
    ground.clock.at = MORNING.astimezone(dt.UTC)
    return Housekeeping(ground, HousekeepingMetrics(ground.metrics))


def metric(ground: Foundation, name: str, **labels: str) -> float | None:
    return ground.metrics.get_sample_value(f"ringward_recognition_{name}", labels)


def answered(
    ground: Foundation, verdict: Verdict, times: int, *, device: str = "cam-1", **changes: object
) -> None:
    now = ground.clock.now()
    fields = {
        "compound": COMPOUND,
        "subject_kind": "face",
        "outcome": "identified",
        "person_id": "p1",
        "score": 0.48,
        "threshold": 0.5,
        "engine": "dlib",
        "engine_version": "19.24",
        "candidates": [],
        "reasons": [],
        "evidence": {},
        "milliseconds": 5,
        "device": device,
        "at": now - dt.timedelta(minutes=5),
        "decided_at": now,
    }
    with ground.database.write() as session:
        for _ in range(times):
            row = DecisionRow(sighting_id=new_id(), event_id=new_id(), **fields | changes)
            session.add(row)
            session.flush()
            answers.give(session, row, verdict, by="op", at=now)


def proposed(ground: Foundation) -> list[tuple[str, str]]:
    with ground.database.read() as session:
        return [(row.device, str(row.state)) for row in proposals.listed(session, COMPOUND)]


def test_answers_are_surveyed_once_a_day_and_after_a_start(ground, housekeeping):
    housekeeping.keep()
    answered(ground, Verdict.NO_MATCH, 10)
    answered(ground, Verdict.MATCH, 30)
    ground.clock.at += dt.timedelta(minutes=10)
    housekeeping.keep()
    assert proposed(ground) == []
    assert metric(ground, "threshold_proposals_open") == 0
    ground.clock.at = dt.datetime(2026, 11, 26, 0, 0, 1, tzinfo=SHANGHAI).astimezone(dt.UTC)
    housekeeping.keep()
    assert proposed(ground) == [("cam-1", "open")]
    assert metric(ground, "threshold_proposals_open") == 1
    assert metric(ground, "false_name_share", device="cam-1") == 0.25
    assert metric(ground, "judged_names", device="cam-1") == 40
    with ground.database.write() as session:
        (row,) = proposals.listed(session, COMPOUND)
        proposals.decide(
            session, COMPOUND, row.id, approve=True, by=By("u", "administrator"), at=ground.clock.now()
        )
    housekeeping.keep()
    assert metric(ground, "threshold_proposals_open") == 0, "people decide at any time of the day"


def test_each_ring_is_held_to_its_own_promise(ground, housekeeping):
    # One false name in 200 strangers' passages, surely: more than a door may, less than a gate here.
    ground.settings.gate_fpir, ground.settings.door_fpir = 0.05, 1e-4
    for device in ("cam-1", "door-1"):
        answered(ground, Verdict.NO_MATCH, 3, device=device)
        answered(ground, Verdict.NO_MATCH, 600, device=device, outcome="unknown", score=0.7, person_id=None)
    housekeeping.keep()
    assert proposed(ground) == [("door-1", "open")]


def test_camera_that_is_no_longer_in_use_leaves_the_metrics(ground, housekeeping):
    answered(ground, Verdict.MATCH, 1)
    answered(ground, Verdict.MATCH, 1, device="door-1")
    housekeeping.keep()
    assert metric(ground, "false_name_share", device="door-1") == 0.0
    ground.clock.at += dt.timedelta(days=91)
    answered(ground, Verdict.MATCH, 1)
    housekeeping.keep()
    assert metric(ground, "false_name_share", device="cam-1") == 0.0
    assert metric(ground, "false_name_share", device="door-1") is None


def test_survey_that_fails_stops_nothing_and_is_tried_again(ground, housekeeping, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk")

    answered(ground, Verdict.NO_MATCH, 10)
    answered(ground, Verdict.MATCH, 30)
    with monkeypatch.context() as patched:
        patched.setattr(proposals, "survey", fail)
        housekeeping.keep()
    failed = ground.metrics.get_sample_value(
        "ringward_privacy_housekeeping_failures_total", {"work": "thresholds"}
    )
    assert (failed, proposed(ground)) == (1.0, [])
    housekeeping.keep()
    assert proposed(ground) == [("cam-1", "open")]


def test_nothing_moves_by_itself(ground, housekeeping):
    answered(ground, Verdict.NO_MATCH, 40)
    for _ in range(3):
        ground.clock.at += dt.timedelta(days=1)
        housekeeping.keep()
    assert proposed(ground) == [("cam-1", "open")]
    with ground.database.read() as session:
        assert session.get(CameraView, "cam-1") is None
