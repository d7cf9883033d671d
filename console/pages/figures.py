"""Reports: what a span of time came to, in plots and tables; on the screen, as sheets, and on paper."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from console.accounts.models import User
from console.api.purposes import Look, Purpose, note_look
from console.context import Rooms, rooms
from console.figures import making
from console.figures.choice import Choice, Span, choose
from console.figures.sheet import sheet, sheets
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from registry.models import Ring

router = APIRouter(prefix="/console/reports")
Reader = Annotated[User, may(Action.REPORTS_SEE)]
Short = Annotated[str, Field(max_length=64)]


class Asked(BaseModel):
    """What an address says; `whole`: everything at once, as for paper."""

    span: Short = ""
    first: Short = ""
    last: Short = ""
    ring: Short = ""
    severity: Annotated[str, Field(max_length=1)] = ""
    kind: Short = ""
    drills: Short = ""
    whole: Short = ""

    def without_days(self) -> "Asked":
        return self.model_copy(update={"span": "", "first": "", "last": ""})


Asks = Annotated[Asked, Query()]


@router.get("")
def overview(request: Request, _: Reader, asked: Asks) -> Response:
    """The first part at once, the others when the page is there; with `whole` all of it, as for paper."""
    here, view = rooms(request), frame(request)
    kinds = making.kinds(here)
    refused = ""
    try:
        choice = _chosen(view, kinds, asked)
    except ProblemError as error:
        # The form again, with what was chosen by itself.
        refused, choice = error.problem.code, _chosen(view, kinds, asked.without_days())
    parts = making.parts(choice)
    with making.ground(here, view, choice) as ground:
        sections = making.made(ground, parts if asked.whole else parts[:1])
    return render(
        view,
        "figures.html",
        status=422 if refused else 200,
        refused=refused,
        choice=choice,
        sections=sections,
        later=[] if asked.whole else parts[1:],
        titles={part: view.t(f"stats.part.{part}") for part in parts},
        facts=making.facts(view, choice),
        spans=[one for one in Span if one is not Span.FREE],
        rings=list(Ring),
        kinds=sorted(kinds, key=lambda code: view.t.code("kind", code)),
        whole=bool(asked.whole),
    )


@router.get("/parts/{part}")
def part(request: Request, _: Reader, part: str, asked: Asks) -> Response:
    """One part, for the page that waits for it."""
    here, view = rooms(request), frame(request)
    choice = _chosen(view, making.kinds(here), asked)
    if part not in making.parts(choice):
        raise not_found("report")
    with making.ground(here, view, choice) as ground:
        sections = making.made(ground, [part])
    return render(view, "fragments/figures_part.html", sections=sections, choice=choice)


@router.get("/figures.pdf")
def as_pdf(request: Request, user: Reader, asked: Asks) -> Response:
    """All of it on paper."""
    here, view = rooms(request), frame(request)
    choice = _chosen(view, making.kinds(here), asked)
    # Ten megabytes of libraries that only paper needs.
    from console.figures.paper import on_paper, paper

    made = paper(making.document(here, view, choice), *on_paper(view))
    note_file(here, user, view.now, f"pdf {choice.query}")
    return attachment(made, "application/pdf", f"report-{choice.first}-{choice.last}.pdf")


@router.get("/sheets/{name}.csv")
def as_csv(request: Request, user: Reader, name: str, asked: Asks) -> Response:
    """One table, with all its rows; `all` is every table beneath each other."""
    here, view = rooms(request), frame(request)
    choice = _chosen(view, making.kinds(here), asked)
    tables = {table.name: table for table in making.document(here, view, choice).tables()}
    if name != "all" and name not in tables:
        raise not_found("report")
    made = sheets(tables.values()) if name == "all" else sheet(tables[name])
    note_file(here, user, view.now, f"csv {name} {choice.query}")
    return attachment(made, "text/csv; charset=utf-8", f"{name}-{choice.first}-{choice.last}.csv")


def note_file(here: Rooms, user: User, at: dt.datetime, detail: str) -> None:
    """That figures have left the house as a file is audited."""
    with here.database.write() as session:
        look = Look("report.exported", Purpose.REVIEW, f"compound:{here.compound}", detail[:200])
        note_look(session, at, user, look)


def attachment(content: bytes, media_type: str, name: str) -> Response:
    headers: Mapping[str, str] = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _chosen(view: Frame, kinds: list[str], asked: Asked) -> Choice:
    today = view.now.astimezone(view.zone).date()
    return choose(
        today,
        kinds,
        span=asked.span,
        first=asked.first,
        last=asked.last,
        ring=asked.ring,
        severity=int(asked.severity) if asked.severity.isdecimal() else 0,
        kind=asked.kind,
        drills=asked.drills,
    )
