"""What answers propose for a camera, read by those who watch and decided by the administrator."""

import pytest
from console_world import COMPOUND, START
from sqlalchemy import select

from console.accounts.models import Role
from recognition.models import CameraView, ProposalState, ThresholdProposal
from storage.audit import AuditRow

API = "/api/v1/threshold-proposals"


@pytest.fixture
def proposal(database, world):
    with database.write() as session:
        session.add(
            ThresholdProposal(
                id="prop-1",
                compound=COMPOUND,
                device="cam-1",
                engine="dlib",
                engine_version="19.24",
                shift_now=0.0,
                shift_proposed=-0.03,
                grounds={"towards": "stricter", "false": 5, "right": 30},
                state=ProposalState.OPEN,
                made_at=START,
            )
        )
    return "prop-1"


def shift(database):
    with database.read() as session:
        row = session.get(CameraView, "cam-1")
        return row.threshold_shift if row else 0.0


@pytest.mark.parametrize(
    ("verdict", "state", "moved"), [("approve", "approved", -0.03), ("refuse", "refused", 0.0)]
)
async def test_administrator_decides_and_only_then_the_threshold_moves(
    administrator, proposal, database, verdict, state, moved
):
    (shown,) = (await administrator.get(f"{API}?state=open")).json()["items"]
    assert (shown["id"], shown["shift_proposed"], shown["grounds"]["false"]) == (proposal, -0.03, 5)
    answer = await administrator.post(f"{API}/{proposal}/decision", json={"verdict": verdict})
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert answer.json()["decided_by"] == administrator.user.id
    assert shift(database) == moved
    assert (await administrator.get(f"{API}?state=open")).json()["items"] == []
    with database.read() as session:
        actions = session.execute(
            select(AuditRow.action, AuditRow.actor, AuditRow.detail).where(AuditRow.subject == "device:cam-1")
        ).all()
    expected = [("threshold.decided", administrator.user.id, f"{state} {proposal}")]
    if moved:
        expected.insert(0, ("device.view_changed", administrator.user.id, "threshold_shift=0>-0.03"))
    assert [tuple(row) for row in actions] == expected
    again = await administrator.post(f"{API}/{proposal}/decision", json={"verdict": "approve"})
    assert (again.status_code, again.json()["code"]) == (409, "proposal_settled")


async def test_proposal_for_a_threshold_that_has_moved_since_is_not_approved(
    administrator, proposal, database
):
    with database.write() as session:
        session.add(
            CameraView(
                device="cam-1", compound=COMPOUND, threshold_shift=-0.02, changed_at=START, changed_by="u"
            )
        )
    answer = await administrator.post(f"{API}/{proposal}/decision", json={"verdict": "approve"})
    assert (answer.status_code, answer.json()["code"]) == (409, "proposal_overtaken")
    assert shift(database) == -0.02
    refused = await administrator.post(f"{API}/{proposal}/decision", json={"verdict": "refuse"})
    assert refused.status_code == 200, "what nobody wants any more can be put away"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
async def test_who_answers_or_audits_reads_and_does_not_decide(signed_in, proposal, database, role):
    browser = signed_in(role)
    assert len((await browser.get(API)).json()["items"]) == 1
    answer = await browser.post(f"{API}/{proposal}/decision", json={"verdict": "approve"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert shift(database) == 0.0


async def test_proposal_that_is_not_there(administrator, world):
    answer = await administrator.post(f"{API}/none/decision", json={"verdict": "approve"})
    assert (answer.status_code, answer.json()["code"]) == (404, "threshold_proposal_not_found")
