"""What operators' answers propose for a camera's threshold, and a person's word on it."""

import datetime as dt
import enum
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from console.accounts.models import User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.permissions import Action, may
from devices.stages import By
from recognition.feedback import proposals
from recognition.models import ProposalState, ThresholdProposal

router = APIRouter(tags=["recognition"])
Reader = Annotated[User, may(Action.RECOGNITION_READ)]
Decider = Annotated[User, may(Action.THRESHOLDS_DECIDE)]


class ProposalVerdict(enum.StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"


class ProposalDecided(BaseModel):
    verdict: ProposalVerdict


class ProposalView(BaseModel):
    """Shifts are distances from the calibrated threshold; negative is stricter.

    `grounds` hold the counts, the promised rate of false names in strangers' passages, and how
    low and how high the observed one may be.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    device: str
    engine: str
    engine_version: str
    shift_now: float
    shift_proposed: float
    grounds: dict[str, Any]
    state: ProposalState
    made_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None


@router.get("/threshold-proposals")
def threshold_proposals(
    here: Here, _: Reader, paging: Asked, *, state: ProposalState | None = None
) -> Page[ProposalView]:
    """Proposals, newest first."""
    query = select(ThresholdProposal).where(ThresholdProposal.compound == here.compound)
    if state is not None:
        query = query.where(ThresholdProposal.state == state)
    with here.database.read() as session:
        order = (ThresholdProposal.made_at, ThresholdProposal.id)
        items, cursor = newest_first(session, query, order, paging, ProposalView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.post("/threshold-proposals/{proposal_id}/decision")
def decide(here: Here, user: Decider, proposal_id: str, asked: ProposalDecided) -> ProposalView:
    """Approved, the camera's threshold moves in the same commit."""
    at = here.clock.now()
    with here.database.write() as session:
        row = proposals.decide(
            session,
            here.compound,
            proposal_id,
            approve=asked.verdict is ProposalVerdict.APPROVE,
            by=By(user.id, str(user.role)),
            at=at,
        )
        return ProposalView.model_validate(row)
