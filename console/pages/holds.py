"""Legal holds on a page: applied for by one person, approved by another, ended by hand or by time."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import holds
from console.api.holds import HoldApplied
from console.api.paging import Paging
from console.context import rooms
from console.pages import staffnames
from console.pages.answers import said
from console.pages.moments import end_of_day
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from privacy.holds import LAPSES_AFTER, HoldSubject

router = APIRouter(prefix="/oversight/holds")
Reader = Annotated[User, may(Action.HOLDS_READ)]
Applicant = Annotated[User, may(Action.HOLDS_APPLY)]
Approver = Annotated[User, may(Action.HOLDS_APPROVE, proven=True)]
Cursor = Annotated[str | None, Query(max_length=200)]
Short = Annotated[str, Form(max_length=64)]
_SHOWN = 50
_FORM = ("subject_kind", "subject", "reason", "document_no", "ends_on")


@router.get("")
def page(
    request: Request,
    user: Reader,
    show: Annotated[str, Query(max_length=8)] = "",
    cursor: Cursor = None,
    incident: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Those in force; with `show=all` those that are over, too. `incident` fills the form."""
    given = {"subject_kind": "incident", "subject": incident} if incident else {}
    return _page(request, user, given, everything=show == "all", cursor=cursor)


@router.post("")
def apply(
    request: Request,
    user: Applicant,
    subject_kind: Short = "",
    subject: Short = "",
    reason: Annotated[str, Form(max_length=200)] = "",
    document_no: Short = "",
    ends_on: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """Freezes from now on; somebody else has to approve it."""
    given = dict(
        zip(_FORM, (subject_kind, subject.strip(), reason.strip(), document_no.strip(), ends_on), strict=True)
    )

    def ask() -> Response:
        try:
            asked = HoldApplied.model_validate(
                {
                    "subject_kind": subject_kind,
                    "subject": given["subject"],
                    "reason": given["reason"],
                    "document_no": given["document_no"] or None,
                    "ends_at": end_of_day(frame(request), ends_on),
                }
            )
        except ValueError:
            raise ProblemError(422, "form_incomplete", "A field is empty or cannot hold this") from None
        return holds.apply(rooms(request), request, user, asked)

    made = said(ask)
    if made.answer is None:
        return _page(request, user, given, refused=made.refused, status=made.status)
    return RedirectResponse("/oversight/holds", 303)


@router.post("/{hold_id}/approval")
def approve(request: Request, user: Approver, hold_id: str) -> Response:
    """The second person's word."""
    made = said(lambda: holds.approve(rooms(request), user, hold_id))
    if made.answer is None:
        return _page(request, user, {}, refused=made.refused, status=made.status)
    return RedirectResponse("/oversight/holds", 303)


@router.post("/{hold_id}/release")
def release(request: Request, user: Approver, hold_id: str) -> Response:
    """Ends one before its time."""
    made = said(lambda: holds.release(rooms(request), user, hold_id))
    if made.answer is None:
        return _page(request, user, {}, refused=made.refused, status=made.status)
    return RedirectResponse("/oversight/holds?show=all", 303)


def _page(
    request: Request,
    user: User,
    given: dict[str, str],
    *,
    everything: bool = False,
    cursor: str | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    found = holds.list_holds(
        here, user, Paging(cursor, _SHOWN), subject=None, in_force=None if everything else True
    )
    with here.database.read() as session:
        known = staffnames.of(session, (one for row in found.items for one in (row.applicant, row.approver)))
    return render(
        view,
        "holds.html",
        status=status,
        items=found.items,
        older=found.next_cursor,
        everything=everything,
        known=known,
        subjects=list(HoldSubject),
        given={name: given.get(name, "") for name in _FORM},
        lapse=LAPSES_AFTER,
        refused=refused,
    )
