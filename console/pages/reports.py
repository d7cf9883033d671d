"""Reports on the registry: what does not fit, tenancies that end, what nobody verified, who is away.

They name dwellings and references of people, no names; each can be taken away as CSV.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from console.accounts.models import User
from console.api import reports
from console.context import Rooms, rooms
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.problems import not_found
from registry.models import Grid
from registry.places.housing import addresses_of
from registry.reports.lists import Separation, TenancyStage

router = APIRouter(prefix="/registry/reports")
Reader = Annotated[User, may(Action.REPORTS_READ)]
Code = Annotated[str, Query(max_length=64)]

NAMES: Final = ("consistency", "tenancies", "verification", "vacancies")
# Reports are read on a screen, of each kind of finding so many; the file has all of them, for
# a compound of twice ten communities.
_SHOWN: Final = 200
_IN_FILE: Final = 100_000
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: what is shown, and which look it has (`mono`, `todo`, `bad` or none)."""

    text: str
    look: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Counts (text key of the label, code of the filter, number), columns, and lines of cells."""

    counts: Sequence[tuple[str, str, int]]
    columns: Sequence[str]
    lines: Sequence[Sequence[Cell]]


@router.get("")
def overview(request: Request, user: Reader, code: Code = "") -> Response:
    """The first of them."""
    return show(request, user, "consistency", code)


@router.get("/{name}.csv")
def as_csv(request: Request, user: Reader, name: str, code: Code = "") -> Response:
    """A report as a file that a spreadsheet opens."""
    view = frame(request)
    report = _made(rooms(request), user, view, name, code, _IN_FILE)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([view.t(f"reports.{column}") for column in report.columns])
    writer.writerows([[_harmless(cell.text) for cell in line] for line in report.lines])
    return Response(
        # Without the mark Excel takes UTF-8 for something else.
        codecs.BOM_UTF8 + text.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{view.now:%Y%m%d}.csv"'},
    )


@router.get("/{name}")
def show(request: Request, user: Reader, name: str, code: Code = "") -> Response:
    """One report; `code` narrows the findings of consistency to one kind."""
    view = frame(request)
    report = _made(rooms(request), user, view, name, code, _SHOWN)
    return render(view, "reports.html", names=NAMES, name=name, code=code, report=report, shown=_SHOWN)


def _made(here: Rooms, user: User, view: Frame, name: str, code: str, limit: int) -> Report:
    if name not in NAMES:
        raise not_found("report")
    return _REPORTS[name](here, user, view, code, limit)


def _consistency(here: Rooms, user: User, view: Frame, code: str, limit: int) -> Report:
    wanted = [Separation(code)] if code in list(Separation) else None
    found = reports.consistency(here, user, code=wanted, limit=limit)
    homes = _addresses(here, (row.dwelling_id for row in found.findings))
    return Report(
        [(f"separation.{kind}", str(kind), number) for kind, number in found.counts.items()],
        ("finding", "dwelling", "person", "household"),
        [
            [
                Cell(view.t.code("separation", row.code)),
                Cell(homes.get(row.dwelling_id or "", "")),
                Cell(row.person_id or "", "mono"),
                Cell(row.household_id or "", "mono"),
            ]
            for row in found.findings
        ],
    )


def _tenancies(here: Rooms, user: User, view: Frame, _: str, limit: int) -> Report:
    found = reports.tenancies(here, user)
    stages = [row.stage for row in found.items]
    return Report(
        [(f"tenancy.{stage}", "", stages.count(stage)) for stage in TenancyStage],
        ("stage", "dwelling", "kind", "until", "days_left", "person"),
        [
            [
                Cell(view.t.code("tenancy", row.stage), "bad" if row.days_left <= 1 else "todo"),
                Cell(row.address),
                Cell(view.t.code("residence_kind", row.kind)),
                Cell(view.day(row.until)),
                Cell(str(row.days_left), "number"),
                Cell(row.person_id, "mono"),
            ]
            for row in found.items[:limit]
        ],
    )


def _verification(here: Rooms, user: User, view: Frame, _: str, limit: int) -> Report:
    found = reports.verification(here, user, limit=limit)
    return Report(
        [(f"verified.{age}", "", number) for age, number in found.counts.items()],
        ("dwelling", "verified_on", "days", "person"),
        [
            [
                Cell(row.address),
                Cell(
                    view.day(row.verified_on) or view.t("verified.never"), "" if row.verified_on else "todo"
                ),
                Cell("" if row.days is None else str(row.days), "number"),
                Cell(row.person_id, "mono"),
            ]
            for row in found.items
        ],
    )


def _vacancies(here: Rooms, user: User, view: Frame, _: str, limit: int) -> Report:
    found = reports.vacancies(here, user, limit=limit)
    grids = _grids(here)
    return Report(
        [],
        ("dwelling", "state", "grid", "left_on", "note"),
        [
            [
                Cell(row.address),
                Cell(view.t.code("dwelling_state", row.state)),
                Cell(grids.get(row.grid or "", "")),
                Cell(view.day(row.left_on)),
                Cell(view.t("separation.vacant_with_people"), "todo") if row.inhabited else Cell(""),
            ]
            for row in found.items
        ],
    )


_REPORTS: Final[Mapping[str, Callable[[Rooms, User, Frame, str, int], Report]]] = {
    "consistency": _consistency,
    "tenancies": _tenancies,
    "verification": _verification,
    "vacancies": _vacancies,
}


def _addresses(here: Rooms, dwellings: Iterable[str | None]) -> dict[str, str]:
    ids = sorted({dwelling for dwelling in dwellings if dwelling})
    found: dict[str, str] = {}
    with here.database.read() as session:
        for first in range(0, len(ids), _CHUNK):
            found |= addresses_of(session, here.compound, ids[first : first + _CHUNK])
    return found


def _grids(here: Rooms) -> dict[str, str]:
    with here.database.read() as session:
        rows: Any = session.execute(select(Grid.id, Grid.name).where(Grid.compound == here.compound))
        return {row.id: row.name for row in rows}


def _harmless(text: str) -> str:
    """Nothing that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "@", "\t")) else text
