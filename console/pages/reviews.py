"""一事一评: what waits for a review, and the form beside what happened.

It shows no person; the photo of what came of it is behind a link, for who may look at pictures.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from alerts.dispatch.models import Dispatch
from alerts.duty.models import Responder
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.review.guards import resolution
from alerts.review.models import IncidentRating, IncidentReview
from alerts.review.rules import AlertVerdict, Cause, RaterKind
from console.accounts.models import User
from console.api import reviews
from console.api.paging import Paging
from console.api.reviews import InvitationAsked, MeasureOfReview, ReviewAsked
from console.context import rooms
from console.pages.answers import said
from console.pages.places import names
from console.pages.staff import end_of_day, owner, staff
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import not_found

router = APIRouter(prefix="/console/reviews")
Reader = Annotated[User, may(Action.REVIEWS_READ)]
Writer = Annotated[User, may(Action.REVIEWS_WRITE)]
Words = Annotated[str, Form(max_length=2000)]
Short = Annotated[str, Form(max_length=80)]

_FIELDS = ("score", "cause", "alert", "lesson", "what", "missing", "zone", "by", "due", "blocking")


@router.get("")
def overview(request: Request, user: Reader) -> Response:
    """What waits, and the latest reviews."""
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        places, people = names(session, here.compound), staff(session, here.compound)
    return render(
        view,
        "reviews.html",
        waiting=reviews.waiting(here, user),
        drills=reviews.waiting(here, user, drill=True),
        latest=reviews.reviews(here, user, Paging(None, 20)).items,
        places=places,
        people=people,
    )


@router.get("/{incident_id}")
def one(request: Request, user: Reader, incident_id: str) -> Response:
    del user
    return _page(request, incident_id)


@router.post("/{incident_id}")
def write(
    request: Request,
    user: Writer,
    incident_id: str,
    *,
    score: Short = "",
    cause: Short = "",
    alert: Short = "",
    lesson: Words = "",
    what: Words = "",
    missing: Words = "",
    zone: Short = "",
    by: Annotated[str, Form(max_length=100)] = "",
    due: Short = "",
    blocking: Short = "",
) -> Response:
    """Writes the review; `what` is the measure, where there is one."""
    given = {"score": score, "cause": cause, "alert": alert, "lesson": lesson, "what": what}
    given |= {"missing": missing, "zone": zone, "by": by, "due": due, "blocking": blocking}
    if score not in set("12345") or cause not in list(Cause) or alert not in list(AlertVerdict):
        return _page(request, incident_id, refused="review_incomplete", given=given, status=422)
    if not lesson.strip():
        return _page(request, incident_id, refused="lesson_required", given=given, status=422)
    measure = None
    if what.strip():
        responder, team = owner(by)
        due_at = end_of_day(frame(request), due)
        if due_at is None or (responder is None and team is None):
            return _page(request, incident_id, refused="measure_incomplete", given=given, status=422)
        measure = MeasureOfReview(
            what=what,
            missing=missing.strip() or None,
            zone=zone or None,
            responder=responder,
            team=team,
            due_at=due_at,
            blocking=bool(blocking),
        )
    asked = ReviewAsked(
        score=int(score), cause=Cause(cause), alert=AlertVerdict(alert), lesson=lesson, measure=measure
    )
    done = said(lambda: reviews.review(rooms(request), request, user, incident_id, asked))
    if done.refused:
        return _page(request, incident_id, refused=done.refused, given=given, status=done.status)
    return RedirectResponse(f"/console/reviews/{incident_id}", 303)


@router.post("/{incident_id}/invitation")
def invite(request: Request, user: Writer, incident_id: str, kind: Short = "") -> Response:
    """Makes a link for whoever reported it or was concerned; it is shown once."""
    chosen = RaterKind(kind) if kind in list(RaterKind) else RaterKind.REPORTER
    asked = InvitationAsked(kind=chosen)
    done = said(lambda: reviews.invite(rooms(request), user, incident_id, asked))
    link = f"{request.url.scheme}://{request.url.netloc}{done.answer.path}" if done.answer else ""
    return _page(request, incident_id, refused=done.refused, link=link, status=done.status)


def _page(
    request: Request,
    incident_id: str,
    *,
    refused: str | None = None,
    given: dict[str, str] | None = None,
    link: str = "",
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        row = session.get(Incident, incident_id)
        if row is None or row.compound != here.compound:
            raise not_found("incident")
        places, people = names(session, here.compound), staff(session, here.compound)
        mine = {"incident": row.id}
        facts: dict[str, Any] = {
            "photos": [],
            "path": session.scalars(
                select(Transition).where(Transition.incident == row.id).order_by(Transition.version)
            ).all(),
            "reviews": session.scalars(
                select(IncidentReview).filter_by(**mine).order_by(IncidentReview.at)
            ).all(),
            "ratings": session.scalars(
                select(IncidentRating).filter_by(**mine).order_by(IncidentRating.invited_at)
            ).all(),
        }
        if view.may("media_view"):
            facts["photos"] = session.execute(
                select(Dispatch.media_id, Responder.name)
                .join(Responder, Responder.id == Dispatch.responder)
                .where(Dispatch.incident == row.id, Dispatch.media_id.is_not(None))
                .order_by(Dispatch.resolved_at, Dispatch.id)
            ).all()
        done = resolution(session, row.id)
        return render(
            view,
            "review.html",
            status=status,
            incident=row,
            is_open=State(row.state) is State.RESOLVED,
            own=done is not None and view.user is not None and done.actor == view.user.id,
            places=places,
            people=people,
            causes=list(Cause),
            verdicts=list(AlertVerdict),
            raters=list(RaterKind),
            refused=refused,
            given=dict.fromkeys(_FIELDS, "") | (given or {}),
            link=link,
            **facts,
        )
