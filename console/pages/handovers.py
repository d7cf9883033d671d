"""交接班 on the screen and on paper: what was frozen, two signatures, and what was written beside it."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from alerts.handover.rules import EntryKind, Side
from console.accounts.models import User
from console.api import handovers
from console.api.handovers import EntryAsked, HandoverInFull, SignAsked
from console.context import rooms
from console.figures import handing
from console.pages.answers import Said, said
from console.pages.figures import attachment, note_file
from console.pages.places import names
from console.pages.staff import staff
from console.pages.view import Frame, frame, render
from console.permissions import Action, may

router = APIRouter(prefix="/console/handovers")
Reader = Annotated[User, may(Action.HANDOVERS_READ)]
Signer = Annotated[User, may(Action.HANDOVERS_SIGN)]
Signing = Annotated[User, may(Action.HANDOVERS_SIGN, proven=True)]
Short = Annotated[str, Form(max_length=80)]


@router.get("")
def overview(request: Request, user: Reader) -> Response:
    return _list(request, user)


@router.post("")
def make(request: Request, user: Signer) -> Response:
    """Freezes how things stand now."""
    done = said(lambda: handovers.make(rooms(request), request, user))
    if done.refused:
        return _list(request, user, refused=done.refused, status=done.status)
    newest = handovers.handovers(rooms(request), user, 1)
    return RedirectResponse(f"/console/handovers/{newest[0].id}", 303)


@router.get("/{handover_id}")
def one(request: Request, user: Reader, handover_id: str) -> Response:
    return _page(request, user, handover_id)


@router.get("/{handover_id}/print")
def printed(request: Request, user: Reader, handover_id: str) -> Response:
    """The same for an A4 sheet, with lines to sign on."""
    return _page(request, user, handover_id, template="handover_print.html")


@router.get("/{handover_id}/handover.pdf")
def as_pdf(request: Request, user: Reader, handover_id: str) -> Response:
    """The same as a file: the digest on each sheet says what was signed."""
    here, view = rooms(request), frame(request)
    found = handovers.handover(here, user, handover_id)
    with here.database.read() as session:
        places, people = names(session, here.compound), staff(session, here.compound)
    # Ten megabytes of libraries that only paper needs.
    from console.figures.paper import on_paper, paper

    sheet = handing.document(view, found, places, people, lambda text: _when(view, text))
    note_file(here, user, view.now, f"pdf handover {found.id}")
    local = found.until.astimezone(view.zone)
    return attachment(paper(sheet, *on_paper(view)), "application/pdf", f"handover-{local:%Y-%m-%d-%H%M}.pdf")


@router.post("/{handover_id}/sign")
def sign(request: Request, user: Signing, handover_id: str, side: Short = "", digest: Short = "") -> Response:
    """Signs one side with the signer's own session."""
    if side not in list(Side) or len(digest) != 64:
        return _page(request, user, handover_id, refused="handover_changed", status=422)
    asked = SignAsked(side=Side(side), digest=digest)
    done = said(lambda: handovers.sign(rooms(request), user, handover_id, asked))
    return _back(request, user, handover_id, done)


@router.post("/{handover_id}/entries")
def write(
    request: Request,
    user: Signer,
    handover_id: str,
    *,
    text: Annotated[str, Form(max_length=5000)] = "",
    side: Short = "",
    disagrees: Short = "",
) -> Response:
    """A note, an addendum, or what its side does not agree with."""
    if not text.strip() or len(text) > 4000:
        return _page(request, user, handover_id, refused="handover_text", status=422)
    asked = EntryAsked(text=text, side=Side(side) if side in list(Side) else None, disagrees=bool(disagrees))
    done = said(lambda: handovers.write(rooms(request), user, handover_id, asked))
    return _back(request, user, handover_id, done)


def _back(request: Request, user: User, handover_id: str, done: Said[Any]) -> Response:
    if done.refused:
        return _page(request, user, handover_id, refused=done.refused, status=done.status)
    return RedirectResponse(f"/console/handovers/{handover_id}", 303)


def _list(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        people = staff(session, here.compound)
    found = handovers.handovers(here, user, 60)
    return render(
        view, "handovers.html", status=status, found=found, people=people, sides=list(Side), refused=refused
    )


def _page(
    request: Request,
    user: User,
    handover_id: str,
    *,
    template: str = "handover.html",
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here, view = rooms(request), frame(request)
    found = handovers.handover(here, user, handover_id)
    with here.database.read() as session:
        places, people = names(session, here.compound), staff(session, here.compound)
    signed = {one.side: one for one in found.signatures}
    return render(
        view,
        template,
        status=status,
        one=found,
        facts=found.facts,
        reasons=found.reasons,
        texts={kind: [entry for entry in found.entries if entry.kind is kind] for kind in EntryKind},
        signed=signed,
        may_sign=_may_sign(found, user),
        sides=list(Side),
        places=places,
        people=people,
        when=lambda text: _when(view, text),
        refused=refused,
    )


def _may_sign(found: HandoverInFull, user: User) -> list[Side]:
    """The sides that this user could still sign, as far as a page can say."""
    if not found.stands or user.id in {one.user for one in found.signatures}:
        return []
    return [side for side in Side if side not in {one.side for one in found.signatures}]


def _when(view: Frame, text: str | None) -> str:
    return view.clock(dt.datetime.fromisoformat(text)) if text else ""
