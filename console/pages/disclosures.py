"""Disclosures on a page: asked for with a document, decided by another person, handed out once.

The property office sees all of them, whoever asks for the police their own.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from console.accounts.models import User
from console.api import disclosures
from console.api.disclosures import DeliveryAsked, DisclosureAsked, DisclosureDecided, Verdict
from console.api.paging import Paging
from console.context import rooms
from console.pages import staffnames
from console.pages.answers import said
from console.pages.moments import moment
from console.pages.view import frame, render
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from console.security import ForbiddenError, current_user
from privacy.disclosures import DELIVERABLE, LONGEST, DisclosureScope
from registry.models import Zone

router = APIRouter(prefix="/oversight/disclosures")
Requester = Annotated[User, may(Action.DISCLOSURES_REQUEST)]
Approver = Annotated[User, may(Action.DISCLOSURES_APPROVE, proven=True)]
Deliverer = Annotated[User, may(Action.DISCLOSURES_DELIVER, proven=True)]
Cursor = Annotated[str | None, Query(max_length=200)]
_SHOWN = 50
_FORM: Mapping[str, int] = {
    "requester_org": 128,
    "document_no": 64,
    "reason": 200,
    "kind": 16,
    "subject": 64,
    "from_at": 32,
    "to_at": 32,
}


def _concerned(user: Annotated[User, Depends(current_user)]) -> User:
    if not (allowed(user, Action.DISCLOSURES_REQUEST) or allowed(user, Action.DISCLOSURES_APPROVE)):
        raise ForbiddenError
    return user


Reader = Annotated[User, Depends(_concerned)]


@router.get("")
def page(request: Request, user: Reader, cursor: Cursor = None) -> Response:
    """All of them for whoever decides, one's own for whoever only asks."""
    return _page(request, user, {}, cursor=cursor)


async def _fields(request: Request, _: Requester) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=20)
    return {name: str(form.get(name, "")).strip()[:most] for name, most in _FORM.items()}


@router.post("")
def ask(request: Request, user: Requester, given: Annotated[dict[str, str], Depends(_fields)]) -> Response:
    """Notes what is asked for; nothing is read before somebody else has decided."""

    def act() -> Response:
        view = frame(request)
        try:
            asked = DisclosureAsked.model_validate(
                {
                    **{name: given[name] for name in ("requester_org", "document_no", "reason")},
                    "scope": {"kind": given["kind"], "id": given["subject"]},
                    "from_at": moment(view, given["from_at"]),
                    "to_at": moment(view, given["to_at"]),
                }
            )
        except ValueError:
            raise ProblemError(422, "form_incomplete", "A field is empty or cannot hold this") from None
        return disclosures.ask(rooms(request), request, user, asked)

    made = said(act)
    if made.answer is None:
        return _page(request, user, given, refused=made.refused, status=made.status)
    return RedirectResponse("/oversight/disclosures", 303)


@router.post("/{disclosure_id}/decision")
def decide(
    request: Request, user: Approver, disclosure_id: str, verdict: Annotated[Verdict, Form()]
) -> Response:
    """Approves or refuses one."""
    asked = DisclosureDecided(verdict=verdict)
    made = said(lambda: disclosures.decide(rooms(request), user, disclosure_id, asked))
    if made.answer is None:
        return _page(request, user, {}, refused=made.refused, status=made.status)
    return RedirectResponse(f"/oversight/disclosures#disclosure-{disclosure_id}", 303)


@router.post("/{disclosure_id}/delivery")
def deliver(request: Request, user: Deliverer, disclosure_id: str) -> Response:
    """The file, once. Its hash stays on the page."""
    made = said(lambda: disclosures.deliver(rooms(request), user, disclosure_id, DeliveryAsked()))
    if made.answer is None:
        return _page(request, user, {}, refused=made.refused, status=made.status)
    return made.answer


def _page(
    request: Request,
    user: User,
    given: Mapping[str, str],
    *,
    cursor: str | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    paging = Paging(cursor, _SHOWN)
    everybodys = allowed(user, Action.DISCLOSURES_APPROVE)
    listed = disclosures.list_disclosures if everybodys else disclosures.list_own
    found = listed(here, user, paging)
    with here.database.read() as session:
        known = staffnames.of(session, (one for row in found.items for one in (row.applicant, row.approver)))
        zones = session.execute(
            select(Zone.id, Zone.name).where(Zone.compound == here.compound).order_by(Zone.name)
        )
        return render(
            view,
            "disclosures.html",
            status=status,
            items=found.items,
            older=found.next_cursor,
            everybodys=everybodys,
            known=known,
            zones={row.id: row.name for row in zones},
            scopes=list(DisclosureScope),
            given={name: given.get(name, "") for name in _FORM},
            longest=LONGEST.days,
            expired=lambda decided: decided is not None and decided + DELIVERABLE <= view.now,
            refused=refused,
        )
