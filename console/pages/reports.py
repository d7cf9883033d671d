"""Reports on the registry: what does not fit, tenancies that end, what nobody verified, who has left.

They name dwellings and references of people, no names; each row leads to the page where it is put
right, and each report can be taken away as CSV.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from console.accounts.models import Role, User
from console.api import credentials, reports, vehicles
from console.api.edits import noted
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.pages.view import Frame, frame, render
from console.permissions import Action, may
from console.problems import not_found
from registry.models import DwellingState, Grid
from registry.places.housing import addresses_of
from registry.reports.lists import Separation, TenancyStage

router = APIRouter(prefix="/registry/reports")
Reader = Annotated[User, may(Action.REPORTS_READ)]
Code = Annotated[str, Query(max_length=64)]

NAMES: Final = ("consistency", "tenancies", "verification", "vacancies", "leavers")
# Of people who have left it is known what opens for them still: for those who can take it back.
_FOR_EDITORS: Final = frozenset({"leavers"})
# Reports are read on a screen: so many rows of one kind, and a few of each where all kinds stand beneath each
# other. The file has all of them, for a compound of twice ten communities.
_SHOWN: Final = 200
_OF_EACH: Final = 20
_IN_FILE: Final = 100_000
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: what is shown, which look it has (`mono`, `todo`, `bad` or none), where it leads."""

    text: str
    look: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Counts (text key of the label, code of the filter, number), columns, and lines of cells."""

    counts: Sequence[tuple[str, str, int]]
    columns: Sequence[str]
    lines: Sequence[Sequence[Cell]]


@router.get("")
def overview(request: Request, user: Reader, code: Code = "", grid: Code = "") -> Response:
    """The first of them."""
    return show(request, user, "consistency", code, grid)


@router.get("/{name}.csv")
def as_csv(request: Request, user: Reader, name: str, code: Code = "", grid: Code = "") -> Response:
    """A report as a file that a spreadsheet opens; that it was taken away is noted."""
    view, here = frame(request), rooms(request)
    report = _made(here, user, view, name, _Asked(code, grid or None, _IN_FILE))
    with here.database.write() as session:
        detail = f"{name} rows={len(report.lines)}"
        noted(session, view.now, user, "report.downloaded", f"compound:{here.compound}", detail)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([view.t(f"reports.{column}") for column in report.columns])
    writer.writerows([[harmless(cell.text) for cell in line] for line in report.lines])
    return Response(
        # Without the mark Excel takes UTF-8 for something else.
        codecs.BOM_UTF8 + text.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-{view.now:%Y%m%d}.csv"'},
    )


@router.get("/{name}")
def show(request: Request, user: Reader, name: str, code: Code = "", grid: Code = "") -> Response:
    """One report; `code` narrows it to one kind of finding, `grid` to one grid."""
    view, here = frame(request), rooms(request)
    kinds = list(Separation) if name == "consistency" else []
    limit = _OF_EACH if kinds and code not in kinds else _SHOWN
    report = _made(here, user, view, name, _Asked(code, grid or None, limit))
    wanted = sum(number for _, kind, number in report.counts if code not in kinds or kind == code)
    return render(
        view,
        "reports.html",
        names=[one for one in NAMES if _readable(view, one)],
        name=name,
        code=code,
        grid=grid,
        # A grid worker has the own grids and no other to choose.
        grids=sorted(_grids(here).items(), key=lambda one: one[1]) if user.role != Role.GRID_WORKER else [],
        by_grid=name != "leavers",
        report=report,
        is_cut=len(report.lines) < wanted if kinds else len(report.lines) >= limit,
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a report is narrowed, and how many lines it may have."""

    code: str
    grid: str | None
    limit: int


def _readable(view: Frame, name: str) -> bool:
    return name not in _FOR_EDITORS or view.may(Action.CREDENTIALS_EDIT)


def _made(here: Rooms, user: User, view: Frame, name: str, asked: _Asked) -> Report:
    if name not in NAMES or not _readable(view, name):
        raise not_found("report")
    return _REPORTS[name](here, user, view, asked)


def _home(dwelling: str | None, address: str) -> Cell:
    return Cell(address, "", f"/registry/dwellings/{dwelling}" if dwelling else "")


def _person(person: str | None) -> Cell:
    return Cell(person or "", "mono", f"/registry/people/{person}" if person else "")


def _household(household: str | None) -> Cell:
    return Cell(household or "", "mono", f"/registry/households/{household}" if household else "")


