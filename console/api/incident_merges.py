"""Incidents that are one thing: previewed, merged, taken apart; and what people saw who compared."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents import answers, linking, merging, proposals
from alerts.incidents.confirming import missing
from alerts.incidents.lifecycle import Comparison, State
from alerts.incidents.models import Incident, MergeProposal
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.incident_views import AnswerView, MergeView
from console.api.incidents import wants_two
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.sighting_answers import answer_by_comparison
from console.api.views import IncidentView
from console.permissions import Action, may
from console.problems import not_found
from console.security import as_actor

router = APIRouter(tags=["incidents"])
Reader = Annotated[User, may(Action.INCIDENTS_READ)]
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]
Id = Annotated[str, Field(min_length=1, max_length=32)]
Version = Annotated[int | None, Field(ge=1)]


class ComparisonAsked(BaseModel):
    """What was seen: `match`, `not_match`, `cannot_tell`."""

    answer: Comparison


class ComparisonGiven(BaseModel):
    """All answers by now, and what is missing before it may be confirmed (a code), if anything."""

    answers: list[AnswerView]
    missing: str | None


class PreviewAsked(BaseModel):
    """Which incident would become part of this one."""

    source: Id


class PreviewView(BaseModel):
    """What this incident would be. `refused` is a code where it cannot be done."""

    model_config = ConfigDict(from_attributes=True)

    target: str
    source: str
    target_version: int
    source_version: int
    state: State
    severity: int
    kind: str
    reason: str
    needs_comparison: bool
    happened_at: dt.datetime
    evidence: int
    keys: tuple[str, ...]
    dispatches: int
    refused: str | None


class MergeAsked(PreviewAsked):
    """With the versions that were previewed, so that nothing else is merged than was seen."""

    target_version: Version = None
    source_version: Version = None
    note: Annotated[str | None, Field(max_length=2000)] = None


class LinkAsked(BaseModel):
    """Whether a probable link is right; a wrong one is taken apart."""

    right: bool
    expected_version: Version = None


class ProposalView(BaseModel):
    """Two incidents that may be one; `reason` is a code."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    first: str
    second: str
    reason: str
    at: dt.datetime
    state: str
    decided_by: str | None
    decided_at: dt.datetime | None


class ProposalDecided(BaseModel):
    """`into` is the one of the two that stays; null where they are two things."""

    into: Id | None


@router.post("/incidents/{incident_id}/answers", response_model=ComparisonGiven, status_code=201)
def give(here: Here, request: Request, user: Decider, incident_id: str, asked: ComparisonAsked) -> Response:
    """One person's answer before anybody is sent; again, it takes the place of the first.

    It says as well whether recognition was right, and is kept for its evaluation.
    """

    def work(session: Session, at: dt.datetime) -> Answer:
        row = _find(session, here.compound, incident_id)
        answer_by_comparison(session, incident_id, asked.answer, user, at)
        answers.give(session, incident_id, asked.answer, as_actor(user), at)
        lacks = missing(
            answers.given(session, incident_id),
            needs_comparison=row.needs_comparison,
            two_persons=wants_two(session, row, at),
        )
        seen = [AnswerView.model_validate(one) for one in answers.to(session, incident_id)]
        return 201, ComparisonGiven(answers=seen, missing=lacks).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/incidents/{incident_id}/merges/preview")
def preview(here: Here, _: Decider, incident_id: str, asked: PreviewAsked) -> PreviewView:
    """What this incident would be with another in it; nothing is changed."""
    with here.database.read() as session:
        return PreviewView.model_validate(merging.preview(session, here.compound, incident_id, asked.source))


@router.post("/incidents/{incident_id}/merges", response_model=MergeView, status_code=201)
def merge(here: Here, request: Request, user: Decider, incident_id: str, asked: MergeAsked) -> Response:
    """Makes another incident part of this one; `alerts` writes it to the audit log."""

    def work(session: Session, at: dt.datetime) -> Answer:
        made = merging.merge(
            session,
            here.compound,
            incident_id,
            asked.source,
            as_actor(user),
            at,
            target_version=asked.target_version,
            source_version=asked.source_version,
            note=asked.note,
        )
        return 201, MergeView.model_validate(made).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/merges/{merge_id}/undo")
def undo(here: Here, user: Decider, merge_id: str) -> IncidentView:
    """Takes a merge apart and answers with what was the source; refused once somebody worked on it."""
    with here.database.write() as session:
        row = merging.undo(session, here.compound, merge_id, as_actor(user), here.clock.now())
        return IncidentView.model_validate(row)


@router.post("/incidents/{incident_id}/link")
def link(here: Here, user: Decider, incident_id: str, asked: LinkAsked) -> Page[IncidentView]:
    """Says whether a probable link is right; answers with what there is now, this incident first."""
    at = here.clock.now()
    with here.database.write() as session:
        if asked.right:
            rows = [
                linking.right(
                    session,
                    here.compound,
                    incident_id,
                    as_actor(user),
                    at,
                    expected_version=asked.expected_version,
                )
            ]
        else:
            rows = linking.wrong(
                session,
                here.compound,
                incident_id,
                as_actor(user),
                at,
                expected_version=asked.expected_version,
            )
        return Page(items=[IncidentView.model_validate(row) for row in rows], next_cursor=None)


@router.get("/merge-proposals")
def listed(
    here: Here,
    _: Reader,
    paging: Asked,
    state: Annotated[
        Literal["open", "merged", "refused", "overtaken"] | None,
        Query(description="overtaken: one of them ended first"),
    ] = "open",
) -> Page[ProposalView]:
    """Incidents that a rule takes for one thing, newest first; a person says."""
    query = select(MergeProposal).where(MergeProposal.compound == here.compound)
    if state is not None:
        query = query.where(MergeProposal.state == state)
    with here.database.read() as session:
        order = (MergeProposal.at, MergeProposal.id)
        items, cursor = newest_first(session, query, order, paging, ProposalView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.post("/merge-proposals/{proposal_id}/decision")
def decide(here: Here, user: Decider, proposal_id: str, asked: ProposalDecided) -> ProposalView:
    """Merges into one of the two, or says that they are two things; then it is not asked again."""
    with here.database.write() as session:
        row, _ = proposals.decide(
            session, here.compound, proposal_id, as_actor(user), here.clock.now(), target_id=asked.into
        )
        return ProposalView.model_validate(row)


def _find(session: Session, compound: str, incident_id: str) -> Incident:
    row = session.get(Incident, incident_id)
    if row is None or row.compound != compound:
        raise not_found("incident")
    return row
