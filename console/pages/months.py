"""The month for the householders' meeting (户长会), on the screen and on paper."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from console.accounts.models import User
from console.api import months
from console.context import rooms
from console.figures import meeting
from console.pages.figures import attachment, note_file
from console.pages.view import frame, render
from console.permissions import Action, may

router = APIRouter(prefix="/console/reports")
Reader = Annotated[User, may(Action.REVIEWS_READ)]


@router.get("/month")
def month(request: Request, user: Reader, month: Annotated[str, Query(max_length=7)] = "") -> Response:
    """One month, with the way to the one before and after it."""
    here, view = rooms(request), frame(request)
    found = months.figures_of(here, user, month)
    with here.database.read() as session:
        sheet = meeting.document(session, view, here.compound, found)
    before = (found.first - dt.timedelta(days=1)).replace(day=1)
    is_over = found.until <= view.now.astimezone(view.zone).date()
    return render(
        view,
        "month.html",
        month=found,
        sections=sheet.sections,
        facts=sheet.facts,
        foot=sheet.foot,
        choice=None,
        before=f"{before:%Y-%m}",
        after=f"{found.until:%Y-%m}" if is_over else "",
        is_over=is_over,
        last=found.until - dt.timedelta(days=1),
    )


@router.get("/month.pdf")
def as_pdf(request: Request, user: Reader, month: Annotated[str, Query(max_length=7)] = "") -> Response:
    """The two sheets for the meeting."""
    here, view = rooms(request), frame(request)
    found = months.figures_of(here, user, month)
    with here.database.read() as session:
        sheet = meeting.document(session, view, here.compound, found)
    # Ten megabytes of libraries that only paper needs.
    from console.figures.paper import on_paper, paper

    made = paper(sheet, *on_paper(view))
    note_file(here, user, view.now, f"pdf month {found.first:%Y-%m}")
    return attachment(made, "application/pdf", f"month-{found.first:%Y-%m}.pdf")
