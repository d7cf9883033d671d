"""Impact assessments (L-14): today's facts, versions that are kept, and what has changed since."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import noted
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import Here
from console.assessment_text import Language, markdown
from console.permissions import Action, may
from console.problems import not_found
from privacy import assessment
from privacy.models import PiaReport

router = APIRouter(tags=["assessments"])
Reader = Annotated[User, may(Action.ASSESSMENT_READ)]
Maker = Annotated[User, may(Action.ASSESSMENT_MAKE)]


class AssessmentSummary(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int
    made_at: dt.datetime
    made_by: str
    facts_hash: str


class AssessmentView(AssessmentSummary):
    """The facts as they were, and what people concluded from them."""

    facts: dict[str, Any]
    assessment: str


class FactsView(BaseModel):
    """Facts as they are now. `changed` names what is not as it was at the last assessment (`version`)."""

    facts: dict[str, Any]
    facts_hash: str
    version: int | None
    changed: list[str]


class AssessmentMade(BaseModel):
    """What people add: necessity and proportion, risks, measures."""

    assessment: Annotated[str, Field(min_length=1, max_length=50_000)]


@router.get("/assessments/facts")
def facts(here: Here, _: Reader) -> FactsView:
    """Made now; where `changed` is not empty, a new assessment is due."""
    with here.database.read() as session:
        now = assessment.facts(session, here.compound, here.retention, here.clock.now())
        last = assessment.last(session, here.compound)
        return FactsView(
            facts=now,
            facts_hash=assessment.facts_hash(now),
            version=last.version if last else None,
            changed=assessment.changed(last.facts if last else {}, now),
        )


@router.get("/assessments")
def assessments(here: Here, _: Reader) -> Page[AssessmentSummary]:
    """All versions, newest first; none is ever deleted by retention."""
    query = select(PiaReport).where(PiaReport.compound == here.compound).order_by(PiaReport.version.desc())
    with here.database.read() as session:
        items = [AssessmentSummary.model_validate(row) for row in session.scalars(query)]
        return Page(items=items, next_cursor=None)


@router.post("/assessments", response_model=AssessmentView, status_code=201)
def make(here: Here, request: Request, user: Maker, given: AssessmentMade) -> Response:
    """A new version with today's facts."""

    def work(session: Session, at: dt.datetime) -> Answer:
        made = assessment.make(
            session, here.compound, here.retention, assessment=given.assessment, made_by=user.id, at=at
        )
        noted(session, at, user, "assessment.made", f"assessment:{made.id}", f"version={made.version}")
        return 201, AssessmentView.model_validate(made).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.get("/assessments/{version}")
def one(here: Here, _: Reader, version: int) -> AssessmentView:
    """One version in full."""
    with here.database.read() as session:
        return AssessmentView.model_validate(_find(session, here.compound, version))


@router.get("/assessments/{version}/document", response_class=PlainTextResponse)
def document(
    here: Here, _: Reader, version: int, language: Annotated[Language, Query()] = Language.CHINESE
) -> Response:
    """The same as one Markdown document, to be filed."""
    with here.database.read() as session:
        row = _find(session, here.compound, version)
        return PlainTextResponse(markdown(row, language), media_type="text/markdown; charset=utf-8")


def _find(session: Session, compound: str, version: int) -> PiaReport:
    query = select(PiaReport).where(PiaReport.compound == compound, PiaReport.version == version)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise not_found("assessment")
    return row
