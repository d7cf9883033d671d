import datetime as dt

import pytest
from feedback_world import NOW
from sqlalchemy import func, select

from devices.models import Device
from devices.stages import By
from recognition.cameras import camera_of, change
from recognition.feedback import proposals
from recognition.models import ProposalState, ThresholdProposal
from registry.errors import MissingError, RefusedError
from storage.audit import AuditRow
from tests.support.compound import COMPOUND, ELSEWHERE

LATER = NOW + dt.timedelta(days=1)
CHIEF = By("u-chief", "administrator")


def promise(ring):
    return {"entrance": 1e-3, "building": 1e-4}[ring]


def propose(gate, at=NOW):
    with gate.database.read() as session:
        found = proposals.survey(session, COMPOUND, promise, at)
    with gate.database.write() as session:
        return [row.id for row in proposals.record(session, COMPOUND, found, at)]


def decide(gate, proposal, *, approve, at=NOW):
    with gate.database.write() as session:
        return proposals.decide(session, COMPOUND, proposal, approve=approve, by=CHIEF, at=at)


def states(gate):
    with gate.database.read() as session:
        return [row.state for row in proposals.listed(session, COMPOUND)]


def shift(gate, device="cam-1"):
    with gate.database.read() as session:
        return camera_of(session, device).threshold_shift


@pytest.fixture
def bad(gate):
    """A gate at which ten strangers were named, each well within the threshold."""
    gate.answered("no_match", times=10, score=0.48)
    gate.answered("match", times=20)
    gate.answered("no_match", "unknown", times=10, score=0.7)
    return gate


def test_answers_propose_once_and_a_person_moves_the_threshold(bad):
    (proposal,) = propose(bad)
    assert shift(bad) == 0.0, "nothing moves by itself"
    assert propose(bad, NOW + dt.timedelta(hours=1)) == [], "it stands already"
    with bad.database.read() as session:
        row = session.get_one(ThresholdProposal, proposal)
        assert (row.device, row.engine, row.engine_version) == ("cam-1", "dlib", "19.24")
        assert (row.shift_now, row.shift_proposed, row.made_at) == (0.0, -0.025, NOW)
        assert (row.grounds["false"], row.grounds["right"], row.grounds["promised"]) == (10, 20, 1e-3)
    decided = decide(bad, proposal, approve=True)
    assert (decided.state, decided.decided_by, decided.decided_at) == ("approved", "u-chief", NOW)
    assert shift(bad) == -0.025
    with bad.database.read() as session:
        audit = session.scalars(select(AuditRow).where(AuditRow.action == "device.view_changed")).one()
        assert (audit.actor, audit.subject, audit.detail) == (
            "u-chief",
            "device:cam-1",
            "threshold_shift=0>-0.025",
        )


@pytest.mark.parametrize("approve", [True, False])
def test_answers_that_were_decided_on_are_used_up(bad, approve):
    (proposal,) = propose(bad)
    decide(bad, proposal, approve=approve)
    assert propose(bad, LATER) == []
    assert states(bad) == ["approved" if approve else "refused"]
    assert shift(bad) == (-0.025 if approve else 0.0)
    bad.answered("no_match", times=30, score=0.45, at=LATER, decided_at=LATER)
    assert propose(bad, LATER) == [], "passages from before the decision, answered after it"


def test_decided_is_decided(bad):
    (proposal,) = propose(bad)
    decide(bad, proposal, approve=False)
    with pytest.raises(RefusedError, match="proposal_settled"):
        decide(bad, proposal, approve=True)
    with bad.database.write() as session, pytest.raises(MissingError, match="threshold_proposal"):
        proposals.decide(session, ELSEWHERE, proposal, approve=True, by=CHIEF, at=NOW)
    assert shift(bad) == 0.0


def test_more_answers_overtake_a_proposal(bad):
    (first,) = propose(bad)
    bad.answered("no_match", times=10, score=0.46)
    (second,) = propose(bad, LATER)
    assert states(bad) == ["open", "overtaken"]
    with bad.database.read() as session:
        assert session.get_one(ThresholdProposal, second).shift_proposed == -0.045
    with pytest.raises(RefusedError, match="proposal_settled"):
        decide(bad, first, approve=True)


def test_another_engine_overtakes_a_proposal(bad):
    (proposal,) = propose(bad)
    bad.passed(engine_version="20", at=NOW - dt.timedelta(minutes=1))
    with pytest.raises(RefusedError, match="proposal_overtaken"):
        decide(bad, proposal, approve=True)
    assert shift(bad) == 0.0
    assert propose(bad) == []
    assert states(bad) == ["overtaken"]


def test_camera_that_is_looked_at_in_another_way_starts_anew(bad):
    propose(bad)
    with bad.database.write() as session:
        change(session, session.get_one(Device, "cam-1"), {"smallest_face_px": 80}, NOW, CHIEF)
    assert propose(bad, LATER) == []
    assert states(bad) == ["overtaken"]


def test_retired_camera_has_no_threshold_to_move(bad):
    (proposal,) = propose(bad)
    with bad.database.write() as session:
        session.get_one(Device, "cam-1").retired_at = NOW
    with pytest.raises(RefusedError, match="proposal_overtaken"):
        decide(bad, proposal, approve=True)
    assert propose(bad, LATER) == []
    assert states(bad) == ["overtaken"]


def test_camera_with_a_promise_of_its_own_is_held_to_that(bad):
    with bad.database.write() as session:
        device = session.get_one(Device, "cam-1")
        change(session, device, {"fpir": 0.1}, NOW - dt.timedelta(days=60), CHIEF)
    # Ten confirmed in twenty passages without a name are more than one in ten all the same.
    bad.passed("unknown", times=200)
    assert propose(bad) == []
    with bad.database.write() as session:
        device = session.get_one(Device, "cam-1")
        change(session, device, {"fpir": 0.01}, NOW - dt.timedelta(days=59), CHIEF)
    assert len(propose(bad)) == 1


def test_what_somebody_decided_while_it_was_surveyed_is_not_proposed_again(bad):
    (proposal,) = propose(bad)
    with bad.database.read() as session:
        found = proposals.survey(session, COMPOUND, promise, NOW)
    decide(bad, proposal, approve=False, at=NOW + dt.timedelta(seconds=1))
    with bad.database.write() as session:
        assert proposals.record(session, COMPOUND, found, NOW) == []
    assert states(bad) == ["refused"]


def test_survey_has_the_score_of_every_camera_that_is_in_use(bad):
    bad.passed(device="door-1")
    with bad.database.read() as session:
        found = proposals.survey(session, COMPOUND, promise, NOW)
    assert [(one.score.looked.device, one.move is not None) for one in found] == [
        ("cam-1", True),
        ("door-1", False),
    ]
    assert found[0].score.false_of_judged.value == 10 / 30


def test_device_of_its_own_match_and_plates_propose_nothing(gate):
    gate.answered("no_match", times=40, engine=None, engine_version=None, threshold=None, score=None)
    assert propose(gate) == []


def test_each_camera_is_judged_by_its_own_answers(bad):
    bad.answered("no_match", times=40, device="door-1", score=0.49)
    assert len(propose(bad)) == 2
    with bad.database.read() as session:
        found = {
            row.device: row.shift_proposed for row in proposals.listed(session, COMPOUND, ProposalState.OPEN)
        }
        assert found == {"cam-1": -0.025, "door-1": -0.015}
        assert session.scalar(select(func.count()).select_from(ThresholdProposal)) == 2
