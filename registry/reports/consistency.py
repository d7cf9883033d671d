"""Where person, household registration and dwelling do not coincide (人户房分离), found in sets.

A finding is a question for whoever knows the stairwell, not a mistake of somebody's. It is
asked over a compound, or over the dwellings of one grid.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, String, func, literal, select, union_all
from sqlalchemy.orm import Session

from registry.places.models import Dwelling
from registry.reports.separations import CHECKS, Separation

LIST_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One question, by ids. `fact`: the kind of residence or the state of the dwelling meant."""

    code: Separation
    person_id: str | None
    household_id: str | None
    dwelling_id: str | None
    residence_id: str | None
    fact: str | None


@dataclass(frozen=True, slots=True)
class Consistency:
    """The report: how many of each kind there are, and those that were asked for."""

    on: dt.date
    counts: dict[Separation, int]
    findings: Sequence[Finding]


def consistency(
    session: Session,
    compound: str,
    on: dt.date,
    *,
    grids: Collection[str] | None = None,
    codes: Iterable[Separation] = tuple(Separation),
    limit: int = LIST_MAX,
) -> Consistency:
    """What does not coincide on a day of the compound, in the dwellings of some grids if they are named.

    `counts` are whole; of each of `codes` at most `limit` findings are listed. Households
    without a dwelling lie in no grid.
    """
    session.flush()
    checks = {code: _within(check(compound, on), grids) for code, check in CHECKS.items()}
    counted = union_all(
        *(
            # What is only counted need not be sorted.
            select(literal(code.value, String).label("code"), func.count().label("count")).select_from(
                check.order_by(None).subquery()
            )
            for code, check in checks.items()
        )
    )
    counts = {Separation(row.code): row[1] for row in session.execute(counted)}
    findings: list[Finding] = []
    for code in codes:
        if counts[code]:
            listed = session.execute(checks[code].limit(limit))
            findings += [Finding(code, *row) for row in listed]
    return Consistency(on, counts, findings)


def _within(check: Select[Any], grids: Collection[str] | None) -> Select[Any]:
    """A check over some grids, in an order so that a list that is cut is cut alike each time."""
    rows = check.subquery()
    found = select(rows).order_by(rows.c.dwelling, rows.c.household, rows.c.person, rows.c.residence)
    if grids is None:
        return found
    return found.where(rows.c.dwelling.in_(select(Dwelling.id).where(Dwelling.grid.in_(grids))))
