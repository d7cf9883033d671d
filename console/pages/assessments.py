"""The impact assessment on a page: whether a new one is due, and its versions; and whom a breach concerns."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import assessments, breaches
from console.api.assessments import AssessmentMade
from console.api.breaches import BreachAsked
from console.context import rooms
from console.pages import staffnames
from console.pages.answers import said
from console.pages.moments import moment
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from privacy import assessment
from privacy.breach import BreachClass

router = APIRouter(prefix="/oversight/assessments")
Reader = Annotated[User, may(Action.ASSESSMENT_READ)]
Maker = Annotated[User, may(Action.ASSESSMENT_MAKE)]
Exporter = Annotated[User, may(Action.BREACH_EXPORT, proven=True)]
When = Annotated[str, Form(max_length=32)]


@router.get("")
def page(request: Request, user: Reader) -> Response:
    """What has changed since the last version, and all versions."""
    return _page(request, user)


@router.post("")
def make(request: Request, user: Maker, text: Annotated[str, Form(max_length=50_000)] = "") -> Response:
    """A new version with today's facts."""

    def act() -> Response:
        if not text.strip():
            raise ProblemError(422, "form_incomplete", "Say what you conclude")
        return assessments.make(rooms(request), request, user, AssessmentMade(assessment=text.strip()))

    made = said(act)
    if made.answer is None:
        return _page(request, user, text=text, refused=made.refused, status=made.status)
    return RedirectResponse("/oversight/assessments", 303)


@router.post("/breach")
def breach(
    request: Request,
    user: Exporter,
    classes: Annotated[list[str] | None, Form(max_length=20)] = None,
    from_at: When = "",
    to_at: When = "",
    device: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Everybody whose data was lost, as a file; what was asked is in the audit log."""

    def act() -> Response:
        view = frame(request)
        try:
            asked = BreachAsked.model_validate(
                {
                    "classes": classes or [],
                    "from_at": moment(view, from_at),
                    "to_at": moment(view, to_at),
                    "device": device.strip() or None,
                }
            )
        except ValueError:
            raise ProblemError(422, "form_incomplete", "Choose what was lost") from None
        found = breaches.export(rooms(request), user, asked)
        headers = {
            "Content-Disposition": f'attachment; filename="affected-{found.at:%Y%m%d-%H%M}.json"',
            "Cache-Control": "private, no-store",
        }
        body = msgspec.json.format(found.model_dump_json().encode())
        return Response(body, media_type="application/json", headers=headers)

    made = said(act)
    if made.answer is None:
        return _page(request, user, refused=made.refused, status=made.status)
    return made.answer


def _page(
    request: Request, user: User, *, text: str = "", refused: str | None = None, status: int = 200
) -> Response:
    here, view = rooms(request), frame(request)
    versions = assessments.assessments(here, user).items
    with here.database.read() as session:
        last = assessment.last(session, here.compound)
        now = assessment.matters(session, here.compound, here.retention)
        return render(
            view,
            "assessments.html",
            status=status,
            versions=versions,
            known=staffnames.of(session, (one.made_by for one in versions)),
            last=versions[0] if versions else None,
            changed=assessment.changed(last.facts, now) if last else [],
            classes=list(BreachClass),
            text=text,
            refused=refused,
        )
