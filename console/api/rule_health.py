"""How right the rules are, what follows from it, and what the alert budget held back."""

import datetime as dt
import enum
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict

from alerts.rulebook import health, heldback
from alerts.rulebook.advice import Advice
from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError
from console.security import as_actor

router = APIRouter(tags=["rules"])
Reader = Annotated[User, may(Action.RULES_READ)]
Decider = Annotated[User, may(Action.RULES_EDIT)]

_LONGEST = dt.timedelta(days=31)


class RuleProposalState(enum.StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    OVERTAKEN = "overtaken"


class RuleVerdict(enum.StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"


class HealthView(BaseModel):
    """One rule at one device in seven days; `reasons` of the false ones. `share` None: nobody judged any."""

    rule: str
    device: str
    alarms: int
    held: int
    judged: int
    false: int
    share: float | None
    reasons: dict[str, int]


class RuleProposalView(BaseModel):
    """`parameter`, `present` and `proposed` with the advice `parameter` only."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    rule: str
    device: str
    advice: Advice
    parameter: str | None
    present: float | None
    proposed: float | None
    alarms: int
    false_alarms: int
    reasons: dict[str, int]
    state: RuleProposalState
    made_at: dt.datetime
    decided_by: str | None
    decided_at: dt.datetime | None


class RuleProposalDecided(BaseModel):
    verdict: RuleVerdict


class HeldGroupView(BaseModel):
    """Incidents of one rule at one device; `still` are held now, the others came out."""

    model_config = ConfigDict(from_attributes=True)

    rule: str
    device: str
    severity: int
    reason: str
    count: int
    still: int
    first_at: dt.datetime
    last_at: dt.datetime


class HeldHourView(BaseModel):
    """`at` is the begin of the hour."""

    at: dt.datetime
    held: int


class HeldView(BaseModel):
    """Of all incidents that were raised in a span: how many were held back, which, when."""

    raised: int
    held: int
    came_out: int
    groups: list[HeldGroupView]
    by_hour: list[HeldHourView]


@router.get("/reports/rules")
def rule_report(here: Here, _: Reader) -> list[HealthView]:
    """By rule and device, the worst first."""
    with here.database.read() as session:
        return [
            HealthView(
                rule=one.rule,
                device=one.device,
                alarms=one.raised,
                held=one.held,
                judged=one.tally.judged,
                false=one.tally.false,
                share=one.tally.share,
                reasons=dict(one.tally.reasons),
            )
            for one in health.health(session, here.compound, here.clock.now())
        ]


@router.get("/reports/held")
def held_report(
    here: Here, _: Reader, *, start: AwareDatetime | None = None, end: AwareDatetime | None = None
) -> HeldView:
    """The last 24 hours, or a span of at most 31 days."""
    until = end or here.clock.now()
    since = start or until - dt.timedelta(hours=24)
    if not dt.timedelta() < until - since <= _LONGEST:
        raise ProblemError(422, "span_invalid", "The span is empty or longer than 31 days")
    with here.database.read() as session:
        found = heldback.report(session, here.compound, since, until)
    return HeldView(
        raised=found.raised,
        held=found.held,
        came_out=found.came_out,
        groups=[HeldGroupView.model_validate(one) for one in found.groups],
        by_hour=[HeldHourView(at=at, held=count) for at, count in found.by_hour],
    )


@router.get("/rule-proposals")
def rule_proposals(
    here: Here, _: Reader, *, state: RuleProposalState | None = None
) -> list[RuleProposalView]:
    """What is proposed to change, newest first."""
    with here.database.read() as session:
        rows = health.listed(session, here.compound, None if state is None else str(state))
        return [RuleProposalView.model_validate(row) for row in rows]


@router.post("/rule-proposals/{proposal_id}/decision")
def decide_rule_proposal(
    here: Here, user: Decider, proposal_id: str, asked: RuleProposalDecided
) -> RuleProposalView:
    """Approved, the rules change in the same commit, as a new version of the file."""
    with here.database.write() as session:
        row = health.decide(
            session,
            here.compound,
            proposal_id,
            approve=asked.verdict is RuleVerdict.APPROVE,
            by=as_actor(user),
            at=here.clock.now(),
        )
        return RuleProposalView.model_validate(row)