def _consistency(here: Rooms, user: User, view: Frame, asked: _Asked) -> Report:
    wanted = [Separation(asked.code)] if asked.code in list(Separation) else None
    found = reports.consistency(here, user, grid=asked.grid, code=wanted, limit=asked.limit)
    homes = _addresses(here, (row.dwelling_id for row in found.findings))
    return Report(
        [(f"separation.{kind}", str(kind), number) for kind, number in found.counts.items()],
        ("finding", "dwelling", "person", "household"),
        [
            [
                Cell(view.t.code("separation", row.code)),
                _home(row.dwelling_id, homes.get(row.dwelling_id or "", "")),
                _person(row.person_id),
                _household(row.household_id),
            ]
            for row in found.findings
        ],
    )


def _tenancies(here: Rooms, user: User, view: Frame, asked: _Asked) -> Report:
    found = reports.tenancies(here, user, grid=asked.grid)
    stages = [row.stage for row in found.items]
    items = [row for row in found.items if asked.code in {"", row.stage}]
    return Report(
        [(f"tenancy.{stage}", str(stage), stages.count(stage)) for stage in TenancyStage],
        ("stage", "dwelling", "kind", "until", "days_left", "person"),
        [
            [
                Cell(view.t.code("tenancy", row.stage), "bad" if row.days_left <= 1 else "todo"),
                _home(row.dwelling_id, row.address),
                Cell(view.t.code("residence_kind", row.kind)),
                Cell(view.day(row.until)),
                Cell(str(row.days_left), "number"),
                _person(row.person_id),
            ]
            for row in items[: asked.limit]
        ],
    )


def _verification(here: Rooms, user: User, view: Frame, asked: _Asked) -> Report:
    found = reports.verification(here, user, grid=asked.grid, limit=asked.limit)
    return Report(
        [(f"verified.{age}", "", number) for age, number in found.counts.items()],
        ("dwelling", "verified_on", "days", "person"),
        [
            [
                _home(row.dwelling_id, row.address),
                Cell(
                    view.day(row.verified_on) or view.t("verified.never"), "" if row.verified_on else "todo"
                ),
                Cell("" if row.days is None else str(row.days), "number"),
                _person(row.person_id),
            ]
            for row in found.items
        ],
    )


def _vacancies(here: Rooms, user: User, view: Frame, asked: _Asked) -> Report:
    found = reports.vacancies(here, user, grid=asked.grid, limit=asked.limit)
    grids = _grids(here)
    states = [row.state for row in found.items]
    items = [row for row in found.items if asked.code in {"", row.state}]
    return Report(
        [
            (f"dwelling_state.{state}", str(state), states.count(state))
            for state in DwellingState
            if state in states
        ],
        ("dwelling", "state", "grid", "left_on", "note"),
        [
            [
                _home(row.dwelling_id, row.address),
                Cell(view.t.code("dwelling_state", row.state)),
                Cell(grids.get(row.grid or "", "")),
                Cell(view.day(row.left_on)),
                Cell(view.t("separation.vacant_with_people"), "todo") if row.inhabited else Cell(""),
            ]
            for row in items
        ],
    )


def _leavers(here: Rooms, user: User, view: Frame, asked: _Asked) -> Report:
    """What opens still for people who have moved out: their credentials and their cars."""
    purpose = Purpose.REGISTRY_MAINTENANCE
    keys = credentials.to_review(here, user, purpose).items
    cars = vehicles.to_review(here, user, purpose).items
    lines = []
    if asked.code in {"", "credential"}:
        lines += [
            [
                Cell(view.t.code("credential_kind", key.kind), "todo"),
                Cell(view.day(key.ended_on)),
                _person(key.person),
            ]
            for key in keys
        ]
    if asked.code in {"", "vehicle"}:
        lines += [
            [
                Cell(view.t("leaver.vehicle"), "todo", f"/registry/vehicles/{car.vehicle}"),
                Cell(view.day(car.ended_on)),
                _person(car.person),
            ]
            for car in cars
        ]
    return Report(
        [("leaver.credential", "credential", len(keys)), ("leaver.vehicle", "vehicle", len(cars))],
        ("opens", "left_on", "person"),
        lines[: asked.limit],
    )


_REPORTS: Final[Mapping[str, Callable[[Rooms, User, Frame, _Asked], Report]]] = {
    "consistency": _consistency,
    "tenancies": _tenancies,
    "verification": _verification,
    "vacancies": _vacancies,
    "leavers": _leavers,
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


def harmless(text: str) -> str:
    """Nothing that a spreadsheet would take for a formula; a number below nought is none."""
    risky = text.startswith(("=", "+", "@", "\t", "\r", "\n")) or (
        text.startswith("-") and not text[1:].isdecimal()
    )
    return f"'{text}" if risky else text
